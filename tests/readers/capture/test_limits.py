"""What a recording may cost, and what is said where it would cost more."""

from __future__ import annotations

from rdpdoctor.readers.capture import Limits
from tests.readers.capture.craft import (
    START,
    SYN,
    Conversation,
    Packets,
    args,
    block,
    enhanced,
    framed,
    interface,
    pcap,
    read,
    section,
    tags,
)

KEYLOG = b"CLIENT_RANDOM " + bytes(range(32)).hex().encode() + b" " + b"ab" * 48 + b"\n"


def many(count: int, *, end: bool = False, port: int = 3389) -> Packets:
    packets: Packets = []
    for number in range(count):
        talk = Conversation(ports=(20_000 + number, port), now=START + number).open().ask().confirm()
        packets += (talk.close(1) if end else talk).packets
    return framed(packets)


def test_open_connections_are_bounded_and_those_given_up_are_told() -> None:
    capture = read(pcap(many(50)), Limits(open_flows=10))
    assert len(capture.streams) == 50
    assert all("x224.selected" in tags(stream) for stream in capture.streams)
    assert len(capture.lost) == 1
    assert "whose end was not waited for" in capture.lost[0]


def test_ended_connections_make_room_first() -> None:
    first = Conversation(ports=(10_000, 3389), now=START).open().ask().confirm()
    packets = framed(first.packets) + many(50, end=True)
    first.packets.clear()
    first.now = START + 100
    capture = read(pcap(packets + framed(first.close(0).packets)), Limits(open_flows=10))
    assert capture.lost == ()
    assert args(capture.streams[0], "flow.ended")["by"] == "client"


def test_streams_beyond_the_limit_are_counted() -> None:
    capture = read(pcap(many(30)), Limits(streams=10))
    assert len(capture.streams) == 10
    assert capture.lost == ("20 connections beyond the limit of those told one by one",)


def test_what_is_undecided_is_bounded_and_the_newest_stay() -> None:
    syns = [Conversation(ports=(1000 + number, 9000), now=START + number) for number in range(500)]
    packets: Packets = []
    for talk in syns:
        talk.send(0, SYN)
        packets += talk.packets
    last = Conversation(ports=(60_000, 9000), now=START + 600).open().ask().confirm().close(1)
    capture = read(pcap(framed(packets + last.packets)), Limits(undecided=20))
    assert [stream.client_port for stream in capture.streams] == [60_000]
    assert args(capture.streams[0], "flow.packets")["syns"] == 1


def test_what_is_rejected_is_bounded_and_found_again() -> None:
    packets: Packets = []
    talks = [
        Conversation(ports=(1000 + number, 443), now=START + number)
        .open()
        .say(0, b"\x16\x03\x01" + b"x" * 50)
        for number in range(200)
    ]
    for talk in talks:
        packets += talk.packets
        talk.packets.clear()
    for talk in talks[30:90]:  # pushed into the older generation, not out of it
        talk.now += 1000
        packets += talk.say(
            0, b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\0\0\0"
        ).packets
    capture = read(pcap(framed(packets)), Limits(rejected=300))
    assert capture.streams == ()
    assert capture.totals.tcp_flows == 200


def test_bytes_beyond_what_is_parsed_are_counted_only() -> None:
    talk = Conversation().open().ask().confirm().hello().handshake()
    for _ in range(40):
        talk.data(1, 8000).data(0, 50)
    (stream,) = read(pcap(framed(talk.close(0).packets)), Limits(parsed=50_000)).streams
    found = args(stream, "flow.session")
    assert found["server_bytes"] > 320_000
    assert found["server_records"] < 40
    assert args(stream, "flow.ended")["by"] == "client"


def test_any_port_may_be_asked_for() -> None:
    talk = Conversation(ports=(50_000, 443)).open().hello().close(1)
    assert read(pcap(framed(talk.packets))).streams == ()
    (stream,) = read(pcap(framed(talk.packets)), Limits(ports=frozenset({443}))).streams
    assert stream.kind == "tls"
    assert "tls.closed" in tags(stream)


def test_connections_whose_secrets_are_known_are_told() -> None:
    talk = Conversation(ports=(50_000, 443)).open().hello().handshake().data(0, 90).close(1)
    data = pcap(framed(talk.packets))
    capture = read(data, keylog=KEYLOG)
    assert [stream.kind for stream in capture.streams] == ["tls"]
    assert capture.lost == ("1 TLS connections whose secret does not open them",)
    other = KEYLOG.replace(b"CLIENT_RANDOM 00", b"CLIENT_RANDOM ff")
    assert read(data, keylog=other).streams == ()


def test_secrets_of_the_file_itself() -> None:
    secrets = block(10, (0x544C534B).to_bytes(4, "little") + len(KEYLOG).to_bytes(4, "little") + KEYLOG)
    talk = Conversation(ports=(50_000, 443)).open().hello().close(1)
    blocks = [enhanced(when, frame) for when, frame in framed(talk.packets)]
    capture = read(section() + interface() + secrets + b"".join(blocks))
    assert capture.secrets == ((0x544C534B, KEYLOG),)
    assert [stream.kind for stream in capture.streams] == ["tls"]
