"""How much of a file is looked at. Real exports stay far below; Azure allows 1,000 rules in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RULES, BLOCKS, GROUPS, COMPARISONS = 20_000, 100_000, 2_000, 300_000


class Budget:
    """spent: something was left out, so that what is missing may decide."""

    def __init__(self, inner: Callable[[Any], Any]) -> None:
        """inner: reads JSON inside a text; gives None for anything else."""
        self.inner = inner
        self.rules, self.blocks, self.groups, self.comparisons = RULES, BLOCKS, GROUPS, COMPARISONS
        self.spent = False

    def rule(self) -> bool:
        """Whether one more rule is looked at."""
        self.rules -= 1
        self.spent = self.spent or self.rules < 0
        return self.rules >= 0

    def group(self) -> bool:
        self.groups -= 1
        self.spent = self.spent or self.groups < 0
        return self.groups >= 0

    def compare(self, times: int) -> bool:
        """Whether so many blocks or ports are compared with each other."""
        self.comparisons -= times
        return self.comparisons >= 0

    def take(self, words: list[str]) -> list[str]:
        """As many of them as are looked at."""
        taken = words[: max(0, self.blocks)]
        self.blocks -= len(words)
        self.spent = self.spent or len(taken) < len(words)
        return taken
