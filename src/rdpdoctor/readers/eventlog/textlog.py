"""Plain text: `wevtutil qe … /f:text` and `Get-WinEvent … | Format-List`: blocks of `name : value`, then the
message, which runs over several lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from rdpdoctor.readers.eventlog import loose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

_FIELDS: Mapping[str, str] = {
    **{"Log Name": "LogName", "Source": "ProviderName", "Date": "TimeCreated", "Event ID": "Id"},
    **{"Level": "Level", "Computer": "MachineName", "Description": "Message"},
    **{"TimeCreated": "TimeCreated", "ProviderName": "ProviderName", "Id": "Id", "Message": "Message"},
    **{
        "LogName": "LogName",
        "RecordId": "RecordId",
        "MachineName": "MachineName",
        "ActivityId": "ActivityId",
    },
    **{"LevelDisplayName": "Level", **loose.OLDER},
}
_LINE = re.compile(r"\s{0,4}([A-Z][A-Za-z ]{1,30}?)\s*:(?:\s(.*))?$")
_NEW = re.compile(r"Event\[\d+\]")
_LONGEST = 200  # lines of a message


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order."""
    fields: dict[str, str] = {}
    message: list[str] | None = None
    while line := file.readline(1 << 16):
        line = line.rstrip("\r\n")
        found = _LINE.match(line) if ":" in line else None
        name = _FIELDS.get(found[1]) if found else None
        if _NEW.match(line) or (name is not None and name != "Message" and name in fields):
            yield from _event(fields, message, tally)
            fields, message = {}, None
        if found and name == "Message" and message is None:
            message = [found[2] or ""]
        elif found and name is not None and name not in fields:
            fields[name] = (found[2] or "").strip()
        elif message is not None and len(message) < _LONGEST:
            message.append(line.strip() if "Log Name" not in fields else line)
    yield from _event(fields, message, tally)
    if not tally.records:
        tally.lose("a table as consoles print it holds no whole event; `Format-List *` writes them out")


def _event(fields: Mapping[str, str], message: list[str] | None, tally: Tally) -> Iterator[Event]:
    if "Id" in fields or "InstanceId" in fields:
        tally.records += 1
        loose.note(fields, tally)
        event = loose.event(fields, message="\n".join(message or ()))
        if event is not None:
            yield event
