"""From files to journals, one for each client–server pair that they show."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rdpdoctor.facts import Journal, Observation, Source, Stage, Target
from rdpdoctor.readers.eventlog import evtx, formats, roles
from rdpdoctor.readers.eventlog.attempts import Attempt, attempts
from rdpdoctor.readers.eventlog.event import Event, EventLogError, known
from rdpdoctor.readers.eventlog.loose import TWICE
from rdpdoctor.readers.eventlog.observe import observations, who
from rdpdoctor.readers.eventlog.table import CLIENT, GATEWAY
from rdpdoctor.readers.eventlog.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Events of interest that are kept: some 2 KB each. Of more, the latest count, and at most so many of one id:
#: whoever guesses passwords all day long must not drive all others out.
MOST_EVENTS, MOST_ALIKE = 40_000, evtx.MOST_ALIKE
#: Pairs that get a journal of their own, those with the latest attempts; a server that all the Internet tries
#: to enter has thousands.
MOST_PAIRS = 50


@dataclass(frozen=True, slots=True)
class EventLog:
    """What the files hold. lost: what could not be read, a sentence each."""

    events: tuple[Event, ...]
    attempts: tuple[Attempt, ...]
    tallies: tuple[tuple[str, Tally], ...]

    @property
    def lost(self) -> list[str]:
        several = len(self.tallies) > 1
        told = [(name, what) for name, tally in self.tallies for what in tally.lost]
        # Which of the files came first is no matter.
        found = [f"{name}: {what}" if several else what for name, what in told if what != TWICE]
        return [*found, TWICE] if len(found) < len(told) else found

    def about(self, host: str) -> list[Observation]:
        """What the files say of that machine, whoever connects to it: to strengthen a live check. Where they
        come from one machine only, it is taken for the one meant: a host may be typed as an address.
        """
        name = machine(host)
        machines = {machine(event.computer) for event in self.events}
        events = [one for one in self.events if len(machines) == 1 or machine(one.computer) == name]
        tries = [one for one in self.attempts if len(machines) == 1 or machine(one.computer) == name]
        return _fill(self, tries, events)


@dataclass(slots=True)
class Collected:
    """Logs as they are read, one after the other. However many there are, the latest events stay."""

    tallies: list[tuple[str, Tally]] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def take(self, name: str, file: BinaryIO) -> Tally:
        """Raise OSError, or EventLogError where it is no event log: then nothing of it stays."""
        tally, before = Tally(), len(self._events)
        new: set[int] = set()
        try:
            for event in formats.read(file, tally):
                if not roles.concerns_us(event):
                    continue
                if (key := _key(event)) is not None and key in self._seen:
                    tally.lose(TWICE, 0)
                    continue
                if key is not None and len(new) < MOST_EVENTS:
                    new.add(key)
                tally.kept += 1
                tally.see(event.time) if known(event.time) else tally.lose("an event without a time")
                self._events.append(event)
                if len(self._events) > MOST_EVENTS * 5 // 4:
                    self._trim(tally)
        except EventLogError:
            del self._events[before:]
            raise
        self.tallies.append((name, tally))
        if len(self._seen) < 10 * MOST_EVENTS:
            self._seen |= new
        self._trim(tally)
        return tally

    def log(self) -> EventLog:
        """In whichever order the files came."""
        self._events.sort(key=lambda one: (one.time, one.computer, one.channel, one.record or 0))
        tallies = sorted(self.tallies, key=lambda one: one[0])
        return EventLog(tuple(self._events), tuple(attempts(self._events)), tuple(tallies))

    def _trim(self, tally: Tally) -> None:
        if len(self._events) <= MOST_EVENTS:
            return
        alike: Counter[tuple[str, int]] = Counter()
        kept: list[Event] = []
        for event in sorted(self._events, key=lambda event: event.time, reverse=True):
            alike[event.provider, event.id] += 1
            if alike[event.provider, event.id] <= MOST_ALIKE:
                kept.append(event)
        if more := len(self._events) - len(kept):
            tally.lose(evtx.ALIKE, more)
        if (over := len(kept) - MOST_EVENTS) > 0:
            tally.lose(f"an event older than the latest {MOST_EVENTS:,} of interest, not looked at", over)
        self._events = kept[:MOST_EVENTS]


def _key(event: Event) -> int | None:
    """What one record is known by in every format; None where the format does not tell. A log that was
    cleared begins to count anew.
    """
    if event.record is None or not event.channel:
        return None
    when = event.time.replace(microsecond=0)
    whose = machine(event.computer), roles.client(event), roles.server(event)
    return hash((event.provider, event.id, event.record, event.channel, when, *whose))


def read_events(*paths: Path | str) -> EventLog:
    """All files as one log. Raise OSError, or EventLogError where a file is no event log."""
    collected = Collected()
    for path in map(Path, paths):
        with path.open("rb") as file:
            collected.take(path.name, file)
    return collected.log()


@dataclass(slots=True)
class _Pair:
    client: str | None
    server: str
    computer: str
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """A client and a server of which logs tell. client: None where they do not say. computer: whose log it
    is.
    """

    client: str | None
    server: str
    computer: str
    journal: Journal


def journals(paths: Iterable[Path | str]) -> list[Journal]:
    """One for each pair, the pair of the latest attempt first; one for a machine that shows none."""
    return [one.journal for one in shown(read_events(*paths))]


def shown(log: EventLog) -> list[Shown]:
    """Pairs, that of the latest attempt first, then machines that show none; one at least."""
    pairs: dict[tuple[str | None, str], _Pair] = {}
    for attempt in log.attempts:
        server, client = attempt.computer, attempt.client
        if attempt.side != "server":
            server, client = attempt.server or "", client if attempt.side == "gateway" else attempt.computer
        pair = pairs.setdefault((client, machine(server)), _Pair(client, server, attempt.computer))
        pair.attempts.append(attempt)
    # Connections of which nobody knows whose they were, and how they went, are no pair beside others.
    known_pairs = [pair for pair in pairs.values() if pair.client is not None or _decided(pair)]
    chosen = sorted(
        known_pairs or list(pairs.values()), key=lambda pair: pair.attempts[-1].began, reverse=True
    )
    by_computer: dict[str, list[Event]] = defaultdict(list)
    for event in log.events:
        by_computer[machine(event.computer)].append(event)
    found = [_shown(log, pair, by_computer[machine(pair.computer)]) for pair in chosen[:MOST_PAIRS]]
    seen = {machine(pair.computer) for pair in pairs.values()}
    alone = [name for name in by_computer if name not in seen and _tells(by_computer[name])]
    for name in alone[:MOST_PAIRS]:
        events = by_computer[name]
        found.append(_shown(log, _Pair(None, events[-1].computer, name), events))
    return found or [_shown(log, _Pair(None, "", ""), log.events)]


def machine(name: str) -> str:
    """A machine's key: it writes its name with and without its domain, as it joins and leaves one."""
    return name.partition(".")[0].lower() if not name[:1].isdigit() else name.lower()


