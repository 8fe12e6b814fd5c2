"""What kind of event log a file is, by its content, and its events."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO

from rdpdoctor.readers.eventlog import clixml, csvlog, evtx, jsonlog, textlog, xml
from rdpdoctor.readers.eventlog.event import EventLogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

    Reader = Callable[[TextIO, Tally], Iterator[Event]]

_HEAD = 1 << 16
_TEXT = re.compile(
    r"^\s{0,4}(Event\[\d+\]|Log Name:|TimeCreated\s*:|ProviderName\s*:|(Event|Instance)?I[dD]\s*: \d)",
    re.MULTILINE,
)
_JSON = re.compile(r'"(ProviderName|LogName|RecordId|ReplacementStrings)"\s*:')
#: What collectors of logs write: the id, and whose it is, in any order.
_SHIPPED = (
    re.compile(r'"(EventID|EventId|event_id)"\s*:'),
    re.compile(r'"(SourceName|Provider|provider_name)"\s*:'),
)
#: Logs of Windows XP and Server 2003.
_OLD = b"LfLe"


def format_of(head: bytes) -> str | None:
    """One of evtx, evt, xml, clixml, json, csv, text, by the first 64 KiB; None where it is none of them."""
    if head.startswith(evtx.MAGIC):
        return "evtx"
    if head[4:8] == _OLD:
        return "evt"
    text = head.decode(encoding_of(head), "replace").lstrip("\ufeff")
    if clixml.MARK in text[:2000]:
        return "clixml"
    if re.search(r"<Events?[\s>]", text) and "<" in text[:200]:
        return "xml"
    if text.lstrip()[:1] in ("[", "{") and (
        _JSON.search(text) or all(each.search(text) for each in _SHIPPED)
    ):
        return "json"
    if csvlog.plausible(text):
        return "csv"
    return "text" if _TEXT.search(text) or textlog.plausible(text) else None


def encoding_of(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1:200:2].count(0) > 50:
        return "utf-16-le"
    if head[:200:2].count(0) > 50:
        return "utf-16-be"
    try:
        io.TextIOWrapper(io.BytesIO(head), "utf-8").read(len(head) - 4)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def read(file: BinaryIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order. Raise EventLogError where it is no event log."""
    head = file.read(_HEAD)
    kind = format_of(head)
    if kind is None:
        raise EventLogError("not an event log: neither .evtx nor an export of one as XML, CSV, JSON or text")
    if kind == "evt":
        raise EventLogError(
            "it is a log of Windows XP or Server 2003; open it in Event Viewer, and save it as .evtx or XML"
        )
    tally.format = kind
    file.seek(0)
    if kind == "evtx":
        yield from evtx.read(file, tally)
        return
    readers: dict[str, Reader] = {
        "xml": xml.read,
        "clixml": clixml.read,
        "json": jsonlog.read,
        "csv": csvlog.read,
        "text": textlog.read,
    }
    text = io.TextIOWrapper(file, encoding_of(head), errors="replace", newline="" if kind == "csv" else None)
    try:
        yield from readers[kind](text, tally)
    finally:
        text.detach()
