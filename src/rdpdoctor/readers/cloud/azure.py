"""Azure: network security groups, effective rules of a network card, just-in-time policies.

Sources: Azure documentation, "Network security groups" (order, default rules), "Virtual network service tags"
(what the tags mean), REST API Microsoft.Network/networkSecurityGroups and effectiveNetworkSecurityGroups,
Microsoft.Security/jitNetworkAccessPolicies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud.fields import (
    fields,
    identified,
    items,
    last_part,
    network,
    number,
    port_range,
    protocols,
    text,
    texts,
)
from rdpdoctor.readers.cloud.model import (
    EVERYWHERE,
    PRIVATE,
    PUBLIC,
    Found,
    Group,
    JustInTime,
    Named,
    Rule,
    spans,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rdpdoctor.readers.cloud.bounds import Budget
    from rdpdoctor.readers.cloud.model import Ports, Span

    Tags = Mapping[str, tuple[Span, ...]]

_ANY = frozenset({"*", "any", "0.0.0.0/0"})
#: Azure's own address for health probes and the like, in every virtual network.
_PLATFORM = spans("168.63.129.16/32")
#: A destination that every machine of a network is, seen from outside.
_OWN = _ANY | {"virtualnetwork", "::/0"}
_WITHIN: Mapping[str, tuple[Span, ...]] = {
    "virtualnetwork": (*PRIVATE, *_PLATFORM),  # and what is connected to it; public blocks are rare there
}

_NETWORK = Named("VirtualNetwork", _WITHIN["virtualnetwork"])
_BALANCER = Named("AzureLoadBalancer", _PLATFORM, clients=False)
#: What every group ends with; exports of the rules alone leave them out.
DEFAULTS = (
    Rule("AllowVnetInBound", True, 65000, (), (_NETWORK,), built_in=True),
    Rule("AllowAzureLoadBalancerInBound", True, 65001, (), (_BALANCER,), built_in=True),
    Rule("DenyAllInBound", False, 65500, EVERYWHERE, built_in=True),
)


def read(row: Mapping[str, Any], found: Found, budget: Budget) -> bool:
    """Whether an object (as `fields` gives it) is one of these; then it is in `found`."""
    if "effectivesecurityrules" in row:
        found.groups.append(_effective(row, found, budget))
    elif "securityrules" in row or "defaultsecurityrules" in row:
        found.groups.append(_group(row, found, budget))
    elif "virtualmachines" in row and (
        "requests" in row or "jitnetworkaccess" in str(row.get("type")).lower()
    ):
        found.just_in_time.extend(_just_in_time(row, budget))
    else:
        return False
    return True


def is_rule(row: Mapping[str, Any]) -> bool:
    """Whether it is a rule by itself, as `az network nsg rule list` gives them."""
    return {"access", "direction", "priority", "protocol"} <= row.keys()


def loose(rows: Sequence[Mapping[str, Any]], found: Found, budget: Budget) -> Group:
    """The group that rules without one make."""
    identity = str(rows[0].get("id") or "").split("/")
    name = (
        identity[-3] if len(identity) > 3 and identity[-2].lower() == "securityrules" else "the rules given"
    )
    return _made("nsg", name, _rules(rows, found, budget), False, budget)


def _group(row: Mapping[str, Any], found: Found, budget: Budget) -> Group:
    own = _written(row, "securityrules", budget)
    built_in = _written(row, "defaultsecurityrules", budget)
    if own is None:
        found.lost.append("rules that are not in the export; PowerShell needs ConvertTo-Json -Depth 10")
    rules = _rules(own or [], found, budget)
    rules += _rules(built_in, found, budget, built_in=True) if built_in else list(DEFAULTS)
    name = text(row.get("name")) or "a group without a name"
    made = _made("nsg", name, rules, False, budget, own is not None)
    where = [row[place] for place in ("subnets", "networkinterfaces") if place in row]
    return replace(made, idle=len(where) == 2 and not any(map(items, where)))


def _written(row: Mapping[str, Any], name: str, budget: Budget) -> list[dict[str, Any]] | None:
    """Rules as objects. PowerShell's ConvertTo-Json cuts deep objects off, but the text beside them is whole.
    None: they are lost.
    """
    rows = items(row.get(name))
    if rows and not any(isinstance(one, dict) for one in rows):
        rows = items(budget.inner(row.get(f"{name}text")))
        if not rows:
            return None
    return [fields(one) for one in rows if isinstance(one, dict)]


def _effective(row: Mapping[str, Any], found: Found, budget: Budget) -> Group:
    tags = _tags(row.get("tagmap"), budget)
    rules = _rules([fields(one) for one in items(row["effectivesecurityrules"])], found, budget, tags=tags)
    bound = fields(row.get("association"))
    where = next((place for place in ("networkinterface", "subnet") if fields(bound.get(place))), "")
    name = last_part(fields(row.get("networksecuritygroup")).get("id")) or "a group without a name"
    at = last_part(fields(bound.get(where)).get("id"))
    place = f"{name} at {'the subnet' if where == 'subnet' else 'the network card'} {at}" if at else name
    return _made("effective-nsg", place, rules, True, budget)


def _tags(value: Any, budget: Budget) -> Tags:
    """What service tags stand for, where the listing tells; older tools write it as JSON inside a text."""
    known = value if isinstance(value, dict) else budget.inner(value)
    if not isinstance(known, dict):
        return {}
    return {name.lower(): _blocks(budget.take(texts(blocks))) for name, blocks in known.items()}


def _blocks(words: list[str]) -> tuple[Span, ...]:
    return tuple(one for word in words if (one := network(word)) is not None)


def _made(
    kind: str, name: str, rules: list[Rule], together: bool, budget: Budget, whole: bool = True
) -> Group:
    rules.sort(key=lambda rule: 2**63 if rule.priority is None else rule.priority)
    return Group("azure", kind, name, tuple(rules), together=together, whole=whole and not budget.spent)


def _rules(
    rows: Sequence[Mapping[str, Any]],
    found: Found,
    budget: Budget,
    built_in: bool = False,
    tags: Tags | None = None,
) -> list[Rule]:
    rules = []
    for row in rows:
        if text(row.get("direction")).lower() != "inbound" or not budget.rule():
            continue
        if text(row.get("access")).lower() not in ("allow", "deny"):
            found.lost.append(f"the rule {text(row.get('name'))}: it neither allows nor denies")
            budget.spent = True
            continue
        rules.append(_rule(row, found, budget, built_in, tags or {}))
    return rules


def _rule(row: Mapping[str, Any], found: Found, budget: Budget, built_in: bool, tags: Tags) -> Rule:
    kind, _, name = text(row.get("name")).rpartition("/")  # effective rules: securityRules/NAME
    name = name or "a rule without a name"
    sources, named, unread = _sources(row, budget, tags)
    ports, unread_ports = _ports(row)
    protocol = text(row.get("protocol")) or "*"
    own_ports = texts(row.get("sourceportrange"), row.get("sourceportranges"))
    narrow = not _meant_for_all(row) or any(port_range(word) != (0, 65535) for word in own_ports)
    if unread or unread_ports:
        found.lost.append(f"a part of the rule {name}: {unread or unread_ports}")
        narrow = narrow or unread_ports is not None
    return Rule(
        name=name,
        allow=text(row.get("access")).lower() == "allow",
        priority=number(row.get("priority")),
        spans=sources,
        named=named,
        ports=ports,
        protocols=protocols(protocol),
        narrow=narrow,
        built_in=built_in or kind.lower() == "defaultsecurityrules" or name.startswith("DefaultRule_"),
    )


def _sources(
    row: Mapping[str, Any], budget: Budget, tags: Tags
) -> tuple[tuple[Span, ...], tuple[Named, ...], str | None]:
    """Blocks, names, and what of it is neither."""
    expanded = budget.take(texts(row.get("expandedsourceaddressprefix")))
    words = budget.take(texts(row.get("sourceaddressprefix"), row.get("sourceaddressprefixes")))
    if expanded and not any(word.lower() in _ANY for word in words):
        return _blocks(expanded), (), None
    blocks: list[Span] = []
    named: list[Named] = []
    unread = None
    for word in dict.fromkeys(words):
        low = word.lower()
        if low in ("*", "any"):
            blocks.extend(EVERYWHERE)
        elif low == "internet":
            blocks.extend(PUBLIC)
        elif (block := network(word)) is not None:
            blocks.append(block)
        elif low in tags:
            blocks.extend(tags[low])
        elif low == "azureloadbalancer":
            named.append(_BALANCER)
        elif word[0].isalpha() and not low.startswith(
            "system."
        ):  # what PowerShell cuts off becomes a type's name
            # Every other tag is one of Azure's services, which have public addresses.
            named.append(Named(text(word), _WITHIN.get(low, PUBLIC)))
        else:
            unread = f"source {word[:40]}"
    named += [
        Named(f"group {name}", PRIVATE) for name in identified(row.get("sourceapplicationsecuritygroups"))
    ]
    if not blocks and not named and unread is None:
        unread = "no source"
    named += [Named(unread, unread=True)] if unread is not None else []
    return tuple(blocks), tuple(named), unread


def _ports(row: Mapping[str, Any]) -> tuple[tuple[Ports, ...], str | None]:
    words = texts(row.get("destinationportrange"), row.get("destinationportranges"))
    ranges = [port_range(word) for word in words]
    known = tuple(one for one in ranges if one is not None)
    unread = next((word for word, one in zip(words, ranges, strict=True) if one is None), None)
    if not known:
        return ((0, 65535),), f"ports {unread[:40]}" if unread else "no ports"
    return known, f"ports {unread[:40]}" if unread else None


def _meant_for_all(row: Mapping[str, Any]) -> bool:
    """Whether a rule applies whatever the machine's address is."""
    if identified(row.get("destinationapplicationsecuritygroups")):
        return False
    words = texts(row.get("destinationaddressprefix"), row.get("destinationaddressprefixes"))
    return any(word.lower() in _OWN for word in words)


def _just_in_time(row: Mapping[str, Any], budget: Budget) -> list[JustInTime]:
    asked: dict[Ports, str] = {}
    for request in items(row.get("requests")):
        for machine in items(fields(request).get("virtualmachines")):
            for port in items(fields(machine).get("ports")):
                known = fields(port)
                which = port_range(text(known.get("number")))
                if which is not None:
                    asked[which] = max(asked.get(which, ""), text(known.get("endtimeutc")))
    found = []
    for machine in items(row.get("virtualmachines")):
        known = fields(machine)
        for port in items(known.get("ports")):
            which = port_range(text(fields(port).get("number")))
            if which is not None and budget.rule():
                found.append(JustInTime(last_part(known.get("id")), which, asked.get(which)))
    return found
