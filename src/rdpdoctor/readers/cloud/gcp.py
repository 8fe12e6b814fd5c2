"""Google Cloud: VPC firewall rules. Firewall policies, which come before and after them, are in `policies`.

Sources: Google Cloud documentation, "VPC firewall rules" (priority, implied rules, sources and targets), and
the Compute Engine API's `firewalls` resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud.fields import (
    fields,
    items,
    last_part,
    network,
    number,
    port_range,
    protocols,
    text,
    texts,
)
from rdpdoctor.readers.cloud.model import ALL_PORTS, ANY_V4, EVERYWHERE, PRIVATE, Found, Group, Named, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.readers.cloud.bounds import Budget
    from rdpdoctor.readers.cloud.model import Ports

_DEFAULT_PRIORITY = 1000
UNREAD = Named("a source that could not be read", unread=True)
IMPLIED = Rule("implied deny ingress", False, 65535, EVERYWHERE, built_in=True)


def is_rule(row: Mapping[str, Any]) -> bool:
    return row.get("kind") == "compute#firewall" or (
        "network" in row and ("allowed" in row or "denied" in row)
    )


def loose(rows: Sequence[Mapping[str, Any]], found: Found, budget: Budget) -> list[Group]:
    """A group for each network."""
    by_network: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_network.setdefault(last_part(row.get("network")) or "default", []).append(row)
    known = {name: ordered(of_one, found, budget) for name, of_one in by_network.items()}
    off = {name: ordered(of_one, found, budget, disabled=True) for name, of_one in by_network.items()}
    return [
        Group("gcp", "firewall", name, (*rules, IMPLIED), whole=not budget.spent, off=tuple(off[name]))
        for name, rules in known.items()
    ]


def ordered(
    rows: Iterable[Mapping[str, Any]], found: Found, budget: Budget, disabled: bool = False
) -> list[Rule]:
    """The rules of one network, in the order in which they are asked; those that are on, or those that are
    not.
    """
    rules: list[Rule] = []
    for row in rows:
        if (row.get("disabled") is True) != disabled or text(row.get("direction")).upper() == "EGRESS":
            continue
        if not items(row.get("allowed")) and not items(row.get("denied")):
            found.lost.append(f"the rule {text(row.get('name'))}: it neither allows nor denies")
            budget.spent = True
        for allow, name in ((True, "allowed"), (False, "denied")):
            rules += [
                _rule(row, fields(one), allow, found, budget) for one in items(row.get(name)) if budget.rule()
            ]
    # At the same priority a denying rule goes first.
    rules.sort(key=lambda rule: (rule.priority or 0, rule.allow))
    return rules


def port_ranges(value: Any) -> tuple[tuple[Ports, ...], bool]:
    """The ports of a rule, all where it names none; and whether one of them is none."""
    known = [port_range(word) for word in texts(value)]
    return tuple(one for one in known if one is not None) or (ALL_PORTS,), None in known


def _rule(
    row: Mapping[str, Any], about: Mapping[str, Any], allow: bool, found: Found, budget: Budget
) -> Rule:
    name = text(row.get("name")) or "a rule without a name"
    words = budget.take(texts(row.get("sourceranges")))
    blocks = [network(word) for word in words]
    members = texts(row.get("sourcetags"), row.get("sourceserviceaccounts"))
    if not words and not members:
        blocks = [ANY_V4]
    ports, unread = port_ranges(about.get("ports"))
    named = [Named(f"machines of {text(member)}", PRIVATE) for member in members]
    if None in blocks:
        named.append(UNREAD)
    if unread or None in blocks:
        found.lost.append(f"a part of the rule {name}")
    place = number(row.get("priority"))
    targets = texts(row.get("targettags"), row.get("targetserviceaccounts"), row.get("destinationranges"))
    return Rule(
        name=name,
        allow=allow,
        priority=_DEFAULT_PRIORITY if place is None else place,
        spans=tuple(block for block in blocks if block is not None),
        named=tuple(named),
        ports=ports,
        protocols=protocols(text(about.get("ipprotocol"))),
        narrow=unread or bool(targets),
    )
