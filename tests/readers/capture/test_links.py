"""The same conversation over every link layer and both versions of IP gives the same story."""

from __future__ import annotations

import struct

import pytest

from tests.readers.capture.craft import CLIENT, SERVER, Conversation, framed, ip, pcap, read, tags
from tests.readers.capture.links import LINKS, SNAP, kind, several

FOUR = (CLIENT, SERVER)
SIX = ("2001:db8::1", "2001:db8::2")


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
        (when, b"\x08\x41" + bytes(22) + SNAP + kind(packet) + packet)
        for when, packet in conversation(False).packets
    ]
    capture = read(pcap(packets, linktype=105))
    assert (capture.streams, capture.totals.packets) == ((), len(packets))


def test_several_packets_in_one_frame_of_the_air() -> None:
    (when, _), *_ = packets = conversation(False).packets
    frames = [
        (when, several(*(packet for _, packet in packets[at : at + 3]))) for at in range(0, len(packets), 3)
    ]
    (stream,) = read(pcap(frames, linktype=105)).streams
    assert sorted(tags(stream)) == ["flow.ended", "tcp.connected", "tls.closed", "x224.selected"]


@pytest.mark.parametrize("name", LINKS)
def test_frames_cut_at_every_index(name: str) -> None:
    """Nothing but a frame's own bytes is looked at, and no cut is more than a cut."""
    linktype, frame = LINKS[name]
    whole = frame(conversation(False).packets[3][1])
    capture = read(pcap([(1.0, whole[:size]) for size in range(len(whole))], linktype=linktype))
    assert capture.totals.packets == len(whole)


def test_tunnels_in_tunnels_end() -> None:
    packet = conversation(False).packets[0][1]
    for _ in range(20):
        packet = ip("192.0.2.1", "192.0.2.2", packet, protocol=4)
    assert read(pcap(framed([(1.0, packet)]))).streams == ()


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
