"""Which of the files speak of the same machine, and one journal for each client and server.

Files given together describe one machine unless they name different ones; where a name is missing, or one
file has a name and the other an address, that is assumed, and said. Where connections to several servers were
seen, what names none of them stands alone. The order of the files makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage
from rdpdoctor.readers.joined import journals, logs, recorded
from rdpdoctor.readers.joined.groups import Group, groups
from rdpdoctor.readers.joined.model import Joined, Reading
from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.times import seconds, shifted

if TYPE_CHECKING:
    from rdpdoctor.facts import Journal, Observation
    from rdpdoctor.readers.eventlog import EventLog, Shown

#: Reports of one call.
MOST = 200
#: Farther apart, clocks and all, what a client and what a server saw was not the same try.
_APART = 900.0


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
    return found[:MOST] or [journals.of_nothing([one for one in readings if one.capture is not None])]


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
        found = [journals.of_files(files, group.machine)]
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
    journal.extend(journals.one_latest(rows))


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
        made = [journals.with_logs(part.pair, tolds, group, log) for part in mine if part.pair is not None]
        made = made or [journals.of_logs(tolds, group)]
        for one in made:
            one.client = client.machine
            if client.assumed:
                names = sorted(client.machine.names)
                addresses = sorted(client.machine.addresses)
                one.assumed.append(f"the client {names[0]} is taken to be {addresses[0]}")
        found += made
    if not found:
        return [journals.of_logs([part.told], group) for part in general if part.told is not None]
    recorded_too = any(part.pair is not None for part in named)
    for told in [part.told for part in general if part.told is not None]:
        alone = len(found) == 1 and recorded_too
        if journals.latest_logged(told) is not None and not alone:
            found.append(journals.of_logs([told], group))
            continue
        for one in found:
            journals.add_general(one, told, log)
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
