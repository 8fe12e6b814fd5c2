"""`Get-WinEvent | Export-Clixml` (MS-PSRP 2.2.5): objects of one type, their properties by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO
from xml.parsers.expat import ExpatError, ParserCreate

from rdpdoctor.readers.eventlog import loose
from rdpdoctor.readers.eventlog.event import clean, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

MARK = "http://schemas.microsoft.com/powershell/2004/04"
_BLOCK = 1 << 16
_DEEPEST = 60
_LONGEST = 64 << 10  # characters of one value that are looked at
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_PARTS = ("Properties", "Value")


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order; up to where the XML breaks."""
    reader = _Reader(tally)
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        while block := file.read(_BLOCK):
            parser.Parse(tidy(block).encode("utf-8"), False)
            yield from reader.taken()
        parser.Parse(b"", True)
    except (ExpatError, ValueError) as error:
        tally.lose(f"what follows event {tally.records}: {error}")
    yield from reader.taken()


def _refuse(*_: object) -> None:
    raise ValueError("a document type definition has no place here")


class _Reader:
    """An event is an `Obj` right below the root; its values stand below its property `Properties`."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._names: list[str | None] = []
        self._found: list[Event] = []
        self._length = 0
        self._parts: list[str] = []
        self._fields: dict[str, str] = {}
        self._values: list[str] = []

    def taken(self) -> list[Event]:
        found, self._found = self._found, []
        return found

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._names) >= _DEEPEST:
            raise ValueError("nested too deeply")
        self._names.append(attributes.get("N"))
        self._parts, self._length = [], 0
        if len(self._names) == 2:
            self._fields, self._values = {}, []

    def text(self, text: str) -> None:
        if self._length < _LONGEST:
            self._parts.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        names, value = self._names, "".join(self._parts)
        self._parts = []
        name = names[-1]
        if len(names) == 4 and name is not None and tag != "Obj":
            self._fields.setdefault(loose.OLDER.get(name, name), _plain(value))
        elif "ReplacementStrings" in names[3:4] and tag == "S" and len(self._values) < 100:
            self._values.append(clean(_plain(value)))
        elif "Properties" in names[3:4] and len(self._values) < 100:
            if name == "Value":
                if tag != "Obj":
                    self._values.append(_bytes(value) if tag == "BA" else clean(_plain(value)))
            elif tag == "ToString" and names[-2] == "Value":  # a SID, say
                self._values.append(clean(_plain(value)))
        names.pop()
        if len(names) == 1:
            self._tally.records += 1
            event = loose.event(self._fields, self._values, self._fields.get("Message", ""))
            if event is not None:
                self._found.append(event)


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _bytes(value: str) -> str:
    """Base64 as the hexadecimal that other formats have."""
    import binascii

    try:
        return clean(binascii.a2b_base64(value).hex().upper())
    except ValueError:
        return ""