def _decided(pair: _Pair) -> bool:
    return any(attempt.outcome != "open" for attempt in pair.attempts)


def _tells(events: Sequence[Event]) -> bool:
    return any(event.provider not in (CLIENT, GATEWAY) for event in events)


def _shown(log: EventLog, pair: _Pair, host: Sequence[Event]) -> Shown:
    rows = _fill(log, pair.attempts, host)
    name = pair.server or log.tallies[0][0]
    times = [event.time for event in host if known(event.time)]
    started = min(times, default=datetime(1970, 1, 1, tzinfo=UTC))
    spoken = f"{name} from {pair.client}" if pair.client else name
    # It took no time: how long a log goes is not how long a check took.
    journal = Journal(Target(spoken, name), _iso(started))
    journal.extend(rows)
    return Shown(pair.client, pair.server, pair.computer, journal)


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fill(log: EventLog, tries: Sequence[Attempt], host: Sequence[Event]) -> list[Observation]:
    started = min(
        (event.time for event in host if known(event.time)), default=datetime(1970, 1, 1, tzinfo=UTC)
    )
    own = {id(event) for attempt in log.attempts for event in attempt.events}
    rest = [event for event in host if id(event) not in own]
    entered = {one.user: one.last for one in log.attempts if one.outcome == "works" and one.user is not None}
    return [*_files(log, tries, rest), *observations(tries, rest, started, entered)]


def _files(log: EventLog, tries: Sequence[Attempt], rest: Sequence[Event]) -> list[Observation]:
    """What was looked at: one row for all files."""
    firsts = [tally.first for _, tally in log.tallies if tally.first is not None]
    lasts = [tally.last for _, tally in log.tallies if tally.last is not None]
    outcomes = [attempt.outcome for attempt in tries]
    refused = [one for one in rest if roles.network(one) and roles.client(one) is not None]
    names = [one.user for one in tries if one.outcome == "fails"] or [roles.user(one) for one in refused]
    args: dict[str, Any] = {
        "files": [name for name, _ in log.tallies],
        "formats": [tally.format for _, tally in log.tallies],
        "channels": sorted({event.channel for event in log.events if event.channel})[:20],
        "records": sum(tally.records for _, tally in log.tallies),
        "kept": sum(tally.kept for _, tally in log.tallies),
        "first": _iso(min(firsts)) if firsts else None,
        "last": _iso(max(lasts)) if lasts else None,
        "attempts": len(tries),
        "works": outcomes.count("works"),
        "fails": outcomes.count("fails"),
        "lost": log.lost,
        "users": who(map(roles.masked, names)),
        "refused": len(refused),
        "sources": who(map(roles.client, refused)),
    }
    return [Observation("event.log", args, Stage.HOST, Source.EVENTLOG, None)]
