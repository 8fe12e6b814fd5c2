"""What was read and what was not, so that a report can say what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

#: Different things said to be lost; more are only counted.
_SAID = 20


@dataclass(slots=True)
class Tally:
    """records: events that the file holds as far as it can be seen; kept: of these, those of interest.

    timeless: kept ones that bear no time. local: moments are in a zone that the file does not name, taken as
    UTC: they may be off by up to 14 hours, in whole quarters of an hour.
    """

    format: str = ""
    records: int = 0
    kept: int = 0
    timeless: int = 0
    local: bool = False
    first: datetime | None = None
    last: datetime | None = None
    _lost: dict[str, int] = field(default_factory=dict)

    def lose(self, what: str, times: int = 1) -> None:
        if what in self._lost or len(self._lost) < _SAID:
            self._lost[what] = self._lost.get(what, 0) + times
        else:
            self._lost["other things"] = self._lost.get("other things", 0) + times

    def see(self, time: datetime) -> None:
        self.first = time if self.first is None or time < self.first else self.first
        self.last = time if self.last is None or time > self.last else self.last

    @property
    def lost(self) -> list[str]:
        """What could not be read, a sentence each, in the order it was met."""
        return [f"{what} ({times} times)" if times > 1 else what for what, times in self._lost.items()]
