"""How far the clock behind a log is from ours, and which of its entries are about a connection of ours.

The server's NTLM challenge tells its time. Without one, several connections leave a pattern in time that is
found again in the log. Exports that bear no zone are shifted by whole quarter hours besides: all zones are
such.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: Seconds: of entries that follow a connection; between two pictures of one moment (a CSV has whole seconds);
#: zones and clocks that nobody set right.
NEAR, _ALIKE, _FARTHEST = 2.0, 1.1, 26 * 3600.0
_QUARTER = 900.0
#: A clock that is farther off than this is not found by a pattern; a check of another day has the same one.
#: And where connections are made in one go, since any other burst looks alike.
_FARTHEST_CLOCK, _FARTHEST_BURST = 3600.0, 60.0
#: Connections that must be found again to say how far a clock is off, and the share of all.
_FEWEST, _SHARE = 3, 0.6
#: Entries of one client that are looked at, the nearest to the connections; connections; clients.
_MOST, _MOST_STARTS, _CLIENTS = 600, 40, 50
#: Entries among which one that fits a zone to the second is no chance.
_FEW = 40
#: Other checks leave the same pattern in a log: so many others do not matter where one pattern fits as it is.
_CHECKS = 10
#: Two shifts, of which one is as good as the other.
_BETTER = 0.75


@dataclass(frozen=True, slots=True)
class Clock:
    """ahead: seconds to add to our time to get the log's. zone: how much of it is the zone of the export.
    by: how it is known ("challenge", "attempts"), None where it is not. client: as the log calls us.
    matched: connections of ours that the log has.
    """

    ahead: float = 0.0
    zone: float = 0.0
    by: str | None = None
    client: str | None = None
    matched: int = 0

    @property
    def skew(self) -> float:
        """Seconds by which the clock itself is ahead."""
        return self.ahead - self.zone


def clock(
    starts: Iterable[float],
    entries: Mapping[str | None, Sequence[float]],
    challenge: float | None = None,
    zoneless: bool = False,
) -> Clock:
    """starts: of our connections; entries: what the log has of each client, both in seconds since 1970.
    challenge: by how much the server's clock is ahead, where it said so. zoneless: the log bears no zone.
    """
    ours = sorted(starts)[:_MOST_STARTS]
    if not ours:
        return Clock(challenge or 0.0, by="challenge" if challenge is not None else None)
    tried: dict[float, tuple[int, str]] = {}
    lists = [(client or "", _near(sorted(times), ours)) for client, times in entries.items()]
    lists.sort(key=lambda one: (-len(one[1]), not one[0], one[0]))
    for client, near in lists[:_CLIENTS]:
        for shift in set(_shifts(ours, near, challenge, zoneless)):
            count = _matched(ours, near, shift)
            if count > tried.get(shift, (0, ""))[0]:
                tried[shift] = count, client
    good = [shift for shift in tried if _possible(shift, ours, lists, zoneless)]
    most = max((tried[shift][0] for shift in good), default=0)
    best = min(
        (shift for shift in good if tried[shift][0] >= max(most * _BETTER, 1)),
        key=lambda shift: (
            abs(shift - (challenge or 0.0)) > 2 * _ALIKE,
            -tried[shift][0],
            not tried[shift][1],
            # A CSV has whole seconds, so that shifts near a zone fit as well as the zone itself.
            zoneless and abs(shift - (challenge or 0.0)) % _QUARTER != 0,
        ),
        default=None,
    )
    known = challenge is not None and not zoneless
    if known or best is None:
        count, client = tried.get(challenge or 0.0, (0, ""))
        return Clock(challenge or 0.0, 0.0, "challenge" if known else None, client or None, count)
    count, client = tried[best]
    rivals = [shift for shift in good if abs(shift - best) > 2 * _ALIKE and tried[shift][0] > _BETTER * count]
    if abs(best) <= 2 * _ALIKE and len(rivals) <= _CHECKS:
        rivals = []
    fewest = max(_FEWEST, _SHARE * len(ours))
    if zoneless and abs(best - (challenge or 0.0)) % _QUARTER == 0 and len(lists[0][1]) <= _FEW:
        fewest = 1
    if count < fewest or rivals:
        here = tried.get(0.0, (0, ""))
        return Clock(matched=here[0], client=here[1] or None)
    zone = round(best / _QUARTER) * _QUARTER if zoneless else 0.0
    offsets = sorted(_offsets(ours, _near(sorted(entries.get(client or None, ())), ours), best))
    ahead = best + offsets[len(offsets) // 2] if offsets else best
    return Clock(ahead, zone, "attempts", client or None, count)


def _possible(
    shift: float, ours: Sequence[float], lists: Sequence[tuple[str, Sequence[float]]], zoneless: bool
) -> bool:
    """An earlier check leaves the same pattern in a log that ends before this one: no clock is behind."""
    if zoneless:
        return True
    last = max((times[-1] for _, times in lists if times), default=0.0)
    gaps = sum(later - start > 2 * _ALIKE for start, later in pairwise(ours))
    farthest = _FARTHEST_CLOCK if gaps >= _FEWEST - 1 else _FARTHEST_BURST
    return abs(shift) <= farthest and (shift >= -2 * _ALIKE or last >= ours[0])


def _near(times: Sequence[float], ours: Sequence[float]) -> Sequence[float]:
    first, last = bisect_left(times, ours[0] - _FARTHEST), bisect_left(times, ours[-1] + _FARTHEST)
    middle = min(max(bisect_left(times, ours[0]), first), last)
    return times[max(first, middle - _MOST // 2) : min(last, middle + _MOST // 2)]


def _shifts(
    ours: Sequence[float], times: Sequence[float], challenge: float | None, zoneless: bool
) -> Iterator[float]:
    """Where the first connections could stand in the log; but where clock and zone are known, only there."""
    yield challenge or 0.0
    if zoneless:
        yield from ((challenge or 0.0) + quarter * _QUARTER for quarter in range(-56, 57))
    if challenge is not None:
        return
    for start in ours[:2]:
        yield from (round(time - start, 1) for time in times)


def _matched(ours: Sequence[float], times: Sequence[float], shift: float) -> int:
    """Connections that the log has, each entry for one of them only."""
    count = place = 0
    for start in ours:
        place = max(place, bisect_left(times, start + shift - _ALIKE))
        if place < len(times) and times[place] <= start + shift + _ALIKE:
            count += 1
            place += 1
    return count


def _offsets(ours: Sequence[float], times: Sequence[float], shift: float) -> Iterator[float]:
    for start in ours:
        place = bisect_left(times, start + shift)
        nearest = min(times[max(place - 1, 0) : place + 1], key=lambda time: abs(time - start - shift))
        if abs(nearest - start - shift) <= _ALIKE:
            yield nearest - start - shift
