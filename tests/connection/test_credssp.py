"""CredSSP to the NTLM challenge, inside TLS 1.2 and 1.3 of the standard library's server."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.connection.credssp import Answered, Challenged, CredSspProbe
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.tls import TlsEstablished, TlsHandshake
from rdpdoctor.facts import Stage
from rdpdoctor.wire import credssp, ntlm, spnego
from rdpdoctor.wire.credssp import TSRequest

from .playbook import EOF, FATES, RESET, SILENCE, TIMEOUT, Event, Play, single, told
from .tls_server import NAME, TLS12, TLS13, TlsServer, server_context

if TYPE_CHECKING:
    from rdpdoctor.connection.tls import TlsChannel

BOTH = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

CHALLENGE = ntlm.Challenge(
    target_name="CORP",
    flags=int(ntlm.CLIENT_FLAGS),
    server_challenge=bytes(range(8)),
    av_pairs=(
        ntlm.AvPair(ntlm.AvId.NB_COMPUTER_NAME, "SRV01".encode("utf-16-le")),
        ntlm.AvPair(ntlm.AvId.TIMESTAMP, ntlm.to_filetime(NOW).to_bytes(8, "little")),
    ),
    version=(10, 0, 20348, 15),
)
RAW = TSRequest(6, (CHALLENGE.encode(),)).encode()
IN_SPNEGO = TSRequest(6, (spnego.wrap_response(CHALLENGE.encode()),)).encode()


class Scene:
    """A client and a server with an open TLS connection, the client's CredSSP about to begin.

    With `tickets` False the server's session tickets of TLS 1.3 are still on their way, in `late`.
    """

    def __init__(self, version: ssl.TLSVersion = TLS13, *, tickets: bool = True) -> None:
        self.server = TlsServer(server_context(version, version))
        shake = Play(TlsHandshake(NAME, TIMEOUT)).begin()
        shake.go(self.server.answer(shake.sent[0]))
        self.late = self.server.answer(shake.sent[1])
        if version is TLS12:
            shake.go(self.late)
            self.late = b""
        assert isinstance(shake.outcome, TlsEstablished)
        self.channel = shake.outcome.channel
        if tickets:
            self.channel.feed(self.late)
            self.late = b""
        self.talk = Play(CredSspProbe(self.channel, TIMEOUT))

    def begin(self) -> Scene:
        self.talk.begin()
        return self

    def heard(self) -> bytes:
        """What the server has got inside TLS."""
        for said in self.talk.sent:
            self.server.answer(said)
        self.talk.sent.clear()
        return self.server.hear()

    def say(self, plain: bytes) -> Play:
        return self.talk.go(self.server.say(plain))


@BOTH
def test_our_one_message_names_nobody(version: ssl.TLSVersion) -> None:
    scene = Scene(version).begin()
    request, used = credssp.take(heard := scene.heard()) or pytest.fail("no TSRequest")
    assert used == len(heard)
    assert request.version == 6
    assert (request.auth_info, request.pub_key_auth, request.client_nonce) == (None, None, None)
    (token,) = request.nego_tokens
    negotiate = ntlm.Negotiate.parse(token)
    assert (negotiate.domain, negotiate.workstation) == ("", "")
    flags = ntlm.NtlmFlags(negotiate.flags)
    wanted = ntlm.NtlmFlags
    for flag in (wanted.UNICODE, wanted.TARGET_INFO, wanted.EXTENDED_SESSION_SECURITY, wanted.VERSION):
        assert flag in flags
    assert not flags & (wanted.OEM_DOMAIN_SUPPLIED | wanted.OEM_WORKSTATION_SUPPLIED)


@BOTH
@pytest.mark.parametrize("answer", [RAW, IN_SPNEGO], ids=["raw", "spnego"])
def test_a_challenge_is_the_end_and_nothing_more_is_sent(version: ssl.TLSVersion, answer: bytes) -> None:
    scene = Scene(version).begin()
    scene.heard()
    talk = scene.say(answer)
    assert isinstance(talk.outcome, Challenged)
    assert (talk.outcome.version, talk.outcome.challenge) == (6, CHALLENGE)
    assert talk.outcome.elapsed == pytest.approx(0.001)
    talk.go(scene.server.say(answer), SILENCE, EOF)
    assert talk.sent == []
    assert scene.heard() == b""
    assert scene.channel.read() == answer


def test_what_follows_the_answer_stays_in_the_channel() -> None:
    scene = Scene().begin()
    talk = scene.say(RAW + b"\x00\x00\x00\x00 and").go(scene.server.say(b" more"))
    assert isinstance(talk.outcome, Challenged)
    assert (talk.machine.leftover, scene.channel.read()) == (b"", b"\x00\x00\x00\x00 and more")


@BOTH
def test_an_answer_byte_by_byte_and_in_many_records(version: ssl.TLSVersion) -> None:
    scene = Scene(version).begin()
    talk = scene.talk.go(*single(scene.server.say(RAW)))
    assert isinstance(talk.outcome, Challenged)
    scene = Scene(version).begin()
    talk = scene.talk.go(b"".join(scene.server.say(byte) for byte in single(RAW)))
    assert isinstance(talk.outcome, Challenged)


@pytest.mark.parametrize("fate", FATES)
def test_each_ending_between_the_answer_s_bytes(fate: str) -> None:
    event, at_once, midway = FATES[fate]
    for cut in range(len(RAW)):
        scene = Scene().begin()
        talk = scene.say(RAW[:cut]) if cut else scene.talk
        talk.go(event)
        told(
            talk.ended,
            stage=Stage.NLA,
            how=midway if cut else at_once,
            after="negotiate",
            received=cut,
            code=None,
        )
        assert talk.ended.sent == len(scene.heard())


@BOTH
@pytest.mark.parametrize("fate", FATES)
def test_each_ending_within_a_record(version: ssl.TLSVersion, fate: str) -> None:
    """Nothing of a record can be read before its end, but it has begun: that is not silence."""
    event, at_once, midway = FATES[fate]
    size = len(Scene(version).server.say(RAW))
    for cut in range(0, size, 7):
        scene = Scene(version).begin()
        wire = scene.server.say(RAW)[:cut]
        talk = scene.talk.go(*([wire] if wire else []), event)
        told(talk.ended, how=midway if cut else at_once, after="negotiate", received=0)


def test_session_tickets_are_no_answer() -> None:
    scene = Scene(tickets=False).begin()
    assert len(scene.late) > 100
    talk = scene.talk.go(scene.late, SILENCE)
    told(talk.ended, how=How.SILENT, received=0, elapsed=pytest.approx(TIMEOUT))
    scene = Scene(tickets=False).begin()
    talk = scene.talk.go(scene.late + scene.server.say(RAW))
    assert isinstance(talk.outcome, Challenged)


def test_what_came_before_we_began_counts() -> None:
    """A server that closes on our Finished is seen here: in TLS 1.3 our handshake ends before that."""
    scene = Scene()
    scene.channel.feed(scene.server.goodbye())
    told(scene.begin().talk.ended, how=How.CLOSED, after="handshake", sent=0)
    assert scene.heard() == b""
    scene = Scene()
    scene.channel.feed(scene.server.say(RAW))
    assert isinstance(scene.begin().talk.outcome, Challenged)


@BOTH
def test_close_notify_and_alerts(version: ssl.TLSVersion) -> None:
    scene = Scene(version).begin()
    told(scene.talk.go(scene.server.goodbye()).ended, how=How.CLOSED, received=0, detail="close_notify")
    scene = Scene(version).begin()
    scene.server.answer(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record the server cannot decrypt
    with pytest.raises(ssl.SSLError):
        scene.server.hear()
    talk = scene.talk.go(scene.server.answer(b""))
    told(talk.ended, how=How.ALERTED, code=20, after="negotiate")


@pytest.mark.parametrize("code", [0xC000006D, 0xC0000224, 0x80090308, 0xC0000418])
@pytest.mark.parametrize("version", [3, 4, 6])
def test_an_error_code_is_an_ntstatus_unsigned(code: int, version: int) -> None:
    talk = Scene().begin().say(TSRequest(version, error_code=code).encode())
    told(talk.ended, how=How.DECLINED, code=code, detail=f"version {version}")


KERBEROS = spnego.Token((spnego.OID_KERBEROS,), None, None)


def kerberos_only() -> bytes:
    """NegTokenResp: accept-incomplete, mechanism Kerberos, written out by hand."""
    oid = bytes.fromhex("06092a864886f712010202")
    inside = bytes.fromhex("a0030a0101") + bytes((0xA1, len(oid))) + oid
    sequence = bytes((0x30, len(inside))) + inside
    return bytes((0xA1, len(sequence))) + sequence


ANSWERED = {
    "no token": (TSRequest(6).encode(), "no token"),
    "an empty token": (TSRequest(6, (b"",)).encode(), "no token"),
    "kerberos": (TSRequest(6, (kerberos_only(),)).encode(), "Kerberos"),
    "rejected": (TSRequest(6, (spnego.wrap_response(None, spnego.REJECT),)).encode(), "rejected by SPNEGO"),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_that_are_no_challenge(name: str) -> None:
    wire, detail = ANSWERED[name]
    talk = Scene().begin().say(wire)
    assert isinstance(talk.outcome, Answered)
    assert (talk.outcome.version, talk.outcome.detail) == (6, detail)


MALFORMED = {
    "mcs": bytes.fromhex("0300000902f0802180"),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "too long": bytes.fromhex("3084ffffffff"),
    "no version": bytes.fromhex("3003040100"),
    "a negotiate": TSRequest(6, (ntlm.Negotiate().encode(),)).encode(),
    "a cut challenge": TSRequest(6, (CHALLENGE.encode()[:40],)).encode(),
    "a token that is nothing": TSRequest(6, (b"hello",)).encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_credssp(name: str) -> None:
    wire = MALFORMED[name]
    scene = Scene().begin()
    told(scene.say(wire).ended, how=How.MALFORMED, received=len(wire), sample=wire[:64])
    scene = Scene().begin()
    talk = scene.talk.go(*(scene.server.say(byte) for byte in single(wire)))
    told(talk.ended, how=How.MALFORMED, sample=wire[: talk.ended.received][:64])


@BOTH
def test_bytes_that_are_no_tls(version: ssl.TLSVersion) -> None:
    wire = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    for parts in ([wire], list(single(wire))):
        told(Scene(version).begin().talk.go(*parts).ended, how=How.MALFORMED, received=0)


def test_endless_bytes_are_bounded() -> None:
    scene = Scene().begin()
    scene.say(bytes.fromhex("3083 00f000 a003020106 a183"))
    while scene.talk.outcome is None:
        scene.say(bytes(9000))
    told(scene.talk.ended, how=How.MALFORMED)
    assert scene.talk.ended.received <= credssp.MAX_LENGTH + 9000


class Tickets:
    """A channel in which there is never anything for us, as when a server sends tickets without end."""

    closed, partial = False, False
    alert = failure = None

    def encrypt(self, plain: bytes) -> bytes:
        return plain

    def feed(self, cipher: bytes) -> None: ...
    def read(self) -> bytes:
        return b""

    def take_output(self) -> bytes:
        return b""


def test_endless_records_without_an_answer_are_bounded() -> None:
    talk = Play(CredSspProbe(cast("TlsChannel", Tickets()), TIMEOUT)).begin()
    for _ in range(100):
        if talk.outcome is None:
            talk.go(bytes(16384))
    told(talk.ended, how=How.MALFORMED, received=0)


def test_the_deadline_counts_from_the_beginning_whatever_drips_in() -> None:
    scene = Scene().begin()
    for byte in single(RAW[:12]):
        scene.say(byte).go(1.0)
    told(scene.talk.ended, how=How.STALLED, received=8, elapsed=TIMEOUT)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from([EOF, RESET, SILENCE]))
def test_a_changed_byte_never_breaks_it(at: int, change: int, last: Event) -> None:
    wire = bytearray(RAW)
    wire[at % len(wire)] ^= change
    scene = Scene().begin()
    scene.say(bytes(wire)).go(last)
    assert isinstance(scene.talk.outcome, Ended | Challenged | Answered)
