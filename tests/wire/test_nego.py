from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import nego, tpkt, x224
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.nego import (
    ConnectionRequestData,
    Cookie,
    CorrelationInfo,
    FailureCode,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    Protocol,
    RequestFlags,
    ResponseFlags,
    RoutingToken,
    UnknownNegotiation,
    UnknownToken,
)
from tests.wire.support import damaged, fuzz, only_malformed

CORRELATION = CorrelationInfo(bytes(range(1, 13)) + bytes(range(14, 18)))
REQUESTS = [
    ConnectionRequestData(),
    ConnectionRequestData(negotiation=NegotiationRequest(0x0B)),
    ConnectionRequestData(Cookie("alice"), NegotiationRequest(0x0B)),
    ConnectionRequestData(Cookie("")),
    ConnectionRequestData(RoutingToken("Cookie: msts=3640205228.15629.0000"), NegotiationRequest(3)),
    ConnectionRequestData(RoutingToken("tsv://MS Terminal Services Plugin.1.Farm"), NegotiationRequest(3)),
    ConnectionRequestData(UnknownToken(b"cookie: Other=1\r\n"), NegotiationRequest(1)),
    ConnectionRequestData(UnknownToken(b"Cookie: mstshash=no line end")),
    ConnectionRequestData(UnknownToken(b"\r\n"), NegotiationRequest(1)),
    ConnectionRequestData(None, NegotiationRequest(0x0B, 8), CORRELATION),
    ConnectionRequestData(Cookie("bob"), NegotiationRequest(0xFFFFFFFF, 0xFF), CORRELATION, b"\x99more"),
    ConnectionRequestData(None, None, CORRELATION),
]
CONFIRMS: list[nego.Confirm] = [
    NegotiationResponse(2, 0x1F),
    NegotiationResponse(0x80000000, 0xFF, b"tail"),
    NegotiationFailure(5),
    NegotiationFailure(77, 3, b"\x00"),
    UnknownNegotiation(9, 1, b""),
    UnknownNegotiation(1, 0, b"\x0b\x00\x00\x00"),
    UnknownNegotiation(7, 0, b"abc", b"tail"),
]


@pytest.mark.parametrize(
    ("protocols", "wire"),
    [
        (0x0B, "03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 0b 00 00 00"),
        (0x01, "03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 01 00 00 00"),
        (0x00, "03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 00 00 00 00"),
    ],
)
def test_the_smallest_requests(protocols: int, wire: str) -> None:
    data = ConnectionRequestData(negotiation=NegotiationRequest(protocols))
    assert nego.request_packet(data) == bytes.fromhex(wire)


@pytest.mark.parametrize(
    ("answer", "wire"),
    [
        (NegotiationResponse(2, 0x1F), "030000130ed000001234 00021f080002000000"),
        (NegotiationFailure(5), "030000130ed000001234 000300080005000000"),
        (None, "0300000b06d000001234 00"),
    ],
)
def test_the_known_answers(answer: nego.Confirm | None, wire: str) -> None:
    packet = bytes.fromhex(wire)
    assert nego.confirm_packet(answer) == packet
    frame = tpkt.take(packet)
    assert frame is not None
    confirm = x224.parse(frame[0].payload)
    assert isinstance(confirm, x224.ConnectionConfirm)
    assert nego.parse_confirm(confirm.variable) == answer


@pytest.mark.parametrize("data", REQUESTS)
def test_requests_come_back(data: ConnectionRequestData) -> None:
    for kind in (bytes, bytearray, memoryview):
        assert nego.parse_request(kind(data.encode())) == data


@pytest.mark.parametrize("answer", CONFIRMS)
def test_confirms_come_back(answer: nego.Confirm) -> None:
    for kind in (bytes, bytearray, memoryview):
        assert nego.parse_confirm(kind(answer.encode())) == answer


@pytest.mark.parametrize("answer", [answer for answer in CONFIRMS if not answer.trailing])
def test_a_confirm_cut_at_every_index(answer: nego.Confirm) -> None:
    wire = answer.encode()
    for cut in range(1, len(wire)):
        with pytest.raises(Malformed):
            nego.parse_confirm(wire[:cut])


