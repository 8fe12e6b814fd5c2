"""What a group says about one port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.readers.cloud.decide import ALLOW, DENY, UNKNOWN, Decision, about_address, about_anyone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address

    from rdpdoctor.readers.cloud.model import Group, Ports, Rule

    Address = IPv4Address | IPv6Address

#: Where clients have their end: Windows since Vista (RFC 6335's dynamic ports), and anything, Linux and
#: address translation included.
_WINDOWS_FIRST, _ANY_FIRST, _LAST = 49152, 1024, 65535
#: Stretches of ports that are asked about one by one; real ACLs have at most 40 rules.
_STRETCHES = 32


@dataclass(frozen=True, slots=True)
class Judgement:
    """back: the answers' way decided."""

    decision: Decision
    back: bool = False


def judge(group: Group, protocol: str, port: int, source: Address | None) -> Judgement:
    """source: None for the Internet at large."""
    forth = _decide(group.rules, protocol, (port, port), source)
    if group.back is not None and forth.verdict != DENY:
        back = _answers(group.back, protocol, source)
        if back.verdict == DENY or (back.verdict != ALLOW and forth.verdict == ALLOW):
            return Judgement(_whole(back, group), back=True)
    return Judgement(_whole(forth, group))


def _whole(decision: Decision, group: Group) -> Decision:
    """Rules that are missing may decide otherwise."""
    if group.whole:
        return decision
    return Decision(UNKNOWN, decision.rule, "lost", decision.passes, decision.open)


def _decide(rules: Sequence[Rule], protocol: str, ports: Ports, source: Address | None) -> Decision:
    asked = [rule for rule in rules if rule.concerns(protocol, ports)]
    return about_anyone(asked) if source is None else about_address(asked, source)


def _answers(rules: Sequence[Rule], protocol: str, source: Address | None) -> Decision:
    """Whether what the server sends back gets to the client's port, which nobody knows beforehand."""
    edges = {edge for rule in rules for low, high in rule.ports for edge in (low, high + 1)}
    inside = sorted(edge for edge in edges if _ANY_FIRST < edge <= _LAST)[:_STRETCHES]
    starts = sorted({_ANY_FIRST, _WINDOWS_FIRST, *inside})
    ends = [*(start - 1 for start in starts[1:]), _LAST]
    found = {
        start: _decide(rules, protocol, (start, end), source) for start, end in zip(starts, ends, strict=True)
    }
    windows = [decision for start, decision in found.items() if start >= _WINDOWS_FIRST]
    worst = next((one for one in windows if one.verdict != ALLOW), None)
    if worst is None:
        return windows[0]
    if all(one.verdict == DENY for one in found.values()):
        return worst
    if worst.verdict == DENY:
        return Decision(UNKNOWN, worst.rule, "client-port")
    return worst
