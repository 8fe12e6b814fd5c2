"""Which of the files speak of the same machine, and one journal for each client and server.

Files given together describe one machine unless they name different ones; where a name is missing, or one
file has a name and the other an address, that is assumed, and said. Where connections to several servers were
seen, what names none of them stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, Observation, Source, Stage, Target
from rdpdoctor.readers.joined import recorded
from rdpdoctor.readers.joined.names import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.capture import Capture
    from rdpdoctor.readers.eventlog import EventLog, Shown

_PORT = 3389
#: In the place of a name that no file tells; what a person is told to do next reads well with it.
_UNNAMED = "HOST"
#: Reports of one call.
MOST = 200
#: Seconds by which a log's attempt may lie beside a check and still be the check's own.
_NEAR = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One file. kind: as it is spoken of. capture, journal: what it is; rows: what it says of a machine, for
    all other kinds but event logs, which are read as one. host: that machine, where the file names it.
    modified: when the file was written, seconds since 1970. summary: how much there was, in words.
    """

    name: str
    kind: str
    capture: Capture | None = None
    journal: Journal | None = None
    rows: tuple[Observation, ...] = ()
    host: str | None = None
    port: int | None = None
    modified: float = 0.0
    lost: tuple[str, ...] = ()
    summary: str = ""


@dataclass(slots=True)
class Joined:
    """assumed: what was taken to be the same machine without proof, a sentence each."""

    journal: Journal
    server: Machine
    client: Machine = field(default_factory=Machine)
    assumed: list[str] = field(default_factory=list)

    @property
    def since(self) -> float:
        return _seconds(self.journal.started)


def join(readings: Sequence[Reading], log: EventLog | None = None) -> list[Joined]:
    """Journals of everything that was read, in the order of the files. One at least, where anything was."""
    found = [_of_journal(one.journal) for one in readings if one.journal is not None]
    found += _of_captures(readings)
    if log is not None:
        found += _with_log(found, log)
    files = [one for one in readings if one.rows]
    seen = tuple(found)
    for one in sorted(files, key=lambda one: one.host is None):  # what names a machine says whose the rest is
        found += _with_file(seen or found, one, found)
    return found[:MOST] or [_of_nothing([one for one in readings if one.capture is not None])]


def _of_nothing(readings: Sequence[Reading]) -> Joined:
    """Recordings that show nobody who connects."""
    captures = [(one.name, one.capture) for one in readings if one.capture is not None]
    pair = recorded.Pair("", "", _PORT, captures=captures)
    name = readings[0].name if readings else ""
    journal = Journal(Target(name, _UNNAMED), recorded.iso(pair.began))
    journal.extend(pair.rows(pair.began))
    return Joined(journal, Machine())


def beside(journal: Journal, readings: Sequence[Reading], log: EventLog | None = None) -> Joined:
    """A check's journal, with what the files say of the same machine added to it."""
    found = _of_journal(journal)
    skew = _skew(journal)
    since = found.since
    captures = [(one.name, one.capture) for one in readings if one.capture is not None]
    for pair in recorded.pairs(captures):
        _take(found, pair.server, pair.rows(since, live=True), f"the recording of {pair.address}")
    if log is not None:
        _take_log(found, log, skew)
    for one in readings:
        if one.journal is not None:
            found.assumed.append(f"`{one.name}` is a saved check, and stands for itself")
        elif one.capture is None:
            _take(found, Machine.of([one.host]), one.rows, f"`{one.name}`")
    return found


def _of_journal(journal: Journal) -> Joined:
    words: list[str | None] = [journal.target.host]
    for row in journal.tagged("tcp.connected", "nla.challenged", "dns.resolved"):
        addresses = row.args.get("addresses")
        words += [
            value
            for key in ("address", "computer", "dns_computer")
            if isinstance(value := row.args.get(key), str)
        ]
        if isinstance(addresses, Sequence) and not isinstance(addresses, str):
            words += [one for one in addresses if isinstance(one, str)]
    return Joined(journal, Machine.of(words))


