"""What the runs of the suite amount to. Pure: cases and what was played in, figures out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .case import stage_right, top_right

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .case import Case, Played

CONFIDENCES = ("confirmed", "likely", "possible")


@dataclass(slots=True)
class Share:
    """So many of so many."""

    right: int = 0
    all: int = 0

    def count(self, right: bool) -> None:
        self.right += right
        self.all += 1

    @property
    def share(self) -> float:
        """Of nothing, nothing is wrong."""
        return self.right / self.all if self.all else 1.0

    def __str__(self) -> str:
        return f"{self.right} of {self.all} ({self.share:.1%})"


@dataclass(slots=True)
class Score:
    """words: by confidence, how many of the causes so called are right: accepted as the first one, expected
    beside it, or planted. confused: planted cause → the wrong cause that was named first, how many times.
    beside: planted cause → wrong ones left standing. alarms: healthy cases with a likely or confirmed cause.
    """

    top: Share = field(default_factory=Share)
    stage: Share = field(default_factory=Share)
    healthy: int = 0
    combined: int = 0
    alarms: list[str] = field(default_factory=list)
    words: dict[str, Share] = field(default_factory=lambda: {word: Share() for word in CONFIDENCES})
    confused: dict[str, Counter[str]] = field(default_factory=dict)
    beside: dict[str, Counter[str]] = field(default_factory=dict)
    connections: int = 0

    def misnamed(self) -> list[str]:
        """The confused pairs, as text."""
        return [
            f"{planted} → {named} ({count})"
            for planted, names in sorted(self.confused.items())
            for named, count in sorted(names.items())
        ]


def score(played: Iterable[tuple[Case, Played]]) -> Score:
    total = Score()
    for case, one in played:
        total.top.count(top_right(case, one))
        total.stage.count(stage_right(case, one))
        total.connections += one.connections
        total.healthy += case.healthy
        total.combined += bool(case.combines)
        if case.healthy and not top_right(case, one):
            total.alarms.append(case.name)
        if not top_right(case, one):
            total.confused.setdefault(case.planted, Counter())[one.first] += 1
        for name, confidence in one.causes:
            total.words[confidence].count(name in case.right)
            if name not in case.right:
                total.beside.setdefault(case.planted, Counter())[name] += 1
    return total
