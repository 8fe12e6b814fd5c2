"""Google Cloud: what `get-effective-firewalls` gives, firewall policies and VPC rules together.

Sources: Google Cloud documentation, "Evaluation order for firewall policies and rules" and "Firewall policy
rule components"; the Compute Engine API's instances.getEffectiveFirewalls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud import gcp
from rdpdoctor.readers.cloud.fields import fields, items, last_part, network, number, protocols, text, texts
from rdpdoctor.readers.cloud.model import EVERYWHERE, PRIVATE, Group, Named, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rdpdoctor.readers.cloud.bounds import Budget
    from rdpdoctor.readers.cloud.model import Found, Ports, Span

#: Sources whose addresses the file does not tell: anywhere, or machines of one's own.
_ANYWHERE = ("srcregioncodes", "srcthreatintelligences", "srcaddressgroups", "srcfqdns")
_OWN = ("srcsecuretags",)
#: What narrows the other sources, or the machines.
_NARROWS = ("srcnetworktype", "srcnetworkscope", "srcnetworkcontext", "srcnetworks", "destipranges")
#: Rules of a policy that go on; real policies have a few.
_PASSED = 50
_TARGETS = ("targetresources", "targetserviceaccounts", "targetsecuretags")


def read(row: Mapping[str, Any], found: Found, budget: Budget) -> bool:
    """Whether it is such a listing; then its rules are in `found`, in the order in which they are asked."""
    if "firewallpolicys" not in row:
        return False
    vpc = [fields(one) for one in items(row.get("firewalls"))]
    name = next((last_part(one.get("network")) for one in vpc), "") or "the network"
    early: list[Rule] = []
    late: list[Rule] = []
    for policy in map(fields, items(row["firewallpolicys"])):
        first = text(policy.get("type")).upper() not in ("NETWORK", "NETWORK_REGIONAL")
        (early if first else late).extend(_policy(policy, found, budget))
    middle = gcp.ordered(vpc, found, budget)
    orders = {"": (*early, *middle, *late, gcp.IMPLIED)}
    if middle and late:  # networks can be set to ask their policies first, and the listing does not say
        orders = {
            " as networks are set at first": orders[""],
            " if set to ask policies first": (*early, *late, *middle, gcp.IMPLIED),
        }
    for how, rules in orders.items():
        found.groups.append(Group("gcp", "firewall", f"{name}{how}", tuple(rules), whole=not budget.spent))
    return True


def _policy(policy: Mapping[str, Any], found: Found, budget: Budget) -> list[Rule]:
    """`goto_next` leaves the rest of its policy out, for what it is about."""
    name = text(policy.get("shortname") or policy.get("displayname") or policy.get("name")) or "a policy"
    rows = [fields(one) for one in items(policy.get("rules"))]
    rows.sort(key=lambda row: number(row.get("priority")) or 0)
    made: list[Rule] = []
    passed: list[Rule] = []
    for row in rows:
        if row.get("disabled") is True or text(row.get("direction")).upper() == "EGRESS":
            continue
        action = text(row.get("action")).lower()
        if action not in ("allow", "deny", "goto_next", "apply_security_profile_group"):
            found.lost.append(f"a rule of the policy {name}: it neither allows nor denies")
            budget.spent = True
            continue
        for config in items(fields(row.get("match")).get("layer4configs")) or [{"ipProtocol": "all"}]:
            if not budget.rule():
                break
            rule = _rule(row, fields(config), action, name, found, budget)
            if action != "goto_next":
                made += _besides(rule, passed, budget)
            elif len(passed) < _PASSED:
                passed.append(rule)
            else:
                budget.spent = True
    return made


def _rule(
    row: Mapping[str, Any], config: Mapping[str, Any], action: str, policy: str, found: Found, budget: Budget
) -> Rule:
    match = fields(row.get("match"))
    place = number(row.get("priority"))
    name = text(row.get("rulename")) or f"{place} of the policy {policy}"
    words = budget.take(texts(match.get("srcipranges")))
    blocks = [network(word) for word in words]
    named = [
        Named(text(member if isinstance(member, str) else fields(member).get("name")) or kind, within)
        for kinds, within in ((_ANYWHERE, ()), (_OWN, PRIVATE))
        for kind in kinds
        for member in items(match.get(kind))
    ]
    ports, unread = gcp.port_ranges(config.get("ports"))
    if None in blocks:
        named.append(gcp.UNREAD)
    if unread or None in blocks:
        found.lost.append(f"a part of the rule {name}")
    narrow = (
        unread
        or action == "apply_security_profile_group"  # it lets in what an inspection then passes
        or any(match.get(each) for each in _NARROWS)
        or any(row.get(each) for each in _TARGETS)
    )
    return Rule(
        name=name,
        allow=action != "deny",
        priority=place,
        spans=tuple(one for one in blocks if one is not None) or (() if words or named else EVERYWHERE),
        named=tuple(named),
        ports=ports,
        protocols=protocols(text(config.get("ipprotocol"))),
        narrow=narrow,
        built_in=place is not None and place >= 2147483644,
    )


def _besides(rule: Rule, passed: Iterable[Rule], budget: Budget) -> list[Rule]:
    """The rule, less what went on to the next policy before it. Where that is too much, it is doubtful."""
    parts = [rule]
    for gone in passed:
        size = len(gone.spans) + len(gone.ports)
        if not budget.compare(size * sum(len(part.spans) + len(part.ports) for part in parts)):
            return [replace(rule, narrow=True)]
        parts = [left for part in parts for left in _without(part, gone)]
    return parts


def _without(rule: Rule, gone: Rule) -> list[Rule]:
    common = rule.protocols & gone.protocols
    inside = [one for port in rule.ports for other in gone.ports if (one := _common(port, other))]
    if not common or not inside:
        return [rule]
    parts = []
    if rule.protocols - common:
        parts.append(replace(rule, protocols=rule.protocols - common))
    if outside := _subtract([(4, *one) for one in rule.ports], [(4, *one) for one in gone.ports]):
        parts.append(replace(rule, protocols=common, ports=tuple((low, high) for _, low, high in outside)))
    same = replace(rule, protocols=common, ports=tuple(inside))
    if gone.narrow or gone.named:
        parts.append(replace(same, narrow=True))
    elif (left := tuple(_subtract(rule.spans, gone.spans))) or rule.named:
        parts.append(replace(same, spans=left))
    return parts


def _common(one: Ports, other: Ports) -> Ports | None:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else None


def _subtract(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    left = list(spans)
    for version, low, high in gone:
        left = [
            part
            for one in left
            for part in (
                [one]
                if one[0] != version or one[2] < low or high < one[1]
                else [
                    (version, first, last)
                    for first, last in ((one[1], low - 1), (high + 1, one[2]))
                    if first <= last
                ]
            )
        ]
    return left