def _of_captures(readings: Sequence[Reading]) -> list[Joined]:
    found = []
    for pair in recorded.pairs((one.name, one.capture) for one in readings if one.capture is not None):
        target = Target(f"{pair.host} from {pair.client}", pair.host, pair.port)
        journal = Journal(target, recorded.iso(pair.began))
        journal.extend(pair.rows(pair.began))
        found.append(Joined(journal, pair.server, Machine.of([pair.client])))
    return found


def _with_log(found: Sequence[Joined], log: EventLog) -> list[Joined]:
    """What of a log tells of nobody that is there already."""
    from rdpdoctor.readers.eventlog import shown

    told = shown(log)
    taken: set[int] = set()
    for one in found:
        mine = [each for each in told if one.server.same(_server(each)) is not False]
        sure = [each for each in mine if one.server.same(_server(each)) is True]
        mine = sure or (mine if len({each.server.lower() for each in mine}) == 1 else [])
        if not mine:
            continue
        if (
            one.client == Machine()
        ):  # a saved check: the server's log is as good beside it as beside a live one
            _take_log(one, log, _skew(one.journal))
            taken |= {id(each) for each in mine if len(mine) == 1}
            continue
        same = [each for each in mine if _same_client(one, each)] or (mine if len(mine) == 1 else [])
        for each in same[:1]:
            _add(one.journal, each.journal, one.since)
            taken.add(id(each))
            if not sure:
                one.assumed.append(_taken_for(each.server, one))
            if not _same_client(one, each):
                one.assumed.append(f"{each.client} in the log is taken for {_client(one)} in the recording")
        if not same and (server := mine[0].server):
            rows = [row for row in mine[0].journal if row.tag in ("event.log", "event.logged")]
            shift = _seconds(mine[0].journal.started) - one.since
            one.journal.extend(_shifted(row, shift) for row in rows if row.args.get("client") is None)
            if not sure:
                one.assumed.append(_taken_for(server, one))
    left = [each for each in told if id(each) not in taken and not (taken and each.client is None)]
    for each in left:
        if not each.server:
            each.journal.target = replace(each.journal.target, host=_UNNAMED)
    return [Joined(each.journal, _server(each), Machine.of([each.client])) for each in left]


def _with_file(seen: Sequence[Joined], one: Reading, found: Sequence[Joined]) -> list[Joined]:
    """A file about a machine joins all that may be about it; else it stands alone. seen: where connections
    were seen; only what names a machine for sure joins the others.
    """
    machine = Machine.of([one.host])
    chosen = [other for other in found if other.server.same(machine) is True]
    if not chosen:
        # What may be about any of several servers is about none of them for sure.
        servers = {(other.journal.target.host.lower(), other.journal.target.port) for other in seen}
        likely = [other for other in seen if other.server.same(machine) is None]
        chosen = likely if len(servers) == 1 else []
        for other in chosen:
            if one.host and (other.server.names or other.server.addresses):
                other.assumed.append(f"`{one.name}`, about {one.host}, is taken to be about {_name(other)}")
    for other in chosen:
        other.journal.extend(one.rows)
        known = other.server
        other.server = Machine(known.names | machine.names, known.addresses | machine.addresses)
    if chosen:
        return []
    journal = Journal(_target(one), _collected(one) or recorded.iso(one.modified))
    journal.extend(one.rows)
    return [Joined(journal, machine)]


def _target(one: Reading) -> Target:
    return Target(one.host or one.name, one.host or _UNNAMED, one.port or _PORT)


def _collected(one: Reading) -> str | None:
    """When a bundle was made: its certificates are judged at that time."""
    for row in one.rows:
        when = row.args.get("collected")
        if row.tag == "host.read" and isinstance(when, str) and (seconds := _seconds(when)):
            return recorded.iso(seconds)
    return None


