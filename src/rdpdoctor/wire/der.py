"""A small DER reader and writer for CredSSP and SPNEGO (X.690): definite lengths, one-byte tags.

Lengths that are longer than they need be are read, as BER allows: some servers write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.wire.errors import Data

INTEGER, BIT_STRING, OCTET_STRING, OID, ENUMERATED = 0x02, 0x03, 0x04, 0x06, 0x0A
SEQUENCE = 0x30
MAX_DEPTH = 12
_CONTEXT = 0xA0


def header(data: Data, layer: str, offset: int = 0) -> tuple[int, int, int] | None:
    """Tag, length of the content and length of the header at `offset`; None where more bytes are needed."""
    left = len(data) - offset
    if left < 1:
        return None
    tag = data[offset]
    if tag & 0x1F == 0x1F:
        raise Malformed.at(layer, data, offset, f"tag {tag:#04x} has more than one byte")
    if left < 2:
        return None
    first = data[offset + 1]
    if first < 0x80:
        return tag, first, 2
    size = first & 0x7F
    if not 1 <= size <= 4:
        raise Malformed.at(layer, data, offset + 1, f"length form {first:#04x} is not allowed")
    if left < 2 + size:
        return None
    return tag, int.from_bytes(data[offset + 2 : offset + 2 + size], "big"), 2 + size


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag, its content, and where the content began in the message (for errors)."""

    layer: str
    tag: int
    content: bytes
    offset: int = 0
    depth: int = 0

    def error(self, detail: str, at: int = 0) -> Malformed:
        sample = Malformed.at(self.layer, self.content, at, detail).sample
        return Malformed(self.layer, self.offset + at, detail, sample)

    def expect(self, tag: int) -> Element:
        """Itself, where it has this tag."""
        if self.tag != tag:
            raise self.error(f"tag is {self.tag:#04x}, not {tag:#04x}")
        return self

    def children(self) -> Iterator[Element]:
        """The values inside a constructed one."""
        if self.depth >= MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}")
        at = 0
        while at < len(self.content):
            child = self._child(at)
            at = child.offset - self.offset + len(child.content)
            yield child

    def only(self, tag: int) -> Element:
        """The single value inside, which must have this tag."""
        inside = list(self.children())
        if len(inside) != 1:
            raise self.error(f"{len(inside)} values where there is to be one")
        return inside[0].expect(tag)

    def fields(self) -> dict[int, Element]:
        """The values inside by tag. Raise Malformed where a tag comes twice."""
        found: dict[int, Element] = {}
        for child in self.children():
            if child.tag in found:
                raise child.error(f"tag {child.tag:#04x} comes twice")
            found[child.tag] = child
        return found

    def integer(self) -> int:
        """A signed INTEGER or ENUMERATED of at most 8 bytes."""
        if not 1 <= len(self.content) <= 8:
            raise self.error(f"integer of {len(self.content)} bytes")
        return int.from_bytes(self.content, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER in dots. Raise Malformed where an arc is over 9 bytes or cut off."""
        arcs: list[int] = []
        value = size = 0
        for at, byte in enumerate(self.content):
            value, size = value << 7 | byte & 0x7F, size + 1
            if size > 9:
                raise self.error("object identifier with an arc that is too long", at)
            if byte < 0x80:
                arcs.append(value)
                value = size = 0
        if size or not arcs:
            raise self.error("object identifier ends within an arc")
        top = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (top, arcs[0] - 40 * top, *arcs[1:]))

    def _child(self, at: int) -> Element:
        head = header(self.content, self.layer, at)
        if head is None or at + head[2] + head[1] > len(self.content):
            raise self.error("a value reaches beyond what holds it", at)
        tag, length, size = head
        start = at + size
        return Element(
            self.layer, tag, self.content[start : start + length], self.offset + start, self.depth + 1
        )


def parse(data: Data, layer: str) -> Element:
    """The one value that `data` is. Raise Malformed where bytes are missing or left over."""
    head = header(data, layer)
    if head is None or head[2] + head[1] != len(data):
        raise Malformed.at(layer, data, 0, f"not one whole value in {len(data)} bytes")
    return Element(layer, head[0], bytes(data[head[2] :]), head[2])


def tlv(tag: int, *content: bytes) -> bytes:
    """A value of these contents, with the shortest length."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body


def context(number: int, *content: bytes) -> bytes:
    """[number] EXPLICIT."""
    return tlv(_CONTEXT | number, *content)


def context_tag(number: int) -> int:
    return _CONTEXT | number


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed integer in its shortest form."""
    size = ((value if value >= 0 else ~value).bit_length() // 8) + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OID, b"".join(_arc(arc) for arc in (40 * first + second, *rest)))


def _arc(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
