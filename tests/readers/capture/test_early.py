"""What has ended is told long before the end of the file; what is only counted changes nothing of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rdpdoctor.readers.capture import Limits, Stream, read_capture
from rdpdoctor.readers.capture.flow import Flow
from tests.readers.capture.craft import (
    ACK,
    FIN,
    PUSH,
    RST,
    SYN,
    Conversation,
    args,
    framed,
    pcap,
    pcapng,
    read,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.readers.capture.craft import Packets

#: Several blocks of reading, of somebody else's traffic.
OTHER = 4_000_000


def other(after: float) -> Packets:
    """A long conversation that is nobody's business, one packet each millisecond."""
    talk = Conversation("10.0.0.8", "10.0.0.9", (40000, 80), now=after, step=0.001).open()
    for _ in range(OTHER // 1400):
        talk.send(1, PUSH | ACK, bytes(1400))
    return talk.packets


def told_early(packets: Packets) -> list[tuple[Stream, int]]:
    """Each connection with the bytes of the file that were read by then."""
    heard: list[tuple[Stream, int]] = []
    data = pcap(framed(packets))
    file = io.BytesIO(data)
    read_capture(file, told=lambda stream: heard.append((stream, file.tell())))
    assert len(data) > OTHER
    return heard


def test_what_has_ended_is_told_before_the_end_and_once() -> None:
    died = Conversation().open().ask().confirm().hello().close(1)
    ((stream, at),) = told_early([*died.packets, *other(died.now)])
    assert "tls.closed" in tags(stream)
    assert at < OTHER


def test_what_goes_on_is_not_told_early() -> None:
    assert told_early([*(talk := Conversation().open().ask()).packets, *other(talk.now)]) == []


def test_nobody_answers() -> None:
    asking = Conversation()
    for _ in range(3):
        asking.send(0, SYN, after=3.0)
        asking.numbers[0] -= 1
    assert told_early([*asking.packets, *other(asking.now)]) == [], "a second later it may yet be answered"
    ((stream, _),) = told_early([*asking.packets, *other(asking.now + 30.0)])
    assert "tcp.silent" in tags(stream)


# ---- what is only counted

#: Side, flags, bytes, shift of the sequence number, window, seconds, and how far back is what comes again.
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from((ACK, ACK, PUSH | ACK, FIN | ACK, RST)),
        st.sampled_from((0, 1, 100, 1400)),
        st.sampled_from((0, 0, 0, 0, -1, -100, 100)),
        st.sampled_from((65000, 65000, 65000, 0)),
        st.sampled_from((0.001, 0.05)),
        st.sampled_from((0, 0, 0, 1, 3, 5)),
    ),
    max_size=40,
)


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("six", [False, True])
@settings(max_examples=60)
@given(steps=steps)
@example(steps=[(1, ACK, 1, 0, 65000, 0.001, 0), (0, ACK, 0, 0, 65000, 0.001, 3)])  # an old acknowledgement
def test_counting_alone_gives_the_same(
    make: Callable[[Packets], bytes], six: bool, steps: list[tuple[int, int, int, int, int, float, int]]
) -> None:
    ends = ("2001:db8::1", "2001:db8::2") if six else ("10.0.0.1", "10.0.0.2")
    talk = Conversation(*ends).open().ask().confirm().hello().data(1, 2000)
    for side, flags, size, shift, window, after, twice in steps:
        number = talk.numbers[side] + shift
        talk.send(side, flags, bytes(size), seq=number, window=window, after=after)
        if twice:  # recorded in two places
            talk.add(talk.packets[-twice][1], after=0.04)
    data = make(framed(talk.packets))
    limits = Limits(parsed=600)
    counted = read(data, limits).streams
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flow, "calm", lambda self: False)
        assert read(data, limits).streams == counted


def test_a_session_is_counted_and_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Conversation().open().ask().confirm().hello().handshake()
    for _ in range(2000):
        talk.data(1, 1000)
    talk.close(0)
    taken = 0
    whole = Flow.take

    def take(self: Flow, *rest: Any) -> None:
        nonlocal taken
        taken += 1
        whole(self, *rest)

    monkeypatch.setattr(Flow, "take", take)
    (stream,) = read(pcap(framed(talk.packets)), Limits(parsed=20_000)).streams
    assert taken < 100 < len(talk.packets)
    assert args(stream, "flow.packets")["server_bytes"] > 2_000_000
