"""The server's machines without a socket: in any split, to any ending, and against the client's machines."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.connection.credssp import Challenged, CredSspProbe
from rdpdoctor.connection.hello import HelloAnswered, HelloProbe
from rdpdoctor.connection.initiation import Confirmed, Initiation
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.server.credssp import CredSspServer, Identity, Refused
from rdpdoctor.connection.server.responder import Requested, Responder, choose
from rdpdoctor.connection.server.sketch import Sketched, TlsSketch
from rdpdoctor.connection.server.tls import TlsAccepted, TlsServer
from rdpdoctor.connection.tls import TlsEstablished, TlsHandshake
from rdpdoctor.lab import certificates
from rdpdoctor.lab.scenario import Certificate, Tls
from rdpdoctor.wire import credssp, nego, ntlm, spnego
from rdpdoctor.wire.tls_hello import client_hello
from rdpdoctor.wire.tls_record import Version

if TYPE_CHECKING:
    from rdpdoctor.connection.machine import Machine
    from rdpdoctor.connection.server.base import ServerMachine

EC = Certificate(key="ec-p256")
CLOCK = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ME = Identity("SRV01", "CORP", "srv01.corp.example", "corp.example", "corp.example", (10, 0, 20348))


def converse(client: Machine[object], server: ServerMachine, step: int = 1 << 20) -> None:
    """Both to their ends, in pieces of `step` bytes."""
    client.begin(0.0)
    server.begin(0.0)
    for _ in range(50):
        for one, other in ((client, server), (server, client)):
            output = one.take_output()
            for at in range(0, len(output), step):
                other.receive(output[at : at + step], 1.0)
        if client.outcome is not None and server.outcome is not None:
            return


def responder() -> Responder:
    return Responder(lambda _: nego.NegotiationResponse(nego.Protocol.HYBRID, 0x1F), 5.0)


REQUEST = nego.ConnectionRequestData(nego.Cookie("alice"), nego.NegotiationRequest(0x0B))


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_client_and_responder(step: int) -> None:
    client, server = Initiation(REQUEST, 5.0), responder()
    converse(client, server, step)
    assert isinstance(client.outcome, Confirmed)
    assert client.outcome.answer == nego.NegotiationResponse(nego.Protocol.HYBRID, 0x1F)
    assert isinstance(server.outcome, Requested)
    assert (server.outcome.protocols, server.outcome.cookie) == (0x0B, "alice")


def test_what_comes_behind_the_request_is_left_over() -> None:
    server = responder()
    server.begin(0.0)
    server.receive(nego.request_packet(REQUEST) + b"hel", 0.0)
    server.receive(b"lo", 0.0)
    assert server.leftover == b"hello"


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\n", bytes.fromhex("0300000702f080"), bytes.fromhex("03000003"), b"\x16\x03\x01"],
)
def test_the_responder_refuses_what_is_no_request(sent: bytes) -> None:
    server = responder()
    server.begin(0.0)
    server.receive(sent, 0.0)
    assert isinstance(server.outcome, Ended)
    assert server.outcome.how is How.MALFORMED
    assert server.take_output() == b""


@given(st.binary(max_size=400))
def test_the_responder_survives_anything(data: bytes) -> None:
    server = responder()
    server.begin(0.0)
    server.receive(data, 0.0)
    server.eof(0.0)
    assert server.outcome is not None


@pytest.mark.parametrize(
    ("befalls", "before", "how"),
    [
        ("eof", b"", How.CLOSED),
        ("reset", b"", How.RESET),
        ("wake", b"", How.SILENT),
        ("wake", b"\x03\x00", How.STALLED),
    ],
)
def test_endings_of_a_server_machine(befalls: str, before: bytes, how: How) -> None:
    server = responder()
    server.begin(10.0)
    if before:
        server.receive(before, 11.0)
    server.wake(14.9)
    assert server.outcome is None
    getattr(server, befalls)(15.0)
    assert isinstance(server.outcome, Ended)
    assert (server.outcome.how, server.outcome.received, server.outcome.elapsed) == (how, len(before), 5.0)
    server.eof(20.0)
    assert server.outcome.how is how


@given(st.frozensets(st.sampled_from([0, 1, 2, 4, 8, 16])), st.integers(0, 31))
def test_a_choice_is_one_that_was_offered_and_is_accepted(accepts: frozenset[int], asked: int) -> None:
    match choose(accepts, asked, 0):
        case nego.NegotiationResponse(selected):
            assert selected in accepts
            assert selected & asked == selected
            assert selected or not asked
        case nego.NegotiationFailure(code):
            assert not any(asked & one for one in accepts)
            assert 1 <= code <= 6


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("versions", [(0x0303, 0x0303), (0x0304, 0x0304)])
def test_a_whole_sign_in_as_far_as_the_challenge(versions: tuple[int, int], step: int) -> None:
    client, server = (
        TlsHandshake("srv01.corp.example", 5.0),
        TlsServer(certificates.context(Tls(versions), EC), 5.0),
    )
    converse(client, server, step)
    assert isinstance(client.outcome, TlsEstablished)
    assert isinstance(server.outcome, TlsAccepted)
    assert client.outcome.chain == certificates.chain(EC)
    client.outcome.channel.feed(client.leftover)  # session tickets
    probe = CredSspProbe(client.outcome.channel, 5.0)
    nla = CredSspServer(server.outcome.channel, ME, b"12345678", CLOCK, 5.0)
    probe.begin(0.0)
    nla.begin(0.0)
    for at in range(0, len(out := probe.take_output()), step):
        nla.receive(out[at : at + step], 0.0)
    assert nla.challenged
    for at in range(0, len(out := nla.take_output()), step):
        probe.receive(out[at : at + step], 0.0)
    assert isinstance(probe.outcome, Challenged)
    said = probe.outcome.challenge
    assert (said.computer_name, said.domain_name, said.dns_computer) == (
        "SRV01",
        "CORP",
        "srv01.corp.example",
    )
    assert (said.timestamp, said.version) == (CLOCK, (10, 0, 20348, 15))
    assert probe.outcome.version == 6


def channels() -> tuple[TlsEstablished, TlsAccepted]:
    client, server = TlsHandshake(None, 5.0), TlsServer(certificates.context(Tls(), EC), 5.0)
    converse(client, server)
    assert isinstance(client.outcome, TlsEstablished)
    assert isinstance(server.outcome, TlsAccepted)
    client.outcome.channel.feed(client.leftover)  # session tickets
    return client.outcome, server.outcome


@pytest.mark.parametrize("wrapped", [False, True])
def test_whoever_answers_the_challenge_is_refused(wrapped: bool) -> None:
    client, server = channels()
    nla = CredSspServer(server.channel, ME, b"12345678", CLOCK, 5.0)
    nla.begin(0.0)
    first = ntlm.Negotiate().encode()
    for token in (spnego.wrap(first) if wrapped else first, b"whatever"):
        nla.receive(client.channel.encrypt(credssp.TSRequest(6, (token,)).encode()), 0.0)
    assert nla.outcome == Refused(0xC000006D, 6)
    client.channel.feed(nla.take_output())
    plain = client.channel.read()
    one = credssp.take(plain)
    assert one is not None
    two = credssp.take(plain[one[1] :])
    assert two is not None
    assert (two[0].error_code, two[0].nego_tokens) == (0xC000006D, ())
    assert one[0].nego_tokens[0].startswith(ntlm.SIGNATURE) is not wrapped
    assert ntlm.Challenge.parse(spnego.unwrap(one[0].nego_tokens[0])).server_challenge == b"12345678"


@given(st.binary(min_size=1, max_size=200))
def test_a_sign_in_that_makes_no_sense_ends(plain: bytes) -> None:
    client, server = channels()
    nla = CredSspServer(server.channel, ME, b"12345678", CLOCK, 5.0)
    nla.begin(0.0)
    nla.receive(client.channel.encrypt(plain), 0.0)
    nla.eof(0.0)
    assert isinstance(nla.outcome, Ended)


def test_the_channel_knows_close_notify_from_noise() -> None:
    client, server = channels()
    server.channel.feed(client.channel.encrypt(b"abc"))
    assert (server.channel.read(), server.channel.closed) == (b"abc", False)
    server.channel.feed(b"\x99" * 100)
    assert (server.channel.read(), server.channel.closed) == (b"", True)


def test_a_handshake_without_end_is_ended() -> None:
    server = TlsServer(certificates.context(Tls(), EC), 5.0)
    server.begin(0.0)
    record = bytes.fromhex("1603010004") + bytes.fromhex("01ffffff")
    for _ in range(70_000):
        if server.outcome is not None:
            break
        server.receive(record, 0.0)
    assert isinstance(server.outcome, Ended)


@pytest.mark.parametrize("version", [Version.SSL30, Version.TLS10, Version.TLS11, Version.TLS12])
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_a_sketch_answers_our_own_hello(version: int, step: int) -> None:
    chain = certificates.chain(Certificate())
    server = TlsSketch((Version.SSL30, version), (0x0005, 0x000A), chain, bytes(32), 5.0)
    client = HelloProbe(client_hello(Version.TLS12, (0xC02F, 0x000A, 0x0005), None, bytes(32)), 5.0)
    converse(client, server, step)
    assert isinstance(client.outcome, HelloAnswered)
    assert (client.outcome.version, client.outcome.suite) == (version, 0x0005)
    assert client.outcome.chain == chain


@pytest.mark.parametrize(
    ("versions", "suites", "alert"),
    [((Version.TLS12, Version.TLS12), (0x0005,), 70), ((Version.SSL30, Version.TLS10), (0x0004,), 40)],
)
def test_a_sketch_refuses(versions: tuple[int, int], suites: tuple[int, ...], alert: int) -> None:
    server = TlsSketch(versions, suites, (), bytes(32), 5.0)
    client = HelloProbe(client_hello(Version.TLS10, (0x0005,), None, bytes(32)), 5.0)
    converse(client, server)
    assert isinstance(client.outcome, Ended)
    assert (client.outcome.how, client.outcome.code) == (How.ALERTED, alert)
    assert server.outcome == Sketched(None, None)


@given(st.binary(max_size=300))
def test_a_sketch_survives_anything(data: bytes) -> None:
    server = TlsSketch((0x0300, 0x0300), (5,), (), bytes(32), 5.0)
    server.begin(0.0)
    server.receive(data, 0.0)
    server.eof(0.0)
    assert server.outcome is not None


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Certificate(days=(-9, -3)), "not_after"),
        (Certificate(signature="sha1"), "sha1"),
        (Certificate(key="rsa-1024"), "1024"),
        (Certificate(chain=5, issuer="CA"), "CA"),
        (Certificate(padding=2500), "U" * 1000),
        (Certificate(usages=("rdp",)), "1.3.6.1.4.1.311.54.1.2"),
    ],
)
def test_certificates_are_what_the_plan_says(plan: Certificate, says: str) -> None:
    """As OpenSSL sees them: the context has loaded them with their key."""
    assert isinstance(certificates.context(Tls(), plan), ssl.SSLContext)
    chain = [x509.load_der_x509_certificate(der) for der in certificates.chain(plan)]
    assert len(chain) == plan.chain
    for one, issuer in pairwise(chain):
        one.verify_directly_issued_by(issuer)
    leaf = chain[0]
    match says:
        case "not_after":
            assert leaf.not_valid_after_utc < datetime.now(UTC)
        case "1024":
            assert getattr(leaf.public_key(), "key_size", 0) == 1024
        case "sha1":
            key = leaf.public_key()
            assert isinstance(key, rsa.RSAPublicKey)
            key.verify(leaf.signature, leaf.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())
        case _:
            assert says in f"{leaf.issuer} {leaf.subject} {leaf.extensions}"
    if plan.issuer is None and plan.signature != "sha1":
        leaf.verify_directly_issued_by(leaf)
