"""How many connections at once, and in all."""

from __future__ import annotations

import asyncio

import pytest

from rdpdoctor.net.gate import Exhausted, Gate, Slot


def test_slots_are_numbered_and_say_how_many_are_open() -> None:
    async def go() -> tuple[list[Slot], Gate]:
        gate, seen = Gate(per_host=2, total=9), []
        async with gate.slot() as first:
            async with gate.slot() as second:
                seen += [first, second]
            async with gate.slot() as third:
                seen.append(third)
        async with gate.slot() as fourth:
            seen.append(fourth)
        return seen, gate

    seen, gate = asyncio.run(go())
    assert seen == [Slot(1, 1), Slot(2, 2), Slot(3, 2), Slot(4, 1)]
    assert (gate.made, gate.peak, gate.open) == (4, 2, 0)


def test_never_more_at_once_than_allowed() -> None:
    async def go() -> Gate:
        gate = Gate(per_host=3, total=20)

        async def one() -> None:
            async with gate.slot() as slot:
                assert slot.at_once <= 3
                await asyncio.sleep(0.001)

        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(one())
        return gate

    gate = asyncio.run(go())
    assert (gate.made, gate.peak) == (20, 3)


def test_exhausted_also_for_those_who_were_waiting() -> None:
    async def go() -> list[str]:
        gate, outcomes = Gate(per_host=1, total=2), []

        async def one() -> None:
            try:
                async with gate.slot():
                    await asyncio.sleep(0.001)
                    outcomes.append("went")
            except Exhausted:
                outcomes.append("exhausted")

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(one())
        with pytest.raises(Exhausted):
            async with gate.slot():
                pass
        gate.total = 3
        async with gate.slot() as slot:
            assert slot.number == 3
        return outcomes

    assert sorted(asyncio.run(go())) == ["exhausted", "exhausted", "went", "went"]


def test_a_slot_is_given_back_whatever_happens() -> None:
    async def go() -> Gate:
        gate = Gate(per_host=1, total=5)
        with pytest.raises(ZeroDivisionError):
            async with gate.slot():
                raise ZeroDivisionError
        task = asyncio.create_task(_hold(gate))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(1), gate.slot():
            return gate

    assert asyncio.run(go()).open == 0


async def _hold(gate: Gate) -> None:
    async with gate.slot():
        await asyncio.sleep(60)
