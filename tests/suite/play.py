"""Plays cases side by side, because most of their time is waiting."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .house import House

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .case import Case, Play, Played

AT_ONCE = 12

#: By name of the case, and whether every experiment was made.
Results: TypeAlias = "dict[tuple[str, bool], Played | BaseException]"


def play_all(cases: Sequence[tuple[Case, bool]]) -> Results:
    """Each case as often as it is named; one case never beside itself. An error is a result."""
    with tempfile.TemporaryDirectory(prefix="rdpdoctor-suite-") as folder, House(Path(folder)) as house:
        plays: dict[str, Play | BaseException] = {}
        for case, _ in cases:
            if case.name not in plays:
                try:
                    plays[case.name] = case.open(house)
                except (OSError, RuntimeError) as error:
                    plays[case.name] = error
        return asyncio.run(_play_all(cases, plays))


async def _play_all(cases: Sequence[tuple[Case, bool]], plays: dict[str, Play | BaseException]) -> Results:
    free = asyncio.Semaphore(AT_ONCE)
    own = {name: asyncio.Lock() for name in plays}
    results: Results = {}

    async def one(case: Case, everything: bool) -> None:
        play = plays[case.name]
        async with own[case.name], free:
            try:
                results[case.name, everything] = (
                    play if isinstance(play, BaseException) else await play(everything)
                )
            except Exception as error:
                results[case.name, everything] = error

    await asyncio.gather(*(one(*each) for each in cases))
    return results
