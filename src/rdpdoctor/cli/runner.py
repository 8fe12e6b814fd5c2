"""Many checks at once, each judged as it ends; Ctrl-C ends them all with what is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.check import check
from rdpdoctor.facts import Journal, Observation, Stage
from rdpdoctor.net.clock import iso, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rdpdoctor.check import Settings
    from rdpdoctor.facts import Target

#: Targets at once. Each has few connections open, and much of its time is waiting.
AT_ONCE = 64


class Run:
    """One call's checks. on_journal gets each target's number and journal, once. interrupted: by the user."""

    def __init__(
        self,
        targets: Sequence[Target],
        settings: Settings,
        on_journal: Callable[[int, Journal], None],
        on_observation: Callable[[int, Observation], None],
    ) -> None:
        self.settings = settings
        self.on_journal, self.on_observation = on_journal, on_observation
        self.interrupted = False
        self._workers = min(AT_ONCE, len(targets))
        self._waiting: Iterator[tuple[int, Target]] = iter(enumerate(targets))

    async def all(self) -> None:
        """Check every target. Raises what `on_journal` raises; a Ctrl-C only sets `interrupted`."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._work())
        except asyncio.CancelledError:  # asyncio.run turns the first Ctrl-C into this
            self.interrupted = True
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _work(self) -> None:
        for number, target in self._waiting:
            journal = await self._check(number, target)
            self.on_journal(number, journal)
            if journal.first("check.interrupted"):  # the check took the cancellation as its own end
                return

    async def _check(self, number: int, target: Target) -> Journal:
        """A fault of ours in one target's check is that target's result; the others go on."""
        try:
            return await check(target, self.settings, lambda seen: self.on_observation(number, seen))
        except Exception as error:
            journal = Journal(target, iso(utc_now()))
            args = {"probe": "check", "error": f"{type(error).__name__}: {error}"[:300]}
            journal.add(Observation("probe.crashed", args, Stage.PATH))
            return journal
