"""Which rule decides about a source, and who gets through.

Where a rule may or may not apply (it names machines, or a name whose addresses the file does not tell), two
readings are compared: the most open one and the most closed one. What both agree on is certain.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from rdpdoctor.readers.cloud.model import ANY_V4, EVERYWHERE, PRIVATE, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from rdpdoctor.readers.cloud.model import Rule, Span

ALLOW, DENY, SOME, UNKNOWN = "allow", "deny", "some", "unknown"
#: Sources that are listed; there can be thousands.
LISTED = 12
#: Blocks that one is said to be less.
_HOLES = 2
_ALONE = {4: "/32", 6: "/128"}
#: Letting in this much of the Internet is letting in the Internet.
_OPEN = 0.5
_PUBLIC_SIZE = {
    each: sum(last - first + 1 for version, first, last in PUBLIC if version == each) for each in (4, 6)
}


@dataclass(frozen=True, slots=True)
class Decision:
    """verdict about the address that was asked for; without one about the Internet, where SOME means that a
    part of it gets in. rule: the one that decides, None where none is about it. doubt: why UNKNOWN, a word:
    "source" (nobody can tell whether the rule means this address), "target" (nor whether it means this
    machine), "lost" (rules are missing). passes: who else gets in, as blocks and names. open: the rule that
    lets in the whole Internet, or most of it.
    """

    verdict: str
    rule: Rule | None
    doubt: str | None = None
    passes: tuple[str, ...] = ()
    open: Rule | None = None


def about_address(rules: Sequence[Rule], address: IPv4Address | IPv6Address) -> Decision:
    """`rules` concern the port already, in the order in which they are asked."""
    doubtful: Rule | None = None
    doubt = ""
    for rule in rules:
        sure, maybe = _matches(rule, address)
        if not sure and not maybe:
            continue
        if sure and not rule.narrow:
            if doubtful is None or doubtful.allow == rule.allow:
                return Decision(ALLOW if rule.allow else DENY, rule)
            return Decision(UNKNOWN, doubtful, doubt)
        if doubtful is None:
            doubtful, doubt = rule, "target" if sure else "source"
        elif doubtful.allow != rule.allow:
            return Decision(UNKNOWN, doubtful, doubt)
    if doubtful is None or not doubtful.allow:
        return Decision(DENY, None)
    return Decision(UNKNOWN, doubtful, doubt)


def _matches(rule: Rule, address: IPv4Address | IPv6Address) -> tuple[bool, bool]:
    """(certainly, perhaps)"""
    version, value = address.version, int(address)
    if _covers(rule.spans, version, value):
        return True, True
    return False, any(not one.within or _covers(one.within, version, value) for one in rule.named)


def _covers(found: Iterable[Span], version: int, value: int) -> bool:
    return any(each == version and first <= value <= last for each, first, last in found)


def about_anyone(rules: Sequence[Rule]) -> Decision:
    """About the Internet at large, and who else gets in."""
    closed, generous = _reading(rules, generous=False), _reading(rules, generous=True)
    (least, least_v6), (most, most_v6) = _shares(closed.allowed), _shares(generous.allowed)
    names = _names(rules)
    letting_in = closed.widest(rules, allow=True)
    if most == most_v6 == 0:
        passes = (*_blocks(_within(closed.allowed, PRIVATE), rules), *names)
        return Decision(DENY, closed.widest(rules, allow=False), None, passes[:LISTED])
    if least >= _OPEN:
        return Decision(ALLOW, letting_in, None, ("Internet", *names)[:LISTED], letting_in)
    passes = (*_blocks(closed.allowed, rules), *names)[:LISTED]
    if least_v6 >= _OPEN:
        return Decision(SOME, letting_in, None, passes, letting_in)
    if least == least_v6 == 0:
        doubtful = next(rule for rule in rules if rule.narrow or rule.unread)
        return Decision(UNKNOWN, doubtful, "target" if doubtful.narrow else "source", passes)
    return Decision(SOME, letting_in, None, passes)


@dataclass(frozen=True, slots=True)
class _Reading:
    """decided: spans, each with the place of its rule. allowed: those that an allowing rule decides."""

    decided: list[tuple[Span, int]]
    allowed: list[Span]

    def widest(self, rules: Sequence[Rule], allow: bool) -> Rule | None:
        """The rule that decides about most of the Internet."""
        sizes: dict[int, float] = {}
        for one, place in self.decided:
            if rules[place].allow == allow:
                sizes[place] = sizes.get(place, 0.0) + sum(_shares([one]))
        return rules[max(sizes, key=lambda place: sizes[place])] if sizes else None


def _reading(rules: Sequence[Rule], generous: bool) -> _Reading:
    """generous: rules of which one cannot tell whether they apply do so where they allow, else where they
    deny.
    """
    applied = [
        (place, one)
        for place, rule in enumerate(rules)
        if not rule.narrow or rule.allow == generous
        for one in (EVERYWHERE if rule.unread and rule.allow == generous else rule.spans)
    ]
    decided = [
        found
        for version in (4, 6)
        for found in _sweep(version, [(place, one[1], one[2]) for place, one in applied if one[0] == version])
    ]
    return _Reading(decided, [one for one, place in decided if rules[place].allow])


def _sweep(version: int, applied: list[tuple[int, int, int]]) -> list[tuple[Span, int]]:
    """Of (place, first, last), the lowest place over each stretch of addresses."""
    applied.sort(key=lambda one: one[1])
    points = sorted({edge for _, first, last in applied for edge in (first, last + 1)})
    found: list[tuple[Span, int]] = []
    heap: list[tuple[int, int]] = []
    begun = 0
    for point, following in pairwise(points):
        while begun < len(applied) and applied[begun][1] == point:
            heapq.heappush(heap, (applied[begun][0], applied[begun][2]))
            begun += 1
        while heap and heap[0][1] < point:
            heapq.heappop(heap)
        if not heap:
            continue
        place = heap[0][0]
        if found and found[-1][1] == place and found[-1][0][2] == point - 1:
            found[-1] = (version, found[-1][0][1], following - 1), place
        else:
            found.append(((version, point, following - 1), place))
    return found


def _within(found: Iterable[Span], limits: Sequence[Span]) -> list[Span]:
    return [
        (version, max(first, low), min(last, high))
        for version, first, last in found
        for other, low, high in limits
        if other == version and first <= high and low <= last
    ]


def _shares(found: Iterable[Span]) -> tuple[float, float]:
    """Of the public addresses of IPv4, and of IPv6."""
    size = {4: 0, 6: 0}
    for version, first, last in _within(found, PUBLIC):
        size[version] += last - first + 1
    return size[4] / _PUBLIC_SIZE[4], size[6] / _PUBLIC_SIZE[6]


def _names(rules: Sequence[Rule]) -> list[str]:
    """The named sources that get in, as far as rules for everybody do not decide about them before."""
    found: dict[str, bool] = {}
    for rule in rules:
        if rule.narrow:
            continue
        for one in rule.named:
            found.setdefault(one.name, rule.allow and one.clients)
        if ANY_V4 in rule.spans:
            break
    return [name for name, allowed in found.items() if allowed]


def _blocks(allowed: Sequence[Span], rules: Sequence[Rule]) -> list[str]:
    """As the rules write them, less what other rules take away; at most a dozen."""
    blocks: list[str] = []
    left = list(allowed)
    for written in dict.fromkeys(one for rule in rules if rule.allow for one in rule.spans):
        version, first, last = written
        inside = _within(left, [written])
        holes = _holes(written, inside)
        if not inside or len(holes) > _HOLES:
            continue
        without = (block for low, high in holes for block in _summary(version, low, high))
        but = [str(block).removesuffix(_ALONE[version]) for block in islice(without, _HOLES + 1)]
        if len(but) > _HOLES:
            continue
        block = "".join(map(str, islice(_summary(version, first, last), 1)))
        blocks.append(f"{block} but for {' and '.join(but)}" if but else block)
        left = [part for one in left for part in _besides(one, written)]
        if len(blocks) == LISTED:
            return blocks
    for version, first, last in left:
        blocks += map(str, islice(_summary(version, first, last), LISTED - len(blocks)))
    return blocks


def _holes(written: Span, inside: Iterable[Span]) -> list[tuple[int, int]]:
    """The stretches of a block that are not among the parts inside it, which are in order."""
    _, at, last = written
    found = []
    for _, low, high in inside:
        if at < low:
            found.append((at, low - 1))
        at = high + 1
    return [*found, (at, last)] if at <= last else found


def _besides(one: Span, gone: Span) -> list[Span]:
    version, first, last = one
    if version != gone[0] or last < gone[1] or gone[2] < first:
        return [one]
    parts = ((first, gone[1] - 1), (gone[2] + 1, last))
    return [(version, low, high) for low, high in parts if low <= high]


def _summary(version: int, first: int, last: int) -> Iterator[IPv4Network | IPv6Network]:
    if version == 4:
        return summarize_address_range(IPv4Address(first), IPv4Address(last))
    return summarize_address_range(IPv6Address(first), IPv6Address(last))
