"""Connection initiation: every answer in every split, and every way to get none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.connection.initiation import Confirmed, Initiation
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.facts import Stage
from rdpdoctor.wire import nego, x224
from rdpdoctor.wire.tpkt import Tpkt

from .playbook import EOF, FATES, RESET, SILENCE, START, TIMEOUT, Event, Play, play, single, told

REQUEST = nego.ConnectionRequestData(
    token=nego.Cookie("rdpdoctor"), negotiation=nego.NegotiationRequest(0x0B)
)
SENT = len(nego.request_packet(REQUEST))
SELECTED = nego.NegotiationResponse(2, 0x1F)
FAILURE = nego.NegotiationFailure(5)

CONFIRM = nego.confirm_packet(SELECTED)
ANSWERS = {
    "selected": (CONFIRM, SELECTED),
    "failure": (nego.confirm_packet(FAILURE), FAILURE),
    "plain": (nego.confirm_packet(None), None),
    # As protocol.md writes them, in case our own encoder and parser are wrong together.
    "hex selected": (bytes.fromhex("030000130ed0000012340002 1f0800 02000000"), SELECTED),
    "hex failure": (bytes.fromhex("030000130ed00000123400030008 0005000000"), FAILURE),
    "hex plain": (bytes.fromhex("0300000b06d00000123400"), None),
}


def machine() -> Initiation:
    return Initiation(REQUEST, TIMEOUT)


def frame(tpdu: x224.Tpdu) -> bytes:
    return Tpkt(tpdu.encode()).encode()


def test_the_request_goes_out_whole_and_once() -> None:
    talk = play(machine(), 0.1)
    assert talk.sent == [nego.request_packet(REQUEST)]
    assert talk.outcome is None


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_whole_byte_by_byte_and_in_two_parts(name: str) -> None:
    wire, answer = ANSWERS[name]
    splits = [[wire], list(single(wire))] + [[wire[:cut], wire[cut:]] for cut in range(1, len(wire))]
    for parts in splits:
        talk = play(machine(), *parts)
        assert isinstance(talk.outcome, Confirmed)
        assert (talk.outcome.answer, talk.outcome.received) == (answer, len(wire))
        assert talk.outcome.elapsed == pytest.approx(talk.now - START)
        assert talk.machine.leftover == b""


@pytest.mark.parametrize("trailing", [b"\x16", CONFIRM, b"x" * 5000])
def test_what_follows_the_confirm_belongs_to_the_next_stage(trailing: bytes) -> None:
    talk = play(machine(), CONFIRM + trailing)
    assert isinstance(talk.outcome, Confirmed)
    assert talk.machine.leftover == trailing
    talk.go(b"more")
    assert talk.machine.leftover == trailing + b"more"


@pytest.mark.parametrize("fate", FATES)
def test_each_ending_at_each_byte(fate: str) -> None:
    event, at_once, midway = FATES[fate]
    for cut in range(len(CONFIRM)):
        parts: list[Event] = [CONFIRM[:cut]] if cut else []
        talk = play(machine(), *parts, event)
        told(
            talk.ended,
            stage=Stage.X224,
            how=midway if cut else at_once,
            after="connection-request",
            sent=SENT,
            received=cut,
            sample=b"",
        )


def test_the_deadline_counts_from_the_beginning_whatever_drips_in() -> None:
    talk = Play(machine()).begin()
    for byte in single(CONFIRM):
        talk.go(byte, 1.0)
    told(talk.ended, how=How.STALLED, received=8, elapsed=TIMEOUT)


def test_a_byte_at_the_deadline_itself_does_not_prolong_it() -> None:
    talk = play(machine(), CONFIRM[:1])
    talk.now = START + TIMEOUT
    talk.go(CONFIRM[1:2])
    told(talk.ended, how=How.STALLED, received=2)


def test_waking_early_means_nothing() -> None:
    talk = play(machine())
    talk.machine.wake(START + TIMEOUT / 2)
    assert talk.outcome is None


MALFORMED = {
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n",
    "tls alert": bytes.fromhex("15030100020246"),
    "one wrong byte": b"\x00",
    "length 0": bytes.fromhex("03000000"),
    "length 3": bytes.fromhex("03000003"),
    "tpdu of one byte": bytes.fromhex("0300000500"),
    "length indicator 255": frame(x224.ConnectionConfirm(b""))[:4] + b"\xff" + bytes(6),
    "length indicator too long": bytes.fromhex("0300000b20d00000123400"),
    "no tpdu of class 0": bytes.fromhex("0300ffff0e66"),
    "negotiation too short": frame(x224.ConnectionConfirm(bytes.fromhex("02000600"))),
    "negotiation of the wrong length": frame(x224.ConnectionConfirm(bytes.fromhex("0200090002000000"))),
    "negotiation of an unknown type": frame(x224.ConnectionConfirm(bytes.fromhex("0700080002000000"))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_a_confirm_ends_it_at_once(name: str) -> None:
    wire = MALFORMED[name]
    talk = play(machine(), wire)
    told(talk.ended, how=How.MALFORMED, received=len(wire), sample=wire[:64])
    assert talk.ended.detail


def test_the_first_impossible_byte_is_enough() -> None:
    """Nobody waits for a banner's end; what came with the byte is the sample."""
    talk = play(machine(), b"\x03", b"\x00", b"\x00", b"\x02")
    told(talk.ended, how=How.MALFORMED, received=4, sample=b"\x03\x00\x00\x02")
    assert play(machine(), b"S" * 500).ended.sample == b"S" * 64


