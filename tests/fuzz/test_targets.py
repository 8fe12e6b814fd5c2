"""Every reader against bytes that nobody wrote, and against files that somebody spoiled."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, whole

if TYPE_CHECKING:
    import random

_SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
FILES = [name for name, target in TARGETS.items() if target.file is not None]
each = pytest.mark.parametrize("name", TARGETS)


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, left out, said twice, numbers made large, the end cut off."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(made) + 1), chance.randint(1, 40)
        way = chance.randrange(5)
        if way == 0:
            made[at : at + 1] = chance.randbytes(1)
        elif way == 1:
            del made[at : at + size]
        elif way == 2:
            made[at:at] = made[max(0, at - size) : at] * chance.choice((1, 2, 30))
        elif way == 3:
            made[at : at + 4] = chance.choice((b"\xff" * 4, b"\xff\xff\xff\x7f", bytes(4), b"9999"))
        elif chance.randrange(4) == 0:
            del made[at:]
    return bytes(made)


@each
def test_what_is_right_is_read(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds:
        target.run(seed)
        if target.file is not None:
            assert whole(target.file(seed)) != 2


@each
@settings(_SETTINGS, max_examples=60)
@given(chance=st.randoms(use_true_random=False), number=st.integers(0, 99))
def test_what_is_spoiled_breaks_no_reader(name: str, chance: random.Random, number: int) -> None:
    target = TARGETS[name]
    target.run(spoiled(target.seeds[number % len(target.seeds)], chance))


@each
@settings(_SETTINGS, max_examples=40)
@given(data=st.binary(max_size=400), begin=st.integers(0, 64))
def test_any_bytes_after_any_beginning_break_no_reader(name: str, data: bytes, begin: int) -> None:
    target = TARGETS[name]
    target.run(target.seeds[0][:begin] + data)


@pytest.mark.parametrize("name", FILES)
@settings(_SETTINGS, max_examples=12)
@given(chance=st.randoms(use_true_random=False), packed=st.booleans(), json=st.booleans())
def test_a_spoiled_file_gives_a_report_or_a_refusal(
    name: str, chance: random.Random, packed: bool, json: bool
) -> None:
    target = TARGETS[name]
    assert target.file is not None
    data = spoiled(target.file(target.seeds[0]), chance)
    whole(gzip.compress(data, 1) if packed else data, *(["--json"] if json else []))
