"""Rule sets with what they come to, worked out by hand from the clouds' documentation: the verdict about one
address, and the rule that decides it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import load as scenario
from tests.readers.cloud.craft import (
    HOME,
    OFFICE,
    TCP_3389,
    effective_firewalls,
    entry,
    firewall,
    network_acl,
    nsg,
    nsg_rule,
    permission,
    policy,
    security_group,
    template,
)

if TYPE_CHECKING:
    from pathlib import Path

LATIN, DEFAULT = "2001:db8::9", "DenyAllInBound"
WESTEUROPE = {"AzureCloud.westeurope": ["20.0.0.0/24", "2603:1020::/40"]}


def effective(
    *rules: dict[str, Any], at: str = "networkInterface", name: str = "n1", **more: Any
) -> dict[str, Any]:
    bound = {at: {"id": f"/s/{at}s/a1"}}
    return {
        "association": bound,
        "networkSecurityGroup": {"id": f"/s/{name}"},
        "effectiveSecurityRules": list(rules),
    } | more


def listed(name: str, priority: int, access: str = "Allow", source: Any = "*", **more: Any) -> dict[str, Any]:
    """A rule as an effective listing has it."""
    return nsg_rule(
        f"securityRules/{name}", priority, access, source, destinationPortRange="3389-3389", **more
    )


ALL, MINE = "0.0.0.0/0", "198.51.100.0/24"
ORG, FIRST, SECOND = "HIERARCHY", "1 of the policy hierarchy", "2 of the policy hierarchy"
VPC = (firewall("a", allowed=TCP_3389),)
GOES_ON = policy(ORG, (1, "goto_next", MINE, ["3389"]), (2, "deny", ALL, ["1-65535"]))
SSH_GOES_ON = policy(ORG, (1, "goto_next", MINE, ["22"]), (2, "deny", ALL, ["1-65535"]))
LATER = policy("NETWORK", (1, "allow", MINE, ["3389"]))
INSPECTS = policy(ORG, (1, "apply_security_profile_group", MINE, ["3389"]))
IN, OUT = entry(100, "allow", (3389, 3389)), entry(100, "allow", (1024, 65535), egress=True)
HOME_ONLY = nsg_rule("Home", 100, source=HOME)
NO = nsg_rule("No", 200, "Deny")
EVERYTHING = permission(ALL, ports=None, IpProtocol="-1", FromPort=0, ToPort=0)
WIDE_ACL = network_acl(IN, OUT)["NetworkAcls"][0]
NARROW_ACL = network_acl(entry(1, "allow", (3389, 3389), HOME), OUT)["NetworkAcls"][0]
PROXY = [firewall("iap", allowed=TCP_3389, sourceRanges=["35.235.240.0/20"])]
SAME_PLACE = [firewall("a", 500, allowed=TCP_3389), firewall("d", 500, denied=[{"IPProtocol": "all"}])]
SWITCHED_OFF = [firewall("a", 900, allowed=TCP_3389), firewall("d", 500, denied=TCP_3389, disabled=True)]
WEST = "AzureCloud.westeurope"
TAGGED = listed("A", 100, source=WEST)
STORAGE = listed("A", 100, source="Storage", expandedSourceAddressPrefix=["20.0.0.0/24"])
NETWORK = listed("V", 65000, source="VirtualNetwork", expandedSourceAddressPrefix=["10.4.0.0/16"])
OF_GROUP = nsg_rule("A", 100, source=None, sourceApplicationSecurityGroups=[{"id": "/x/asg"}])
FOR_GROUP = nsg_rule("A", 100, destinationApplicationSecurityGroups=[{"id": "/x/asg"}])
PORTS = nsg_rule("A", 100, destinationPortRange=None, destinationPortRanges=["22", "3380-3390"])
JUST_IN_TIME = "SecurityCenter-JITRule-1"
WAITING = nsg(nsg_rule(JUST_IN_TIME, 4096, "Deny"), nsg_rule("JIT", 100, source=OFFICE))
CARD, SUBNET = effective(listed("A", 100)), effective(listed("B", 100), at="subnet")
CLOSED_SUBNET = effective(listed("B", 100, "Deny"), at="subnet")
ATTACHED = nsg(HOME_ONLY, name="a", subnets=[{"id": "/s"}], networkInterfaces=None)
IDLE = nsg(NO, name="b", subnets=None, networkInterfaces=[])
AZURE: list[tuple[Any, str, str, str | None]] = [
    (nsg(HOME_ONLY), HOME, "allow", "Home"),
    (nsg(HOME_ONLY), OFFICE, "deny", DEFAULT),
    ([nsg(NO, name="a"), nsg(NO, name="b")], HOME, "deny", "No"),
    ([nsg(HOME_ONLY, name="a"), nsg(NO, name="b")], HOME, "unknown", "No"),
    ([ATTACHED, IDLE], HOME, "allow", "Home"),
    ({"value": [CARD, SUBNET]}, HOME, "allow", "A"),
    ({"value": [CARD, CLOSED_SUBNET]}, HOME, "deny", "B"),
    (effective(TAGGED, tagMap=WESTEUROPE), HOME, "deny", None),
    (effective(TAGGED, tagMap=WESTEUROPE), "20.0.0.9", "allow", "A"),
    (effective(TAGGED, tagMap=json.dumps(WESTEUROPE)), "20.0.0.9", "allow", "A"),
    (effective(TAGGED), "20.0.0.9", "unknown", "A"),
    (effective(STORAGE), HOME, "deny", None),
    (effective(NETWORK), "10.4.9.9", "allow", "V"),
    (effective(NETWORK), "10.5.9.9", "deny", None),
    (nsg(nsg_rule("A", 100, source="AzureCloud.westeurope")), HOME, "unknown", "A"),
    (nsg(nsg_rule("A", 100, source="Internet")), HOME, "allow", "A"),
    (nsg(nsg_rule("A", 100, source="Internet")), "10.1.1.1", "unknown", "AllowVnetInBound"),
    (nsg(nsg_rule("A", 100, source="AzureLoadBalancer")), HOME, "deny", DEFAULT),
    (nsg(OF_GROUP), HOME, "deny", DEFAULT),
    (nsg(FOR_GROUP), HOME, "unknown", "A"),
    (nsg(nsg_rule("A", 100, destinationAddressPrefix="10.0.0.4")), HOME, "unknown", "A"),
    (nsg(nsg_rule("A", 100, source=["203.0.113.0/24", "198.51.100.0/25"])), HOME, "allow", "A"),
    (nsg(nsg_rule("A", 100, source=["203.0.113.0/24", "198.51.100.128/25"])), HOME, "deny", DEFAULT),
    (nsg(PORTS), HOME, "allow", "A"),
    (WAITING, HOME, "deny", JUST_IN_TIME),
    (WAITING, OFFICE, "allow", "JIT"),
    (nsg(nsg_rule("A", 100, protocol="Udp")), HOME, "deny", DEFAULT),
    (nsg(nsg_rule("A", 100, protocol="Icmp")), HOME, "deny", DEFAULT),
    (nsg(nsg_rule("A", 100, direction="Outbound")), HOME, "deny", DEFAULT),
    (nsg(nsg_rule("A", 100, source="2001:db8::/32")), LATIN, "allow", "A"),
    (nsg(nsg_rule("A", 100, source="0.0.0.0/0")), LATIN, "deny", DEFAULT),
    (nsg(nsg_rule("A", 100), nsg_rule("B", 90, "Deny", MINE)), HOME, "deny", "B"),
    (template(HOME_ONLY), HOME, "allow", "Home"),
    (template(HOME_ONLY), OFFICE, "deny", DEFAULT),
    (template(HOME_ONLY, loose=(nsg_rule("Late", 90, "Deny"),)), HOME, "deny", "Late"),
    (template(nsg_rule("A", 100, source="[parameters('client')]")), HOME, "unknown", "A"),
]  # fmt: skip
AWS: list[tuple[Any, str, str, str | None]] = [
    ([security_group(permission(MINE))], HOME, "allow", "tcp 3389"),
    ([security_group(permission(MINE))], OFFICE, "deny", None),
    ([security_group(EVERYTHING)], HOME, "allow", "all protocols"),
    ([security_group(permission(ALL, ports=(5000, 4000)))], HOME, "unknown", "tcp"),
    ([security_group(permission("2001:db8::/32"))], LATIN, "allow", "tcp 3389"),
    ([security_group(permission(ALL))], LATIN, "deny", None),
    ([security_group(permission(MINE), identity="a"), security_group(identity="b")], HOME, "unknown", None),
    ([security_group(permission(PrefixListIds=[{"PrefixListId": "pl-1"}]))], HOME, "unknown", "tcp 3389"),
    ([security_group(permission(UserIdGroupPairs=[{"GroupId": "sg-7"}]))], HOME, "deny", None),
    ([security_group(permission(UserIdGroupPairs=[{"GroupId": "sg-7"}]))], "10.1.1.1", "unknown", "tcp 3389"),
    ([security_group(permission(ALL, IpProtocol="udp"))], HOME, "deny", None),
    (network_acl(IN, OUT), HOME, "allow", "100"),
    (network_acl(IN), HOME, "deny", "*"),
    (network_acl(entry(50, "deny", (3389, 3389), MINE), IN, OUT), HOME, "deny", "50"),
    (network_acl(entry(150, "deny", (3389, 3389), MINE), IN, OUT), HOME, "allow", "100"),
    (network_acl(IN, entry(90, "deny", (1024, 65535), MINE, egress=True), OUT), HOME, "deny", "90"),
    (network_acl(entry(100, "allow", (3000, 4000)), OUT), HOME, "allow", "100"),
    (network_acl(entry(100, "allow", (80, 443)), OUT), HOME, "deny", "*"),
]  # fmt: skip
GOOGLE: list[tuple[Any, str, str, str | None]] = [
    ([firewall("a", allowed=TCP_3389, sourceRanges=[MINE])], HOME, "allow", "a"),
    (PROXY, HOME, "deny", "implied deny ingress"),
    (PROXY, "35.235.241.5", "allow", "iap"),
    (SAME_PLACE, HOME, "deny", "d"),
    (SWITCHED_OFF, HOME, "allow", "a"),
    ([firewall("a", allowed=TCP_3389, targetTags=["rdp"])], HOME, "unknown", "a"),
    ([firewall("a", allowed=TCP_3389), {**firewall("b"), "priority": 10}], HOME, "unknown", "a"),
    (effective_firewalls(policy(ORG, (1, "deny", MINE, ["3389"])), vpc=VPC), HOME, "deny", FIRST),
    (effective_firewalls(GOES_ON, vpc=VPC), HOME, "allow", "a"),
    (effective_firewalls(GOES_ON, vpc=VPC), OFFICE, "deny", SECOND),
    (effective_firewalls(SSH_GOES_ON, vpc=VPC), HOME, "deny", SECOND),
    (effective_firewalls(LATER), HOME, "allow", "1 of the policy network"),
    (effective_firewalls(LATER), OFFICE, "deny", "implied deny ingress"),
    (effective_firewalls(LATER, vpc=(firewall("d", denied=TCP_3389),)), HOME, "unknown", "d"),
    (effective_firewalls(INSPECTS), HOME, "unknown", FIRST),
]  # fmt: skip


@pytest.mark.parametrize(("document", "source", "verdict", "rule"), [*AZURE, *AWS, *GOOGLE])
def test_planted(
    document: Any,
    source: str,
    verdict: str,
    rule: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(document))
    main(["read", str(path), "--from", source, "--json"])
    report = json.loads(capsys.readouterr().out)
    (found,) = [row["args"] for row in report["observations"] if row["tag"] == "derived.rules"]
    assert (found["verdict"], found["rule"]) == (verdict, rule)
    failed = report["verdict"]["status"] == "unreachable"
    assert failed is (verdict == "deny")
    assert failed is any(cause["confidence"] == "confirmed" for cause in report["causes"])


def test_more_than_can_be_compared_is_doubtful(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule that goes on is taken off each rule after it, which a file must not make endless."""
    near = [f"20.{i // 256}.{i % 256}.0/24" for i in range(2000)]
    rows = [(place, "goto_next", MINE, ["3389"]) for place in range(40)]
    crowded = policy(ORG, *rows, (50, "deny", ALL, [str(port) for port in range(2, 60000, 3)]))
    for row in crowded["rules"]:
        row["match"]["srcIpRanges"] += near
    path = tmp_path / "rules.json"
    for found, expected in ((crowded, "unknown"), (GOES_ON, "allow")):
        path.write_text(json.dumps(effective_firewalls(found, vpc=VPC)))
        main(["read", str(path), "--from", HOME, "--port", "3389", "--json"])
        told = json.loads(capsys.readouterr().out)["observations"]
        assert [row["args"]["verdict"] for row in told if row["tag"] == "derived.rules"] == [expected]


