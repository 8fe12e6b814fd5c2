"""Nothing in a recording costs more than in proportion to its size: calls are counted, not seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.capture.tracker import Tracker
from tests.readers.capture.craft import ACK, PUSH, SYN, Conversation, framed, pcap, read

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, MANY = 1_000, 4_000
#: Of four times as much, with room for what is done once.
PROPORTION = 4.6


def work(data: bytes) -> int:
    """Calls of functions, whoever wrote them."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tick)
    try:
        read(data)
    finally:
        sys.setprofile(None)
    return count


def trickle(talk: Conversation, side: int, says: bytes, count: int) -> bytes:
    """What a side says, a byte a packet."""
    for at in range(count):
        talk.send(side, PUSH | ACK, says[at : at + 1] or b"A")
    return pcap(framed(talk.packets))


def opened() -> Conversation:
    return Conversation().open()


def holes(count: int) -> bytes:
    """Each piece before the last one, and none beside another."""
    talk = opened().ask()
    first = talk.numbers[0]
    for at in range(count):
        talk.send(0, PUSH | ACK, b"x", seq=first + 2 * (count - at))
    return pcap(framed(talk.packets))


def overlaps(count: int) -> bytes:
    """The same bytes again and again, each time some more of them, behind a hole that nobody fills."""
    talk = opened().ask()
    first = talk.numbers[0]
    for at in range(count):
        talk.send(0, PUSH | ACK, bytes(1 + at % 1400), seq=first + 10)
    return pcap(framed(talk.packets))


def leaps(count: int) -> bytes:
    """Sequence numbers half of their range apart."""
    talk = opened().ask()
    for at in range(count):
        talk.send(0, PUSH | ACK, b"x", seq=at * 0x7FFFFFFF)
    return pcap(framed(talk.packets))


def flood(count: int) -> bytes:
    """A question each of so many clients, on the port itself."""
    packets = []
    for at in range(count):
        talk = Conversation(f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}", "10.200.0.1", (50_000, 3389))
        talk.send(0, SYN)
        packets += talk.packets
    return pcap(framed(packets))


CASES: dict[str, Callable[[int], bytes]] = {
    "no request": lambda count: trickle(opened(), 0, b"", count),
    "a request without end": lambda count: trickle(
        opened(), 0, b"\x03\x00\xff\xff\xfe\xe0" + bytes(5), count
    ),
    "a tunnel": lambda count: trickle(opened(), 0, b"CONNECT a:3389 HTTP/1.1\r\n", count),
    "a hello": lambda count: trickle(opened().ask().confirm(), 0, b"\x16\x03\x03\x40\x00\x01\x00\xff", count),
    "a flight": lambda count: trickle(
        opened().ask().confirm().hello(), 1, b"\x16\x03\x03\x40\x00\x0b\x03\xff\xf0", count
    ),
    "records": lambda count: trickle(
        opened().ask().confirm().hello().handshake(), 1, b"\x17\x03\x03\x00\x01\x00" * count, count
    ),
    "standard security": lambda count: trickle(opened().ask(0).confirm(0), 1, b"\x00\x03\x01" * count, count),
    "holes": holes,
    "overlaps": overlaps,
    "leaps": leaps,
    "a flood": flood,
}


@pytest.mark.parametrize("name", CASES)
def test_four_times_as_much_is_four_times_the_work(name: str) -> None:
    few, many = work(CASES[name](FEW)), work(CASES[name](MANY))
    assert few > FEW
    assert many < PROPORTION * few


def test_a_million_connections_leave_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the limits, a hundredth of them stand in for a million."""
    from rdpdoctor.readers.capture import Limits

    limits = Limits(undecided=200, rejected=1_300, open_flows=10, streams=100)
    seen: list[Tracker] = []
    made = Tracker.__init__

    def kept(self: Tracker, *rest: Any) -> None:
        made(self, *rest)
        seen.append(self)

    monkeypatch.setattr(Tracker, "__init__", kept)
    packets = []
    for at in range(10_000):
        talk = Conversation(
            f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}", ports=(50_000, 3389 if at % 2 else 80)
        )
        talk.open().send(0, PUSH | ACK, b"GET / HTTP/1.1")
        packets += talk.packets
    capture = read(pcap(framed(packets)), limits)
    (tracker,) = seen
    assert len(capture.streams) == 100
    assert len(tracker.held) <= 2 * limits.undecided + 2
    assert len(tracker.rejected) <= limits.rejected + 2
    assert not tracker.lanes
    assert any("beyond the limit" in what for what in capture.lost)
