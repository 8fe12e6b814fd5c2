"""The journal of one client and server, from a recording, logs or files of the two.

Where a recording and a log tell of different tries, the later one counts, and that is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, Observation, Target
from rdpdoctor.readers.joined import logs, recorded
from rdpdoctor.readers.joined.model import Joined
from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.times import iso, seconds, shifted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.readers.eventlog import EventLog, Shown
    from rdpdoctor.readers.joined.groups import Group
    from rdpdoctor.readers.joined.model import Reading

_PORT = 3389
#: In the place of a name that no file tells; what a person is told to do next reads well with it.
_UNNAMED = "HOST"
#: Seconds after which what a log tells is another try than the one that was recorded.
_LATER = 60.0


def with_logs(pair: recorded.Pair, tolds: Sequence[Shown], group: Group, log: EventLog | None) -> Joined:
    """A recording of one client and server, with what logs say of the same two."""
    if not tolds or log is None:
        return of_pair(pair, group)
    latest = pair.latest
    decided = [latest_logged(told) for told in tolds]
    logged = max(filter(None, decided), default=None)
    if latest is None or logged is None:
        found = of_pair(pair, group)
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
        found = of_logs(tolds, group)
        found.journal.extend(
            _older(row) for row in pair.rows(found.since, live=True) if row.tag != "flow.read"
        )
        found.assumed.append(
            f"the recorded try of {_minute(latest.began)} {_fared(latest.fate.outcome)}, that in the log of "
            f"{_minute(ended)} {_fared(outcome)}: the later one counts"
        )
        return found
    found = of_pair(pair, group)
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
    found.journal.extend(one_latest([row for row in rows if row.tag != "event.log" or row is first]))
    return found


def of_pair(pair: recorded.Pair, group: Group) -> Joined:
    host = next((name for name in (pair.host,) if name), pair.address)
    journal = Journal(Target(f"{host} from {pair.client}", host, pair.port), iso(pair.began))
    journal.extend(pair.rows(pair.began))
    spans = [(stream.start, stream.end) for stream in pair.latest.streams] if pair.latest is not None else []
    return Joined(journal, group.machine, Machine.of([pair.client]), spans=spans)


def of_logs(tolds: Sequence[Shown], group: Group) -> Joined:
    """Logs of both sides of one client and server; the server's own tells most."""
    first, *others = tolds
    target = first.journal.target
    journal = Journal(target if first.server else replace(target, host=_UNNAMED), first.journal.started)
    found = Joined(journal, group.machine, Machine.of([first.client]))
    rows = list(first.journal)
    for other in others:
        rows += [row for row in _one_log(found, other) if row.tag != "event.log"]
    journal.extend(one_latest(rows))
    return found


def of_files(files: Sequence[Reading], machine: Machine) -> Joined:
    named = next((one for one in files if one.host), files[0])
    when = next(filter(None, map(_collected, files)), None) or iso(max(one.modified for one in files))
    port = next((one.port for one in files if one.port), _PORT)
    journal = Journal(Target(named.host or named.name, named.host or _UNNAMED, port), when)
    for one in files:
        journal.extend(one.rows)
    return Joined(journal, machine)


def of_nothing(readings: Sequence[Reading]) -> Joined:
    """Recordings that show nobody who connects."""
    captures = [(one.name, one.capture) for one in readings if one.capture is not None]
    pair = recorded.Pair("", "", _PORT, captures=captures)
    name = readings[0].name if readings else ""
    journal = Journal(Target(name, _UNNAMED), iso(pair.began))
    journal.extend(pair.rows(pair.began))
    return Joined(journal, Machine())


def add_general(one: Joined, told: Shown, log: EventLog | None) -> None:
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


def one_latest(rows: Sequence[Observation]) -> list[Observation]:
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


def latest_logged(told: Shown) -> tuple[float, str] | None:
    """When the latest try in a log whose end is known ended, and how."""
    for row in told.journal:
        if row.tag == "event.attempt" and row.args.get("latest"):
            return seconds(str(row.args.get("ended"))), str(row.args.get("outcome"))
    return None


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