BOTH = [security_group(permission(HOME)), WIDE_ACL]


@pytest.mark.parametrize(
    ("document", "open_"),
    [
        ([security_group(permission(ALL))], True),
        (BOTH, False),  # an ACL that lets all in is how AWS makes them
        (network_acl(IN, OUT), False),
        ([security_group(permission(ALL)), WIDE_ACL], True),
        ([security_group(permission(ALL)), NARROW_ACL], False),
        ([effective(listed("A", 1)), effective(listed("B", 1, source=HOME), at="subnet")], False),
        ([effective(listed("A", 1)), effective(listed("B", 1), at="subnet")], True),
        ([firewall("a", allowed=TCP_3389)], True),
    ],
)  # fmt: skip
def test_what_is_too_open_all_together(
    document: Any, open_: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(document))
    main(["read", str(path), "--from", HOME, "--json"])
    verdict = json.loads(capsys.readouterr().out)["verdict"]
    assert (verdict["status"] == "degraded") is open_
    assert ("lets the whole Internet in" in verdict["summary"]) is open_


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Name  Priority  SourcePortRanges  SourceAddressPrefixes\n----  --\nRDP  300  *  *\n", "az network"),
        ("- name: nsg\n  securityRules:\n  - access: Allow\n    sourceAddressPrefix: '*'\n", "az network"),
        ("\nName          : nsg\nSecurityRules : [\n                  {\n", "ConvertTo-Json"),
        ("SECURITYGROUPS\tdefault\tsg-1\nIPPERMISSIONS\t3389\ttcp\t3389\n", "describe-security-groups"),
        ("SecurityGroups:\n- GroupId: sg-1\n  IpPermissions:\n", "describe-security-groups"),
        ("-----\n|        DescribeSecurityGroups        |\n+----+\n", "describe-security-groups"),
        ("NETWORKACLS\tacl-1\tTrue\nENTRIES\t0.0.0.0/0\tTrue\n", "describe-network-acls"),
        ("---\nallowed:\n- IPProtocol: tcp\nkind: compute#firewall\nname: a\n", "gcloud compute"),
        ("NAME  NETWORK  DIRECTION  PRIORITY  ALLOW\na  net  INGRESS  65534  tcp:3389\n", "--format=json"),
        ('{"Reservations": [{"Instances": [{"SecurityGroups": []}]}]}', "describe-security-groups"),
        ('{"RouteTables": [{"Routes": []}]}', "describe-security-groups"),
        ('[{"kind": "compute#firewallPolicyRule", "priority": 1}]', "get-effective-firewalls"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_to_give_instead(
    text: str, command: str, encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.txt"
    path.write_text(text, encoding=encoding)
    assert main(["read", str(path), "--from", HOME]) == 2
    assert command in capsys.readouterr().err


@pytest.mark.parametrize("source", ["laptop7", "198.51.100.0/24", "", "1.2.3"])
def test_from_takes_an_address(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(nsg(HOME_ONLY)))
    assert main(["read", str(path), "--from", source]) == 2
    assert "--from takes an IP address" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("nsg", "cloud.nsg-denies"),
        ("group", "cloud.security-group-denies"),
        ("acl", "cloud.security-group-denies"),
    ],
)
def test_silence_beside_rules_that_deny(
    kind: str, cause: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that answers nothing, and the rules of a cloud that say why."""
    path = tmp_path / "rules.json"
    with background(scenario("dropped")) as endpoint:
        port = endpoint.port
        document: Any = {
            "nsg": nsg(nsg_rule("No", 200, "Deny", destinationPortRange=str(port))),
            "group": [security_group(permission(OFFICE, ports=(port, port)))],
            "acl": network_acl(entry(100, "allow", (port, port))),
        }[kind]
        path.write_text(json.dumps(document))
        target = f"{endpoint.addresses[0]}:{port}"
        words = ["check", target, "--timeout", "4", "--json", "--with", str(path), "--from", HOME]
        assert main(words) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"]["status"] == "unreachable"
    assert (report["causes"][0]["id"], report["causes"][0]["confidence"]) == (cause, "confirmed")
