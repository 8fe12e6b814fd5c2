"""`Get-WinEvent | ConvertTo-Json`: an array of objects, or one. Windows PowerShell writes times as
`/Date(…)/` (or, of selected properties, as an object), PowerShell 7 as ISO 8601.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from rdpdoctor.readers.eventlog import loose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

_BLOCK = 1 << 18
#: Characters of one event, of which Windows PowerShell makes many: it writes out whatever hangs on one.
_LARGEST = 1 << 20
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
            event = _event(row)
            if event is not None:
                yield event
        rest = rest[place:] if start >= 0 else ""
    if tries >= _TRIES:
        tally.lose("the rest of the file")


def _event(row: Any) -> Event | None:
    if not isinstance(row, dict) or not row:
        return None
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
