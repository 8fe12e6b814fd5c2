"""How many connections one check makes to one host: in all, and at a time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Exhausted(RuntimeError):
    """The check has made all the connections that it may."""


@dataclass(frozen=True, slots=True)
class Slot:
    """number: this attempt's, from 1. at_once: connections open when it began, itself included."""

    number: int
    at_once: int


class Gate:
    """`total` may be raised while the check runs; nobody waits for it. `peak`: the most open at once."""

    def __init__(self, per_host: int = 8, total: int = 25) -> None:
        self.total = total
        self.made = 0
        self.open = 0
        self.peak = 0
        self._room = asyncio.Semaphore(per_host)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Room for one connection, as long as it is open. Raise Exhausted where none is left."""
        if self.made >= self.total:
            raise Exhausted(f"{self.made} connections made")
        async with self._room:
            # Others may have taken the last ones while this one waited for its turn.
            if self.made >= self.total:
                raise Exhausted(f"{self.made} connections made")
            self.made += 1
            self.open += 1
            self.peak = max(self.peak, self.open)
            try:
                yield Slot(self.made, self.open)
            finally:
                self.open -= 1
