"""One direction put together again: wrapped, shuffled, overlapping, sent twice, cut and with holes."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.readers.capture.half import FIN, Budget, Half, Segment

ISN = st.integers(0, (1 << 32) - 1)
SPAN = 1 << 32


def segment(seq: int, payload: bytes, flags: int = 0x10, length: int | None = None) -> Segment:
    size = len(payload) if length is None else length
    return Segment(0.0, (seq % SPAN, 0, 0x50, flags, 1000), 64, 1, payload, size, b"")


def half(isn: int, pending: int = 1 << 16, total: int = 1 << 20) -> tuple[Half, Budget]:
    budget = Budget(total)
    made = Half(pending, budget)
    made.start(isn)
    return made, budget


def joined(pieces: list[bytes | int]) -> bytes:
    """With zeros where something is missing."""
    return b"".join(bytes(piece) if isinstance(piece, int) else piece for piece in pieces)


@given(
    isn=ISN,
    data=st.binary(min_size=1, max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    extra=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 80)), max_size=6),
    seed=st.integers(),
)
def test_any_split_in_any_order_with_any_overlap(
    isn: int, data: bytes, cuts: list[int], extra: list[tuple[int, int]], seed: int
) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    spans = list(itertools.pairwise(edges))
    spans += [(at, min(len(data), at + size)) for at, size in extra if at < len(data)]
    random.Random(seed).shuffle(spans)
    made, budget = half(isn)
    got: list[bytes | int] = []
    for begin, end in spans:
        got += made.take(segment(isn + begin, data[begin:end]))
    assert joined(got) == data
    assert (made.missing, made.waiting, budget.held) == (0, 0, 0)
    assert made.next == len(data)


@given(isn=ISN, sizes=st.lists(st.integers(1, 50), min_size=3, max_size=12), hole=st.integers(0, 9))
def test_what_was_acknowledged_and_never_came_is_missing(isn: int, sizes: list[int], hole: int) -> None:
    hole %= len(sizes) - 1
    made, _ = half(isn)
    got: list[bytes | int] = []
    at = 0
    for number, size in enumerate(sizes):
        if number != hole:
            got += made.take(segment(isn + at, bytes([number + 1]) * size))
        at += size
    made.acknowledged((isn + at) % SPAN)
    got += made.drain()
    assert made.missing == sizes[hole]
    assert len(joined(got)) == sum(sizes)
    assert made.next == sum(sizes)


def test_a_hole_that_nobody_acknowledged_is_waited_for() -> None:
    made, _ = half(0)
    assert list(made.take(segment(10, b"later"))) == []
    assert made.waiting == 5
    assert list(made.take(segment(0, b"0123456789"))) == [b"0123456789", b"later"]


def test_what_waits_is_bounded_and_then_the_hole_is_told() -> None:
    made, budget = half(0, pending=100)
    assert list(made.take(segment(50, bytes(90)))) == []
    pieces = list(made.take(segment(200, bytes(90))))
    assert [piece if isinstance(piece, int) else len(piece) for piece in pieces] == [50, 90, 60, 90]
    assert (made.missing, budget.held) == (110, 0)


def test_all_directions_together_are_bounded() -> None:
    budget = Budget(100)
    halves = [Half(1000, budget) for _ in range(3)]
    for each in halves:
        each.start(0)
        list(each.take(segment(10, bytes(40))))
    assert budget.held == 80
    assert [each.waiting for each in halves] == [40, 40, 0]
    assert halves[2].missing == 10


def test_a_longer_piece_takes_the_place_of_a_shorter_one() -> None:
    made, budget = half(0)
    for size in range(1, 200):
        assert list(made.take(segment(10, bytes(size)))) == []
        assert (made.waiting, budget.held) == (size, size)
    assert joined(list(made.take(segment(0, bytes(10))))) == bytes(209)
    assert (made.waiting, budget.held) == (0, 0)


def test_recorded_shorter_than_sent() -> None:
    made, _ = half(0)
    assert list(made.take(segment(0, b"abc", length=10))) == [b"abc", 7]
    assert list(made.take(segment(10, b"next"))) == [b"next"]


def test_the_end_counts_once_all_before_it_came() -> None:
    made, _ = half(0)
    list(made.take(segment(5, b"", FIN | 0x10)))
    assert not made.is_whole
    list(made.take(segment(0, b"01234")))
    assert made.is_whole


def test_a_keepalive_is_no_retransmission() -> None:
    made, _ = half(0)
    list(made.take(segment(0, b"0123")))
    list(made.take(segment(3, b"\0")))
    assert made.retransmits == 0
    list(made.take(segment(0, b"0123")))
    assert made.retransmits == 1


@settings(max_examples=50)
@given(st.lists(st.tuples(ISN, st.integers(0, 3000), st.integers(0, 255)), max_size=60))
def test_any_sequence_numbers_are_bounded(rows: list[tuple[int, int, int]]) -> None:
    made, budget = half(7, pending=5000, total=5000)
    for seq, size, flags in rows:
        for piece in made.take(segment(seq, bytes(size), flags)):
            assert piece
        made.acknowledged(seq)
        list(made.drain())
        assert made.waiting == budget.held <= 5000
