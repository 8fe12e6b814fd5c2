"""How large a chunk's records may become, before the library makes XML of them: a template may name a value
as often as it likes, and a value may hold templates again, so that 64 KiB can unfold to terabytes.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of binary XML that one record may unfold to. Windows allows 64 KiB.
LARGEST = 2 << 20
_FIRST, _FRAME = 512, 24
_MAGIC = b"**\0\0"
_FRAGMENT = b"\x0f\x01\x01\0"
_INSTANCE, _BINARY_XML = 0x0C, 0x21
#: A substitution, with its value's number. They may overlap: what only looks like one counts too.
_TOKENS = (b"\x0d", b"\x0e")
_NAMED = re.compile(rb"(?=[\x0d\x0e](..))", re.DOTALL)
#: What need not be weighed exactly.
_LITTLE = 16 << 10
_DEEPEST = 6
#: Values and templates of one chunk that are looked at; real ones hold a twentieth of it.
_MOST_WORK = 300_000
_HEAD = struct.Struct("<B5xII").unpack_from
_NUMBER = struct.Struct("<I").unpack_from


def swells(chunk: bytes) -> bool:
    """Whether any record of it may come to more than LARGEST."""
    scale = _Scale(chunk)
    return any(scale.weight(place + _FRAME) > LARGEST for place in _records(chunk))


def _records(chunk: bytes) -> Iterator[int]:
    """Where they begin; of a damaged chunk, wherever one might."""
    (end,) = _NUMBER(chunk, 48)
    places, place = [], _FIRST
    while place < end <= len(chunk) - _FRAME and chunk.startswith(_MAGIC, place):
        places.append(place)
        place += max(_NUMBER(chunk, place + 4)[0], _FRAME)
    if place == end:
        yield from places
    else:
        yield from (found.start() for found in re.finditer(re.escape(_MAGIC), chunk))


class _Template(NamedTuple):
    """rough: how many values it names, or more."""

    length: int
    rough: int


class _Scale:
    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk
        self._known: dict[int, _Template] = {}
        self._exact: dict[int, int] = {}
        self._work = 0

    def weight(self, at: int) -> int:
        """Of the record that begins here; 0 where it cannot be read."""
        try:
            return self._instance(at, 0)
        except struct.error:  # a place outside the chunk
            return 0

    def _instance(self, at: int, depth: int) -> int:
        chunk = self._chunk
        if chunk.startswith(_FRAGMENT, at):
            at += 4
        token, template, count = _HEAD(chunk, at)
        if token != _INSTANCE:
            return 0
        values = at + 10
        if template == values:
            values += _FRAME + _NUMBER(chunk, template + 20)[0]
            (count,) = _NUMBER(chunk, values)
        self._work += 1 + count
        if depth > _DEEPEST or self._work > _MOST_WORK:
            return LARGEST + 1
        sizes = _sizes(count).unpack_from(chunk, values + 4)
        known = self._known.get(template) or self._learn(template)
        held = sum(sizes)  # with the kinds, which are small
        weight: int = known.length + held * (known.rough if held < _LITTLE else self._most(template))
        start = values + 4 + 4 * count
        kinds = chunk[values + 6 : start : 4]
        number = kinds.find(_BINARY_XML)
        while number >= 0 and weight <= LARGEST:
            inner = self._instance(start + sum(sizes[: 2 * number : 2]), depth + 1)
            weight += inner * (known.rough if inner < _LITTLE else self._most(template))
            number = kinds.find(_BINARY_XML, number + 1)
        return weight

    def _learn(self, template: int) -> _Template:
        (length,) = _NUMBER(self._chunk, template + 20)
        body = self._chunk[template + _FRAME : template + _FRAME + length]
        self._known[template] = _Template(len(body), sum(map(body.count, _TOKENS)))
        return self._known[template]

    def _most(self, template: int) -> int:
        """How often a template names the value that it names most often."""
        if template not in self._exact:
            body = self._chunk[template + _FRAME : template + _FRAME + self._known[template].length]
            self._exact[template] = max(Counter(_NAMED.findall(body)).values(), default=1)
        return self._exact[template]


@cache
def _sizes(count: int) -> struct.Struct:
    """Of each value: its size, its kind."""
    return struct.Struct(f"<{2 * count}H")
