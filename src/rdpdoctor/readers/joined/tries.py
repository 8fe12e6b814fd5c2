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
#: Seconds after a failure within which a client tries again by itself, asking for less perhaps.
_ITSELF = 10.0
_DIED = frozenset(
    {"closed", "reset", "silent", "stalled", "malformed", "declined", "alerted", "error", "failure", "denied"}
)
_SILENTLY = frozenset({"closed", "reset"})
#: Error infos (MS-RDPBCGR 2.2.5.1.1) by which a user, or an administrator, ends a session.
_OWN_WISH = (0, 1, 2, 11, 12)
#: Answers of a gateway that open the way in (MS-TSGU 3.2.3), and the least that refuses it.
_TUNNEL, _REFUSED = (101, 200), 400
_NO_DIAL = ("refused", "rejected", "silent")
#: What a server has said of itself when a client that leaves in the handshake leaves because of that.
_SHOWN = ("server-hello", "certificate", "server-key-exchange", "certificate-request", "server-hello-done")
#: Bytes of a whole connection in which no picture of a desktop fits.
_PICTURE = 8000
_PARTIAL = ("middle", "unseen")
_STEPS = {stage.value: stage for stage in (Stage.X224, Stage.TLS, Stage.NLA, Stage.MCS)}


@dataclass(frozen=True, slots=True)
class Fate:
    """outcome: "works", "fails", "open" (the recording does not tell). at: the stage it got to. by: who ended
    it, "client" or "server", where that is what made it fail. cut: the recording lacks its end, or a part.
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
    over = 0.0  # until then a session lasted that came about
    for stream in sorted(streams, key=lambda one: (one.start, one.number)):
        if stream.kind == "other":
            continue
        late = groups and stream.start - groups[-1][0].start > TOGETHER
        if not groups or late or 0.0 < over < stream.start or _turned(groups[-1], stream):
            groups.append([])
            over = 0.0
        groups[-1].append(stream)
        if fate(stream).outcome == "works":
            over = max(over, stream.end)
    return [found for group in groups if (found := _try(group)) is not None]


def _turned(group: Sequence[Stream], stream: Stream) -> bool:
    """No step of the same way in: nobody answers any more where connections came about, or it ended elsewhere
    than a failure did that no client goes round by itself so late.
    """
    if any(one.end > stream.start for one in group):
        return False
    if _no_dial(stream):
        return not all(map(_no_dial, group))
    last, now = fate(group[-1]), fate(stream)
    if [last.outcome, now.outcome] != ["fails", "fails"] or last.at is now.at or last.by == "client":
        return False
    return stream.start - group[-1].end > _ITSELF


def _no_dial(stream: Stream) -> bool:
    found = fate(stream)
    return found.outcome == "fails" and found.at is Stage.TCP


def fate(stream: Stream) -> Fate:
    last = {row.tag: row for row in stream.observations}
    ended, session = last.get("flow.ended"), last.get("flow.session")
    dead = _death(stream.observations)
    if dead is not None:
        return dead
    at = _reached(ended or last.get("flow.open"))
    cut = ended is None or "flow.incomplete" in last
    established = session.args.get("established") if session is not None else False
    if stream.kind == "tls":
        return _through_gateway(stream, established is True, cut=ended is None)
    if stream.kind in _PARTIAL:
        return Fate("open", at, cut=cut)
    if established:
        return Fate("works", Stage.FINALIZATION)
    if ended is None or cut:
        return Fate("open", at, cut=True)  # what is missing may be what would tell
    by = str(ended.args.get("by"))
    if established is None and not (by == "server" and _seen_whole(session)):
        return Fate("open", at)
    if at is Stage.TLS and by == "client" and ended.args.get("after") in _SHOWN:
        return Fate("fails", at, by)
    if at is Stage.NLA and (by == "server" or _signing_in(session)):
        return Fate("fails", at, by)
    if by == "server" and at in (Stage.MCS, Stage.SECURITY, Stage.LICENSING, Stage.CAPABILITIES):
        return Fate("fails", at, by)
    return Fate("open", at)  # the client left, for reasons of its own


def _seen_whole(session: Observation | None) -> bool:
    """The server said less than one picture of a desktop needs."""
    said = session.args.get("server_bytes") if session is not None else None
    return isinstance(said, int) and said < _PICTURE


def _through_gateway(stream: Stream, established: bool, cut: bool) -> Fate:
    """TLS from the first byte. Only where it could be opened, anybody knows that it is a gateway's."""
    answers = [
        row
        for row in stream.observations
        if row.tag == "gateway.http" and "kdcproxy" not in str(row.args.get("path")).lower()
    ]
    if not answers:
        return Fate("open", Stage.TCP)
    if any(row.tag == "gateway.answered" and row.args.get("code") for row in stream.observations):
        return Fate("fails", Stage.GATEWAY)
    status = answers[-1].args.get("status")
    if status in _TUNNEL:
        return Fate("works", Stage.FINALIZATION) if established else Fate("open", Stage.GATEWAY, cut=cut)
    if isinstance(status, int) and status >= _REFUSED and not cut:
        return Fate("fails", Stage.GATEWAY)
    return Fate("open", Stage.GATEWAY, cut=cut)