@pytest.mark.parametrize(
    ("tpdu", "code", "detail"),
    [
        (x224.DisconnectRequest(3), 3, "disconnect request, reason 3"),
        (x224.Data(b"\x68"), None, "data TPDU"),
        (x224.ConnectionRequest(REQUEST.encode()), None, "connection request"),
        (x224.Unknown(0x70, b"\x00\x00\x01"), None, "error TPDU"),
    ],
)
def test_another_tpdu_is_a_refusal(tpdu: x224.Tpdu, code: int | None, detail: str) -> None:
    wire = frame(tpdu)
    for parts in ([wire], list(single(wire))):
        told(play(machine(), *parts).ended, how=How.DECLINED, code=code, detail=detail, received=len(wire))


def test_a_frame_of_65535_bytes_that_never_ends_is_bounded() -> None:
    talk = Play(machine()).begin().go(bytes.fromhex("0300ffff"))
    for _ in range(15):
        talk.go(b"\xd0" * 4096)
    assert talk.outcome is None
    talk.go(SILENCE)
    told(talk.ended, how=How.STALLED, received=4 + 15 * 4096)
    endless = play(machine(), bytes.fromhex("0300ffff"), *[b"\xd0" * 4096] * 16)
    told(endless.ended, how=How.MALFORMED)  # its negotiation block is none


def test_nothing_changes_an_outcome() -> None:
    talk = play(machine(), EOF)
    first = talk.outcome
    talk.go(RESET, EOF, CONFIRM, SILENCE)
    assert talk.outcome is first
    assert len(talk.sent) == 1


def test_a_machine_begins_once() -> None:
    talk = play(machine())
    with pytest.raises(RuntimeError):
        talk.machine.begin(START)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=12), st.sampled_from([EOF, RESET, SILENCE]))
def test_whatever_comes_there_is_an_outcome(parts: list[bytes], last: Event) -> None:
    talk = play(machine(), *(part for part in parts if part), last)
    assert isinstance(talk.outcome, Ended | Confirmed)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(ANSWERS)), st.integers(0, 18), st.integers(0, 255))
def test_a_changed_byte_never_breaks_it(name: str, at: int, value: int) -> None:
    wire = bytearray(ANSWERS[name][0])
    wire[at % len(wire)] = value
    whole, split = play(machine(), bytes(wire), SILENCE), play(machine(), *single(bytes(wire)), SILENCE)
    kinds = [type(talk.outcome) for talk in (whole, split)]
    assert kinds[0] is kinds[1]
    if isinstance(whole.outcome, Ended):
        assert whole.ended.how is split.ended.how
