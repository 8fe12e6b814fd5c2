"""Answered at first, and from some connection on no more: something counts connections and shut us out.

What died after that says nothing about the server, and is no accident either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.facts import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rdpdoctor.diagnosis.view import Attempt
    from rdpdoctor.facts import Observation

#: So many must have been answered before, and so many have died after, for it to be no accident.
BEFORE, AFTER = 2, 3
_DIED = ("closed", "reset", "silent")
_DIALS = ("refused", "silent", "rejected")


@dataclass(frozen=True, slots=True)
class Shutout:
    """rows: of what died. numbers: the attempts among them."""

    passed: int
    rows: tuple[Observation, ...]
    ways: tuple[str, ...]
    dialled: bool  # none of them got as far as a connection
    numbers: frozenset[int | None]


def find(attempts: Sequence[Attempt], by_tag: Mapping[str, Sequence[Observation]]) -> Shutout | None:
    """Of what went to the walk's address, alone or not, with whatever request."""
    if not attempts or attempts[0].x224 is None:
        return None
    address = attempts[0].address
    passed = [one.x224.row for one in attempts if one.address == address and one.x224 and one.x224.passed]
    ended = [one for one in attempts if one.address == address and one.x224 and not one.x224.passed]
    dials = [
        (way, row)
        for way in _DIALS
        for row in by_tag.get(f"tcp.{way}", ())
        if row.args.get("address") == address
    ]
    died = [(one.x224.outcome, one.x224.row) for one in ended if one.x224] + dials
    if len(passed) < BEFORE or len(died) < AFTER or any(way not in (*_DIED, *_DIALS) for way, _ in died):
        return None
    last, first = max(_begins(passed), default=None), min(_begins(row for _, row in died), default=None)
    if last is None or first is None or first <= last or not _some_alone(ended, dials):
        return None
    rows = tuple(row for _, row in died)
    ways = tuple(dict.fromkeys(way for way, _ in died))
    return Shutout(len(passed), rows, ways, not ended, frozenset(one.number for one in ended))


def _some_alone(ended: Sequence[Attempt], dials: Sequence[tuple[str, Observation]]) -> bool:
    """What dies only beside others of ours dies for the company."""
    counts = [one.at_once for one in ended] + [row.args.get("at_once") or 1 for _, row in dials]
    return any(isinstance(count, int) and count <= 1 for count in counts)


def _begins(rows: Iterable[Observation]) -> Iterator[float]:
    """When each began, in ms; nothing for a row of a source without such times."""
    for row in rows:
        took = row.args.get("waited_ms", row.args.get("elapsed_ms"))
        if row.source is Source.PROBE and row.at_ms is not None and isinstance(took, int | float):
            yield row.at_ms - took