def _try(group: Sequence[Stream]) -> Try | None:
    fates = [fate(stream) for stream in group]
    if all(
        stream.kind == "unseen" and one.outcome == "open" for stream, one in zip(group, fates, strict=True)
    ):
        return None
    place = _decisive(fates, [stream.kind in _PARTIAL and not _lost(stream) for stream in group])
    return Try(tuple(group), group[place], fates[place])


def _lost(stream: Stream) -> bool:
    """It was opened and used, and the recording lacks how that began."""
    return stream.kind == "middle" and any(row.tag == "tcp.connected" for row in stream.observations)


def _decisive(fates: Sequence[Fate], partial: Sequence[bool]) -> int:
    """A way in that was found; else the connection that got furthest, the first of those: what was tried
    after it, with less, tells what came of it and not why. A last one that the recording cuts off, no less
    far, might have been the way in.
    """
    # How far one got whose beginning was not recorded, nobody knows.
    whole = [place for place, one in enumerate(fates) if one.outcome == "fails" or not partial[place]]
    places = whole or list(range(len(fates)))
    works = [place for place in places if fates[place].outcome == "works"]
    if works:
        return works[-1]

    def order(place: int) -> tuple[int, int]:
        return _place(fates[place].at), -place

    farthest, last = max(places, key=order), places[-1]
    if fates[last].cut and order(last)[0] == order(farthest)[0]:
        return last
    fails = [place for place in places if fates[place].outcome == "fails"]
    if not fails:
        return farthest
    failed = max(fails, key=order)
    # What got through where another one failed shows that this did not end it. Who signs in without CredSSP
    # after CredSSP has failed has only gone round it.
    beyond = order(farthest)[0] > order(failed)[0] and fates[failed].at is not Stage.NLA
    return farthest if beyond else failed


def _death(rows: Iterable[Observation]) -> Fate | None:
    """The server, or the path, ended it, and a row says how. by: only where that is all it says."""
    for row in rows:
        room, _, word = row.tag.partition(".")
        if room == "tcp" and word in _NO_DIAL:
            return Fate("fails", Stage.TCP)
        if room in _STEPS and word in _DIED:
            return Fate("fails", _STEPS[room], "server" if word in _SILENTLY else None)
        if row.tag == "flow.alert":
            return Fate("fails", Stage.NLA, "server")
        if row.tag == "flow.licensing":
            return Fate("fails", Stage.LICENSING)
        if row.tag == "flow.errinfo" and row.args.get("code") not in _OWN_WISH:
            at = _reached(row)
            return Fate("works" if at is Stage.FINALIZATION else "fails", at)
    return None


def _place(stage: Stage) -> int:
    """How far on the way in. A gateway stands where TLS does."""
    return WALK.index(Stage.TLS if stage is Stage.GATEWAY else stage)


def _reached(row: Observation | None) -> Stage:
    at = row.args.get("at") if row is not None else None
    return next((stage for stage in WALK if stage == at), Stage.TCP)


def _signing_in(session: Observation | None) -> bool:
    """Whether both sides spoke in CredSSP: who leaves then, leaves because of what was said."""
    if session is None:
        return False
    client, server = session.args.get("client_records"), session.args.get("server_records")
    return (
        not session.args.get("looked")
        and isinstance(client, int)
        and isinstance(server, int)
        and client > 0
        and server > 0
    )
