"""What a log says of connections that were measured or recorded: which of its entries are about them.

An entry about one connection speaks of ours only where it was written while ours was made. What says in which
state the machine is holds until the log says that it is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rdpdoctor.facts import WALK, Observation, Source, Stage
from rdpdoctor.readers.joined.clocks import NEAR, Clock, clock
from rdpdoctor.readers.joined.times import iso, seconds, shifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.facts import Journal, Value
    from rdpdoctor.readers.eventlog import Event, EventLog

Span = tuple[float, float]

#: Seconds. A log that was written out before a check shows what lately befell others in the same place; what
#: somebody's sign-in came to is worth telling on the same day; what still holds is said again in a month.
_HOUR, _DAY, _MONTH = 3600.0, 86400.0, 30 * 86400.0
#: Stages that a check walks itself: what it does not call forth there is not so.
_WALKED = frozenset({"tcp", "x224", "tls"})
#: Sources that write once for each connection, however they call it.
_EACH_TIME = frozenset({"Schannel", "TermDD"})
_PASSED = frozenset({"x224.selected", "tls.completed", "tls.certificate", "tls.chain"})
#: Matches that are told, one a line.
_TOLD = 25
_Key = tuple[str, int, "int | None", "str | None"]


@dataclass(frozen=True, slots=True)
class Heard:
    """rows: of the log, in the time of the journal that they are for. clock: of the machine that wrote it."""

    rows: list[Observation]
    clock: Clock
    said: list[str]


def beside_check(journal: Journal, log: EventLog, computer: str, before: bool = False) -> Heard:
    """What the log of that machine says beside a check of it. before: it was read before the check began,
    so that nothing in it is about that.
    """
    since = seconds(journal.started)
    spans = _attempts(journal, since)
    events = _of(log, computer)
    starts = [] if before else [began for began, _ in spans.values()]
    found = clock(starts, _entries(log, computer), _challenge(journal), _zoneless(log))
    ours = [] if before else list(_ours(events, spans.values(), found))
    keys = {_key(event) for event in ours}
    times = [event.time.timestamp() - found.ahead for event in events]
    last, began = max(times, default=0.0), min(times, default=since)
    if before or last < since:
        late = zip(events, times, strict=True)
        keys |= {_key(event) for event, time in late if abs(time - since) < _HOUR}
    died = _died(journal)
    rows, aside = [], False
    for row in log.about(computer):
        moved = shifted(row, began - since)
        kept = _judged(moved, keys, died, (moved.at_ms or 0.0) / 1000)
        aside = aside or kept is not moved
        rows.append(kept)
    rows.append(_during(rows, journal, computer, found, _told(ours, spans, found)))
    said = []
    if aside and last < since:
        said.append(
            f"the event log of {computer} ends at {iso(last)[:16].replace('T', ' ')} UTC, before the check: "
            "what it says of single connections is not about this one"
        )
    return Heard(rows, found, said)


def beside_recording(
    rows: Iterable[Observation], spans: Sequence[Span], log: EventLog, computer: str
) -> Heard:
    """Rows of a log beside a recording: what it says of connections at other times does not count.

    spans: when the recorded connections of the latest try began and ended, in seconds since 1970.
    """
    entries, zoneless = _entries(log, computer), _zoneless(log)
    found = clock([began for began, _ in spans], entries, zoneless=zoneless)
    said = []
    if zoneless and entries and found.by is None and not found.matched:
        said.append(
            f"the event log of {computer} names no zone of its times, and fits the recording in none: "
            "what it says of single connections is not about this one"
        )
    keys = {_key(event) for event in _ours(_of(log, computer), spans, found)}
    first, last = min(one for one, _ in spans) - NEAR, max(one for _, one in spans) + NEAR

    def within(row: Observation) -> bool:
        return first <= seconds(str(row.args.get("began"))) - found.ahead <= last

    kept = []
    rows = list(rows)
    if any(row.tag == "event.attempt" and row.args.get("latest") and not within(row) for row in rows):
        rows = [row for row in rows if row.tag != "code.shown"]  # of that other try
    for row in rows:
        moved = shifted(row, -found.ahead)
        if row.tag == "event.attempt" and row.args.get("latest") and not within(row):
            moved = _with(moved, latest=False)
        elif row.tag == "event.logged":
            over = first - seconds(str(row.args.get("last"))) + found.ahead > _MONTH
            if over or (_momentary(row) and _row_key(row) not in keys):
                moved = _with(moved, stands=False)
        kept.append(moved)
    return Heard(kept, found, said)


def _judged(row: Observation, keys: set[_Key], died: str | None, at: float) -> Observation:
    """died: where the check's own walk did. at: seconds from the beginning of the check."""
    if row.tag == "event.attempt" and row.args.get("latest") and at < -_DAY:
        return _with(row, latest=False)
    if row.tag != "event.logged":
        return row
    stands, stage = bool(row.args.get("stands")), row.args.get("at")
    if not _momentary(row):
        stands = stands and at > -_MONTH
    elif stage in _WALKED:
        # What a check asks for to compare fails at good servers too: only its walk is what a client does.
        stands = _row_key(row) in keys and stage == died
    else:
        stands = stands and at > -_DAY
    return row if stands == row.args.get("stands") else _with(row, stands=stands)


