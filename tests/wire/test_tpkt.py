from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import tpkt
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tpkt import Tpkt
from tests.wire.support import arrives_in_any_split, damaged, fuzz, looks_at_little, only_malformed

KNOWN = bytes.fromhex("0300000b06d00000123400")


def test_known_bytes() -> None:
    assert tpkt.take(KNOWN) == (Tpkt(KNOWN[4:]), 11)
    assert Tpkt(KNOWN[4:]).encode() == KNOWN


@pytest.mark.parametrize("value", [Tpkt(b""), Tpkt(b"x"), Tpkt(bytes(300), reserved=7)])
def test_any_split(value: Tpkt) -> None:
    arrives_in_any_split(tpkt.take, value.encode(), value)


def test_the_largest_frame() -> None:
    value = Tpkt(bytes(65531))
    assert tpkt.take(value.encode()) == (value, 65535)
    looks_at_little(tpkt.take, value.encode()[:-1])
    with pytest.raises(ValueError, match="at most"):
        Tpkt(bytes(65532)).encode()


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"\x02", 0),
        (b"H", 0),
        (b"SSH-2.0", 0),
        (b"\x16\x03\x01", 0),
        (b"\x03\x00\x00\x00", 2),
        (b"\x03\x00\x00\x03", 2),
    ],
)
def test_malformed_as_early_as_it_can_be_known(data: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        tpkt.take(data)
    assert (caught.value.layer, caught.value.offset) == ("tpkt", offset)


@fuzz
@given(damaged(KNOWN))
def test_nothing_but_malformed_escapes(data: bytes) -> None:
    only_malformed(tpkt.take, data)


@fuzz
@given(st.binary(max_size=200), st.integers(0, 255))
def test_round_trip(payload: bytes, reserved: int) -> None:
    value = Tpkt(payload, reserved)
    assert tpkt.take(value.encode()) == (value, len(payload) + 4)
