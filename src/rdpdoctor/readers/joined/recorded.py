"""What recordings show of one client and one server, as the rows of a journal.

The rows of the latest try whose end is known are told as they are: its decisive connection stands where a
check's own walk does. Earlier tries are a row each (`flow.attempt`): how they went is told, and does not
count against what came later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.times import iso
from rdpdoctor.readers.joined.tries import Try, tries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.capture import Capture, Stream

#: Tries that are told, UDP flows, and connections that are no try; of more, the latest.
_TRIES, _FLOWS, _OTHERS = 100, 50, 20
#: Connections of one try whose rows are told, and steps of one.
_STREAMS, _STEPS = 12, 12
#: UDP goes with the TCP connection that it was made beside; seconds.
_BESIDE = 5.0
#: Seconds by which the formats of recordings round the time of one packet.
_SAME = 1e-5
#: Role and variant of connections that are not the decisive one.
RETRY = "retry"
#: A dial that came to nothing before another one got through is no second fault.
_DIALS = frozenset({"tcp.refused", "tcp.silent", "tcp.rejected"})
_NO_STEP = frozenset({"tcp.measured", "flow.packets", "tls.certificate", "tls.chain", "flow.attempt"})


@dataclass(slots=True)
class Pair:
    """streams: each with the seconds since 1970 that its rows' times count from. captures: file names."""

    client: str
    address: str
    port: int
    streams: list[tuple[Stream, float]] = field(default_factory=list)
    captures: list[tuple[str, Capture]] = field(default_factory=list)
    found: list[Try] = field(default_factory=list)

    @property
    def latest(self) -> Try | None:
        """The latest try whose end is known, else the latest."""
        decided = [one for one in self.found if one.fate.outcome != "open"]
        return (decided or self.found)[-1] if self.found else None

    @property
    def host(self) -> str:
        """As the client called the server, else its address."""
        latest = self.latest
        rows = latest.decisive.observations if latest is not None else ()
        names = (row.args.get("server_name") for row in rows if row.tag == "flow.hello")
        return next((name for name in names if isinstance(name, str) and name), self.address)

    @property
    def server(self) -> Machine:
        words: list[str | None] = [self.address]
        for stream, _ in self.streams:
            for row in stream.observations:
                words += _names(row)
        return Machine.of(words)

    @property
    def began(self) -> float:
        latest = self.latest
        if latest is not None:
            return latest.began
        starts = [capture.totals.start or 0.0 for _, capture in self.captures]
        return min((stream.start for stream, _ in self.streams), default=min(starts, default=0.0))

    def rows(self, since: float, first_number: int = 1, live: bool = False) -> list[Observation]:
        """since: seconds since 1970 that times count from. first_number: of connections, for a journal that
        has some. live: a check saw the server itself, and what was recorded only stands beside that.
        """
        latest = self.latest
        made = [self._read(), *self._attempts(since), *self._unanswered(since)]
        if live:
            return made
        told = (
            latest.streams if latest is not None else tuple(stream for stream, _ in self.streams[-_OTHERS:])
        )
        origins = {id(stream): origin for stream, origin in self.streams}
        tcp = [stream for stream in told if stream.kind != "udp"]
        if latest is not None and len(tcp) > _STREAMS:
            tcp = [*[one for one in tcp if one is not latest.decisive][: _STREAMS - 1], latest.decisive]
        if latest is not None and latest.fate.at is Stage.TCP:
            tcp = [stream for stream in tcp if not _unused(stream)]
        for number, stream in enumerate(sorted(tcp, key=lambda one: one.start), first_number):
            decisive = latest is None or stream is latest.decisive
            shift = (origins[id(stream)] - since) * 1000
            rows = (row for row in stream.observations if decisive or row.tag not in _DIALS)
            made += [_moved(row, shift, number, decisive) for row in rows]
        for stream in self._udp(latest):
            shift = (origins[id(stream)] - since) * 1000
            made += [_moved(row, shift, None, True) for row in stream.observations]
        return made

    def _udp(self, latest: Try | None) -> list[Stream]:
        flows = [stream for stream, _ in self.streams if stream.kind == "udp"]
        if latest is not None:
            first, last = latest.began - _BESIDE, latest.ended + _BESIDE
            flows = [one for one in flows if first <= one.start <= last]
        return flows[-_FLOWS:]

    def _read(self) -> Observation:
        outcomes = [one.fate.outcome for one in self.found]
        totals = [capture.totals for _, capture in self.captures]
        firsts = [one.start for one in totals if one.start is not None]
        lasts = [one.end for one in totals if one.end is not None]
        args: dict[str, Value] = {
            "files": [name for name, _ in self.captures],
            "client": self.client,
            "server": self.address,
            "packets": sum(one.packets for one in totals),
            "bytes": sum(one.bytes for one in totals),
            "streams": len(self.streams),
            "first": iso(min(firsts)) if firsts else None,
            "last": iso(max(lasts)) if lasts else None,
            "attempts": len(self.found),
            "works": outcomes.count("works"),
            "fails": outcomes.count("fails"),
            "lost": [what for _, capture in self.captures for what in capture.lost],
        }
        return Observation("flow.read", args, Stage.PATH, Source.CAPTURE)

    def _unanswered(self, since: float) -> Iterator[Observation]:
        """Where nobody was seen to connect, a port that nobody answers on may be the one."""
        for _, capture in [] if self.streams else self.captures:
            for one in capture.unanswered:
                args: dict[str, Value] = {
                    "client": one.client,
                    "address": one.server,
                    "port": one.port,
                    "syns": one.syns,
                }
                at_ms = round((one.start - since) * 1000, 3)
                yield Observation("flow.unanswered", args, Stage.TCP, Source.CAPTURE, at_ms)

    def _attempts(self, since: float) -> Iterator[Observation]:
        latest, count = self.latest, len(self.found)
        for number, one in list(enumerate(self.found, 1))[-_TRIES:]:
            session = next((row for row in one.decisive.observations if row.tag == "flow.session"), None)
            args: dict[str, Value] = {
                "number": number,
                "of": count,
                "client": self.client,
                "connections": len(one.streams),
                "outcome": one.fate.outcome,
                "at": one.fate.at.value,
                "by": one.fate.by,
                "cut": one.fate.cut,
                "inside": one.decisive.kind != "tls" or one.fate.at is not Stage.TCP,
                "seconds": session.args.get("seconds") if session is not None else None,
                "began": iso(one.began),
                "ended": iso(one.ended),
                "latest": one is latest,
                "steps": [step for stream in one.streams for step in _steps(stream)][-_STEPS:],
            }
            at_ms = round((one.began - since) * 1000, 3)
            yield Observation("flow.attempt", args, Stage.PATH, Source.CAPTURE, at_ms)


