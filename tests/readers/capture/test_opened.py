"""TLS opened with its secrets: every kind of protection, what is inside, and secrets that do not fit."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.facts import Journal, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.capture import Capture, Limits, keylog
from rdpdoctor.readers.capture.hpack import Fields
from rdpdoctor.readers.capture.inside import Inside
from rdpdoctor.wire import ntlm, spnego, tpkt, x224
from rdpdoctor.wire.credssp import EarlyUserAuthorizationResult, TSRequest
from rdpdoctor.wire.nego import Protocol
from tests.readers.capture.craft import Conversation, args, framed, pcap, read, tags
from tests.readers.capture.sealed import NO_ENCRYPT_THEN_MAC, TLS12, TLS13, Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

TLS10, TLS11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
REQUEST = b"RDG_OUT_DATA /remoteDesktopGateway/?x=secret HTTP/1.1\r\nAuthorization: NTLM c2VjcmV0\r\n\r\n"
ANSWER = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM c2VjcmV0\r\nContent-Length: 3\r\n\r\nabc"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
NEGOTIATE = ntlm.Negotiate().encode()
CHALLENGE = ntlm.Challenge(
    "CORP",
    ntlm.NtlmFlags.UNICODE,
    b"8" * 8,
    (ntlm.AvPair(ntlm.AvId.DNS_COMPUTER_NAME, "srv01".encode("utf-16-le")),),
).encode()
#: A name, a hash and a password that must never come out again.
PROOF = ntlm.SIGNATURE + b"\x03\x00\x00\x00" + b"s3cret-user" + b"s3cret-hash" * 3
PASSWORD = b"s3cret-password"

KINDS = [
    (TLS13, "DEFAULT", 0),
    *((TLS12, f"ECDHE-RSA-AES{name}", 0) for name in ("128-GCM-SHA256", "256-GCM-SHA384")),
    (TLS12, "ECDHE-RSA-CHACHA20-POLY1305", 0),
    (TLS12, "AES128-CCM", 0),
    (TLS12, "AES256-CCM8", 0),
    *(
        (TLS12, name, options)
        for name in ("AES128-SHA", "AES256-SHA256", "ECDHE-RSA-AES256-SHA384")
        for options in (0, NO_ENCRYPT_THEN_MAC)
    ),
    (TLS11, "AES256-SHA", 0),
    (TLS11, "AES128-SHA", NO_ENCRYPT_THEN_MAC),
    (TLS10, "AES128-SHA", 0),
    (TLS10, "AES256-SHA", NO_ENCRYPT_THEN_MAC),
]


def gateway(sealed: Sealed) -> None:
    sealed.say(0, REQUEST).say(1, ANSWER).say(0, REQUEST).say(1, SWITCH).say(1, bytes(3000))


def nla(sealed: Sealed, *ends: bytes) -> None:
    sealed.say(0, TSRequest(6, (spnego.wrap(NEGOTIATE),)).encode())
    sealed.say(1, TSRequest(6, (spnego.wrap_response(CHALLENGE),)).encode())
    sealed.say(0, TSRequest(6, (spnego.wrap_response(PROOF),), pub_key_auth=b"key").encode())
    for end in ends:
        sealed.say(1, end)


def desktop(selected: int = 8) -> Conversation:
    return Conversation().open().ask().confirm(selected)


def recorded(talk: Conversation, keylog: bytes, limits: Limits | None = None) -> Capture:
    return read(pcap(framed(talk.packets)), limits, keylog=keylog)


def http(capture: Capture) -> list[tuple[object, ...]]:
    rows = [row for stream in capture.streams for row in stream.observations if row.tag == "gateway.http"]
    return [(row.args["status"], row.args["method"], row.args["path"], row.args["schemes"]) for row in rows]


WAY = [
    (401, "RDG_OUT_DATA", "/remoteDesktopGateway/", ["NTLM"]),
    (101, "RDG_OUT_DATA", "/remoteDesktopGateway/", []),
]


@pytest.mark.parametrize(("version", "ciphers", "options"), KINDS)
def test_every_kind_of_protection(version: ssl.TLSVersion, ciphers: str, options: int) -> None:
    talk = Conversation(ports=(50_000, 8443)).open()
    sealed = Sealed(talk, version, ciphers, options=options)
    gateway(sealed)
    capture = recorded(talk.close(1), sealed.keylog)
    assert capture.lost == ()
    assert http(capture) == WAY
    (stream,) = capture.streams
    assert len([row for row in stream.observations if row.tag == "tls.certificate"]) == 1
    assert all(faults(row, load().tags) == [] for row in stream.observations)


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("ticket", [True, False])
def test_a_resumed_session(version: ssl.TLSVersion, ticket: bool) -> None:
    options = 0 if ticket else ssl.OP_NO_TICKET
    talk = Conversation(ports=(50_000, 443)).open()
    first = Sealed(talk, version, "DEFAULT", options=options).tickets()
    gateway(first)
    again = Conversation(ports=(50_001, 443), now=talk.now + 1).open()
    second = Sealed(again, version, "DEFAULT", before=first)
    assert second.ends[0].session_reused
    gateway(second)
    talk.packets += again.packets
    assert http(recorded(talk, first.keylog + second.keylog)) == WAY * 2
    if version is TLS12:
        # The new connection's own line is not needed: it has the master secret of the old one. Its port is
        # one that is told anyway.
        capture = recorded(talk, first.keylog, Limits(ports=frozenset({443})))
        assert (http(capture), capture.lost) == (WAY * 2, ())


def test_only_the_traffic_secrets_of_tls_13() -> None:
    talk = Conversation(ports=(50_000, 443)).open()
    sealed = Sealed(talk, TLS13, "DEFAULT")
    gateway(sealed)
    lines = [line for line in sealed.keylog.splitlines() if b"HANDSHAKE" not in line]
    assert len(lines) < len(sealed.keylog.splitlines())
    assert http(recorded(talk, b"\r\n".join(lines))) == WAY


def test_a_refusal_in_credssp() -> None:
    talk = desktop()
    sealed = Sealed(talk, TLS13, "DEFAULT")
    nla(sealed, TSRequest(6, error_code=0xC000006D).encode())
    capture = recorded(talk.close(1), sealed.keylog)
    (stream,) = capture.streams
    assert (capture.lost, args(stream, "nla.challenged")["dns_computer"]) == ((), "srv01")
    refused = args(stream, "nla.error")
    assert (refused["code"], refused["version"], refused["after"]) == (0xC000006D, 6, "authenticate")
    about = args(stream, "flow.credssp")
    assert (about["offered"], about["chosen"], about["credentials"]) == (["NTLM"], "NTLM", False)
    assert args(stream, "flow.ended")["at"] == "nla"
    assert "nla.closed" not in tags(stream)


def test_signed_in_and_not_let_in() -> None:
    talk = desktop()
    sealed = Sealed(talk)
    nla(sealed, TSRequest(6, pub_key_auth=b"key").encode())
    sealed.say(0, TSRequest(6, auth_info=PASSWORD).encode())
    sealed.say(1, EarlyUserAuthorizationResult(5).encode())
    (stream,) = recorded(talk.close(1), sealed.keylog).streams
    assert args(stream, "nla.denied")["code"] == 5
    assert args(stream, "flow.credssp")["credentials"] is True
    journal = Journal(Target("srv01", "srv01"), "2026-01-01T00:00:00.000Z")
    for row in stream.observations:
        journal.add(row)
    found = diagnose(journal, load())
    assert (found.verdict.status.value, found.verdict.stage and found.verdict.stage.value) == (
        "failing",
        "nla",
    )
    assert found.causes[0].id == "authorization.denied"
    assert found.causes[0].confidence.value == "confirmed"


def test_closed_in_the_middle_of_credssp() -> None:
    talk = desktop()
    sealed = Sealed(talk)
    nla(sealed)
    (stream,) = recorded(talk.close(1), sealed.keylog).streams
    assert "nla.closed" in tags(stream)


def test_nothing_secret_comes_out() -> None:
    talk = desktop()
    sealed = Sealed(talk)
    nla(sealed, TSRequest(6, pub_key_auth=b"key").encode())
    sealed.say(0, TSRequest(6, auth_info=PASSWORD).encode())
    capture = recorded(talk.close(0), sealed.keylog)
    written = "".join(str(row.to_json()) for stream in capture.streams for row in stream.observations)
    assert "flow.credssp" in written
    secrets = [b"s3cret", *(line.split()[2] for line in sealed.keylog.splitlines() if line[:1] != b"#")]
    for secret in secrets:
        for form in (secret, secret.hex().encode(), secret.decode().encode("utf-16-le").hex().encode()):
            assert form.decode() not in written
    assert "s3cret" not in repr(capture)


# ---- packets of a session


def sent(side: int, data: bytes) -> bytes:
    """Send Data of T.125 on the channel of input and output."""
    head = bytes((0x64 if side == 0 else 0x68,)) + b"\x00\x01\x03\xeb\x70"
    size = (0x8000 | len(data)).to_bytes(2, "big")
    return tpkt.Tpkt(x224.Data(head + size + data).encode()).encode()


def share(kind: int, second: int = 0, body: bytes = b"") -> bytes:
    """Share control header, and as much behind it as a share data header has."""
    data = bytes(8) + bytes((second,)) + bytes(3) + body
    return (len(data) + 6).to_bytes(2, "little") + (0x10 | kind).to_bytes(2, "little") + b"\xea\x03" + data


LICENCE_ERROR = b"\x80\x00\x00\x00\xff\x03\x10\x00\x02\x00\x00\x00\x02\x00\x00\x00"
NO_LICENCE_NEEDED = b"\x80\x00\x00\x00\xff\x03\x10\x00\x07\x00\x00\x00\x02\x00\x00\x00"
STEPS: list[tuple[str, int, bytes]] = [
    ("mcs", 0, tpkt.Tpkt(x224.Data(b"\x7f\x65\x01\x00").encode()).encode()),
    ("security", 0, sent(0, b"\x40\x00\x00\x00" + bytes(40))),
    ("licensing", 1, sent(1, NO_LICENCE_NEEDED)),
    ("capabilities", 1, sent(1, share(1, body=bytes(30)))),
    ("capabilities", 0, sent(0, share(3, body=bytes(30)))),
    ("finalization", 0, sent(0, share(7, 31, bytes(4)))),
    ("finalization", 1, sent(1, share(7, 40, bytes(8)))),
]


@pytest.mark.parametrize("count", range(1, len(STEPS) + 1))
def test_how_far_a_session_came(count: int) -> None:
    talk = desktop(selected=1)
    sealed = Sealed(talk)
    for _, side, data in STEPS[:count]:
        sealed.say(side, data)
    (stream,) = recorded(talk.close(1), sealed.keylog).streams
    assert args(stream, "flow.ended")["at"] == STEPS[count - 1][0]
    assert args(stream, "flow.session")["established"] is (count == len(STEPS))
    assert "flow.licensing" not in tags(stream)


def test_the_servers_last_word() -> None:
    talk = desktop(selected=1)
    sealed = Sealed(talk)
    for _, side, data in STEPS:
        sealed.say(side, data)
    for code in (0, 4):
        sealed.say(1, sent(1, share(7, 47, code.to_bytes(4, "little"))))
    (stream,) = recorded(talk.close(1), sealed.keylog).streams
    assert {"code": 4, "at": "finalization"}.items() <= args(stream, "flow.errinfo").items()


def test_an_error_of_licensing() -> None:
    talk = desktop(selected=1)
    sealed = Sealed(talk)
    for _, side, data in STEPS[:2]:
        sealed.say(side, data)
    sealed.say(1, sent(1, LICENCE_ERROR))
    (stream,) = recorded(talk.close(1), sealed.keylog).streams
    assert args(stream, "flow.licensing")["code"] == 2


# ---- what does not open


def spoil(keylog: bytes) -> bytes:
    """The right connections, the wrong secrets."""
    lines = [line for line in keylog.splitlines() if not line.startswith(b"#")]
    return b"".join(
        b" ".join((*line.split()[:2], b"00" * (len(line.split()[2]) // 2))) + b"\n" for line in lines
    )


def strip(capture: Capture) -> list[object]:
    return [[replace(row, at_ms=None) for row in stream.observations] for stream in capture.streams]


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize(
    ("change", "word"),
    [
        (spoil, "secret does not open"),
        (lambda _: b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n", "without a secret"),
    ],
)
def test_a_secret_that_is_wrong_or_missing(
    version: ssl.TLSVersion, change: Callable[[bytes], bytes], word: str
) -> None:
    talk = desktop()
    sealed = Sealed(talk, version, "DEFAULT")
    nla(sealed, TSRequest(6, error_code=0xC000006D).encode())
    talk.close(1)
    without = recorded(talk, b"")
    capture = recorded(talk, change(sealed.keylog))
    assert strip(capture) == strip(without)
    assert len(capture.lost) == 1
    assert word in capture.lost[0]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damage_anywhere_costs_no_more_than_the_connection(data: st.DataObject) -> None:
    talk, keylog = _example()
    packets = list(talk.packets)
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(3, len(packets) - 1))
        when, packet = packets[number]
        if len(packet) > 44:
            at = data.draw(st.integers(40, len(packet) - 1))
            packet = packet[:at] + bytes((data.draw(st.integers(0, 255)),)) + packet[at + 1 :]
        if data.draw(st.booleans()):
            packet = packet[: data.draw(st.integers(20, len(packet)))]
        packets[number] = when, packet
    kept = packets[: data.draw(st.integers(1, len(packets)))]
    capture = read(pcap(framed(kept)), keylog=keylog)
    declared = load().tags
    for stream in capture.streams:
        for row in stream.observations:
            assert faults(row, declared) == []


def _example() -> tuple[Conversation, bytes]:
    if not _MADE:
        talk = desktop()
        sealed = Sealed(talk)
        nla(sealed, TSRequest(6, pub_key_auth=b"key").encode(), EarlyUserAuthorizationResult(0).encode())
        for _, side, data in STEPS:
            sealed.say(side, data)
        _MADE.append((talk.close(1), sealed.keylog))
    return _MADE[0]


_MADE: list[tuple[Conversation, bytes]] = []


def test_of_very_many_lines_the_latest_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keylog, "_CONNECTIONS", 3)
    known = keylog.Secrets()
    lines = [f"CLIENT_RANDOM {number:064x} {number:096x}\n".encode() for number in range(5)]
    assert {int.from_bytes(random, "big") for random in known.add(b"".join(lines))} == {2, 3, 4}
    assert [bool(known.of(number.to_bytes(32, "big"))) for number in range(5)] == [False] * 2 + [True] * 3


@given(st.binary(max_size=400) | st.text("CLIENT_RANDOMSERVTF0 \n0123456789abcdef").map(str.encode))
def test_a_key_log_may_hold_anything(lines: bytes) -> None:
    talk = Conversation(ports=(50_000, 443)).open().hello().handshake().close(1)
    read(pcap(framed(talk.packets)), keylog=lines)


@given(
    st.sampled_from([None, 1, 2, 8]),
    st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=300)), max_size=8),
)
def test_anything_may_be_inside(selected: int | None, pieces: list[tuple[int, bytes]]) -> None:
    inside = Inside(selected, 0.0)
    starts = {
        None: (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""),
        1: (b"\x03\x00", b"\x03\x00"),
        int(Protocol.HYBRID): (b"0", b"0"),
        int(Protocol.HYBRID_EX): (TSRequest(6, (NEGOTIATE,)).encode(), b"0"),
    }[selected]
    for side, start in enumerate(starts):
        inside.feed(side, start, 0.0)
    for side, piece in pieces:
        inside.feed(side, piece, 1.0)
    assert len(inside.rows) < 100


# ---- HTTP/2


def frame(kind: int, stream: int, payload: bytes, flags: int = 4) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def test_statuses_of_http_2_in_every_form() -> None:
    inside = Inside(None, 0.0)
    path = b"\x44\x09/KdcProxy"  # literal with indexing, the name of static entry 4
    inside.feed(0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, b"", 0), 0.0)
    inside.feed(0, frame(1, 1, path) + b"".join(frame(1, number, b"\xbe") for number in (3, 5, 7)), 0.0)
    literal = b"\x48\x03503"  # literal with indexing, the name of static entry 8
    packed = b"\x08\x82" + bytes.fromhex("6402")  # RFC 7541 C.6.1 has 302 as 6402
    inside.feed(
        1, frame(1, 1, b"\x88") + frame(1, 3, literal) + frame(1, 5, b"\xbe") + frame(1, 7, packed), 1.0
    )
    assert [row[1]["status"] for row in inside.rows] == [200, 503, 503, 302]
    assert {row[1]["path"] for row in inside.rows} == {"/KdcProxy"}


def test_paths_of_others_are_not_told() -> None:
    inside = Inside(None, 0.0)
    inside.feed(0, b"GET /private/page HTTP/1.1\r\n\r\nGET /KdcProxy?t=1 HTTP/1.1\r\n\r\n", 0.0)
    inside.feed(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 503 No\r\n\r\n", 0.0)
    assert [(row[1]["path"], row[1]["status"]) for row in inside.rows] == [("/KdcProxy", 503)]


def test_packed_text() -> None:
    # RFC 7541 C.4.1: www.example.com as the value of :authority, then a path of the same letters.
    packed = bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff")
    assert Fields().read(b"\x04" + bytes((0x80 | len(packed),)) + packed) == {":path": "www.example.com"}
    assert Fields().read(b"\x04\x85abc") is None
    assert Fields().read(b"\xff\xff\xff\xff\xff\xff\xff") is None
