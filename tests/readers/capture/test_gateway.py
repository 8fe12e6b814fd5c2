"""What a gateway answers in its tunnel, in whatever way its packets come."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.capture.tsgu import Tunnel
from rdpdoctor.readers.joined import Reading, join
from rdpdoctor.wire import nego
from tests.readers.capture.craft import Conversation, framed, pcap, read
from tests.readers.capture.sealed import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.readers.capture import Capture

REQUEST = b"RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
RAP, NAP, TARGET, FULL, ODD = 0x800759DA, 0x800759DB, 0x800759DD, 23014, 0x80075FFF


def packet(kind: int, body: bytes) -> bytes:
    return struct.pack("<HHI", kind, 0, 8 + len(body)) + body


#: Of handshake, tunnel, authorization and channel: the type, and what stands before and behind the code.
ANSWERS = (
    (2, b"", b"\x01\x00\x00\x00\x02\x00"),
    (5, bytes(2), bytes(4)),
    (7, b"", bytes(4)),
    (9, b"", bytes(4)),
)


def answers(*codes: int) -> list[bytes]:
    """As far as there are codes."""
    return [
        packet(kind, before + struct.pack("<I", code) + behind)
        for (kind, before, behind), code in zip(ANSWERS, codes, strict=False)
    ]


def inside(data: bytes) -> bytes:
    return packet(0xA, struct.pack("<H", len(data)) + data)


def frame(data: bytes, mask: bytes = b"") -> bytes:
    size = bytes([len(data) | (0x80 if mask else 0)])
    return (
        b"\x82" + size + mask + bytes(each ^ mask[place % 4] for place, each in enumerate(data))
        if mask
        else (b"\x82" + size + data)
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


WAYS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "websocket": (SWITCH, frame),
    "masked": (SWITCH, lambda data: frame(data, b"abcd")),
    "in one body": (ENDLESS, lambda data: data),
    "in chunks": (CHUNKED, chunk),
}


def recorded(way: str, packets: list[bytes], open_: bool = False) -> Capture:
    """open_: nobody ends it."""
    head, wrap = WAYS[way]
    talk = Conversation(ports=(50000, 443)).open()
    sealed = Sealed(talk)
    sealed.say(0, REQUEST).say(1, head)
    if head is not SWITCH:
        sealed.say(1, wrap(bytes(10)))
    for each in packets:
        sealed.say(1, wrap(each))
    if not open_:
        talk.close(0)
    return read(pcap(framed(talk.packets)), keylog=sealed.keylog)


def judged(capture: Capture) -> Diagnosis:
    (one,) = join([Reading("a.pcap", "recording of packets", capture=capture)])
    return diagnose(one.journal, load())


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_carry_packets(way: str) -> None:
    confirm = nego.confirm_packet(nego.NegotiationResponse(8, 0))
    capture = recorded(way, [*answers(0, 0, 0, 0), inside(confirm), b"\xff" * 50])
    rows = [
        row for stream in capture.streams for row in stream.observations if row.tag.startswith("gateway.")
    ]
    assert [row.args.get("to") for row in rows if row.tag == "gateway.answered"] == [
        "handshake",
        "tunnel",
        "authorization",
        "channel",
    ]
    assert [row.args["selected"] for row in rows if row.tag == "gateway.inside"] == [8]
    assert not [fault for row in rows for fault in faults(row, load().tags)]


@pytest.mark.parametrize(
    ("codes", "cause", "confidence", "words"),
    [
        ((0, 0, NAP), "gateway.refused", "confirmed", "authorization: E_PROXY_NAP_ACCESSDENIED"),
        ((0, FULL), "gateway.refused", "confirmed", "tunnel: E_PROXY_MAXCONNECTIONSREACHED"),
        ((0, 0, 0, RAP), "gateway.refused", "confirmed", "channel: E_PROXY_RAP_ACCESSDENIED"),
        ((0, 0, 0, TARGET), "gateway.target-unreachable", "confirmed", "channel: E_PROXY_TS_CONNECTFAILED"),
        ((0, 0, 0, ODD), "gateway.refused", "likely", "channel with status 0x80075FFF"),
    ],
)
def test_what_refuses(codes: tuple[int, ...], cause: str, confidence: str, words: str) -> None:
    diagnosis = judged(recorded("websocket", answers(*codes)))
    assert (diagnosis.verdict.status, diagnosis.verdict.stage) == ("failing", "gateway")
    assert words in diagnosis.verdict.summary
    sure = {one.id: one.confidence for one in diagnosis.causes if one.confidence in ("confirmed", "likely")}
    sure.pop("certificate.not-yet-valid", None)  # the recording is older than the certificate of its server
    assert sure == {cause: confidence}


def test_a_tunnel_that_opens_is_no_failure() -> None:
    assert judged(recorded("websocket", answers(0, 0, 0, 0), open_=True)).verdict.status == "unknown"


@given(
    way=st.sampled_from(["websocket", "chunked", "plain"]),
    pieces=st.lists(st.binary(max_size=60), max_size=20),
)
def test_a_tunnel_may_hold_anything(way: str, pieces: list[bytes]) -> None:
    tunnel = Tunnel(way)
    for piece in pieces:
        tunnel.feed(piece, 0.0)


def test_packets_cut_anywhere() -> None:
    data = b"".join(frame(each) for each in answers(0, 0, 0, RAP))
    for cut in range(len(data)):
        tunnel = Tunnel("websocket")
        tunnel.feed(data[:cut], 0.0)
        tunnel.feed(data[cut:], 0.0)
        assert [row[1]["code"] for row in tunnel.rows] == [0, 0, 0, RAP]


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_gateway_that_opens_no_tunnel(status: int) -> None:
    talk = Conversation(ports=(50000, 443)).open()
    sealed = Sealed(talk)
    sealed.say(0, REQUEST).say(1, b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
    talk.close(0)
    diagnosis = judged(read(pcap(framed(talk.packets)), keylog=sealed.keylog))
    assert (diagnosis.verdict.status, diagnosis.verdict.stage) == ("failing", "gateway")
    assert f"the gateway answered {status} and opened no tunnel" in diagnosis.verdict.summary