def pairs(captures: Iterable[tuple[str, Capture]]) -> list[Pair]:
    """Of all recordings. A pair of which only connections without a word were seen is none beside others."""
    found: dict[tuple[str, str, int], Pair] = {}
    for name, capture, streams in _once(captures):
        origin = capture.totals.start or 0.0
        for stream in sorted(streams, key=lambda one: one.kind == "udp"):
            key = _home(stream, found)
            pair = found.setdefault(key, Pair(*key))
            pair.streams.append((stream, origin))
            if not pair.captures or pair.captures[-1][1] is not capture:
                pair.captures.append((name, capture))
    for pair in found.values():
        pair.found = tries(stream for stream, _ in pair.streams if stream.kind != "udp")
    telling = [
        pair for pair in found.values() if pair.found or any(one.kind == "udp" for one, _ in pair.streams)
    ]
    return telling or list(found.values())


def _once(captures: Iterable[tuple[str, Capture]]) -> Iterator[tuple[str, Capture, list[Stream]]]:
    """Each connection once, although its very packets are in several files: the one told furthest."""
    told: dict[tuple[object, ...], Stream] = {}
    kept: list[tuple[str, Capture, dict[int, Stream]]] = []
    for name, capture in captures:
        streams = {id(one): one for one in capture.streams}
        for stream in capture.streams:
            who = stream.kind, stream.client, stream.client_port, stream.server, stream.port
            moment = round(stream.start / _SAME)
            keys = [(*who, moment + away) for away in (0, -1, 1)]
            other = next((told[key] for key in keys if key in told), None)
            if other is not None and other.end >= stream.end:
                del streams[id(stream)]
                continue
            if other is not None:
                for _, _, others in kept:
                    others.pop(id(other), None)
            told[keys[0]] = stream
        kept.append((name, capture, streams))
    return ((name, capture, list(streams.values())) for name, capture, streams in kept)


def _home(stream: Stream, found: dict[tuple[str, str, int], Pair]) -> tuple[str, str, int]:
    """UDP belongs to the TCP connections of the same two, whatever their port."""
    key = stream.client, stream.server, stream.port
    if stream.kind == "udp" and key not in found:
        return next((other for other in found if other[:2] == key[:2]), key)
    return key


def _unused(stream: Stream) -> bool:
    """Opened, and neither used nor closed: no try, and not to be held against those that nobody answered."""
    tags = {row.tag for row in stream.observations}
    return stream.kind == "unseen" and "tcp.connected" in tags and "flow.open" in tags


def _names(row: Observation) -> list[str | None]:
    """What a row calls its server. A certificate's names are its own where it made it for itself."""
    args = row.args
    if row.tag == "flow.hello":
        return [name] if isinstance(name := args.get("server_name"), str) else []
    if row.tag == "tls.certificate" and args.get("position") == 0:
        return [name] if isinstance(name := args.get("common_name"), str) and "*" not in name else []
    if row.tag == "nla.challenged":
        return [name for key in ("dns_computer", "computer") if isinstance(name := args.get(key), str)]
    return []


def _moved(row: Observation, shift: float, number: int | None, decisive: bool) -> Observation:
    args = dict(row.args)
    if "attempt" in args and number is not None:
        args["attempt"] = number
    if not decisive and "role" in args:
        args["role"] = RETRY
        if "variant" in args:
            args["variant"] = RETRY
    at_ms = row.at_ms if row.at_ms is None else round(row.at_ms + shift, 3)
    return replace(row, args=args, at_ms=at_ms)


def _steps(stream: Stream) -> list[str]:
    """The connection in words of tags: what happened, in order."""
    return [_step(row) for row in stream.observations if row.tag not in _NO_STEP]


def _step(row: Observation) -> str:
    parts: Sequence[object] = [
        row.args.get(key) for key in ("requested", "selected", "code", "version", "by", "how")
    ]
    return " ".join([row.tag, *(str(part) for part in parts if isinstance(part, str | int))])
