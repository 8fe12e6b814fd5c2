"""Attempts and events become observations: what one client–server pair's journal holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.readers.eventlog import roles
from rdpdoctor.readers.eventlog.event import known
from rdpdoctor.readers.eventlog.table import SCHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.eventlog.attempts import Attempt
    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.table import Kind

#: Attempts and kinds of events that a journal holds; of more, the latest count.
MOST = 100
#: What is told although nothing is wrong: it ends what another event complained of.
_ENDS = {
    "certificate.made": ("certificate.not-made", "certificate.not-renewed"),
    "certificate.installed": ("certificate.not-installed", "certificate.not-replaced"),
    "listener.started": ("listener.failed", "listener.down", "service.not-started", "service.hung"),
    "service.running": ("service.not-started", "service.hung", "service.crashed"),
}
#: What a machine has not said again for so long is over: it complains at each start.
_LONG = timedelta(days=30)
#: A sign-in for administration needs no licence, so that one got in says nothing about these.
_LASTING = (Stage.LICENSING, Stage.GATEWAY)
#: So long before another user's success one's failure from the same address is a matter of today.
_TODAY = timedelta(days=1)
#: STATUS_NO_SUCH_USER: a name mistyped, where another one gets in.
_NOBODY = 0xC0000064
#: What ends sessions again and again, whoever comes back.
_LIMITS = frozenset({"session.idle-limit", "session.time-limit", "session.disconnected-limit"})


_Stands: TypeAlias = "Callable[[Event, Kind], bool]"
_Key: TypeAlias = "tuple[str, int, int | None, str | None, bool]"


@dataclass(slots=True)
class _Row:
    """Events alike in all that rules ask for."""

    event: Event
    kind: Kind
    first: datetime
    last: datetime
    count: int = 1


def observations(
    attempts: Sequence[Attempt],
    host: Iterable[Event],
    started: datetime,
    entered: Mapping[str, datetime] | None = None,
) -> Iterator[Observation]:
    """attempts: of one pair, by their beginning. host: other events of the machine whose log it is.
    entered: when each user got in the last time, from wherever.
    """
    decided = [attempt for attempt in attempts if attempt.outcome != "open"]
    latest = _latest(decided, entered or {})
    for number, attempt in enumerate(attempts[-MOST:], max(len(attempts) - MOST, 0) + 1):
        yield _attempt(number, attempt, attempt is latest, started)
        reason = _shown(attempt)
        if reason is not None and attempt is latest:
            yield reason
    in_latest = set(map(id, latest.events)) if latest is not None else set()
    failed = latest is not None and latest.outcome == "fails"
    own = [event for attempt in attempts for event in attempt.events]
    success = max((one.last for one in decided if one.outcome == "works"), default=None)
    others = list(host)
    good = _good(others)
    until = max((event.time for event in (*own, *others) if known(event.time)), default=None)

    def in_it(event: Event, kind: Kind) -> bool:
        if kind.means in _LIMITS:
            return until is None or until - event.time <= _LONG
        if id(event) not in in_latest or latest is None or latest.decisive is None:
            return False
        # What was taken over before it was entered was the console's, or another connection's.
        return failed or (kind.weight == "cuts" and latest.decisive.time <= event.time)

    yield from _rows(own, in_it, started, True)
    yield from _rows(others, lambda event, kind: _stands(event, kind, success, good, until), started)


def _latest(decided: Sequence[Attempt], entered: Mapping[str, datetime]) -> Attempt | None:
    """The attempt that decides: the latest, unless another user who came from the same address that day is
    still shut out.
    """
    if not decided or decided[-1].outcome != "works":
        return decided[-1] if decided else None
    last = decided[-1]
    of_users = {one.user: one for one in decided if one.user is not None}
    for one in reversed(of_users.values()):
        if (
            one.outcome == "fails"
            and one.user != last.user
            and last.began - one.began <= _TODAY
            and (one.decisive is None or roles.status(one.decisive) != _NOBODY)
            and entered.get(one.user or "", one.began) <= one.began
        ):
            return one
    return last


def who(names: Iterable[str | None]) -> list[str]:
    """How often each comes, the most frequent first."""
    counts = Counter(name for name in names if name is not None)
    return [f"{name} ({count})" for name, count in counts.most_common()]


def _attempt(number: int, attempt: Attempt, latest: bool, started: datetime) -> Observation:
    decisive = attempt.decisive
    kind = roles.kind(decisive) if decisive is not None else None
    args: dict[str, Value] = {
        "number": number,
        "side": attempt.side,
        "computer": attempt.computer,
        "client": attempt.client,
        "server": attempt.server,
        "user": roles.masked(attempt.user),
        "outcome": attempt.outcome,
        "at": attempt.stage.value if attempt.stage is not None else None,
        "means": kind.means if kind is not None else None,
        "says": roles.told(decisive) if decisive is not None else None,
        "status": roles.status(decisive) if decisive is not None else None,
        "began": _iso(attempt.began),
        "decided": _iso(decisive.time) if decisive is not None else None,
        "ended": _iso(attempt.last),
        "latest": latest,
        "story": [_line(event) for event in attempt.events],
    }
    return _observation("event.attempt", args, attempt.began, started)


def _shown(attempt: Attempt) -> Observation | None:
    """What the client's own log says it showed is what a person would have typed."""
    event = attempt.decisive
    if attempt.outcome != "fails" or event is None or attempt.side != "client" or event.id != 1026:
        return None
    args: dict[str, Value] = {
        "reason": roles.status(event),
        "extended": None,
        "text": f"{roles.status(event)}",
    }
    return Observation("code.shown", args, Stage.HOST, Source.EVENTLOG, None)


