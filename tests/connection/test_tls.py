"""The TLS handshake against the TLS of the standard library: completed, cut at every byte, refused and
mangled.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.connection import openssl
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.tls import TlsEstablished, TlsHandshake
from rdpdoctor.facts import Stage
from rdpdoctor.wire import tls_hello, tls_record
from rdpdoctor.wire.tls_record import Alert, ContentType, HandshakeType, Record, Version

from .playbook import EOF, FATES, RESET, SILENCE, TIMEOUT, Event, Play, play, single, told
from .tls_server import NAME, TLS12, TLS13, TlsServer, identity, records, server_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BOTH = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
VERSIONS = {TLS12: "TLS 1.2", TLS13: "TLS 1.3"}


def handshake(split_first: bool = False, name: str | None = NAME) -> Play:
    return Play(TlsHandshake(name, TIMEOUT, split_first=split_first)).begin()


def converse(
    talk: Play, server: TlsServer, split: Callable[[bytes], Iterable[bytes]] = lambda data: [data]
) -> None:
    """Carry bytes to and fro until all is said. `split`: how the server's bytes arrive."""
    heard = 0
    while heard < len(talk.sent):
        said = b"".join(talk.sent[heard:])
        heard = len(talk.sent)
        answer = server.answer(said)
        if isinstance(talk.outcome, TlsEstablished):
            talk.outcome.channel.feed(answer)
        elif answer:
            talk.go(*split(answer))


def established(talk: Play) -> TlsEstablished:
    outcome = talk.outcome
    assert isinstance(outcome, TlsEstablished), outcome
    return outcome


