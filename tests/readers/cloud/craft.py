"""Exports of clouds in a few words, and what they come to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.facts import Journal, Observation, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.cloud.rules import Rules, read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOME, OFFICE = "198.51.100.7", "203.0.113.9"


def nsg_rule(
    name: str, priority: int, access: str = "Allow", source: Any = "*", **args: Any
) -> dict[str, Any]:
    """As `az network nsg show` gives it."""
    many = isinstance(source, list)
    return {
        "name": name,
        "priority": priority,
        "access": access,
        "direction": "Inbound",
        "protocol": "Tcp",
        "sourceAddressPrefix": None if many else source,
        "sourceAddressPrefixes": source if many else [],
        "sourcePortRange": "*",
        "sourcePortRanges": [],
        "destinationAddressPrefix": "*",
        "destinationAddressPrefixes": [],
        "destinationPortRange": "3389",
        "destinationPortRanges": [],
        **args,
    }


def nsg(*rules: Mapping[str, Any], name: str = "nsg-1", **args: Any) -> dict[str, Any]:
    return {"name": name, "securityRules": list(rules), **args}


def security_group(*permissions: Mapping[str, Any], identity: str = "sg-1", name: str = "") -> dict[str, Any]:
    return {"GroupId": identity, "GroupName": name, "IpPermissions": list(permissions)}


def permission(*blocks: str, ports: tuple[int, int] | None = (3389, 3389), **args: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"IpProtocol": "tcp" if ports else "-1", **args}
    if ports:
        row |= {"FromPort": ports[0], "ToPort": ports[1]}
    row["IpRanges"] = [{"CidrIp": block} for block in blocks if ":" not in block]
    row["Ipv6Ranges"] = [{"CidrIpv6": block} for block in blocks if ":" in block]
    return row


def entry(
    number: int,
    action: str,
    ports: tuple[int, int] | None = None,
    block: str = "0.0.0.0/0",
    egress: bool = False,
) -> dict[str, Any]:
    row: dict[str, Any] = {"RuleNumber": number, "RuleAction": action, "Egress": egress, "CidrBlock": block}
    row["Protocol"] = "6" if ports else "-1"
    if ports:
        row["PortRange"] = {"From": ports[0], "To": ports[1]}
    return row


def network_acl(*entries: Mapping[str, Any], identity: str = "acl-1") -> dict[str, Any]:
    last = [entry(32767, "deny"), entry(32767, "deny", egress=True)]
    return {"NetworkAcls": [{"NetworkAclId": identity, "Entries": [*entries, *last], "VpcId": "vpc-1"}]}


def firewall(name: str, priority: int = 1000, **args: Any) -> dict[str, Any]:
    network = "https://www.googleapis.com/compute/v1/projects/p/global/networks/net-1"
    row = {"kind": "compute#firewall", "name": name, "network": network, "priority": priority}
    return {**row, "direction": "INGRESS", "disabled": False, **args}


TCP_3389: list[dict[str, Any]] = [{"IPProtocol": "tcp", "ports": ["3389"]}]


def template(*rules: dict[str, Any], loose: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """As `az group export` writes it: rules in their group, and once more by themselves."""
    kind, name = "Microsoft.Network/networkSecurityGroups", "parameters('networkSecurityGroups_vm_name')"
    plain = {rule["name"]: {key: rule[key] for key in rule if key != "name"} for rule in (*rules, *loose)}
    inner = [{"name": rule["name"], "properties": plain[rule["name"]]} for rule in rules]
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "parameters": {"networkSecurityGroups_vm_name": {"defaultValue": "vm-nsg", "type": "String"}},
        "resources": [
            {"type": kind, "name": f"[{name}]", "properties": {"securityRules": inner}},
            {"type": "Microsoft.Network/virtualNetworks", "name": "net", "properties": {}},
            *(
                {
                    "type": f"{kind}/securityRules",
                    "name": f"[concat({name}, '/{each}')]",
                    "properties": plain[each],
                }
                for each in plain
            ),
        ],
    }


def policy(kind: str, *rules: tuple[int, str, str, Any]) -> dict[str, Any]:
    """(priority, action, source, ports) each."""
    return {
        "type": kind,
        "shortName": kind.lower(),
        "rules": [
            {
                "kind": "compute#firewallPolicyRule",
                "priority": priority,
                "action": action,
                "direction": "INGRESS",
                "match": {"srcIpRanges": [source], "layer4Configs": [{"ipProtocol": "tcp", "ports": ports}]},
            }
            for priority, action, source, ports in rules
        ],
    }


def effective_firewalls(*policies: dict[str, Any], vpc: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"firewallPolicys": list(policies), "firewalls": list(vpc)}


def rules(document: Any, source: str | None = None, port: int = 3389) -> Rules:
    """Read, with each observation as declared."""
    read = read_rules(json.dumps(document).encode(), source, port)
    for row in read.observations:
        assert not faults(row, load().tags), faults(row, load().tags)
    return read


def decided(document: Any, source: str | None = None, port: int = 3389) -> list[tuple[Any, ...]]:
    """(group, verdict, rule) of each group, about TCP."""
    found = [
        row.args for row in rules(document, source, port).observations if row.tag == "cloud.rule-decides"
    ]
    return [(args["group"], args["verdict"], args["rule"]) for args in found]


def one(document: Any, source: str | None = None, port: int = 3389) -> Observation:
    found = [row for row in rules(document, source, port).observations if row.tag == "cloud.rule-decides"]
    assert len(found) == 1
    return found[0]


def passes(document: Any, source: str | None = None) -> list[str]:
    """Who gets in, by the only group's word."""
    found = one(document, source).args["passes"]
    assert isinstance(found, list)
    return found


def tags(read: Rules) -> list[str]:
    return [row.tag for row in read.observations]


def diagnosis(rows: Iterable[Observation]) -> Diagnosis:
    journal = Journal(Target("srv01", "srv01"), "2026-11-22T10:00:00.000Z")
    journal.extend(rows)
    found = diagnose(journal, load())
    for row in found.observations:
        assert not faults(row, load().tags), faults(row, load().tags)
    return found
