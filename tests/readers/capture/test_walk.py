"""What a recorded connection says: each way of dying gives the tags of a live check, and who ended it."""

from __future__ import annotations

import pytest

from rdpdoctor.facts import Source
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import Alert, ContentType, Version
from tests.readers.capture.craft import (
    ACK,
    RST,
    SERVER,
    SYN,
    Conversation,
    args,
    framed,
    ip,
    only,
    pcap,
    read,
    record,
    server_flight,
    tags,
)


def asked() -> Conversation:
    return Conversation().open().ask()


def in_tls() -> Conversation:
    return asked().confirm().hello()


def session(selected: int = 2) -> Conversation:
    conversation = asked().confirm(selected).hello().handshake()
    for _ in range(30):
        conversation.data(0, 100)
        conversation.data(1, 600)
    return conversation


ALERT = record(ContentType.ALERT, Alert(2, 40).encode())

CASES = {
    "closed after the request": (asked().close(1), "x224.closed", "server", "closed", "x224"),
    "reset after the request": (asked().reset(1), "x224.reset", "server", "reset", "x224"),
    "left at once": (asked().close(0), None, "client", "closed", "x224"),
    "left after waiting": (asked().close(0, after=5), "x224.silent", "client", "closed", "x224"),
    "another protocol": (
        asked().say(1, b"SSH-2.0-x\r\n").close(0),
        "x224.malformed",
        "client",
        "closed",
        "x224",
    ),
    "closed after the confirm": (asked().confirm().close(1), "mcs.closed", "server", "closed", "x224"),
    "closed after the hello": (in_tls().close(1), "tls.closed", "server", "closed", "tls"),
    "reset after the hello": (in_tls().reset(1), "tls.reset", "server", "reset", "tls"),
    "left in silence": (in_tls().close(0, after=9), "tls.silent", "client", "closed", "tls"),
    "alert": (in_tls().say(1, ALERT).close(1), "tls.alerted", "server", "closed", "tls"),
    "client's alert": (
        in_tls().say(1, server_flight((b"0",))).say(0, ALERT).close(0),
        "tls.rejected",
        "client",
        "closed",
        "tls",
    ),
    "no TLS": (in_tls().say(1, b"nonsense").close(0), "tls.malformed", "client", "closed", "tls"),
    "closed in CredSSP": (in_tls().handshake().data(0, 90).close(1), "nla.closed", "server", "closed", "nla"),
    "silent in CredSSP": (
        in_tls().handshake().data(0, 90).close(0, after=9),
        "nla.silent",
        "client",
        "closed",
        "nla",
    ),
    "refused in CredSSP": (
        in_tls().handshake().data(0, 90).data(1, 300).data(0, 600).data(1, 40).reset(0),
        None,
        "client",
        "reset",
        "nla",
    ),
    "a session": (session().reset(0), None, "client", "reset", "finalization"),
    "a session that the server closes": (session().close(1), None, "server", "closed", "finalization"),
}
_ENDINGS = {"closed", "reset", "silent", "stalled", "malformed", "alerted", "rejected", "declined"}


@pytest.mark.parametrize("name", CASES)
def test_how_it_died(name: str) -> None:
    conversation, wanted, by, how, at = CASES[name]
    stream = only(conversation)
    ended = [tag for tag in tags(stream) if tag.split(".")[1] in _ENDINGS and not tag.startswith("flow")]
    assert ended == ([] if wanted is None else [wanted])
    end = args(stream, "flow.ended")
    assert (end["by"], end["how"], end["at"]) == (by, how, at)


@pytest.mark.parametrize("name", CASES)
def test_every_row_is_as_declared(name: str) -> None:
    stream, declared = only(CASES[name][0]), load().tags
    for row in stream.observations:
        assert faults(row, declared) == []
        assert row.source is Source.CAPTURE
        assert row.stage is declared[row.tag].stage
        assert row.at_ms is not None


def test_a_session_is_one() -> None:
    found = args(only(session()), "flow.session")
    assert found["established"] is True
    assert found["server_records"] == 30
    assert found["seconds"] == pytest.approx(1.2, abs=0.1)


def test_negotiation_and_hello() -> None:
    stream = only(session(8))
    assert (stream.kind, stream.client, stream.server, stream.port) == ("rdp", "10.0.0.1", SERVER, 3389)
    assert args(stream, "flow.request")["cookie"] == "user"
    selected = args(stream, "x224.selected")
    assert (selected["requested"], selected["selected"], selected["flags"]) == (0x0B, 8, 0x1F)
    assert args(stream, "flow.hello")["server_name"] == "srv.example"
    completed = args(stream, "tls.completed")
    assert completed["version"] == "TLS 1.2"
    assert completed["suite"] == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 99])
