"""JSON, an array of objects, one, or one a line: `Get-WinEvent | ConvertTo-Json` (Windows PowerShell writes
times as `/Date(…)/` or, of selected properties, as an object; PowerShell 7 as ISO 8601), evtx_dump
(`Event` with `System` and `EventData`), winlogbeat (`winlog`), and NXLog (all in one flat object).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from rdpdoctor.readers.eventlog import loose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

_BLOCK = 1 << 18
#: Characters of one event, of which Windows PowerShell makes many: it writes out whatever hangs on one.
_LARGEST = 1 << 20
#: Where NXLog, and what forwards its objects, put what Windows calls otherwise, the best first. `@timestamp`
#: is in UTC, EventTime in the time of the machine, whatever that is.
_FLAT: Mapping[str, tuple[str, ...]] = {
    "Id": ("EventID", "EventId", "event_id"),
    "ProviderName": ("SourceName", "ProviderName", "Provider", "provider_name"),
    "TimeCreated": ("TimeCreated", "SystemTime", "@timestamp", "EventTime"),
    "LogName": ("Channel", "channel"),
    "MachineName": ("Hostname", "Computer", "computer_name"),
    "RecordId": ("RecordNumber", "EventRecordID", "record_id"),
    "ActivityId": ("ActivityID", "activity_id"),
}
#: Tries to find an event after a damaged one.
_TRIES = 50
_VALUES = ("Properties", "ReplacementStrings")


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order."""
    decode = json.JSONDecoder().raw_decode
    rest, tries, more = "", 0, True
    while more and tries < _TRIES:
        block = file.read(_BLOCK)
        more = bool(block)
        rest += block
        place = 0
        while (start := rest.find("{", place)) >= 0 and tries < _TRIES:
            try:
                row, place = decode(rest, start)
            except (ValueError, RecursionError):
                if more and len(rest) - start < _LARGEST:
                    place = start
                    break
                tally.lose("a damaged event")
                tries += 1
                place = start + 1
                continue
            tally.records += 1
            event = _event(row, tally)
            if event is not None:
                yield event
        rest = rest[place:] if start >= 0 else ""
    if tries >= _TRIES:
        tally.lose("the rest of the file")


def _event(row: Any, tally: Tally) -> Event | None:
    if not isinstance(row, dict) or not row:
        return None
    if isinstance(source := row.get("_source"), dict):  # as searches in Elastic give it
        row = source
    if isinstance(inner := row.get("Event"), dict) and isinstance(system := inner.get("System"), dict):
        return _dumped(system, inner)
    if isinstance(shipped := row.get("winlog"), dict):
        data = {**_innermost(shipped.get("user_data")), **_innermost(shipped.get("event_data"))}
        time = {"@timestamp": row.get("@timestamp")}
        return loose.event(_flat({**shipped, **time}), message=_text(row.get("message")), data=data)
    if not {"Id", "ReplacementStrings"} & row.keys() and any(name in row for name in _FLAT["Id"]):
        fields = _flat(row)
        loose.note(fields, tally)
        data = {name: _text(value) for name, value in row.items() if name not in ("Message", "message")}
        return loose.event(fields, message=_text(row.get("Message") or row.get("message")), data=data)
    if "ReplacementStrings" in row:  # Get-EventLog's; its EntryType is a number of another kind
        row = {loose.OLDER.get(name, name): value for name, value in row.items() if name != "EntryType"}
    fields = {name: _text(value) for name, value in row.items() if name not in _VALUES}
    properties = row.get("Properties", row.get("ReplacementStrings"))
    values: list[str] = []
    if isinstance(properties, list):
        values = [
            _text(one.get("Value")) if isinstance(one, dict) else _text(one) for one in properties[:100]
        ]
    return loose.event(fields, values, fields.get("Message", ""))


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, others in _FLAT.items():
        found[name] = next((text for other in others if (text := _text(row.get(other)))), "")
    return found


def _dumped(system: Mapping[str, Any], inner: Mapping[str, Any]) -> Event | None:
    def attribute(element: str, name: str) -> str:
        held = system.get(element)
        held = held.get("#attributes", held) if isinstance(held, dict) else {}
        return _text(held.get(name)) if isinstance(held, dict) else ""

    identity = system.get("EventID")
    fields = {
        "Id": _text(identity.get("#text") if isinstance(identity, dict) else identity),
        "ProviderName": attribute("Provider", "Name"),
        "TimeCreated": attribute("TimeCreated", "SystemTime"),
        "LogName": _text(system.get("Channel")),
        "MachineName": _text(system.get("Computer")),
        "RecordId": _text(system.get("EventRecordID")),
        "ActivityId": attribute("Correlation", "ActivityID"),
        "Level": _text(system.get("Level")),
    }
    return loose.event(
        fields, data={**_innermost(inner.get("UserData")), **_innermost(inner.get("EventData"))}
    )


def _innermost(value: Any, depth: int = 3) -> dict[str, str]:
    """The values of EventData, or of the elements that UserData wraps; those without names by their place."""
    found: dict[str, str] = {}
    if not isinstance(value, dict):
        return found
    for name, inner in list(value.items())[:100]:
        if name == "#attributes":
            continue
        if name == "Data" and isinstance(inner, dict | list | str):
            plain = inner.get("#text", "") if isinstance(inner, dict) else inner
            values = plain if isinstance(plain, list) else [plain]
            found |= {f"#{place}": _text(one) for place, one in enumerate(values[:100], 1)}
        elif isinstance(inner, dict) and depth and "#text" not in inner:
            found |= _innermost(inner, depth - 1)
        else:
            found[name] = _text(inner.get("#text") if isinstance(inner, dict) else inner)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        # What no Unicode text can hold would be written nowhere.
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):  # a moment, a SID
        return _text(value.get("value") or value.get("DateTime") or value.get("Value"))
    if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value[:1000]):
        return bytes(one for one in value[:1000] if isinstance(one, int) and 0 <= one < 256).hex().upper()
    return ""