def _died(journal: Journal) -> str | None:
    """The stage that the walk of a check did not get past."""
    walk = [row for row in journal if row.args.get("role") == "walk" and row.stage in WALK]
    last = max(walk, key=lambda row: WALK.index(row.stage), default=None)
    passed = last is None or last.tag in _PASSED or last.stage not in (Stage.TCP, Stage.X224, Stage.TLS)
    return None if passed or last is None else last.stage.value


def _attempts(journal: Journal, since: float) -> dict[int, Span]:
    """When each connection of a check began and ended, in seconds since 1970."""
    found: dict[int, Span] = {}
    for row in journal:
        number, at, took = row.args.get("attempt"), row.at_ms, row.args.get("elapsed_ms")
        if row.source is not Source.PROBE or not isinstance(number, int) or at is None:
            continue
        ended = since + at / 1000
        began = ended - (took / 1000 if isinstance(took, int | float) else 0.0)
        first, last = found.get(number, (began, ended))
        found[number] = min(first, began), max(last, ended)
    return found


def _ours(events: Iterable[Event], spans: Iterable[Span], found: Clock) -> Iterable[Event]:
    """Events that happened while one of our connections was made, and are not another client's."""
    from rdpdoctor.readers.eventlog import roles

    windows = [(began + found.ahead - NEAR, ended + found.ahead + NEAR) for began, ended in spans]
    for event in events:
        time, client = event.time.timestamp(), roles.client(event)
        if client is not None and found.client is not None and client != found.client:
            continue
        if any(first <= time <= last for first, last in windows):
            yield event


def _told(events: Sequence[Event], spans: Mapping[int, Span], found: Clock) -> list[Value]:
    """Which entries are about which connection: the last one that had begun by then."""
    lines: list[Value] = []
    for event in events[:_TOLD]:
        time = event.time.timestamp() - found.ahead
        begun = [(began, number) for number, (began, _) in spans.items() if began <= time + NEAR / 2]
        if begun:
            lines.append(
                f"connection {max(begun)[1]}: {iso(time)} {event.provider.rpartition('-')[2]} {event.id}"
            )
    return lines


def _entries(log: EventLog, computer: str) -> dict[str | None, list[float]]:
    """When each client connected, as the log has it; under None, what it says of nobody."""
    from rdpdoctor.readers.eventlog import machine

    found: dict[str | None, list[float]] = {}
    own: set[int] = set()
    for attempt in log.attempts:
        if attempt.side == "server" and machine(attempt.computer) == machine(computer):
            found.setdefault(attempt.client, []).append(attempt.began.timestamp())
            own |= {id(event) for event in attempt.events}
    for event in _of(log, computer):
        if id(event) not in own and event.provider in _EACH_TIME:
            found.setdefault(None, []).append(event.time.timestamp())
    return found


def _of(log: EventLog, computer: str) -> list[Event]:
    from rdpdoctor.readers.eventlog import machine
    from rdpdoctor.readers.eventlog.event import known

    key = machine(computer)
    return [event for event in log.events if machine(event.computer) == key and known(event.time)]


def _zoneless(log: EventLog) -> bool:
    return bool(log.tallies) and all(tally.local for _, tally in log.tallies)


def _key(event: Event) -> _Key:
    from rdpdoctor.readers.eventlog import roles

    return event.provider, event.id, roles.status(event), roles.client(event)


def _row_key(row: Observation) -> tuple[object, ...]:
    return tuple(row.args.get(name) for name in ("provider", "id", "status", "client"))


def _momentary(row: Observation) -> bool:
    return row.args.get("weight") == "fails" or row.args.get("provider") in _EACH_TIME


def _with(row: Observation, **args: Value) -> Observation:
    return replace(row, args={**row.args, **args})


def _during(
    rows: Sequence[Observation], journal: Journal, computer: str, found: Clock, told: Sequence[Value]
) -> Observation:
    """What of a log falls into the time of the check."""
    last = journal.elapsed_ms + NEAR * 1000
    counts = {
        tag: sum(
            row.tag == tag and row.at_ms is not None and -NEAR * 1000 <= row.at_ms <= last for row in rows
        )
        for tag in ("event.attempt", "event.logged")
    }
    args: dict[str, Value] = {
        "computer": computer,
        "attempts": counts["event.attempt"],
        "events": counts["event.logged"],
        "skew_ms": round(found.skew * 1000, 3),
        "clock_known": found.by is not None,
        "by": found.by,
        "zone_ms": round(found.zone * 1000, 3),
        "client": found.client,
        "matched": found.matched,
        "told": told,
    }
    return Observation("event.during", args, Stage.HOST, Source.EVENTLOG)


def _challenge(journal: Journal) -> float | None:
    """Seconds by which the server's clock is ahead of ours, as its challenges say."""
    values = [row.args.get("skew_ms") for row in journal.tagged("nla.challenged")]
    stamps = sorted(
        float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    )
    return stamps[len(stamps) // 2] / 1000 if stamps else None
