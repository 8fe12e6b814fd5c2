"""The excerpts of event logs in a bundle, told as whole logs are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.eventlog import roles
from rdpdoctor.readers.eventlog.attempts import attempts
from rdpdoctor.readers.eventlog.event import Event, activity_of, clean, known, moment
from rdpdoctor.readers.eventlog.journal import EventLog
from rdpdoctor.readers.eventlog.table import AUDIT, full_name, kind_of
from rdpdoctor.readers.eventlog.tally import Tally
from rdpdoctor.readers.host.text import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.facts import Observation
    from rdpdoctor.readers.host.model import Raw

#: Sign-ins at a desktop, at a locked one, and what NLA refused.
_LOGONS = ("10", "7", "3")
_PLACE = re.compile(r"param(\d{1,3})")


def observed(rows: Iterable[dict[str, Any]], raw: Raw) -> list[Observation]:
    tally = Tally("bundle")
    found: list[Event] = []
    for row in rows:
        tally.records += 1
        event = _event(row, raw.computer or "")
        if event is None or not roles.concerns_us(event):
            continue
        tally.kept += 1
        tally.see(event.time) if known(event.time) else tally.lose("an event without a time")
        found.append(event)
    if not tally.records:
        return []
    found.sort(key=lambda event: event.time)
    log = EventLog(tuple(found), tuple(attempts(found)), (("bundle", tally),))
    return log.about(raw.computer or "")


def _event(row: dict[str, Any], computer: str) -> Event | None:
    """None where it is of no interest, or no event."""
    identity, provider = number(row.get("id"), 0, 65_535), row.get("provider")
    if identity is None or not isinstance(provider, str):
        return None
    provider = full_name(provider)
    kind, data = kind_of(provider, identity), row.get("data")
    if kind is None:
        return None
    values = data if isinstance(data, dict) else {}
    fields = {
        (f"#{place[1]}" if (place := _PLACE.fullmatch(str(name))) else str(name)): clean(str(value))
        for name, value in list(values.items())[:100]
        if value is not None
    }
    if provider == AUDIT and fields.get("LogonType", "10") not in _LOGONS:
        return None
    # Windows PowerShell loses the names where the log has none; the order is that of the manifest.
    if kind.fields and all(name.startswith("#") for name in fields):
        fields = dict(zip(kind.fields, fields.values(), strict=False))
    return Event(
        provider,
        identity,
        moment(str(row.get("time") or "")),
        clean(str(row.get("channel") or "")),
        computer,
        number(row.get("record")),
        activity_of(str(row.get("activity") or "")),
        number(row.get("level"), 0, 5) or 0,
        fields,
    )
