"""Our own ClientHello: every first flight in every split, every ending at every byte."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.connection.hello import HelloAnswered, HelloProbe
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.facts import Stage
from rdpdoctor.wire import tls_hello, tls_suites
from rdpdoctor.wire.tls_hello import Certificate, ServerHello
from rdpdoctor.wire.tls_record import (
    Alert,
    ContentType,
    HandshakeType,
    Record,
    Version,
    handshake_message,
    handshake_records,
)

from .playbook import EOF, FATES, RESET, SILENCE, TIMEOUT, Event, Play, play, single, told
from .tls_server import TlsServer, identity, server_context

RANDOM = bytes(range(32))
SUITE = 0xC02F
CHAIN = (b"\x30\x82 the server's own", b"\x30\x82 its issuer")


def hello(version: int = Version.TLS12) -> tls_hello.ClientHello:
    suites = tls_suites.for_version(tls_suites.MODERN, version)
    return tls_hello.client_hello(version, suites, "srv01.corp.example", RANDOM)


def probe(version: int = Version.TLS12) -> HelloProbe:
    return HelloProbe(hello(version), TIMEOUT)


def server_hello(version: int = Version.TLS12, suite: int = SUITE, *, retry: bool = False) -> bytes:
    extensions = ((tls_hello.EXT_SUPPORTED_VERSIONS, b"\x03\x04"),) if version == Version.TLS13 else ()
    random = tls_hello.RETRY_RANDOM if retry else RANDOM
    return ServerHello(min(version, Version.TLS12), random, b"", suite, 0, extensions).encode()


def certificate() -> bytes:
    return Certificate(CHAIN, len(CHAIN)).encode()


def in_records(*messages: tuple[int, bytes], version: int = Version.TLS12) -> list[bytes]:
    return [handshake_records(kind, body, version) for kind, body in messages]


FLIGHT = in_records(
    (HandshakeType.SERVER_HELLO, server_hello()),
    (HandshakeType.CERTIFICATE, certificate()),
    (HandshakeType.SERVER_KEY_EXCHANGE, bytes(60)),
    (HandshakeType.SERVER_HELLO_DONE, b""),
)
#: Where the probe has seen enough: at the certificate's end.
ENOUGH = len(FLIGHT[0]) + len(FLIGHT[1])
ANSWERED = (Version.TLS12, SUITE, False, CHAIN)


def found(talk: Play) -> tuple[int, int, bool, tuple[bytes, ...]]:
    outcome = talk.outcome
    assert isinstance(outcome, HelloAnswered), outcome
    return outcome.version, outcome.suite, outcome.retry, outcome.chain


def alert(level: int, description: int) -> bytes:
    return Record(ContentType.ALERT, Version.TLS12, Alert(level, description).encode()).encode()


def test_the_first_flight_whole_byte_by_byte_and_cut_anywhere() -> None:
    wire = b"".join(FLIGHT)
    for parts in [[wire], list(single(wire)), *([wire[:cut], wire[cut:]] for cut in range(1, len(wire)))]:
        assert found(play(probe(), *parts)) == ANSWERED


def test_messages_that_share_records_and_records_that_share_messages() -> None:
    stream = b"".join(
        handshake_message(kind, body)
        for kind, body in (
            (HandshakeType.SERVER_HELLO, server_hello()),
            (HandshakeType.CERTIFICATE, certificate()),
            (HandshakeType.SERVER_HELLO_DONE, b""),
        )
    )
    for size in (1, 3, 7, 40, 1000):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        wire = b"".join(Record(ContentType.HANDSHAKE, Version.TLS12, piece).encode() for piece in pieces)
        assert found(play(probe(), wire)) == ANSWERED
        assert found(play(probe(), *single(wire))) == ANSWERED


@pytest.mark.parametrize("fate", FATES)
def test_each_ending_at_each_byte(fate: str) -> None:
    event, at_once, midway = FATES[fate]
    wire = b"".join(FLIGHT)
    for cut in range(ENOUGH):
        parts: list[Event] = [wire[:cut]] if cut else []
        talk = play(probe(), *parts, event)
        told(
            talk.ended,
            stage=Stage.TLS,
            how=midway if cut else at_once,
            after="client-hello" if cut < len(FLIGHT[0]) else "server-hello",
            sent=len(hello().records()),
            received=cut,
        )


@pytest.mark.parametrize("version", [Version.SSL30, Version.TLS10, Version.TLS11, Version.TLS12])
def test_each_old_version_waits_for_the_certificate(version: int) -> None:
    first, second = in_records(
        (HandshakeType.SERVER_HELLO, server_hello(version, 0x002F)),
        (HandshakeType.CERTIFICATE, certificate()),
        version=version,
    )
    talk = play(probe(version), first)
    assert talk.outcome is None
    assert found(talk.go(second)) == (version, 0x002F, False, CHAIN)


def test_a_server_that_chooses_an_older_version() -> None:
    flight = in_records(
        (HandshakeType.SERVER_HELLO, server_hello(Version.TLS10, 0x0035)),
        (HandshakeType.CERTIFICATE, certificate()),
        version=Version.TLS10,
    )
    assert found(play(probe(Version.TLS12), *flight))[0] == Version.TLS10


def test_without_a_certificate_the_flight_ends_with_server_hello_done() -> None:
    flight = in_records((HandshakeType.SERVER_HELLO, server_hello()), (HandshakeType.SERVER_HELLO_DONE, b""))
    assert found(play(probe(), *flight)) == (Version.TLS12, SUITE, False, ())


@pytest.mark.parametrize("retry", [True, False])
def test_tls_1_3_ends_with_its_hello(retry: bool) -> None:
    (wire,) = in_records((HandshakeType.SERVER_HELLO, server_hello(Version.TLS13, 0x1301, retry=retry)))
    for parts in ([wire], list(single(wire))):
        assert found(play(probe(Version.TLS13), *parts)) == (Version.TLS13, 0x1301, retry, ())


@pytest.mark.parametrize("description", [40, 70, 71, 80, 255])
def test_an_alert_with_its_number(description: int) -> None:
    for before, after in ((b"", "client-hello"), (FLIGHT[0], "server-hello")):
        wire = before + alert(2, description)
        for parts in ([wire], list(single(wire))):
            told(play(probe(), *parts).ended, how=How.ALERTED, code=description, after=after)


def test_close_notify_is_a_close_and_a_warning_is_not_an_ending() -> None:
    told(play(probe(), alert(1, 0)).ended, how=How.CLOSED, received=7, detail="close_notify")
    warned = play(probe(), alert(1, 112))
    assert warned.outcome is None
    assert found(warned.go(b"".join(FLIGHT))) == ANSWERED
    told(play(probe(), alert(1, 112), EOF).ended, how=How.CLOSED, detail="warning unrecognized_name")


MALFORMED = {
    "x224": bytes.fromhex("0300000902f0802180"),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "record version 2": bytes.fromhex("160200"),
    "record too long": bytes.fromhex("160303ffff"),
    "empty record": bytes.fromhex("1603030000"),
    "cut server hello": in_records((HandshakeType.SERVER_HELLO, server_hello()[:-1]))[0],
    "alert of 3 bytes": Record(ContentType.ALERT, Version.TLS12, b"\x02\x28\x00").encode(),
    "version not offered": in_records((HandshakeType.SERVER_HELLO, server_hello(Version.TLS13, 0x1301)))[0],
    "suite not offered": in_records((HandshakeType.SERVER_HELLO, server_hello(suite=0x0005)))[0],
    "certificate with a hole": FLIGHT[0]
    + in_records((HandshakeType.CERTIFICATE, certificate()[:-1] + b""))[0],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_answer(name: str) -> None:
    wire = MALFORMED[name]
    for parts in ([wire], list(single(wire))):
        talk = play(probe(), *parts)
        told(talk.ended, how=How.MALFORMED, sample=wire[: talk.ended.received][:64])
        assert talk.ended.detail


def test_endless_bytes_are_bounded_and_not_slow() -> None:
    """Records of one byte each are the worst there is for a reader that starts over."""
    record = Record(ContentType.HANDSHAKE, Version.TLS12, b"\x0b").encode()
    for chunk in (record * 1000, Record(ContentType.APPLICATION_DATA, Version.TLS12, bytes(16000)).encode()):
        talk = Play(probe()).begin()
        while talk.outcome is None:
            talk.go(chunk)
        told(talk.ended, how=How.MALFORMED)
        assert talk.ended.received <= HelloProbe.limit + len(chunk)


def test_a_chain_of_a_hundred_certificates() -> None:
    chain = tuple(b"\x30\x82" + bytes(1000) for _ in range(100))
    body = b"".join(len(der).to_bytes(3, "big") + der for der in chain)
    flight = FLIGHT[0] + handshake_records(
        HandshakeType.CERTIFICATE, len(body).to_bytes(3, "big") + body, Version.TLS12
    )
    kept = found(play(probe(), flight))[3]
    assert kept == chain[: tls_hello.MAX_CERTIFICATES]


def test_a_split_first_flight() -> None:
    wire = hello().records()
    talk = Play(HelloProbe(hello(), TIMEOUT, split_first=True)).begin()
    assert talk.sent == [wire[:1]]
    talk.go(0.1)
    assert talk.sent == [wire[:1], wire[1:]]
    assert found(talk.go(b"".join(FLIGHT))) == ANSWERED
    for event, how in ((RESET, How.RESET), (EOF, How.CLOSED), (SILENCE, How.SILENT)):
        held = Play(HelloProbe(hello(), TIMEOUT, split_first=True)).begin().go(event)
        told(held.ended, how=how, sent=len(wire) if how is How.SILENT else 1, received=0)


@pytest.mark.parametrize("version", [Version.TLS10, Version.TLS11, Version.TLS12, Version.TLS13])
def test_against_openssl(version: int) -> None:
    context = server_context(ssl.TLSVersion(version), ssl.TLSVersion(version))
    talk = Play(probe(version)).begin()
    talk.go(TlsServer(context).answer(talk.sent[0]))
    answered = found(talk)
    assert answered[0] == version
    assert answered[3] == (() if version == Version.TLS13 else identity().chain)


def test_against_an_openssl_that_knows_no_common_version() -> None:
    talk = Play(probe(Version.TLS11)).begin()
    talk.go(TlsServer(server_context()).answer(talk.sent[0]))
    told(talk.ended, how=How.ALERTED, code=70, after="client-hello")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, ENOUGH - 1), st.integers(0, 255), st.sampled_from([EOF, RESET, SILENCE]))
def test_a_changed_byte_ends_alike_in_every_split(at: int, value: int, last: Event) -> None:
    wire = bytearray(b"".join(FLIGHT))
    wire[at] = value
    whole, split = play(probe(), bytes(wire), last), play(probe(), *single(bytes(wire)), last)
    assert type(whole.outcome) is type(split.outcome)
    if isinstance(whole.outcome, Ended):
        assert (whole.ended.how, whole.ended.after) == (split.ended.how, split.ended.after)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.sampled_from([EOF, RESET, SILENCE]))
def test_whatever_comes_there_is_an_outcome(parts: list[bytes], last: Event) -> None:
    assert play(probe(), *parts, last).outcome is not None