def test_failure_codes(code: int) -> None:
    refusal = nego.confirm_packet(nego.NegotiationFailure(code))
    stream = only(asked().say(1, refusal).close(0))
    assert args(stream, "x224.failure")["code"] == code


def test_tls13_ends_with_the_clients_finished() -> None:
    hello = bytes.fromhex("002b00020304")
    flight = server_flight((), Version.TLS12)
    body = flight[9 : 9 + 2 + 32 + 1 + 2 + 1] + len(hello).to_bytes(2, "big") + hello
    server = record(ContentType.HANDSHAKE, b"\x02" + len(body).to_bytes(3, "big") + body)
    base = asked().confirm().hello(Version.TLS13).say(1, server + record(23, bytes(1200)))
    done = only(base.say(0, record(20, b"\x01") + record(23, bytes(53))).data(0, 80).close(1))
    assert args(done, "tls.completed")["version"] == "TLS 1.3"
    assert args(done, "nla.closed")["after"] == "client-data"


def test_an_alert_that_tls13_hides_is_no_finished() -> None:
    hello = bytes.fromhex("002b00020304")
    flight = server_flight((), Version.TLS12)
    body = flight[9 : 9 + 2 + 32 + 1 + 2 + 1] + len(hello).to_bytes(2, "big") + hello
    server = record(ContentType.HANDSHAKE, b"\x02" + len(body).to_bytes(3, "big") + body)
    base = asked().confirm().hello(Version.TLS13).say(1, server + record(23, bytes(1200)))
    stream = only(base.say(0, record(23, bytes(19))).close(0))
    assert "tls.completed" not in tags(stream)
    assert args(stream, "flow.ended")["at"] == "tls"


# ---- TCP itself


def test_a_closed_port() -> None:
    conversation = Conversation()
    conversation.send(0, SYN)
    conversation.send(1, RST | ACK)
    stream = only(conversation)
    assert tags(stream) == ["tcp.refused", "flow.ended"]
    assert args(stream, "tcp.refused")["elapsed_ms"] == pytest.approx(10)


def test_silence() -> None:
    conversation = Conversation()
    for wait in (0, 1, 2, 4):
        conversation.add(conversation.raw(0, SYN), after=wait)
    stream = only(conversation)
    assert tags(stream) == ["tcp.silent", "flow.open"]
    assert args(stream, "tcp.silent")["waited_ms"] == pytest.approx(7000)


def test_a_lone_syn_at_the_recordings_end_says_nothing() -> None:
    conversation = Conversation()
    conversation.send(0, SYN)
    assert tags(only(conversation)) == ["flow.open"]


def test_icmp() -> None:
    conversation = Conversation()
    conversation.send(0, SYN)
    quoted = conversation.packets[0][1][:28]
    conversation.add(ip("10.0.0.254", "10.0.0.1", b"\x03\x0d" + bytes(6) + quoted, protocol=1))
    found = args(only(conversation), "tcp.rejected")
    assert (found["icmp"], found["offender"]) == ("admin-prohibited", "10.0.0.254")


def test_a_packet_too_big() -> None:
    conversation = in_tls()
    quoted = conversation.packets[-2][1][:28]
    conversation.add(ip("10.0.0.254", "10.0.0.1", b"\x03\x04" + bytes(4) + b"\x05\x14" + quoted, protocol=1))
    found = args(only(conversation), "flow.icmp")
    assert (found["icmp"], found["mtu"], found["opened"]) == ("too-big", 1300, True)


def test_a_reset_from_the_middle_has_another_ttl() -> None:
    end = args(only(in_tls().reset(1, ttl=57)), "flow.ended")
    assert (end["ttl"], end["usual_ttl"]) == (57, 128)


def test_round_trip_wherever_it_was_recorded() -> None:
    conversation = Conversation()
    conversation.send(0, SYN)
    conversation.send(1, SYN | ACK, after=0.002)
    conversation.send(0, ACK, after=0.04)
    assert args(only(conversation), "tcp.connected")["rtt_ms"] == pytest.approx(42, abs=0.01)


