"""EVTX, Windows' own format: a header of 4 KiB and chunks of 64 KiB, each readable by itself (format notes of
libevtx). The records' binary XML is read by the library `evtx`; what is damaged is left out and counted.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from io import SEEK_END, BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from rdpdoctor.readers.eventlog import record
from rdpdoctor.readers.eventlog.event import EventLogError
from rdpdoctor.readers.eventlog.leap import leap
from rdpdoctor.readers.eventlog.swell import swells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

MAGIC = b"ElfFile\0"
_CHUNK_MAGIC = b"ElfChnk\0"
_HEADER, _CHUNK = 4096, 65536
#: A chunk's tables of strings and templates: each entry is the head of a chain through the chunk, which the
#: library follows to its end, and in a damaged chunk there may be none. They only speed a search up, so the
#: library gets them empty; it reads every record the same (compared on all that was at hand).
_TABLES, _RECORDS = 128, 512
_EMPTY = bytes(_RECORDS - _TABLES)
#: Chunks that the library gets at a time: memory stays bounded, a failure takes no more with it, and what it
#: writes is still in the processor's cache when it is read (16 at a time are a tenth slower).
_BATCH = 4
_LEAST = 24  # bytes of a record's frame
#: Characters of XML that a batch may become; it is one million of a real log.
_GROWN = 16 << 20
#: Events of one id that are read of a file, the latest: whoever guesses passwords all day long leaves a
#: million of the same, which say no more than these, and must not drive any other out.
MOST_ALIKE = 5000
ALIKE = f"an event older than the latest {MOST_ALIKE:,} of its id, only counted"


def read(file: BinaryIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, the latest chunks first. Raise EventLogError where the library is absent."""
    parser = _library()
    alike: Counter[int] = Counter()
    for places in _newest_first(file):
        chunks = [chunk for place in places if (chunk := _chunk(file, place, tally)) is not None]
        enough = frozenset(identity for identity, count in alike.items() if count >= MOST_ALIKE)
        for event in _events(parser, chunks, tally, enough):
            alike[event.id] += 1
            yield event


def _newest_first(file: BinaryIO) -> Iterator[list[int]]:
    """Where the chunks of each batch begin. A log that is full goes on at its beginning."""
    order: list[tuple[int, int]] = []
    for place in range(_HEADER, file.seek(0, SEEK_END), _CHUNK):
        file.seek(place)
        head = file.read(_LEAST)
        sound = head.startswith(_CHUNK_MAGIC) and len(head) == _LEAST
        order.append((struct.unpack_from("<Q", head, 16)[0] if sound else 0, place))
    order.sort(reverse=True)
    for at in range(0, len(order), _BATCH):
        yield sorted(place for _, place in order[at : at + _BATCH])


def _chunk(file: BinaryIO, place: int, tally: Tally) -> bytes | None:
    file.seek(place)
    chunk = file.read(_CHUNK)
    if len(chunk) < _CHUNK and chunk.strip(b"\0"):
        tally.lose("the file ends in the middle of a chunk")
    if chunk.startswith(_CHUNK_MAGIC) and len(chunk) > _RECORDS:
        return chunk.ljust(_CHUNK, b"\0")
    if chunk.strip(b"\0"):
        tally.lose("64 KiB that are no chunk of a log")
    return None


def _library() -> Callable[..., Any]:
    try:
        from evtx import PyEvtxParser
    except ImportError as error:
        raise EventLogError(
            "reading .evtx files needs the Python package `evtx`, which is not installed here; "
            "save the log as XML and read that, or install it"
        ) from error
    return PyEvtxParser


def _promised(chunk: bytes) -> int:
    """How many records the chunk says it has."""
    first, last = struct.unpack_from("<QQ", chunk, 8)
    return int(min(max(last - first + 1, 0), _CHUNK // _LEAST))


def _header(chunks: int) -> bytes:
    """A sound header, whatever the file's own is like."""
    head = struct.pack("<8sQQQIHHHH", MAGIC, 0, chunks - 1, 1, 128, 1, 3, _HEADER, chunks).ljust(120, b"\0")
    return (head + struct.pack("<II", 0, zlib.crc32(head))).ljust(_HEADER, b"\0")


def _events(
    parser: Callable[..., Any], chunks: list[bytes], tally: Tally, enough: frozenset[int]
) -> Iterator[Event]:
    """enough: ids of which no more are read."""
    promised = sum(map(_promised, chunks))
    led = [leap(chunk, enough) for chunk in chunks]
    chunks = [one.chunk for one in led if one.chunk is not None and not swells(one.chunk)]
    if bombs := sum(one.chunk is not None for one in led) - len(chunks):
        tally.lose("64 KiB whose records unfold to far more than a record may hold, left out", bombs)
    left_out = sum(one.left_out for one in led)
    tally.records += left_out
    if more := sum(one.more for one in led):
        tally.lose(ALIKE, more)
    if not chunks:
        return
    wanted: Callable[[str], object] | None = None
    seen = faults = grown = 0
    try:
        whole = [piece for chunk in chunks for piece in (chunk[:_TABLES], _EMPTY, chunk[_RECORDS:])]
        # One thread: the library makes its threads anew for each parser, and holds Python's lock anyway.
        rows = parser(BytesIO(b"".join((_header(len(chunks)), *whole))), 1).records()
    except RuntimeError as error:
        tally.lose(f"{len(chunks)} chunks: {error}"[:200])
        return
    while True:
        try:
            for row in rows:
                seen += 1
                grown += len(row["data"])
                if grown > _GROWN:
                    tally.lose("256 KiB that unfold to far more than a log does")
                    return
                if wanted is None:
                    wanted = record.matcher(row["data"])
                if not wanted(row["data"]):
                    continue
                event = record.parse(row["data"], tally)
                if event is not None and event.id not in enough:
                    yield event
            break
        except RuntimeError:  # of one record; the next one may be sound
            faults += 1
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how a fault of the library arrives; it has no name
                raise
            tally.lose("chunks on which the library failed")
            break
    tally.records += seen
    missing = max(promised - left_out - seen, faults)
    if missing:
        tally.lose("a damaged or missing record", missing)