def test_a_request_cut_inside_a_block() -> None:
    wire = ConnectionRequestData(Cookie("a"), NegotiationRequest(0x0B, 8), CORRELATION).encode()
    start = len(Cookie("a").encode())
    for cut in range(start + 1, len(wire)):
        if cut == start + 8:
            continue  # the request alone is whole
        with pytest.raises(Malformed) as caught:
            nego.parse_request(wire[:cut])
        assert caught.value.offset >= start


@pytest.mark.parametrize(
    "wire", ["0200090002000000", "0200070002000000", "0300000005000000", "09000300", "0500ffff"]
)
def test_a_confirm_whose_length_lies(wire: str) -> None:
    with pytest.raises(Malformed) as caught:
        nego.parse_confirm(bytes.fromhex(wire))
    assert caught.value.layer == "nego"


def test_an_old_server_answers_without_a_block() -> None:
    assert nego.parse_confirm(b"") is None


def test_a_cookie_can_hold_any_latin_1_but_no_line_end() -> None:
    assert nego.parse_request(Cookie("Zoë\r").encode()).token == Cookie("Zoë\r")
    with pytest.raises(ValueError, match="line end"):
        Cookie("a\r\nb").encode()
    with pytest.raises(ValueError, match="latin-1"):
        Cookie("Łukasz").encode()


def test_correlation_is_two_fields_of_16_bytes() -> None:
    assert len(CORRELATION.encode()) == 36
    with pytest.raises(ValueError, match="16 bytes"):
        CorrelationInfo(b"short").encode()


def test_flags_keep_unknown_bits() -> None:
    assert int(RequestFlags(0xF9)) == 0xF9
    assert int(ResponseFlags(0xE0)) == 0xE0
    assert int(Protocol(0x8000000B)) == 0x8000000B


def test_flags_by_value() -> None:
    """MS-RDPBCGR 2.2.1.1.1, 2.2.1.2.1 and 2.2.1.2.2."""
    assert [int(flag) for flag in Protocol] == [0x01, 0x02, 0x04, 0x08, 0x10]
    assert [int(flag) for flag in RequestFlags] == [0x01, 0x02, 0x08]
    assert [int(flag) for flag in ResponseFlags] == [0x01, 0x02, 0x04, 0x08, 0x10]
    assert [int(code) for code in FailureCode] == [1, 2, 3, 4, 5, 6]


def test_names() -> None:
    assert nego.failure_name(5) == "HYBRID_REQUIRED_BY_SERVER"
    assert nego.failure_name(0x77) == "UNKNOWN_0x77"
    assert NegotiationFailure(6).name == FailureCode(6).name
    assert nego.protocol_names(0) == ("RDP",)
    assert nego.protocol_names(0x0B) == ("SSL", "HYBRID", "HYBRID_EX")
    assert nego.protocol_names(0x1F) == ("SSL", "HYBRID", "RDSTLS", "HYBRID_EX", "RDSAAD")
    assert nego.protocol_names(0x41) == ("SSL", "0x40")


@fuzz
@given(damaged(*(data.encode() for data in REQUESTS)))
def test_nothing_but_malformed_escapes_a_request_and_what_is_read_is_written(data: bytes) -> None:
    only_malformed(nego.parse_request, data)
    try:
        parsed = nego.parse_request(data)
    except Malformed:
        return
    assert parsed.encode() == data


@fuzz
@given(damaged(*(answer.encode() for answer in CONFIRMS)))
def test_nothing_but_malformed_escapes_a_confirm_and_what_is_read_is_written(data: bytes) -> None:
    only_malformed(nego.parse_confirm, data)
    try:
        parsed = nego.parse_confirm(data)
    except Malformed:
        return
    assert (parsed.encode() if parsed else b"") == data


@fuzz
@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 255))
def test_round_trip(number: int, flags: int) -> None:
    for answer in (NegotiationResponse(number, flags), NegotiationFailure(number, flags)):
        assert nego.parse_confirm(answer.encode()) == answer
    data = ConnectionRequestData(negotiation=NegotiationRequest(number, flags))
    assert nego.parse_request(data.encode()) == data
