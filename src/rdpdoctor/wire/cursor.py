"""A bounds-checked reader over bytes: every read that does not fit raises Malformed with its offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data


class Cursor:
    """Reads forwards through `data`. `base` is added to offsets in errors, for a part of a larger message."""

    __slots__ = ("_base", "_data", "_layer", "offset")

    def __init__(self, layer: str, data: Data, base: int = 0) -> None:
        self._layer = layer
        self._data = bytes(data)
        self._base = base
        self.offset = 0

    @property
    def left(self) -> int:
        return len(self._data) - self.offset

    def peek(self) -> int | None:
        """The next byte, not yet taken."""
        return self._data[self.offset] if self.left else None

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise self.error(f"{what} needs {count} bytes, {self.left} are left")
        start, self.offset = self.offset, self.offset + count
        return self._data[start : self.offset]

    def uint(self, size: int, what: str, order: Literal["big", "little"] = "big") -> int:
        return int.from_bytes(self.take(size, what), order)

    def vector(self, prefix: int, what: str) -> bytes:
        """An opaque vector: a big-endian length of `prefix` bytes, then that many bytes."""
        return self.take(self.uint(prefix, f"{what} length"), what)

    def part(self, prefix: int, what: str) -> Cursor:
        """A cursor over the next vector, its offsets still those of the whole."""
        content = self.vector(prefix, what)
        return Cursor(self._layer, content, self._base + self.offset - len(content))

    def rest(self) -> bytes:
        return self.take(self.left, "rest")

    def end(self, what: str) -> None:
        if self.left:
            raise self.error(f"{self.left} bytes after the end of {what}")

    def error(self, detail: str, offset: int | None = None) -> Malformed:
        at = self.offset if offset is None else offset
        error = Malformed.at(self._layer, self._data, at, detail)
        return Malformed(self._layer, self._base + at, detail, error.sample)
