"""Which of the files speak of the same machine, and one journal for each client and server.

Files given together describe one machine unless they name different ones; where a name is missing, or one
file has a name and the other an address, that is assumed, and said. Where connections to several servers were
seen, what names none of them stands alone. The order of the files makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.readers.joined import logs, recorded
from rdpdoctor.readers.joined.groups import Group, groups
from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.times import iso, seconds, shifted

if TYPE_CHECKING:
    from rdpdoctor.readers.capture import Capture
    from rdpdoctor.readers.eventlog import EventLog, Shown

_PORT = 3389
#: In the place of a name that no file tells; what a person is told to do next reads well with it.
_UNNAMED = "HOST"
#: Reports of one call.
MOST = 200
#: Seconds after which what a log tells is another try than the one that was recorded.
_LATER = 60.0
#: Farther apart, clocks and all, what a client and what a server saw was not the same try.
_APART = 900.0


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

    @property
    def of_client(self) -> bool:
        """Whether it was collected on the client, and its name is the client's."""
        return any(row.tag == "host.read" and row.args.get("role") == "client" for row in self.rows)


@dataclass(slots=True)
class Joined:
    """assumed: what was taken to be the same machine without proof, or left out, a sentence each. spans: of
    the recorded connections of the latest try, if there is a recording.
    """

    journal: Journal
    server: Machine
    client: Machine = field(default_factory=Machine)
    assumed: list[str] = field(default_factory=list)
    spans: list[logs.Span] = field(default_factory=list)

    @property
    def since(self) -> float:
        return seconds(self.journal.started)


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that tells of a server: exactly one of the last four. what: how it is spoken of."""

    server: Machine
    client: Machine
    what: str
    check: Journal | None = None
    pair: recorded.Pair | None = None
    told: Shown | None = None
    file: Reading | None = None

    @property
    def seen(self) -> bool:
        return self.file is None

    @property
    def order(self) -> tuple[object, ...]:
        """The same whatever the order of the files, and those that tell most of connections first."""
        if self.check is not None:
            return 0, self.check.started, self.check.target.input
        if self.pair is not None:
            return 1, self.pair.client, self.pair.address, self.pair.port
        if self.told is not None:
            return 2, not _own(self.told), self.told.journal.target.input, self.told.journal.started
        return 3, self.what


def join(readings: Sequence[Reading], log: EventLog | None = None) -> list[Joined]:
    """Journals of everything that was read. One at least, where anything was."""
    parts = sorted([*_checks(readings), *_parts(readings, log)], key=lambda part: str(part.order))
    found: list[Joined] = []
    grouped = _grouped(parts)
    for group in grouped:
        made = _reports(parts, group, log)
        if group.machine == Machine() and len(grouped) > 1:
            what = dict.fromkeys(parts[place].what for place in group.members)
            made[0].assumed += [
                f"{one} names no machine, and several were seen, so it stands alone" for one in what
            ]
        found += made
    return found[:MOST] or [_of_nothing([one for one in readings if one.capture is not None])]


def beside(
    journal: Journal, readings: Sequence[Reading], log: EventLog | None = None, before: bool = False
) -> Joined:
    """A check's journal, with what the files say of the same machine added to it. before: they were written
    before the check began.
    """
    own = Reading("", "check", journal=journal)
    parts = [*_checks([own]), *sorted(_parts(readings, log), key=lambda part: str(part.order))]
    mine, *others = sorted(_grouped(parts), key=lambda group: 0 not in group.members)
    found = Joined(journal, mine.machine)
    for one in readings:
        if one.journal is not None:
            found.assumed.append(f"`{one.name}` is a saved check, and stands for itself")
    _assume(found, parts, mine)
    members = [place for place in mine.members if place]
    for other in others:
        if other.machine == Machine():  # who gives it beside a check says whose it is
            members += other.members
        else:
            what = sorted({parts[place].what for place in other.members})
            found.assumed += [f"{one} is about another machine, and left out" for one in what]
    _beside(found, [parts[place] for place in members], log, before)
    return found


def _checks(readings: Sequence[Reading]) -> list[_Part]:
    return [
        _Part(_checked(one.journal), Machine(), f"`{one.name}`", check=one.journal)
        for one in readings
        if one.journal is not None
    ]


def _parts(readings: Sequence[Reading], log: EventLog | None) -> list[_Part]:
    captures = [(one.name, one.capture) for one in readings if one.capture is not None]
    parts = [
        _Part(pair.server, Machine.of([pair.client]), f"the recording of {pair.address}", pair=pair)
        for pair in recorded.pairs(sorted(captures, key=lambda one: one[0]))
    ]
    if log is not None:
        from rdpdoctor.readers.eventlog import shown

        parts += [
            _Part(
                Machine.of([each.server]),
                Machine.of([each.client]),
                f"the event log of {each.computer or 'a machine without a name'}",
                told=each,
            )
            for each in shown(log)
        ]
    clients = {part.client for part in parts}
    for one in readings:
        if one.rows:
            host = Machine() if one.of_client else Machine.of([one.host])
            what = f"`{one.name}`" + (f", about {one.host}," if one.host and host not in clients else "")
            parts.append(_Part(host, Machine(), what, file=one))
    return parts


def _grouped(parts: Sequence[_Part]) -> list[Group]:
    clients = Machine(frozenset().union(*(part.client.names for part in parts)))
    return groups([part.server for part in parts], [part.seen for part in parts], clients)


def _reports(parts: Sequence[_Part], group: Group, log: EventLog | None) -> list[Joined]:
    """Of one server."""
    mine = [parts[place] for place in sorted(group.members)]
    checks = [part.check for part in mine if part.check is not None]
    files = [part.file for part in mine if part.file is not None]
    found: list[Joined] = []
    for check in checks:
        found.append(Joined(check, group.machine))
        _beside(found[-1], [other for other in mine if other.check is None], log)
    if not checks:
        found = _pairs(mine, group, log)
        for one in found:
            for file in files:
                one.journal.extend(file.rows)
    if not found and files:
        found = [_of_files(files, group.machine)]
    for one in found:
        _assume(one, parts, group)
    return found


def _beside(found: Joined, parts: Sequence[_Part], log: EventLog | None, before: bool = False) -> None:
    """Add to a check what else tells of its server."""
    since, journal = found.since, found.journal
    computers: dict[str, None] = {}
    rows: list[Observation] = []
    for part in parts:
        if part.pair is not None:
            rows += part.pair.rows(since, live=True)
        elif part.file is not None:
            rows += part.file.rows
        elif part.told is not None and _own(part.told):
            computers.setdefault(part.told.computer)
    if log is not None:
        for computer in computers:
            heard = logs.beside_check(journal, log, computer, before)
            rows += heard.rows
            found.assumed += heard.said
        for part in parts:
            if part.told is not None and not _own(part.told):
                shift = seconds(part.told.journal.started) - since
                moved = (shifted(row, shift) for row in part.told.journal)
                rows += [row for row in moved if row.tag != "event.log" or not computers]
    journal.extend(_one_latest(rows))


def _pairs(parts: Sequence[_Part], group: Group, log: EventLog | None) -> list[Joined]:
    """A journal for each client of this server that recordings and logs show."""
    seen = [part for part in parts if part.seen]
    named = [part for part in seen if part.client != Machine()]
    general = [part for part in seen if part.client == Machine() and part.told is not None]
    found: list[Joined] = []
    zoneless = log is not None and any(tally.local for _, tally in log.tallies)
    for client in _clients(named, zoneless):
        mine = [named[place] for place in sorted(client.members)]
        tolds = [part.told for part in mine if part.told is not None]
        made = [_with_logs(part.pair, tolds, group, log) for part in mine if part.pair is not None]
        made = made or [_of_logs(tolds, group)]
        for one in made:
            one.client = client.machine
            if client.assumed:
                names = sorted(client.machine.names)
                addresses = sorted(client.machine.addresses)
                one.assumed.append(f"the client {names[0]} is taken to be {addresses[0]}")
        found += made
    if not found:
        return [_of_logs([part.told], group) for part in general if part.told is not None]
    recorded_too = any(part.pair is not None for part in named)
    for told in [part.told for part in general if part.told is not None]:
        alone = len(found) == 1 and recorded_too
        if _latest_logged(told) is not None and not alone:
            found.append(_of_logs([told], group))
            continue
        for one in found:
            _add_general(one, told, log)
    return found


def _clients(named: Sequence[_Part], zoneless: bool) -> list[Group]:
    """A client's own log has its name, and what others saw of it an address: it may be the same one where a
    try of each is of one time. zoneless: a log does not say which time that is.
    """
    found: list[Group] = []
    for client in groups([part.client for part in named], [True] * len(named), Machine()):
        sides = [[place for place in client.members if place not in client.assumed], client.assumed]
        times = [[time for place in side for time in _arrivals(named[place])] for side in sides]
        if not client.assumed or (zoneless and all(times)) or _meet(*times):
            found.append(client)
            continue
        for side in sides:
            found += groups([named[place].client for place in side], [True] * len(side), Machine())
            found[-1].members = side
    return found


def _meet(ones: Sequence[float], others: Sequence[float]) -> bool:
    return any(abs(one - other) <= _APART for one in ones for other in others)


def _arrivals(part: _Part) -> list[float]:
    """When each try began that the other side may have seen, in seconds since 1970."""
    if part.pair is not None:
        return [one.began for one in part.pair.found] or [part.pair.began]
    rows = part.told.journal.tagged("event.attempt") if part.told is not None else ()
    return [seconds(str(row.args.get("began"))) for row in rows if row.args.get("at") != Stage.DNS.value]


def _with_logs(pair: recorded.Pair, tolds: Sequence[Shown], group: Group, log: EventLog | None) -> Joined:
    """A recording of one client and server, with what logs say of the same two."""
    if not tolds or log is None:
        return _of_pair(pair, group)
    latest = pair.latest
    decided = [_latest_logged(told) for told in tolds]
    logged = max(filter(None, decided), default=None)
    if latest is None or logged is None:
        found = _of_pair(pair, group)
        for told in tolds:
            found.journal.extend(_heard(found, told, log))
        return found
    spans = [(stream.start, stream.end) for stream in latest.streams]
    rows: list[Observation] = []
    heards = [logs.beside_recording(told.journal, spans, log, told.computer) for told in tolds]
    ended, outcome = max(
        (when - heard.clock.ahead, how)
        for one, heard in zip(decided, heards, strict=True)
        if one is not None
        for when, how in [one]
    )
    later = ended > latest.ended + _LATER
    if later and outcome != latest.fate.outcome and latest.fate.outcome != "open":
        found = _of_logs(tolds, group)
        found.journal.extend(
            _older(row) for row in pair.rows(found.since, live=True) if row.tag != "flow.read"
        )
        found.assumed.append(
            f"the recorded try of {_minute(latest.began)} {_fared(latest.fate.outcome)}, that in the log of "
            f"{_minute(ended)} {_fared(outcome)}: the later one counts"
        )
        return found
    found = _of_pair(pair, group)
    for told, heard in zip(tolds, heards, strict=True):
        found.assumed += heard.said
        if later:  # it failed again, or went well again: both are the latest word
            rows += _one_log(found, told)
        else:
            rows += [shifted(row, seconds(told.journal.started) - found.since) for row in heard.rows]
    if not later and outcome != latest.fate.outcome and latest.began - ended > _LATER:
        found.assumed.append(
            f"the try in the log of {_minute(ended)} {_fared(outcome)}, the recorded one of "
            f"{_minute(latest.began)} {_fared(latest.fate.outcome)}: the later one counts"
        )
    first = next((row for row in rows if row.tag == "event.log"), None)
    found.journal.extend(_one_latest([row for row in rows if row.tag != "event.log" or row is first]))
    return found


def _of_pair(pair: recorded.Pair, group: Group) -> Joined:
    host = next((name for name in (pair.host,) if name), pair.address)
    journal = Journal(Target(f"{host} from {pair.client}", host, pair.port), iso(pair.began))
    journal.extend(pair.rows(pair.began))
    spans = [(stream.start, stream.end) for stream in pair.latest.streams] if pair.latest is not None else []
    return Joined(journal, group.machine, Machine.of([pair.client]), spans=spans)


def _of_logs(tolds: Sequence[Shown], group: Group) -> Joined:
    """Logs of both sides of one client and server; the server's own tells most."""
    first, *others = tolds
    target = first.journal.target
    journal = Journal(target if first.server else replace(target, host=_UNNAMED), first.journal.started)
    found = Joined(journal, group.machine, Machine.of([first.client]))
    rows = list(first.journal)
    for other in others:
        rows += [row for row in _one_log(found, other) if row.tag != "event.log"]
    journal.extend(_one_latest(rows))
    return found