def test_retransmissions_duplicates_and_zero_windows() -> None:
    conversation = asked()
    payload = conversation.packets[3][1]
    conversation.add(payload, after=0.3)  # the request once more, as a sender does
    conversation.add(payload, after=0.0005)  # and that recorded twice
    conversation.send(1, ACK, window=0)
    found = args(only(conversation), "flow.packets")
    assert found["client_retransmits"] == 1
    assert found["client_duplicates"] == 1
    assert found["server_zero_windows"] == 1


def test_the_same_ports_again_are_another_connection() -> None:
    first = in_tls().close(1)
    second = Conversation(now=first.now + 1, numbers=[5_000_000, 77]).open().ask().confirm()
    capture = read(pcap(framed(first.packets + second.packets)))
    assert [stream.kind for stream in capture.streams] == ["rdp", "rdp"]
    assert "tls.closed" in tags(capture.streams[0])
    assert "x224.selected" in tags(capture.streams[1])


def test_recorded_from_the_middle() -> None:
    conversation = session().close(0)
    conversation.packets = conversation.packets[40:]
    stream = only(conversation)
    assert stream.kind == "middle"
    assert args(stream, "flow.incomplete")["from_middle"] is True
    assert not [tag for tag in tags(stream) if tag.startswith(("x224", "tls", "nla", "tcp"))]


def test_missing_packets_are_told_and_nothing_is_made_of_what_follows() -> None:
    conversation = in_tls()
    conversation.say(1, server_flight((bytes(5000),)))
    conversation.packets = [each for each in conversation.packets if each is not conversation.packets[-6]]
    conversation.close(1)
    stream = only(conversation)
    assert args(stream, "flow.incomplete")["server_missing"] > 0
    assert not [tag for tag in tags(stream) if tag.startswith("tls.")]


def test_one_side_alone_shows_no_silence() -> None:
    conversation = in_tls().handshake().close(0, after=9)
    for side, address in ((0, "10.0.0.1"), (1, SERVER)):
        source = bytes(int(part) for part in address.split("."))
        alone = [each for each in conversation.packets if each[1][12:16] == source]
        (stream,) = read(pcap(framed(alone))).streams
        assert not [tag for tag in tags(stream) if tag.split(".")[1] in _ENDINGS and "flow" not in tag], side
        assert args(stream, "flow.incomplete")["one_sided"] is True


def test_a_hole_at_the_end_shows_no_silence() -> None:
    """The server's answer was acknowledged, so it was there; only the recording lacks it."""
    conversation = in_tls()
    conversation.say(1, server_flight((b"0",)))
    del conversation.packets[-2]
    stream = only(conversation.close(0, after=9))
    assert "tls.silent" not in tags(stream)
    assert args(stream, "flow.incomplete")["server_missing"] > 0


def test_time_that_runs_backwards() -> None:
    conversation = in_tls().close(1)
    conversation.packets[5:7] = [(when - 3, packet) for when, packet in conversation.packets[5:7]]
    for row in only(conversation).observations:
        assert row.at_ms is not None
        assert row.at_ms >= 0
        assert row.args.get("elapsed_ms", 0) >= 0  # type: ignore[operator]


def test_a_preconnection_blob_and_a_proxy_header_come_before_the_request() -> None:
    blob = bytes.fromhex("10000000000000000100000000000000")
    for before, name in ((blob, "preconnection"), (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "proxy")):
        for port in (3389, 2179):
            conversation = Conversation(ports=(50000, port)).open().say(0, before)
            stream = only(conversation.ask().confirm().hello().close(1))
            assert (stream.kind, stream.tunnel) == ("rdp", name)
            assert "tls.closed" in tags(stream)


def test_a_request_in_pieces_on_any_port() -> None:
    whole = nego.request_packet(nego.ConnectionRequestData(None, nego.NegotiationRequest(3)))
    for cut in range(1, len(whole)):
        conversation = Conversation(ports=(50000, 4711)).open().say(0, whole[:cut]).say(0, whole[cut:])
        stream = only(conversation.confirm().close(1))
        assert args(stream, "flow.request")["requested"] == 3


def test_other_protocols_on_the_port_and_x224_of_others_elsewhere() -> None:
    http = only(Conversation().open().say(0, b"GET / HTTP/1.1\r\n\r\n").say(1, b"HTTP/1.1 400 \r\n").close(1))
    assert http.kind == "other"
    assert args(http, "flow.other")["looks_like"] == "http"
    siemens = bytes.fromhex("0300001611e00000001400c1020100c2020102c0010a")
    conversation = Conversation(ports=(50000, 102)).open().say(0, siemens).close(0)
    assert read(pcap(framed(conversation.packets))).streams == ()
