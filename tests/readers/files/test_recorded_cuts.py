"""What a recording cuts off or misses is unknown: no part of a healthy one is a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.joined import Reading, join
from rdpdoctor.wire import nego
from tests.readers.capture import craft
from tests.readers.files.test_recorded_ends import found, in_tls, places, settled, surely, talk

if TYPE_CHECKING:
    from collections.abc import Callable

WELL = ("healthy", "degraded", "unknown")


def session() -> craft.Conversation:
    return settled(in_tls()).data(1, 9000).close(0)


def with_nla() -> craft.Conversation:
    made = in_tls(selected=2).data(0, 100).data(1, 300).data(0, 600).data(1, 100).data(0, 100)
    return settled(made).data(1, 9000).close(0)


def refused() -> craft.Conversation:
    failure = nego.confirm_packet(nego.NegotiationFailure(2))
    return talk().ask().say(1, failure).close(0)


def of(*files: craft.Packets, snap: int = 0) -> Diagnosis:
    """One report from so many files."""
    readings = [
        Reading(f"{number}.pcap", "recording of packets", capture=craft.read(craft.pcap(one, snap=snap)))
        for number, one in enumerate(map(craft.framed, files))
    ]
    (one,) = join(readings)
    return diagnose(one.journal, load())


def parts(packets: craft.Packets) -> dict[str, craft.Packets]:
    every = range(len(packets))
    return (
        {f"without {at + 1}": packets[:at] + packets[at + 1 :] for at in every}
        | {f"from {at + 1}": packets[at:] for at in every}
        | {f"up to {at + 1}": packets[: at + 1] for at in every}
    )


@pytest.mark.parametrize("made", [session, with_nla])
def test_no_part_of_a_healthy_recording_is_a_failure(made: Callable[[], craft.Conversation]) -> None:
    packets = made().packets
    assert of(packets).verdict.status in WELL
    wrong = {}
    for name, part in parts(packets).items():
        capture = craft.read(craft.pcap(craft.framed(part)))
        for one in join([Reading("a.pcap", "recording of packets", capture=capture)]):
            diagnosis = diagnose(one.journal, load())
            if diagnosis.verdict.status not in WELL or surely(diagnosis):
                wrong[name] = (*places(diagnosis), surely(diagnosis))
    assert not wrong


@pytest.mark.parametrize("snap", [60, 70, 96])
def test_packets_that_are_cut_short_show_that_somebody_tried(snap: int) -> None:
    diagnosis = of(session().packets, snap=snap)
    assert diagnosis.verdict.status == "unknown"
    assert "no packet" not in diagnosis.verdict.summary


def test_a_way_in_whose_beginning_is_missing_may_have_been_found() -> None:
    again = talk(2.0).ask()
    del again.packets[3]  # the request
    again.confirm(0).say(1, b"0" * 200).close(0)
    assert found(refused(), again).verdict.status == "unknown"
    assert found(refused()).verdict.status == "failing"


def test_a_short_silence_is_possible_at_most() -> None:
    def silent(seconds: float) -> craft.Conversation:
        return talk().ask().close(0, after=seconds)

    assert not surely(found(silent(3.5)))
    assert "service.hung" in surely(found(silent(30.0)))


def test_the_latest_try_counts_wherever_it_died() -> None:
    cut = in_tls_until_hello().close(1)
    diagnosis = found(cut, *(dial(at) for at in (20.0, 20.5, 21.0)))
    assert places(diagnosis) == ("unreachable", "tcp")
    assert diagnosis.causes[0].id == "listener.absent"
    # The other way round the port answers again.
    assert places(found(dial(0.0), in_tls_until_hello(20.0).close(1))) == ("failing", "tls")


def test_what_was_tried_before_does_not_speak_for_what_is_tried_later() -> None:
    cut, unlike = in_tls_until_hello().close(1), talk(20.0).ask().close(1)
    assert places(found(cut, unlike)) == ("failing", "x224")


def test_the_same_packets_in_two_files_count_once() -> None:
    packets = in_tls_until_hello().close(1).packets
    once, twice = of(packets), of(packets, [(when + 4e-7, packet) for when, packet in packets])
    assert twice.verdict.summary == once.verdict.summary
    part = of(packets[:6], packets)
    assert places(part) == places(once)
    assert places(of(packets, packets[:6])) == places(once)


def in_tls_until_hello(at: float = 0.0) -> craft.Conversation:
    return talk(at).ask().confirm(2).hello()


def dial(at: float) -> craft.Conversation:
    made = craft.Conversation(ports=(50000 + int(at * 2), 3389))
    made.now = craft.START + at
    made.send(0, craft.SYN)
    made.send(1, craft.RST | craft.ACK)
    return made
