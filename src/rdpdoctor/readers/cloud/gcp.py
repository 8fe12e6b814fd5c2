"""Google Cloud: VPC firewall rules.

Sources: Google Cloud documentation, "VPC firewall rules" (priority, implied rules, sources and targets), and
the Compute Engine API's `firewalls` resource. Firewall policies, which come before these rules, are not in
the file.
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
    from collections.abc import Mapping, Sequence

    from rdpdoctor.readers.cloud.bounds import Budget
    from rdpdoctor.readers.cloud.model import Ports

_DEFAULT_PRIORITY = 1000
_IMPLIED = Rule("implied deny ingress", False, 65535, EVERYWHERE, built_in=True)


def is_rule(row: Mapping[str, Any]) -> bool:
    return "compute#firewall" in str(row.get("kind")) or (
        "network" in row and ("allowed" in row or "denied" in row)
    )


def loose(rows: Sequence[Mapping[str, Any]], found: Found, budget: Budget) -> list[Group]:
    """A group for each network."""
    by_network: dict[str, list[Rule]] = {}
    for row in rows:
        rules = by_network.setdefault(last_part(row.get("network")) or "default", [])
        if row.get("disabled") is True or text(row.get("direction")).upper() == "EGRESS":
            continue
        for allow, name in ((True, "allowed"), (False, "denied")):
            for one in items(row.get(name)):
                if budget.rule():
                    rules.append(_rule(row, fields(one), allow, found, budget))
    groups = []
    for name, rules in by_network.items():
        # At the same priority a denying rule goes first.
        rules.sort(key=lambda rule: (rule.priority, rule.allow))
        known = (*rules, _IMPLIED)
        groups.append(Group("gcp", "firewall", name, known, whole=not budget.spent))
    return groups


def _rule(
    row: Mapping[str, Any], about: Mapping[str, Any], allow: bool, found: Found, budget: Budget
) -> Rule:
    name = text(row.get("name")) or "a rule without a name"
    words = budget.take(texts(row.get("sourceranges")))
    blocks = [network(word) for word in words]
    members = texts(row.get("sourcetags"), row.get("sourceserviceaccounts"))
    if not words and not members:
        blocks = [ANY_V4]
    ports: list[Ports] = []
    unread = any(block is None for block in blocks)
    for word in texts(about.get("ports")):
        known = port_range(word)
        unread = unread or known is None
        ports += [known] if known is not None else []
    if unread:
        found.lost.append(f"a part of the rule {name}")
    place = number(row.get("priority"))
    targets = texts(row.get("targettags"), row.get("targetserviceaccounts"), row.get("destinationranges"))
    return Rule(
        name=name,
        allow=allow,
        priority=_DEFAULT_PRIORITY if place is None else place,
        spans=tuple(block for block in blocks if block is not None),
        named=tuple(Named(f"machines of {text(member)}", PRIVATE) for member in members),
        ports=tuple(ports) or (ALL_PORTS,),
        protocols=protocols(text(about.get("ipprotocol"))),
        narrow=unread or bool(targets),
    )
