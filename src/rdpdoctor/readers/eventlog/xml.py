"""Events as XML: "Save as XML" of Event Viewer, `wevtutil qe /f:xml` (which writes no root element), and
`/f:RenderedXml` (MS-EVEN6 2.2.13 has the schema).

Each event is cut out of the text and parsed by itself. So a root element is not needed, damage costs one
event, and nothing that stands before the events, such as a DTD, has any effect on them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO
from xml.parsers.expat import ExpatError, ParserCreate

from rdpdoctor.readers.eventlog import quick
from rdpdoctor.readers.eventlog.event import Event, activity_of, clean, moment, tidy
from rdpdoctor.readers.eventlog.table import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.eventlog.tally import Tally

_BLOCK = 1 << 18
#: Characters of one event. Windows allows 64 KiB.
_LARGEST = 1 << 20
_START = re.compile(r"<Event[\s>]")
_END = "</Event>"
_PROVIDER = "<Provider"
#: Characters in which provider and id stand.
_NEAR = 1000
_ABOUT = re.compile(
    r"<Provider\b(?>[^>]*?\bName\s*=\s*['\"])([^'\"]*)['\"].*?<EventID\b[^>]*>\s*(\d{1,5})\s*<", re.DOTALL
)
_DTD = "<!DOCTYPE"


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order."""
    rest = ""
    first = True
    while block := file.read(_BLOCK):
        rest += block
        if first and _DTD in block:
            tally.lose("a document type definition, which is not followed")
        first = False
        done = 0
        while (end := rest.find(_END, done)) >= 0:
            start = _START.search(rest, done, end)
            if start is not None:
                tally.records += 1
                event = _read(rest[start.start() : end + len(_END)], tally)
                if event is not None:
                    yield event
            done = end + len(_END)
        rest = rest[done:]
        if len(rest) > _LARGEST:
            tally.lose("a stretch of over 1 MiB without an event's end")
            rest = ""
    if _START.search(rest):
        tally.lose("an event that the end of the file cuts off")


def _read(text: str, tally: Tally) -> Event | None:
    start = text.find(_PROVIDER)
    if start < 0:
        tally.lose("a damaged event")
        return None
    about = _ABOUT.match(text, start, start + _NEAR)
    if about is not None and kind_of(about[1], int(about[2])) is None:
        return None
    return parse(text, tally)


def parse(text: str, tally: Tally) -> Event | None:
    """One event, whatever it is about; None, and a loss, where it is damaged."""
    text = tidy(text)
    try:
        return quick.parse(text) or _Parser().parse(text)
    except (ExpatError, ValueError):
        tally.lose("a damaged event")
        return None


class _Parser:
    """Values are gathered by the path of their element, without namespaces."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._name: str | None = None
        self._leaf = False
        self._system: dict[str, str] = {}
        self._data: dict[str, str] = {}
        self._unnamed = 0

    def parse(self, text: str) -> Event:
        """Raise ExpatError, or ValueError where something an event needs is absent."""
        parser = ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(text.encode("utf-8"), True)
        system = self._system
        if "Provider" not in system or not system.get("EventID", "").strip().isdecimal():
            raise ValueError("no provider or no id")
        record, level = system.get("EventRecordID", ""), system.get("Level", "")
        return Event(
            system["Provider"],
            int(system["EventID"][:9]),
            moment(system.get("TimeCreated", "")),
            system.get("Channel", ""),
            system.get("Computer", ""),
            int(record) if record.isdecimal() and len(record) < 20 else None,
            activity_of(system.get("Correlation")),
            int(level) if level in tuple("012345") else 0,
            self._data,
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self._path.append(tag)
        self._text.clear()
        self._leaf = True
        self._name = attributes.get("Name")
        if self._path[1:2] == ["System"] and len(self._path) == 3:
            for attribute in ("Name", "SystemTime", "ActivityID"):
                if attribute in attributes:
                    self._system[tag] = clean(attributes[attribute])

    def _end(self, _: str) -> None:
        value = clean("".join(self._text))
        self._text.clear()
        path, depth = self._path, len(self._path)
        place = path[1] if depth > 1 else ""
        if place == "System" and depth == 3:
            self._system.setdefault(path[2], value)
        elif place == "EventData" and depth == 3:
            self._put(self._name or ("" if path[2] == "Data" else path[2]), value)
        elif place == "UserData" and depth > 2 and self._leaf:
            self._put(path[-1], value)
        self._leaf = False
        path.pop()

    def _put(self, name: str, value: str) -> None:
        if not name:
            self._unnamed += 1
            name = f"#{self._unnamed}"
        if len(self._data) < 200:
            self._data.setdefault(name, value)
