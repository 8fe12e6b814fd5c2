"""The one error of all parsers."""

from __future__ import annotations

from typing import TypeAlias

#: What parsers read from. A memoryview must be of single bytes (`.cast("B")`).
Data: TypeAlias = "bytes | bytearray | memoryview"

SAMPLE_LIMIT = 32


class Malformed(ValueError):
    """The peer's bytes are not what the layer allows; never raised for our own misuse.

    `offset` counts bytes from the start of what the parser was given; `sample` is at most 32 bytes around it.
    """

    def __init__(self, layer: str, offset: int, detail: str, sample: bytes = b"") -> None:
        # All four go to `args`, so that the error survives pickling and copying.
        super().__init__(layer, offset, detail, bytes(sample[:SAMPLE_LIMIT]))
        self.layer = layer
        self.offset = offset
        self.detail = detail
        self.sample = bytes(sample[:SAMPLE_LIMIT])

    def __str__(self) -> str:
        shown = f" ({self.sample.hex(' ')})" if self.sample else ""
        return f"{self.layer}: {self.detail} at byte {self.offset}{shown}"

    @staticmethod
    def at(layer: str, data: Data, offset: int, detail: str) -> Malformed:
        """The error with its sample cut from `data`: a little before `offset`, more after it."""
        start = max(0, min(offset, len(data)) - SAMPLE_LIMIT // 4)
        return Malformed(layer, offset, detail, bytes(data[start : start + SAMPLE_LIMIT]))
