"""The same conversation over every link layer and both versions of IP gives the same story."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.readers.capture.craft import CLIENT, SERVER, Conversation, ethernet, framed, ip, pcap, read, tags

if TYPE_CHECKING:
    from collections.abc import Callable

FOUR = (CLIENT, SERVER)
SIX = ("2001:db8::1", "2001:db8::2")
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"


def _type(packet: bytes) -> bytes:
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def _family(packet: bytes, six: int) -> int:
    return 2 if packet[0] >> 4 == 4 else six


def _wireless(packet: bytes) -> bytes:
    return b"\x08\x01" + bytes(22) + _SNAP + _type(packet) + packet


def _quality(packet: bytes) -> bytes:
    return b"\x88\x02" + bytes(22) + b"\x00\x00" + _SNAP + _type(packet) + packet


LINKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "ethernet": (1, ethernet),
    "vlan": (1, lambda packet: bytes(12) + b"\x81\x00\x00\x05" + _type(packet) + packet),
    "qinq": (1, lambda packet: bytes(12) + b"\x88\xa8\x00\x07\x81\x00\x00\x05" + _type(packet) + packet),
    "linux cooked": (113, lambda packet: bytes(14) + _type(packet) + packet),
    "linux cooked 2": (276, lambda packet: _type(packet) + bytes(18) + packet),
    "raw": (101, lambda packet: packet),
    "raw, by its old number": (12, lambda packet: packet),
    "null, little": (0, lambda packet: struct.pack("<I", _family(packet, 30)) + packet),
    "null, big": (0, lambda packet: struct.pack(">I", _family(packet, 24)) + packet),
    "loop": (108, lambda packet: struct.pack(">I", _family(packet, 28)) + packet),
    "802.11": (105, _wireless),
    "radiotap": (127, lambda packet: b"\x00\x00\x0c\x00" + bytes(8) + _wireless(packet)),
    "radiotap, QoS": (127, lambda packet: b"\x00\x00\x08\x00" + bytes(4) + _quality(packet)),
}


def conversation(six: bool) -> Conversation:
    return Conversation(*(SIX if six else FOUR)).open().ask().confirm().hello().close(1)


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("name", LINKS)
def test_link(name: str, six: bool) -> None:
    linktype, frame = LINKS[name]
    talk = conversation(six)
    capture = read(pcap([(when, frame(packet)) for when, packet in talk.packets], linktype=linktype))
    assert capture.lost == ()
    (stream,) = capture.streams
    assert (stream.client, stream.server) == (talk.client, talk.server)
    assert sorted(tags(stream)) == ["flow.ended", "tcp.connected", "tls.closed", "x224.selected"]


def test_what_is_encrypted_or_no_data_on_the_air_is_left() -> None:
    packets = [
        (when, b"\x08\x41" + bytes(22) + _SNAP + _type(packet) + packet)
        for when, packet in conversation(False).packets
    ]
    capture = read(pcap(packets, linktype=105))
    assert (capture.streams, capture.totals.packets) == ((), len(packets))


def test_padding_of_short_frames_is_no_payload() -> None:
    packets = [
        (when, frame + bytes(max(0, 60 - len(frame)))) for when, frame in framed(conversation(False).packets)
    ]
    (stream,) = read(pcap(packets)).streams
    assert sorted(tags(stream)) == ["flow.ended", "tcp.connected", "tls.closed", "x224.selected"]


def test_segmentation_left_to_the_card() -> None:
    """Length 0 in the IP header: the frame says how long it is."""
    packets = [(when, packet[:2] + b"\0\0" + packet[4:]) for when, packet in conversation(False).packets]
    (stream,) = read(pcap(framed(packets))).streams
    assert "tls.closed" in tags(stream)


def test_extension_headers() -> None:
    packets = []
    for when, packet in conversation(True).packets:
        hops = bytes([60, 0]) + bytes(6)  # hop-by-hop options, then destination options
        options = bytes([51, 1]) + bytes(14)
        authentication = bytes([6, 1]) + bytes(10)
        inside = hops + options + authentication + packet[40:]
        packets.append((when, struct.pack("!IHBB", 6 << 28, len(inside), 0, 64) + packet[8:40] + inside))
    (stream,) = read(pcap(framed(packets))).streams
    assert "tls.closed" in tags(stream)


def _pieces(packet: bytes, size: int, number: int) -> list[bytes]:
    if packet[0] >> 4 == 4:
        body = packet[20:]
        return [
            packet[:2]
            + struct.pack(
                "!HHH",
                20 + len(body[at : at + size]),
                number,
                at // 8 | (0x2000 if at + size < len(body) else 0),
            )
            + packet[8:20]
            + body[at : at + size]
            for at in range(0, len(body), size)
        ]
    body = packet[40:]
    return [
        packet[:4]
        + struct.pack("!HBB", 8 + len(body[at : at + size]), 44, 64)
        + packet[8:40]
        + struct.pack("!BBHI", 6, 0, at | (at + size < len(body)), number)
        + body[at : at + size]
        for at in range(0, len(body), size)
    ]


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_fragments(six: bool, backwards: bool) -> None:
    packets = []
    for number, (when, packet) in enumerate(conversation(six).packets):
        pieces = _pieces(packet, 40, number)
        packets += [(when, piece) for piece in (pieces[::-1] if backwards else pieces)]
    capture = read(pcap(framed(packets)))
    (stream,) = capture.streams
    assert capture.lost == ()
    assert sorted(tags(stream)) == ["flow.ended", "tcp.connected", "tls.closed", "x224.selected"]


def test_fragments_that_never_end_are_bounded_and_told() -> None:
    pieces = [
        (
            1.0,
            ip("10.0.0.1", "10.0.0.2", bytes(1000))[:4]
            + struct.pack("!HH", number % 65536, 0x2000)
            + ip("10.0.0.1", "10.0.0.2", bytes(1000))[8:],
        )
        for number in range(2000)
    ]
    capture = read(pcap(framed(pieces)))
    assert capture.streams == ()
    assert "fragments" in capture.lost[0]
