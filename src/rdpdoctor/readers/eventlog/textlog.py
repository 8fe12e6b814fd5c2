"""Plain text: `wevtutil qe … /f:text`, Event Viewer's "Copy as text" and `Get-WinEvent … | Format-List`:
blocks of `name : value`, then the message, which runs over several lines. The first two translate the names;
their order is one.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, TextIO

from rdpdoctor.readers.eventlog import loose
from rdpdoctor.readers.eventlog.event import known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
_ANY = re.compile(r"\s{0,4}([^\s:][^:]{0,40}?)\s*:\s*(.*)$")
_FIRST = ("Log Name", "Source", "Date", "Event ID")
_WRITTEN = (*(*_FIRST, "Task", "Level", "Opcode", "Keyword", "User", "User Name", "Computer", "Description"),)
_COPIED = (*_FIRST, "Task Category", "Level", "Keywords", "User", "Computer", "Description")


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order."""
    fields: dict[str, str] = {}
    message: list[str] | None = None
    for line in _english(file):
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


def plausible(text: str) -> bool:
    """Whether the beginning of a file holds an event in another language."""
    lines = text.splitlines()[:400]
    return any(_begins(lines[place : place + 4]) for place in range(len(lines)))


def _english(file: TextIO) -> Iterator[str]:
    """Lines; the names of what stands before a message by their place, where they are in no English."""
    ahead: deque[str] = deque()
    names: Sequence[str] = ()
    new = False
    while True:
        while len(ahead) < 4 and (line := file.readline(1 << 16)):
            ahead.append(line.rstrip("\r\n"))
        if not ahead:
            return
        if not names and _begins(ahead):
            names = _WRITTEN if new else _COPIED
        line = ahead.popleft()
        new = _NEW.match(line) is not None
        found = _ANY.match(line) if names else None
        if found is None:
            names = ()
            yield line
        else:
            yield f"  {names[0]}: {found[2]}"
            names = names[1:]


def _begins(lines: Sequence[str]) -> bool:
    """Whether these are the log, the source, the moment and the id of an event, under names unknown."""
    if len(lines) < 4 or ":" not in lines[0] or not lines[3].rstrip()[-1:].isdecimal():
        return False
    found = [_ANY.match(line) for line in list(lines)[:4]]
    if not all(each is not None and each[2] for each in found):
        return False
    first, _, when, identity = (each for each in found if each is not None)
    return first[1] not in _FIELDS and identity[2].strip().isdecimal() and known(loose.time_of(when[2]))


def _event(fields: Mapping[str, str], message: list[str] | None, tally: Tally) -> Iterator[Event]:
    if "Id" in fields or "InstanceId" in fields:
        tally.records += 1
        loose.note(fields, tally)
        event = loose.event(fields, message="\n".join(message or ()))
        if event is not None:
            yield event
