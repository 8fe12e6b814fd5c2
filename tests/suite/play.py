"""Plays cases side by side, because most of their time is waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .case import Case, Played

AT_ONCE = 10

Results: TypeAlias = "dict[tuple[str, bool], Played | BaseException]"


def play_all(cases: Iterable[tuple[Case, bool]]) -> Results:
    """By name of the case, and whether every experiment was made. An error is a result."""
    return asyncio.run(_play_all(list(cases)))


async def _play_all(cases: list[tuple[Case, bool]]) -> Results:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case, everything: bool) -> Played:
        async with free:
            return await case.play(everything)

    results = await asyncio.gather(*(one(*each) for each in cases), return_exceptions=True)
    return dict(zip(((case.name, everything) for case, everything in cases), results, strict=True))