@BOTH
@pytest.mark.parametrize("split", [lambda data: [data], single, records], ids=["whole", "bytes", "records"])
def test_a_handshake(version: ssl.TLSVersion, split: Callable[[bytes], Iterable[bytes]]) -> None:
    talk, server = handshake(), TlsServer(server_context(version, version))
    converse(talk, server, split)
    outcome = established(talk)
    assert server.done
    assert outcome.version == VERSIONS[version]
    assert outcome.suite == (
        "TLS_AES_256_GCM_SHA384" if version is TLS13 else "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    )
    assert outcome.chain == identity().chain
    assert outcome.elapsed > 0
    server.answer(outcome.channel.encrypt(b"hello"))
    assert server.hear() == b"hello"
    outcome.channel.feed(server.say(b"good day"))
    assert outcome.channel.read() == b"good day"
    assert outcome.channel.read() == b""


@BOTH
def test_the_whole_chain_as_it_was_sent(version: ssl.TLSVersion) -> None:
    talk = handshake()
    converse(talk, TlsServer(server_context(version, version, 3)))
    assert established(talk).chain == identity(3).chain
    machine = talk.machine
    assert isinstance(machine, TlsHandshake)
    assert machine.chain_seen == identity(3).chain


@pytest.mark.parametrize("kind", ["rsa-1024", "rsa-2048"])
@BOTH
def test_weak_keys_can_be_read(version: ssl.TLSVersion, kind: str) -> None:
    talk = handshake()
    converse(talk, TlsServer(server_context(version, version, kind=kind)))
    assert established(talk).chain == identity(kind=kind).chain


def hello_of(talk: Play) -> tls_hello.ClientHello:
    record, _ = tls_record.take(talk.sent[0]) or pytest.fail("no ClientHello")
    return tls_hello.ClientHello.parse(record.fragment[4:])


def test_the_hello_is_that_of_a_current_client() -> None:
    hello = hello_of(handshake())
    assert hello.server_name == NAME
    assert set(hello.offered_versions) == {Version.TLS12, Version.TLS13}
    assert 0xC02F in hello.cipher_suites
    assert 0x002F in hello.cipher_suites  # Windows still offers RSA key exchange
    assert not {0x0004, 0x0005, 0x000A, 0x0001} & set(hello.cipher_suites)
    assert hello.extension(16) is None  # no ALPN
    signatures = hello.extension(tls_hello.EXT_SIGNATURE_ALGORITHMS) or b""
    assert b"\x02\x01" in [signatures[at : at + 2] for at in range(2, len(signatures), 2)]  # RSA with SHA-1


@pytest.mark.parametrize("name", ["192.0.2.7", "2001:db8::7", "fe80::1%eth0", None, ""])
def test_addresses_are_not_sent_as_names(name: str | None) -> None:
    assert hello_of(handshake(name=name)).server_name is None


@pytest.mark.parametrize(("name", "sent"), [("srv01.", "srv01"), ("WIN_HOST", "WIN_HOST"), ("a" * 64, None)])
def test_odd_names(name: str, sent: str | None) -> None:
    assert hello_of(handshake(name=name)).server_name == sent


def first_flight(version: ssl.TLSVersion) -> tuple[Play, bytes]:
    talk = handshake()
    return talk, TlsServer(server_context(version, version)).answer(talk.sent[0])


def expected_after(flight: bytes, cut: int) -> str:
    """By the flight's own framing: OpenSSL puts each message in a record of its own."""
    names = {2: "server-hello", 11: "certificate", 14: "client-finished"}
    after, at = "client-hello", 0
    for record in records(flight):
        at += len(record)
        if at > cut:
            break
        if record[0] == 22:
            after = names.get(record[5], after)
    return after


@BOTH
@pytest.mark.parametrize("fate", FATES)
def test_each_ending_all_over_the_first_flight(version: ssl.TLSVersion, fate: str) -> None:
    """Every third byte for each of the three endings; a different third for each, so that every byte is
    tried.
    """
    event, at_once, midway = FATES[fate]
    first = list(FATES).index(fate)
    size = len(first_flight(version)[1])
    for cut in range(first, size, 3):
        talk, flight = first_flight(version)
        sent = len(talk.sent[0])
        if cut >= len(flight):
            break
        if cut:
            talk.go(flight[:cut])
        if talk.outcome is not None:  # TLS 1.3 is done before the session tickets
            assert cut > len(flight) - 200
            continue
        talk.go(event)
        told(
            talk.ended,
            stage=Stage.TLS,
            how=midway if cut else at_once,
            after=expected_after(flight, cut),
            received=cut,
            sent=sent,
        )


@pytest.mark.parametrize("fate", FATES)
def test_after_our_finished_in_tls_1_2(fate: str) -> None:
    event, _, midway = FATES[fate]
    talk, flight = first_flight(TLS12)
    talk.go(flight, event)
    told(talk.ended, how=midway, after="client-finished", received=len(flight), sent=sum(map(len, talk.sent)))
    assert len(talk.sent) == 2


def test_a_server_that_asks_for_another_hello() -> None:
    """HelloRetryRequest, and the ChangeCipherSpec after it that means nothing: the hello is still to come."""
    context = server_context(TLS13, TLS13, curve="secp521r1")
    talk, server = handshake(), TlsServer(context)
    retry = server.answer(talk.sent[0])
    assert [record[0] for record in records(retry)] == [ContentType.HANDSHAKE, ContentType.CHANGE_CIPHER_SPEC]
    talk.go(retry)
    assert len(talk.sent) == 2
    talk.go(server.answer(talk.sent[1]))
    assert established(talk).chain == identity().chain


@pytest.mark.parametrize(
    ("event", "how"), [(EOF, How.CLOSED), (RESET, How.RESET), (SILENCE, How.STALLED), (b"\x15", How.ALERTED)]
)
@pytest.mark.parametrize("answered", [False, True])
def test_endings_after_another_hello_was_asked_for(event: Event, how: How, answered: bool) -> None:
    talk, server = handshake(), TlsServer(server_context(TLS13, TLS13, curve="secp521r1"))
    talk.go(server.answer(talk.sent[0]))
    if answered:
        talk.go(next(records(server.answer(talk.sent[1]))))
    talk.go(alert(2, 47) if isinstance(event, bytes) else event)
    told(talk.ended, how=how, after="server-hello" if answered else "client-hello")


def test_the_certificates_of_a_handshake_that_died() -> None:
    talk, flight = first_flight(TLS12)
    at = sum(len(record) for record in list(records(flight))[:2])
    talk.go(flight[:at], RESET)
    told(talk.ended, how=How.RESET, after="certificate")
    assert isinstance(talk.machine, TlsHandshake)
    assert talk.machine.chain_seen == identity().chain


def alert(level: int, description: int) -> bytes:
    return Record(ContentType.ALERT, Version.TLS12, Alert(level, description).encode()).encode()


@pytest.mark.parametrize("description", [10, 40, 42, 47, 48, 49, 51, 70, 71, 80, 86, 112, 116, 255])
def test_a_plain_alert_with_its_number(description: int) -> None:
    for parts in ([alert(2, description)], list(single(alert(2, description)))):
        told(play(TlsHandshake(NAME, TIMEOUT), *parts).ended, how=How.ALERTED, code=description, received=7)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_plain_alert_within_the_flight(cut: int) -> None:
    talk, flight = first_flight(TLS12)
    before = b"".join(list(records(flight))[:cut])
    after = ("server-hello", "certificate", "certificate")[cut - 1]
    talk.go(before + alert(2, 80))
    told(talk.ended, how=How.ALERTED, code=80, detail="internal_error", after=after)


def test_close_notify_is_a_close() -> None:
    talk, flight = first_flight(TLS12)
    before = next(records(flight))
    told(talk.go(before, alert(1, 0)).ended, how=How.CLOSED, after="server-hello", received=len(before) + 7)
    told(play(TlsHandshake(NAME, TIMEOUT), alert(1, 0)).ended, how=How.CLOSED, received=7)


def test_a_warning_is_not_an_ending() -> None:
    talk, server = handshake(), TlsServer(server_context(TLS12, TLS12))
    talk.go(alert(1, 112))
    assert talk.outcome is None
    converse(talk, server)
    assert established(talk).version == "TLS 1.2"
    closed = play(TlsHandshake(NAME, TIMEOUT), alert(1, 112), EOF)
    told(closed.ended, how=How.CLOSED, detail="warning unrecognized_name")


def test_a_server_that_speaks_old_versions_only() -> None:
    talk, server = handshake(), TlsServer(server_context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    converse(talk, server)
    told(talk.ended, how=How.ALERTED, code=70, detail="protocol_version", after="client-hello")


def server_hello(version: int, suite: int) -> bytes:
    body = tls_hello.ServerHello(version, bytes(32), b"", suite).encode()
    return tls_record.handshake_records(HandshakeType.SERVER_HELLO, body, version)


def test_a_server_that_chooses_an_old_version_is_refused_by_us_and_told() -> None:
    for version in (Version.SSL30, Version.TLS10, Version.TLS11):
        talk = play(TlsHandshake(NAME, TIMEOUT), server_hello(version, 0x002F))
        told(talk.ended, how=How.REJECTED, detail="UNSUPPORTED_PROTOCOL", after="server-hello")
        assert talk.sent[-1][0] == ContentType.ALERT


def test_a_suite_that_was_not_offered() -> None:
    talk = play(TlsHandshake(NAME, TIMEOUT), server_hello(Version.TLS12, 0x0005))
    told(talk.ended, how=How.MALFORMED, detail="UNKNOWN_CIPHER_RETURNED", after="server-hello")


def test_a_server_without_a_common_suite() -> None:
    talk, server = handshake(), TlsServer(server_context(TLS12, TLS12, ciphers="PSK"))
    converse(talk, server)
    told(talk.ended, how=How.ALERTED, code=40, detail="handshake_failure", after="client-hello")


def test_a_certificate_that_is_none() -> None:
    chain = tls_hello.Certificate((b"\x30\x03no!",), 1).encode()
    wire = server_hello(Version.TLS12, 0xC02F)
    wire += tls_record.handshake_records(HandshakeType.CERTIFICATE, chain, Version.TLS12)
    talk = play(TlsHandshake(NAME, TIMEOUT), wire)
    told(talk.ended, how=How.REJECTED, after="certificate", detail="ASN1 lib")
    assert isinstance(talk.machine, TlsHandshake)
    assert talk.machine.chain_seen == (b"\x30\x03no!",)


MALFORMED = {
    "x224": bytes.fromhex("0300000902f0802180"),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "one wrong byte": b"\x00",
    "record version 2": bytes.fromhex("160200"),
    "record too long": bytes.fromhex("160303ffff"),
    "application data": Record(ContentType.APPLICATION_DATA, Version.TLS12, b"hello").encode(),
    "alert of 3 bytes": Record(ContentType.ALERT, Version.TLS12, b"\x02\x28\x00").encode(),
    "a client's hello": tls_hello.client_hello(Version.TLS12, [0xC02F], None, bytes(32)).records(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_tls(name: str) -> None:
    wire = MALFORMED[name]
    for parts in ([wire], list(single(wire))):
        talk = play(TlsHandshake(NAME, TIMEOUT), *parts)
        told(talk.ended, how=How.MALFORMED, after="client-hello", sample=wire[: talk.ended.received][:64])
        assert talk.ended.detail


def test_garbage_in_the_middle_of_the_flight() -> None:
    talk, flight = first_flight(TLS12)
    before = next(records(flight))
    talk.go(before + b"HTTP/1.1 503 Service Unavailable")
    told(talk.ended, how=How.MALFORMED, after="server-hello", sample=b"HTTP/1.1 503 Service Unavailable")


def test_a_signature_that_is_not_the_certificate_s() -> None:
    talk, flight = first_flight(TLS12)
    hello, certificate, key_exchange, done = records(flight)
    talk.go(hello + certificate + key_exchange[:-1] + bytes([key_exchange[-1] ^ 1]) + done)
    told(talk.ended, how=How.REJECTED, detail="BAD_SIGNATURE")
    assert talk.sent[-1][0] == ContentType.ALERT


def test_a_record_that_was_changed_on_its_way() -> None:
    talk, flight = first_flight(TLS13)
    talk.go(flight[:-1] + bytes([flight[-1] ^ 1]))
    told(talk.ended, how=How.MALFORMED, detail="DECRYPTION_FAILED_OR_BAD_RECORD_MAC", after="server-hello")


def test_the_deadline_counts_from_the_beginning_whatever_drips_in() -> None:
    talk, flight = first_flight(TLS12)
    for byte in single(flight[:20]):
        talk.go(byte, 1.0)
    told(talk.ended, how=How.STALLED, received=8, elapsed=TIMEOUT)


def test_endless_bytes_are_bounded() -> None:
    warning = alert(1, 112)
    hello = server_hello(Version.TLS12, 0xC02F)
    status = tls_record.handshake_records(HandshakeType.CERTIFICATE, bytes(200_000), Version.TLS12)
    for start, chunk in ((b"", warning * 1000), (hello, status), (hello, b"\x16\x03\x03\x00\x01\x0b" * 1000)):
        talk = play(TlsHandshake(NAME, TIMEOUT), *([start] if start else []))
        for _ in range(600):
            if talk.outcome is not None:
                break
            talk.go(chunk)
        assert talk.ended.how in (How.MALFORMED, How.REJECTED)
        assert talk.ended.received <= TlsHandshake.limit + len(chunk)


@BOTH
def test_a_huge_subject(version: ssl.TLSVersion) -> None:
    subject = "\x1b[31mevil\x07" * 3000
    talk = handshake()
    converse(talk, TlsServer(server_context(version, version, 1, subject)))
    assert established(talk).chain == identity(1, subject).chain
    assert len(identity(1, subject).chain[0]) > 60_000  # as subject and as issuer


@BOTH
def test_a_hundred_certificates(version: ssl.TLSVersion) -> None:
    talk = handshake()
    converse(talk, TlsServer(server_context(version, version, 100)))
    assert established(talk).chain == identity(100).chain


def test_a_chain_beyond_openssl_s_own_limit_is_told_as_such() -> None:
    subject = "x" * 90_000
    talk = handshake()
    converse(talk, TlsServer(server_context(TLS12, TLS12, 2, subject)))
    told(talk.ended, how=How.REJECTED, detail="EXCESSIVE_MESSAGE_SIZE")


def test_a_split_first_flight() -> None:
    talk, server = handshake(split_first=True), TlsServer(server_context())
    assert [len(part) for part in talk.sent] == [1]
    talk.go(0.1)
    assert len(talk.sent) == 2
    converse(talk, server)
    assert established(talk).version == "TLS 1.3"
    held = Play(TlsHandshake(NAME, TIMEOUT, split_first=True)).begin().go(RESET)
    told(held.ended, how=How.RESET, sent=1, received=0, after="client-hello")


def test_what_follows_the_handshake_is_read_from_the_channel() -> None:
    """Session tickets, and what a server says first, come in the same segment as its Finished."""
    for version in (TLS12, TLS13):
        talk, server = handshake(), TlsServer(server_context(version, version))
        last = server.answer(talk.sent[0])
        if version is TLS12:
            talk.go(last)
            last = server.answer(talk.sent[1])
            last += server.say(b"me first")
            talk.go(last)
            channel = established(talk).channel
        else:
            talk.go(last)
            channel = established(talk).channel
            channel.feed(server.answer(talk.sent[1]) + server.say(b"me first"))
        channel.feed(b"")
        assert channel.read() == b"me first"
        assert not channel.partial


@BOTH
def test_how_a_channel_ends(version: ssl.TLSVersion) -> None:
    def opened() -> tuple[TlsEstablished, TlsServer]:
        talk, server = handshake(), TlsServer(server_context(version, version))
        converse(talk, server)
        return established(talk), server

    outcome, server = opened()
    outcome.channel.feed(server.goodbye())
    assert (outcome.channel.closed, outcome.channel.alert, outcome.channel.failure) == (True, None, None)

    outcome, _ = opened()
    outcome.channel.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert outcome.channel.failure
    assert not outcome.channel.closed

    outcome, server = opened()
    server.answer(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that it cannot decrypt: it alerts us
    with pytest.raises(ssl.SSLError):
        server.hear()
    outcome.channel.feed(server.answer(b""))
    assert outcome.channel.alert == 20

    outcome, server = opened()
    wire = server.say(b"hello")
    outcome.channel.feed(wire[:-1])
    assert outcome.channel.partial
    assert outcome.channel.read() == b""


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([TLS12, TLS13]),
    st.integers(0, 5000),
    st.integers(1, 255),
    st.sampled_from([EOF, RESET, SILENCE]),
)
def test_a_changed_byte_never_breaks_it(version: ssl.TLSVersion, at: int, change: int, last: Event) -> None:
    talk, flight = first_flight(version)
    wire = bytearray(flight)
    wire[at % len(wire)] ^= change
    talk.go(bytes(wire), last)
    assert isinstance(talk.outcome, Ended | TlsEstablished)


def test_every_alert_openssl_names_is_known() -> None:
    """What we hold OpenSSL's names to be, against the numbers this Python's own table gives them."""
    import _ssl

    names: dict[tuple[int, int], str] = getattr(_ssl, "err_codes_to_names")  # noqa: B009
    found = {reason: code - 1000 for (_, code), reason in names.items() if 1000 < code < 1256}
    alerts = {name: number for name, number in found.items() if number in tls_record._ALERT_NAMES}
    assert alerts
    for name, number in alerts.items():
        how, code, _ = openssl.meaning(_ssl_error(name))
        assert (how, code) == (How.ALERTED, number), name


def _ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason, error.library = reason, "SSL"
    return error
