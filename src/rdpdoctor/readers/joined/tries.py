"""Connections of a recording, put together as a person's tries to get in, and how each of these ended.

One try is made of several connections: a client asks for less when more was refused, tries again by itself,
and waits for a password in between. What follows a session that came about is another try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.facts import WALK, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rdpdoctor.facts import Observation
    from rdpdoctor.readers.capture import Stream

#: Seconds from the first connection of a try within which the others begin.
TOGETHER = 60.0
_DIED = frozenset(
    {"closed", "reset", "silent", "stalled", "malformed", "declined", "alerted", "error", "failure"}
)
_NO_DIAL = ("refused", "rejected", "silent")
_STEPS = {stage.value: stage for stage in (Stage.X224, Stage.TLS, Stage.NLA, Stage.MCS)}


@dataclass(frozen=True, slots=True)
class Fate:
    """outcome: "works", "fails", "open" (the recording does not tell). at: the stage it got to. by: who ended
    it, "client" or "server", where that is what made it fail. cut: the recording stops before its end.
    """

    outcome: str
    at: Stage
    by: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Try:
    """decisive: the connection that says how the try went."""

    streams: tuple[Stream, ...]
    decisive: Stream
    fate: Fate

    @property
    def began(self) -> float:
        return self.streams[0].start

    @property
    def ended(self) -> float:
        return max(stream.end for stream in self.streams)


def tries(streams: Iterable[Stream]) -> list[Try]:
    """Of one client and server, TCP only, oldest first. Those that nothing was sent on are no tries."""
    groups: list[list[Stream]] = []
    over = True
    for stream in sorted(streams, key=lambda one: (one.start, one.number)):
        if stream.kind == "other":
            continue
        if over or stream.start - groups[-1][0].start > TOGETHER:
            groups.append([])
        groups[-1].append(stream)
        over = fate(stream).outcome == "works"
    return [found for group in groups if (found := _try(group)) is not None]


def fate(stream: Stream) -> Fate:
    last = {row.tag: row for row in stream.observations}
    ended, session = last.get("flow.ended"), last.get("flow.session")
    dead = _death(stream.observations)
    if dead is not None:
        return Fate("fails", dead, "server")
    at = _reached(ended or last.get("flow.open"))
    if stream.kind in ("tls", "middle", "unseen"):  # nobody can see what is inside, or nothing is
        return Fate("open", at, cut=ended is None)
    established = session.args.get("established") if session is not None else False
    if established:
        return Fate("works", Stage.FINALIZATION)
    if ended is None:
        return Fate("open", at, cut=True)
    by = str(ended.args.get("by"))
    if established is None:
        return Fate("open", at)
    if at is Stage.NLA and _signing_in(session):
        return Fate("fails", at, by)
    if by == "server" and at in (Stage.MCS, Stage.SECURITY, Stage.LICENSING, Stage.CAPABILITIES):
        return Fate("fails", at, by)
    return Fate("open", at)  # the client left, for reasons of its own


def _try(group: Sequence[Stream]) -> Try | None:
    fates = [fate(stream) for stream in group]
    if all(
        stream.kind == "unseen" and one.outcome == "open" for stream, one in zip(group, fates, strict=True)
    ):
        return None
    place = _decisive(fates)
    return Try(tuple(group), group[place], fates[place])


def _decisive(fates: Sequence[Fate]) -> int:
    """A way in that was found; else the connection that got furthest, the first of those: what was tried
    after it, with less, tells what came of it and not why. A last one that the recording cuts off, no less
    far, might have been the way in.
    """
    places = range(len(fates))
    works = [place for place in places if fates[place].outcome == "works"]
    if works:
        return works[-1]
    furthest = max(WALK.index(one.at) for one in fates)
    if fates[-1].cut and WALK.index(fates[-1].at) == furthest:
        return len(fates) - 1
    fails = [place for place in places if fates[place].outcome == "fails"]
    chosen = fails or list(places)
    return max(chosen, key=lambda place: (WALK.index(fates[place].at), -place))


def _death(rows: Iterable[Observation]) -> Stage | None:
    """The stage in which the server, or the path, ended it."""
    for row in rows:
        room, _, word = row.tag.partition(".")
        if room == "tcp" and word in _NO_DIAL:
            return Stage.TCP
        if room in _STEPS and word in _DIED:
            return _STEPS[room]
    return None


def _reached(row: Observation | None) -> Stage:
    at = row.args.get("at") if row is not None else None
    return next((stage for stage in WALK if stage == at), Stage.TCP)


def _signing_in(session: Observation | None) -> bool:
    """Whether both sides spoke in CredSSP: who leaves then, leaves because of what was said."""
    if session is None:
        return False
    client, server = session.args.get("client_records"), session.args.get("server_records")
    return isinstance(client, int) and isinstance(server, int) and client > 0 and server > 0