def _rows(
    events: Iterable[Event], stands: _Stands, started: datetime, beside: bool = False
) -> Iterator[Observation]:
    """beside: whether they belong to connections."""
    rows: dict[_Key, _Row] = {}
    for event in events:
        kind = roles.kind(event)
        if kind is None or kind.weight in ("step", "works", "ends"):
            continue
        if not beside and roles.network(event):
            if roles.client(event) is None:  # as programs of the machine itself leave
                continue
            kind = replace(kind, means=f"network-{kind.means}")
        key = (event.provider, event.id, roles.status(event), roles.client(event), stands(event, kind))
        row = rows.get(key)
        if row is None:
            rows[key] = _Row(event, kind, event.time, event.time)
            continue
        row.count += 1
        row.first = min(row.first, event.time)
        if event.time >= row.last:
            row.last, row.event = event.time, event
    newest = sorted(rows.items(), key=lambda item: item[1].last)[-MOST:]
    for key, row in newest:
        yield _logged(row, key[-1], started)


def _logged(row: _Row, stands: bool, started: datetime) -> Observation:
    event = row.event
    args: dict[str, Value] = {
        "provider": event.provider,
        "id": event.id,
        "means": row.kind.means,
        "says": roles.told(event),
        "weight": row.kind.weight,
        "at": row.kind.stage.value,
        "status": roles.status(event),
        "client": roles.client(event),
        "user": roles.masked(roles.user(event)),
        "computer": event.computer,
        "ours": _ours(event),
        "count": row.count,
        "first": _iso(row.first),
        "last": _iso(row.last),
        "stands": stands,
    }
    return _observation("event.logged", args, row.last, started)


def _ours(event: Event) -> bool | None:
    """Whether the event itself says that it is about Remote Desktop; None where it does not say."""
    if event.provider != SCHANNEL:
        return True
    process = roles.value(event, "process")
    return "termservice" in process.lower() if "[" in process else None


def _good(events: Iterable[Event]) -> dict[str, datetime]:
    """means → when it was last seen to be over."""
    found: dict[str, datetime] = {}
    for event in events:
        kind = roles.kind(event)
        for means in _ENDS.get(kind.means, ()) if kind is not None else ():
            found[means] = max(event.time, found.get(means, event.time))
    return found


def _stands(
    event: Event, kind: Kind, success: datetime | None, good: dict[str, datetime], until: datetime | None
) -> bool:
    """Whether nothing that came later shows that it is over. until: how far the log goes."""
    if kind.means == roles.TAKEN:  # of no connection that is known
        return False
    over = good.get(kind.means)
    if (over is not None and over > event.time) or (until is not None and until - event.time > _LONG):
        return False
    return success is None or success <= event.time or kind.stage in _LASTING


def _observation(tag: str, args: dict[str, Value], time: datetime, started: datetime) -> Observation:
    at_ms = round((time - started).total_seconds() * 1000, 3) if known(time) else None
    return Observation(tag, args, Stage.HOST, Source.EVENTLOG, at_ms)


def _iso(time: datetime) -> str | None:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if known(time) else None


def _line(event: Event) -> str:
    status = roles.status(event)
    name = event.provider.rpartition("-")[2]
    code = f" ({status:#x})" if status else ""
    return f"{_iso(event.time)} {name} {event.id}: {roles.says(event.provider, event.id)}{code}"
