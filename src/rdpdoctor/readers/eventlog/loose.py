"""Events of formats that lose the names of values, or the values: PowerShell's objects, CSV, plain text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rdpdoctor.readers.eventlog import messages
from rdpdoctor.readers.eventlog.event import NO_TIME, Event, activity_of, clean, moment
from rdpdoctor.readers.eventlog.table import full_name, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rdpdoctor.readers.eventlog.tally import Tally

_LEVELS: Mapping[str, int] = {"critical": 1, "error": 2, "warning": 3, "information": 4}
#: How `Get-EventLog` calls what `Get-WinEvent` calls otherwise.
OLDER: Mapping[str, str] = {
    **{"EventID": "Id", "Source": "ProviderName", "TimeGenerated": "TimeCreated"},
    **{"EntryType": "Level", "Index": "RecordId", "InstanceId": "InstanceId"},
}
#: What `ConvertTo-Json` writes for each value where it does not look deep enough.
_SHALLOW = "System.Diagnostics.Eventing.Reader.EventProperty"
LOCAL = "times are those of the machine that exported the file; they are taken as UTC"
TWICE = "what several files hold is counted once"
#: What is told of a file, and is no loss.
REMARKS = frozenset({LOCAL, TWICE})
_ZONED = re.compile(r"(?:Z|[+-]\d\d:?\d\d|\)/)\s*$")
_DATE = re.compile(r"/Date\((-?\d{1,16})(?:[+-]\d{4})?\)/")
_SPOKEN = re.compile(
    r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4}),? (\d{1,2})[:.](\d\d)(?:[:.](\d\d))?"
    r"(?:[.,]\d+)?\s?([AaPp]\.?\s?[Mm])?"
)


def note(fields: Mapping[str, str], tally: Tally) -> None:
    """That the moments of the file are in a zone that it does not name."""
    if not tally.local and not _ZONED.search(fields.get("TimeCreated", "Z")):
        tally.local = True
        tally.lose(LOCAL, 0)


def event(
    fields: Mapping[str, str],
    values: Sequence[str] = (),
    message: str = "",
    data: Mapping[str, str] | None = None,
) -> Event | None:
    """fields: Id, ProviderName, LogName, TimeCreated, RecordId, MachineName, ActivityId, Level, as PowerShell
    calls them. data: values by name; values: in order; else what the English message says. None where it is
    of no interest.
    """
    identity = fields.get("Id", "").strip().replace(",", "")
    if not identity and fields.get("InstanceId", "").isdecimal():
        identity = str(int(fields["InstanceId"][:12]) & 0xFFFF)  # the id, and its severity above
    provider = full_name(fields.get("ProviderName", "").strip())
    if not identity.isdecimal() or len(identity) > 5:
        return None
    kind = kind_of(provider, int(identity))
    if kind is None:
        return None
    values = () if _SHALLOW in values else values
    if data and any(name in data for name in (*kind.fields, "#1")):
        data = {name: clean(value) for name, value in data.items()}
    elif values:
        names = kind.fields or tuple(f"#{place}" for place in range(1, len(values) + 1))
        data = {name: clean(value) for name, value in zip(names, values, strict=False)}
    else:
        data = messages.values(provider, int(identity), message)
    record = fields.get("RecordId", "")
    level = fields.get("Level", "").strip()
    return Event(
        provider,
        int(identity),
        time_of(fields.get("TimeCreated", "")),
        clean(fields.get("LogName", "")),
        clean(fields.get("MachineName", "")),
        int(record) if record.isdecimal() and len(record) < 20 else None,
        activity_of(fields.get("ActivityId")),
        int(level) if level in tuple("012345") else _LEVELS.get(level.lower(), 0),
        data,
    )


def time_of(text: str) -> datetime:
    """ISO 8601, `/Date(milliseconds)/`, or as a person writes it; without an offset it is taken as UTC."""
    text = text.strip().replace("\u202f", " ").replace("\u200e", "")
    stamp = _DATE.search(text)
    if stamp is not None:
        try:
            return datetime.fromtimestamp(int(stamp[1]) / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return NO_TIME
    found = moment(text)
    return found if found is not NO_TIME else _spoken(text)


def _spoken(text: str) -> datetime:
    """Month first where a half of the day is named (American), else day first, unless the numbers say no."""
    found = _SPOKEN.search(text)
    if found is None:
        return NO_TIME
    one, two, three, hour, minute = (int(part) for part in found.groups()[:5])
    second, half = int(found[6] or 0), (found[7] or "").lower()[:1]
    if len(found[1]) == 4:
        year, month, day = one, two, three
    else:
        # "p. m.", as in Spanish, stands behind the day.
        month, day = (one, two) if half and "." not in found[7] else (two, one)
        if month > 12:
            month, day = day, month
        year = three
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return datetime(year if year > 99 else 2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return NO_TIME
