"""What every parser's tests need: all the ways bytes can arrive, and hostile changes to good bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex, TypeVar, overload

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from rdpdoctor.wire.errors import SAMPLE_LIMIT, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.wire.errors import Data

T = TypeVar("T")

#: For property tests: no deadline, because other work shares the machine.
fuzz = settings(max_examples=200, deadline=None)


def arrives_in_any_split(take: Callable[[Data], tuple[T, int] | None], wire: bytes, value: T) -> None:
    """`wire` is exactly one message: whole, cut at every index, byte by byte and with trailing bytes."""
    for kind in (bytes, bytearray, memoryview):
        assert take(kind(wire)) == (value, len(wire))
    for cut in range(len(wire)):
        assert take(wire[:cut]) is None, f"cut at {cut}"
    buffer, got = bytearray(), []
    for byte in wire + wire:
        buffer.append(byte)
        if (result := take(buffer)) is not None:
            got.append(result[0])
            del buffer[: result[1]]
    assert (got, bytes(buffer)) == ([value, value], b"")
    for trailing in (b"\x00", b"\xff" * 40, wire):
        assert take(wire + trailing) == (value, len(wire))


def malformed_at_every_cut(parse: Callable[[bytes], object], wire: bytes) -> None:
    """A parser of whole messages: no shorter message is a message."""
    for cut in range(len(wire)):
        with pytest.raises(Malformed):
            parse(wire[:cut])


def offence(parse: Callable[[bytes], object], data: bytes) -> Malformed | None:
    """The Malformed that comes out, if any; every other exception goes through."""
    try:
        parse(data)
    except Malformed as error:
        return error
    return None


def only_malformed(parse: Callable[[bytes], object], data: bytes) -> None:
    """Nothing but Malformed may come out, and its fields are what they promise."""
    error = offence(parse, data)
    if error is not None:
        assert len(error.sample) <= SAMPLE_LIMIT
        assert 0 <= error.offset <= len(data)
        assert error.layer
        assert error.detail
        assert str(error)


@st.composite
def damaged(draw: st.DrawFn, *good: bytes) -> bytes:
    """A good message with a few bytes changed, put in or cut off; or no message at all."""
    data = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(("set", "insert", "cut", "drop"))):
            case "set":
                data[at] = draw(st.sampled_from((0, 1, 2, 0x7F, 0x80, 0x84, 0xFF)) | st.integers(0, 255))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + draw(st.integers(1, 8))]
    return draw(st.just(bytes(data)) | st.binary(max_size=80))


class Counting(bytes):
    """Bytes that count how many of them were looked at: a `take` must not read them all each time."""

    seen: int = 0

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    def __getitem__(self, key: SupportsIndex | slice) -> int | bytes:
        result = super().__getitem__(key)
        self.seen += len(result) if isinstance(result, bytes) else 1
        return result


def looks_at_little(take: Callable[[Data], object], incomplete: bytes, most: int = 32) -> None:
    """While a large message is incomplete, `take` reads its header only."""
    data = Counting(incomplete)
    assert take(data) is None
    assert 0 < data.seen <= most
