"""Events of Windows' logs that tell of a connection: one file a log, read when asked for.

For whoever reads logs: `find` gives the row of an event (always by its provider: 50 is one thing from TermDD
and another from Time-Service). `outcome` says how to take it, `fields` where the client's address, the user
and the status stand, `points` which causes it speaks for. Activity ids are not among the fields: they stand
in System/Correlation of every event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.sourced import SURE, Point, Row, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.facts import Stage

#: Every log, in the order in which an id without a provider is likeliest meant.
LOGS = (
    *("rcm", "schannel", "security", "rdpcorets", "client", "lsm", "termdd", "gateway", "services"),
    *("lsa", "netlogon", "session-broker-client", "session-broker", "avd-agent"),
)
#: success: this step went well. failure, warning: it did not, or with a defect. anchor: it dates an attempt
#: or its end and judges nothing. detail: worth showing beside others. noise: Windows writes it always.
OUTCOMES = ("success", "failure", "warning", "anchor", "detail", "noise")
SIDES = ("client", "server", "both", "gateway", "broker")
#: What a field may hold. address: of the client, often with a port behind it.
ROLES = (
    *("address", "user", "domain", "client", "session", "logon_type", "status", "substatus", "reason"),
    *("target", "port", "listener", "connection", "channel", "component", "process", "phase", "service"),
    "computer",
)
FOLDER = Path(__file__).parent

_KEYS = ("id", "says", "outcome", "stage", "in", "fields", "points", "note", "sure", "sources")
_ABOUT = ("title", "side", "what", "provider", "guid", "aliases")


@dataclass(frozen=True, slots=True)
class Event:
    """log: its file. channels: where it stands, likeliest first. stage: what part of a connection it speaks
    of; None: any.

    fields: role (one of ROLES) → name in EventData or UserData; builds differ in blanks and case. `#2` is the
    second value without a name, `binary` the element Binary. sure: one of SURE, for what it says; which
    causes it points to is inferred where no source names them.
    """

    log: str
    provider: str
    id: int
    says: str
    outcome: str
    stage: Stage | None
    channels: tuple[str, ...]
    fields: Mapping[str, str]
    points: tuple[Point, ...]
    note: str | None
    sure: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """provider: its name in the log; aliases: other names of it, such as the classic source name."""

    id: str
    title: str
    side: str
    what: str
    provider: str
    guid: str | None
    aliases: tuple[str, ...]
    channels: tuple[str, ...]
    events: Mapping[int, Event]


@cache
def log(name: str, folder: Path = FOLDER) -> Log:
    """One of LOGS. Raises KnowledgeError where its file is wrong."""
    file = f"events/{name}.json"
    table = Row(file, "", read_json(folder / f"{name}.json", file), ("log", "channels", "sources", "events"))
    about = Row(file, "log", table.value.get("log"), _ABOUT)
    channels, sources = table.texts("channels"), table.texts("sources")
    rows = table.value.get("events")
    if not isinstance(rows, list):
        raise table.wrong("events", "write a list")
    events: dict[int, Event] = {}
    for place, value in enumerate(rows):
        event = _event(name, about.text("provider"), channels, sources, file, place, value)
        if event.id in events:
            raise KnowledgeError(file, f"events[{place}].id", f"{event.id} stands twice")
        events[event.id] = event
    return Log(
        name,
        about.text("title"),
        about.one_of("side", SIDES),
        about.text("what"),
        about.text("provider"),
        about.text_or_none("guid"),
        about.texts("aliases"),
        channels,
        MappingProxyType(events),
    )


def _event(
    name: str,
    provider: str,
    channels: tuple[str, ...],
    sources: tuple[str, ...],
    file: str,
    place: int,
    value: Any,
) -> Event:
    row = Row(file, f"events[{place}]", value, _KEYS)
    fields = row.named("fields")
    for role in fields:
        if role not in ROLES:
            raise row.wrong(f"fields.{role}", f"use one of {', '.join(ROLES)}")
    return Event(
        log=name,
        provider=provider,
        id=row.number("id"),
        says=row.text("says"),
        outcome=row.one_of("outcome", OUTCOMES),
        stage=row.stage(),
        channels=row.chosen("in", channels),
        fields=MappingProxyType(fields),
        points=row.points(),
        note=row.text_or_none("note"),
        sure=row.one_of("sure", SURE),
        sources=row.chosen("sources", sources),
    )


def find(number: int, provider: str) -> Event | None:
    """The event of that provider, by any of its names and in any case; None: nothing is known of it."""
    name = log_of(provider)
    return None if name is None else log(name).events.get(number)


def log_of(provider: str) -> str | None:
    """Which log of LOGS a provider writes."""
    return _providers().get(provider.strip().lower())


def by_id(number: int) -> tuple[Event, ...]:
    """Every event with that id, in the order of LOGS."""
    return tuple(event for name in LOGS if (event := log(name).events.get(number)))


@cache
def _providers() -> Mapping[str, str]:
    return MappingProxyType(
        {
            known.lower(): name
            for name in LOGS
            for known in (log(name).provider, *log(name).aliases, *filter(None, (log(name).guid,)))
        }
    )
