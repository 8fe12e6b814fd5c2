"""A log of Windows' own format, made by hand: one chunk with records of a template each (format notes of
libevtx).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.readers.eventlog.exports import Sample

HEADER, CHUNK, _FIRST = 4096, 65_536, 512
_TEXT, _U8, _U16, _U64, _TIME = 0x01, 0x04, 0x06, 0x0A, 0x11


def ticks(moment: datetime) -> int:
    """As FILETIME has it: steps of 100 ns since 1601."""
    return int(moment.timestamp() * 10**7) + 116_444_736_000_000_000


class _Chunk:
    def __init__(self) -> None:
        self.data = bytearray(_FIRST)
        self._sizes: list[int] = []

    def put(self, form: str, *values: int) -> None:
        self.data += struct.pack("<" + form, *values)

    def name(self, text: str) -> None:
        """It stands where it is first used."""
        self.put("IIHH", len(self.data) + 4, 0, 0, len(text))
        self.data += text.encode("utf-16-le") + b"\0\0"

    def open(self, name: str, attribute: str = "", value: str | int = "") -> None:
        """An element; an attribute's value is a text, or the number of a value of the record."""
        self.put("BHI", 0x41 if attribute else 0x01, 0xFFFF, 0)
        size = len(self.data) - 4
        self.name(name)
        if attribute:
            self.put("I", 0)
            begin = len(self.data)
            self.put("B", 0x06)
            self.name(attribute)
            if isinstance(value, int):
                self.put("BHB", 0x0D, value, _TIME)
            else:
                self.put("BBH", 0x05, 1, len(value))
                self.data += value.encode("utf-16-le")
            struct.pack_into("<I", self.data, begin - 4, len(self.data) - begin)
        self.put("B", 0x02)
        self._sizes.append(size)

    def close(self) -> None:
        self.put("B", 0x04)
        size = self._sizes.pop()
        struct.pack_into("<I", self.data, size, len(self.data) - size - 4)

    def leaf(self, name: str, place: int, kind: int, attribute: str = "", value: str = "") -> None:
        self.open(name, attribute, value)
        self.put("BHB", 0x0E, place, kind)
        self.close()

    def record(self, number: int, sample: Sample) -> None:
        begin = len(self.data)
        self.put("IIQQ", 0x2A2A, 0, number, ticks(sample.time))
        self.data += b"\x0f\x01\x01\0\x0c\x01"
        self.put("II", number, len(self.data) + 8)
        self.put("I16xI", 0, 0)
        length = len(self.data)
        self.data += b"\x0f\x01\x01\0"
        names = list(sample.values)
        self.open("Event")
        self.open("System")
        self.open("Provider", "Name", sample.provider)
        self.close()
        for name, place, kind in (
            ("EventID", 3, _U16),
            ("Level", 0, _U8),
            ("Task", 2, _U16),
            ("Opcode", 1, _U8),
        ):
            self.leaf(name, place, kind)
        self.open("TimeCreated", "SystemTime", 4)
        self.close()
        self.leaf("EventRecordID", 5, _U64)
        for name, text in (("Channel", sample.channel), ("Computer", "srv01.corp.example")):
            self.open(name)
            self.put("BBH", 0x05, 1, len(text))
            self.data += text.encode("utf-16-le")
            self.close()
        self.close()
        self.open("EventData")
        for place, name in enumerate(names, 6):
            self.leaf("Data", place, _TEXT, "Name", name)
        self.close()
        self.close()
        self.put("B", 0)
        struct.pack_into("<I", self.data, length - 4, len(self.data) - length)
        values = [
            (_U8, struct.pack("<B", sample.level)),
            (_U8, b"\0"),
            (_U16, b"\0\0"),
            (_U16, struct.pack("<H", sample.id)),
            (_TIME, struct.pack("<Q", ticks(sample.time))),
            (_U64, struct.pack("<Q", number)),
            *((_TEXT, value.encode("utf-16-le")) for value in sample.values.values()),
        ]
        self.put("I", len(values))
        for kind, value in values:
            self.put("HBB", len(value), kind, 0)
        self.data += b"".join(value for _, value in values)
        self.put("I", len(self.data) + 4 - begin)
        struct.pack_into("<I", self.data, begin + 4, len(self.data) - begin)


def chunk(samples: Sequence[Sample]) -> bytes:
    """Without what fills it up to its 64 KiB."""
    made = _Chunk()
    last = _FIRST
    for number, sample in enumerate(samples, 1):
        last = len(made.data)
        made.record(number, sample)
    count = len(samples)
    head = struct.pack("<8s4QIII", b"ElfChnk\0", 1, count, 1, count, 128, last, len(made.data))
    made.data[: len(head)] = head
    return bytes(made.data)


def evtx(*chunks: bytes) -> bytes:
    head = b"ElfFile\0".ljust(HEADER, b"\0")
    return head + b"".join(one[:CHUNK].ljust(CHUNK, b"\0") for one in chunks)