def _of_files(files: Sequence[Reading], machine: Machine) -> Joined:
    named = next((one for one in files if one.host), files[0])
    when = next(filter(None, map(_collected, files)), None) or iso(max(one.modified for one in files))
    port = next((one.port for one in files if one.port), _PORT)
    journal = Journal(Target(named.host or named.name, named.host or _UNNAMED, port), when)
    for one in files:
        journal.extend(one.rows)
    return Joined(journal, machine)


def _of_nothing(readings: Sequence[Reading]) -> Joined:
    """Recordings that show nobody who connects."""
    captures = [(one.name, one.capture) for one in readings if one.capture is not None]
    pair = recorded.Pair("", "", _PORT, captures=captures)
    name = readings[0].name if readings else ""
    journal = Journal(Target(name, _UNNAMED), iso(pair.began))
    journal.extend(pair.rows(pair.began))
    return Joined(journal, Machine())


def _add_general(one: Joined, told: Shown, log: EventLog | None) -> None:
    """What a server's log says of no client."""
    logged = one.journal.first("event.log") is not None
    one.journal.extend(row for row in _heard(one, told, log) if row.tag != "event.log" or not logged)


def _heard(one: Joined, told: Shown, log: EventLog | None) -> list[Observation]:
    """Beside a recording only what is about its time."""
    if log is None or not one.spans:
        return _one_log(one, told)
    heard = logs.beside_recording(told.journal, one.spans, log, told.computer)
    one.assumed += heard.said
    shift = seconds(told.journal.started) - one.since
    return [shifted(row, shift) for row in heard.rows]


