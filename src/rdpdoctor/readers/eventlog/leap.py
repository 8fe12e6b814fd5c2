"""Records of no interest left out of a chunk, before the library works on it.

Where an event's id stands can be seen without reading the binary XML: every record begins with an instance
of a template, whose values are the fields of `System`: level, opcode, task and id first (format notes of
libevtx). A record is left out by making the one before it as long as both: the library reads the first and
goes on behind the second. Strings and templates that stand in what is left out keep their places. Whatever
does not look so is not touched.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.readers.eventlog.table import WANTED

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = 512
_MAGIC = 0x2A2A
_INSTANCE = b"\x0f\x01\x01\x00\x0c\x01"  # a fragment, version 1.1, and the token of an instance
#: Of a record: its magic and size, the above, the template's place, the number of values, and the size and
#: type of the first four.
_RECORD = struct.Struct("<II16x6s4xII4I").unpack_from
_VALUES = struct.Struct("<5I").unpack_from
_NUMBER = struct.Struct("<I")
_LAYOUT, _SEEN = 24 + 14, 58
#: Sixteen bits, an unsigned number of such.
_ID = 0x00060002
#: Id → whose events of it are of interest. A provider's name stands in the record, or in its template.
_IDS: dict[int, list[bytes]] = {}
for _provider, _kinds in WANTED.items():
    for _identity in _kinds:
        _IDS.setdefault(_identity, []).append(_provider.encode("utf-16-le"))
_NAMES = [provider.encode("utf-16-le") for provider in WANTED]


class Led(NamedTuple):
    """chunk: without what is of no interest (its first record stays); None: nothing is. left_out: how many
    records. more: how many there are of which there were enough.
    """

    chunk: bytes | None
    left_out: int
    more: int


def leap(chunk: bytes, enough: frozenset[int] = frozenset()) -> Led:
    """enough: ids of which no more are wanted."""
    first, last = struct.unpack_from("<QQ", chunk, 8)
    (end,) = _NUMBER.unpack_from(chunk, 48)
    whole = Led(chunk, 0, 0)
    if not _FIRST < end <= len(chunk) or last - first > len(chunk):
        return whole
    places: list[int] = []
    named: dict[int, bool] = {}
    count = more = place = 0
    for place, size, identity, template in _records(chunk, end):
        count += 1
        if identity is not None:
            if identity not in _IDS:
                continue
            if identity in enough:
                more += 1
                continue
            if template not in named:
                named[template] = _is_named(chunk, template)
            if not named[template] and all(chunk.find(n, place, place + size) < 0 for n in _IDS[identity]):
                continue
        places.append(place)
    if count != last - first + 1 or place + _NUMBER.unpack_from(chunk, place + 4)[0] != end:
        return whole  # damaged: what there is to read is for the library to find
    if not places:
        return Led(None, count, more)
    if places[0] != _FIRST:
        places.insert(0, _FIRST)
    changed = bytearray(chunk)
    for place, following in zip(places, (*places[1:], end), strict=True):
        _NUMBER.pack_into(changed, place + 4, following - place)
    return Led(bytes(changed), count - len(places), more)


def _is_named(chunk: bytes, template: int) -> bool:
    """Whether one of the providers stands in the template itself; also where it cannot be seen."""
    if template + 24 > len(chunk):
        return True
    (length,) = _NUMBER.unpack_from(chunk, template + 20)
    return any(chunk.find(name, template, template + 24 + length) >= 0 for name in _NAMES)


def _records(chunk: bytes, end: int) -> Iterator[tuple[int, int, int | None, int]]:
    """Where each begins, its size, its event's id, or None where that cannot be seen, and its template."""
    place, read = _FIRST, _RECORD
    while place < end and place + _SEEN <= len(chunk):
        magic, size, token, template, count, one, two, three, four = read(chunk, place)
        if magic != _MAGIC or size < _LAYOUT:
            return
        values = place + _LAYOUT
        if template == values:  # it stands right here
            (length,) = _NUMBER.unpack_from(chunk, values + 20)
            values += 24 + length
            if values + 20 > len(chunk):
                return
            count, one, two, three, four = _VALUES(chunk, values)
        at = values + 4 + 4 * count + (one & 0xFFFF) + (two & 0xFFFF) + (three & 0xFFFF)
        after = place + size
        seen = token == _INSTANCE and four == _ID and at + 2 <= after and at + 2 <= end
        yield place, size, chunk[at] | chunk[at + 1] << 8 if seen else None, template
        place = after
