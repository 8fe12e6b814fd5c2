from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import x224
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.x224 import ConnectionConfirm, ConnectionRequest, Data, DisconnectRequest, Tpdu, Unknown
from tests.wire.support import damaged, fuzz, malformed_at_every_cut, only_malformed

NEGOTIATION = bytes.fromhex("010008000b000000")
KNOWN = [
    ("0ee00000000000010008000b000000", ConnectionRequest(NEGOTIATION)),
    ("0ed000001234000200080002000000", ConnectionConfirm(bytes.fromhex("0200080002000000"), src_ref=0x1234)),
    ("06d00000123400", ConnectionConfirm(src_ref=0x1234)),
    ("06800000000001", DisconnectRequest(1)),
    ("02f080", Data(b"")),
    ("02f0807f65", Data(b"\x7f\x65")),
    ("02f00061", Data(b"a", eot=False)),
    ("0470000001", Unknown(0x70, b"\x00\x00\x01")),
]


@pytest.mark.parametrize(("wire", "value"), KNOWN)
def test_known_bytes(wire: str, value: Tpdu) -> None:
    assert x224.parse(bytes.fromhex(wire)) == value
    assert value.encode() == bytes.fromhex(wire)


@pytest.mark.parametrize(("wire", "value"), [row for row in KNOWN if not isinstance(row[1], Data)])
def test_cut_at_every_index(wire: str, value: Tpdu) -> None:
    malformed_at_every_cut(x224.parse, bytes.fromhex(wire))


def test_a_data_packet_is_cut_by_its_frame_only() -> None:
    malformed_at_every_cut(x224.parse, b"\x02\xf0\x80")


@pytest.mark.parametrize("kind", [ConnectionRequest, ConnectionConfirm])
def test_trailing_bytes_beyond_the_length_indicator_are_kept(
    kind: type[ConnectionRequest] | type[ConnectionConfirm],
) -> None:
    wire = kind(NEGOTIATION).encode() + b"more"
    parsed = x224.parse(wire)
    assert parsed == kind(NEGOTIATION, trailing=b"more")
    assert parsed.encode() == wire


@pytest.mark.parametrize(
    "wire",
    ["00e0", "ffe0" + "00" * 254, "05e00000000000", "0ed0000000000002", "01f0", "03f08000", "01e0", "06"],
)
def test_lengths_that_lie(wire: str) -> None:
    with pytest.raises(Malformed) as caught:
        x224.parse(bytes.fromhex(wire))
    assert caught.value.layer == "x224"


def test_the_header_holds_254_bytes() -> None:
    most = ConnectionRequest(bytes(x224.MAX_VARIABLE))
    assert x224.parse(most.encode()) == most
    with pytest.raises(ValueError, match="at most 254"):
        ConnectionRequest(bytes(x224.MAX_VARIABLE + 1)).encode()


def test_what_is_not_said_is_zero() -> None:
    for value in (ConnectionRequest(), ConnectionConfirm(), DisconnectRequest(0)):
        assert value.encode()[2:] == bytes(5)


@fuzz
@given(damaged(*(bytes.fromhex(wire) for wire, _ in KNOWN)))
def test_nothing_but_malformed_escapes_and_what_is_read_is_written(data: bytes) -> None:
    only_malformed(x224.parse, data)
    try:
        parsed = x224.parse(data)
    except Malformed:
        return
    assert parsed.encode() == data


@fuzz
@given(
    st.binary(max_size=x224.MAX_VARIABLE), st.integers(0, 65535), st.integers(0, 255), st.binary(max_size=9)
)
def test_round_trip(variable: bytes, ref: int, last: int, trailing: bytes) -> None:
    for value in (
        ConnectionRequest(variable, ref, 1, last, trailing),
        ConnectionConfirm(variable, 2, ref, last, trailing),
        DisconnectRequest(last, ref, 3, variable, trailing),
        Data(variable, eot=bool(ref & 1), number=last & 0x7F),
    ):
        assert x224.parse(value.encode()) == value