def _one_log(one: Joined, told: Shown) -> list[Observation]:
    shift = seconds(told.journal.started) - one.since
    return [shifted(row, shift) for row in told.journal]


def _one_latest(rows: Sequence[Observation]) -> list[Observation]:
    """Of tries that logs of both sides call the latest, the later one is; of one moment, the server's."""
    latest = [row for row in rows if row.tag == "event.attempt" and row.args.get("latest")]
    if len(latest) < 2:
        return list(rows)
    last = max(seconds(str(row.args.get("ended"))) for row in latest)
    near = [row for row in latest if last - seconds(str(row.args.get("ended"))) <= _LATER]
    kept = min(near, key=lambda row: (row.args.get("side") != "server", str(row.args.get("began"))))
    return [
        replace(row, args={**row.args, "latest": False}) if row in latest and row is not kept else row
        for row in rows
    ]


def _older(row: Observation) -> Observation:
    if row.tag != "flow.attempt":
        return row
    return replace(row, args={**row.args, "latest": False})


def _latest_logged(told: Shown) -> tuple[float, str] | None:
    """When the latest try in a log whose end is known ended, and how."""
    for row in told.journal:
        if row.tag == "event.attempt" and row.args.get("latest"):
            return seconds(str(row.args.get("ended"))), str(row.args.get("outcome"))
    return None