def _take(found: Joined, machine: Machine, rows: Iterable[Observation], what: str) -> None:
    fit = found.server.same(machine)
    if fit is False:
        found.assumed.append(f"{what} is about another machine, and left out")
        return
    if fit is None and (machine.names or machine.addresses):
        found.assumed.append(f"{what} is taken to be about {_name(found)}")
    found.journal.extend(rows)


def _take_log(found: Joined, log: EventLog, skew: float) -> None:
    """skew: seconds by which the server's clock is ahead of ours."""
    from rdpdoctor.readers.eventlog import machine, shown

    told = [(each, machine(each.computer) == machine(each.server)) for each in shown(log)]
    rows: list[Observation] = []
    name = _one_of(found, {each.server: None for each, own in told if own})
    if name is not None:
        key = machine(name)
        times = [event.time.timestamp() for event in log.events if machine(event.computer) == key]
        began = min((time for time in times if time > 0), default=found.since)
        rows += [_shifted(row, began - skew - found.since) for row in log.about(name)]
    called = _one_of(found, {each.server: None for each, own in told if not own})
    for each, own in told:
        if not own and each.server == called:
            shift = _seconds(each.journal.started) - found.since
            rows += [_shifted(row, shift) for row in each.journal if row.tag != "event.log" or name is None]
    if not rows:
        found.assumed.append("the event logs are about other machines, and left out")
        return
    found.journal.extend(rows)
    found.journal.add(_during(rows, name or called or "", found.journal, skew))


def _one_of(found: Joined, names: Iterable[str]) -> str | None:
    """The machine among these that is the one meant; one alone is, unless it has another name."""
    listed = list(names)
    sure = [name for name in listed if found.server.same(Machine.of([name])) is True]
    if sure:
        return sure[0]
    if len(listed) != 1 or found.server.same(Machine.of(listed)) is False:
        return None
    found.assumed.append(_taken_for(listed[0], found))
    return listed[0]


def _during(rows: Sequence[Observation], name: str, journal: Journal, skew: float) -> Observation:
    """What of a log falls into the time of the check."""
    last = journal.elapsed_ms + _NEAR * 1000
    counts = {
        tag: sum(
            row.tag == tag and row.at_ms is not None and -_NEAR * 1000 <= row.at_ms <= last for row in rows
        )
        for tag in ("event.attempt", "event.logged")
    }
    args: dict[str, Value] = {
        "computer": name,
        "attempts": counts["event.attempt"],
        "events": counts["event.logged"],
        "skew_ms": round(skew * 1000, 3),
        "clock_known": bool(_stamps(journal)),
    }
    return Observation("event.during", args, Stage.HOST, Source.EVENTLOG)


def _stamps(journal: Journal) -> list[float]:
    values = [row.args.get("skew_ms") for row in journal.tagged("nla.challenged")]
    return [
        float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _skew(journal: Journal) -> float:
    stamps = sorted(_stamps(journal))
    return stamps[len(stamps) // 2] / 1000 if stamps else 0.0


def _taken_for(server: str, one: Joined) -> str:
    return f"the event log of {server or 'a machine without a name'} is taken for that of {_name(one)}"


def _server(each: Shown) -> Machine:
    return Machine.of([each.server])


def _same_client(one: Joined, each: Shown) -> bool:
    return one.client.same(Machine.of([each.client])) is True


def _name(one: Joined) -> str:
    return one.journal.target.host


def _client(one: Joined) -> str:
    return next(iter(sorted(one.client.addresses | one.client.names)), "the client")


def _add(journal: Journal, other: Journal, since: float) -> None:
    shift = _seconds(other.started) - since
    journal.extend(_shifted(row, shift) for row in other)


def _shifted(row: Observation, seconds: float) -> Observation:
    return row if row.at_ms is None else replace(row, at_ms=round(row.at_ms + seconds * 1000, 3))


def _seconds(stamp: str) -> float:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
