"""AWS: security groups, which only allow and keep state, and network ACLs, which do neither.

Sources: AWS documentation, "Security group rules", "Network ACLs" (order, the `*` rule, ephemeral ports), and
the EC2 API's DescribeSecurityGroups, DescribeSecurityGroupRules and DescribeNetworkAcls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud.fields import fields, items, network, number, protocols, text
from rdpdoctor.readers.cloud.model import ALL_PORTS, PRIVATE, Found, Group, Named, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.readers.cloud.bounds import Budget
    from rdpdoctor.readers.cloud.model import Ports, Span

#: The number under which an ACL's last rule, `*`, is exported.
_LAST = 32767


def read(row: Mapping[str, Any], found: Found, budget: Budget) -> bool:
    """Whether an object (as `fields` gives it) is one of these; then it is in `found`."""
    if "groupid" in row and ("ippermissions" in row or "ippermission" in row):
        found.groups.append(_security_group(row, found, budget))
    elif "entries" in row and ("networkaclid" in row or "vpcid" in row):
        found.groups.append(_network_acl(row, found, budget))
    else:
        return False
    return True


def is_rule(row: Mapping[str, Any]) -> bool:
    """Whether it is a rule by itself, as describe-security-group-rules gives them."""
    return {"groupid", "isegress", "ipprotocol"} <= row.keys()


def loose(rows: Sequence[Mapping[str, Any]], found: Found, budget: Budget) -> list[Group]:
    """The groups that rules without one make."""
    by_group: dict[str, list[Rule]] = {}
    for row in rows:
        rules = by_group.setdefault(text(row.get("groupid")), [])
        if row.get("isegress") is True or not budget.rule():
            continue
        blocks = [row.get("cidripv4"), row.get("cidripv6")]
        groups = [text(fields(row.get("referencedgroupinfo")).get("groupid"))]
        rules.append(_permission(row, blocks, groups, [text(row.get("prefixlistid"))], found))
    return [_made("security-group", name, rules, None, budget) for name, rules in by_group.items()]


def _security_group(row: Mapping[str, Any], found: Found, budget: Budget) -> Group:
    rules = []
    for one in items(row.get("ippermissions", row.get("ippermission"))):
        permission = fields(one)
        if not permission or not budget.rule():
            continue
        blocks = [
            *_each(permission, ("ipranges", "ipv4ranges"), "cidrip"),
            *_each(permission, ("ipv6ranges",), "cidripv6"),
        ]
        groups = [text(name) for name in _each(permission, ("useridgrouppairs",), "groupid")]
        lists = [text(name) for name in _each(permission, ("prefixlistids",), "prefixlistid")]
        rules.append(_permission(permission, budget.take([*map(text, blocks)]), groups, lists, found))
    identity, name = text(row.get("groupid")), text(row.get("groupname"))
    return _made("security-group", f"{name} ({identity})" if name else identity, rules, None, budget)


def _each(row: Mapping[str, Any], lists: Iterable[str], member: str) -> list[Any]:
    """One member of each object in these lists; in PowerShell's exports some hold the texts themselves."""
    return [
        fields(one).get(member) if isinstance(one, dict) else one
        for name in lists
        for one in items(row.get(name))
    ]


def _permission(
    row: Mapping[str, Any], blocks: Iterable[Any], groups: Iterable[str], lists: Iterable[str], found: Found
) -> Rule:
    sources: dict[Span, None] = {}
    unread: str | None = None
    for word in filter(None, map(text, blocks)):
        block = network(word)
        if block is None:
            unread = f"source {word[:40]}"
        else:
            sources[block] = None
    lost = [Named(unread, unread=True)] if unread is not None else []
    # A reference to a group means the private addresses of its machines; a prefix list may hold any.
    named = [Named(name, PRIVATE) for name in groups if name] + [Named(name) for name in lists if name]
    named += lost
    protocol = text(row.get("ipprotocol"))
    # All protocols means all ports, whatever ports stand beside it.
    ports = ALL_PORTS if protocol == "-1" else _ports(row.get("fromport"), row.get("toport"))
    narrow = ports is None
    if ports is None:
        unread, ports = "ports", ALL_PORTS
    shown = "all protocols" if protocol == "-1" else protocol
    name = f"{shown} {_shown(ports)}" if ports != ALL_PORTS else shown
    name = text(row.get("securitygroupruleid")) or name
    if unread:
        found.lost.append(f"a part of the rule {name}: {unread}")
    return Rule(name, True, None, tuple(sources), tuple(named), (ports,), protocols(protocol), narrow)


def _network_acl(row: Mapping[str, Any], found: Found, budget: Budget) -> Group:
    ways: tuple[list[Rule], list[Rule]] = [], []
    for one in items(row["entries"]):
        entry = fields(one)
        place, action = number(entry.get("rulenumber")), text(entry.get("ruleaction")).lower()
        if not budget.rule():
            break
        block = network(text(entry.get("cidrblock")) or text(entry.get("ipv6cidrblock")))
        if place is None or action not in ("allow", "deny") or block is None:
            found.lost.append("an entry of a network ACL without number, action or source")
            budget.spent = True
            continue
        between = fields(entry.get("portrange"))
        ports = _ports(between.get("from"), between.get("to"))
        if ports is None:
            found.lost.append(f"the entry {place} of a network ACL: its ports")
            budget.spent = True
            continue
        name = "*" if place == _LAST else str(place)
        sort = protocols(text(entry.get("protocol")))
        rule = Rule(name, action == "allow", place, (block,), (), (ports,), sort, built_in=place == _LAST)
        ways[entry.get("egress") is True].append(rule)
    for way in ways:
        way.sort(key=lambda rule: rule.priority or 0)
    name = text(row.get("networkaclid")) or "a network ACL without an id"
    return _made("network-acl", name, ways[0], ways[1], budget)


def _made(kind: str, name: str, rules: list[Rule], back: list[Rule] | None, budget: Budget) -> Group:
    answers = None if back is None else tuple(back)
    return Group("aws", kind, name, tuple(rules), answers, whole=not budget.spent)


def _ports(first: Any, last: Any) -> Ports | None:
    """No ports, or -1, mean all of them. None where they are no ports."""
    low, high = number(first), number(last)
    if low in (None, -1) and high in (None, -1):
        return ALL_PORTS
    return (low, high) if low is not None and high is not None and 0 <= low <= high <= 65535 else None


def _shown(ports: Ports) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