def _assume(one: Joined, parts: Sequence[_Part], group: Group) -> None:
    """Say what was taken for the same machine without proof."""
    assumed = set(group.assumed)
    sure = [parts[place].server for place in group.members if place not in assumed]
    known = Machine.all_of(sure if assumed else ())
    name = next(iter([*sorted(known.addresses), *sorted(known.names)]), one.journal.target.host)
    for place in sorted(assumed):
        part = parts[place]
        if part.told is not None:
            one.assumed.append(f"{part.what} is taken for that of {name}")
        elif part.server != Machine():
            one.assumed.append(f"{part.what} is taken to be about {name}")
    one.assumed[:] = dict.fromkeys(one.assumed)


def _checked(journal: Journal) -> Machine:
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
    return Machine.of(words)


def _own(told: Shown) -> bool:
    """Whether it is the server's own log that tells."""
    from rdpdoctor.readers.eventlog import machine

    return machine(told.computer) == machine(told.server)


def _collected(one: Reading) -> str | None:
    """When a bundle was made: its certificates are judged at that time."""
    for row in one.rows:
        when = row.args.get("collected")
        if row.tag == "host.read" and isinstance(when, str) and (time := seconds(when)):
            return iso(time)
    return None


def _minute(time: float) -> str:
    return f"{iso(time)[:16].replace('T', ' ')} UTC"


def _fared(outcome: str) -> str:
    return "worked" if outcome == "works" else "failed"
