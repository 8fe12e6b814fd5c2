"""What is widely said about a code, and what is widely advised, each judged and with its sources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.knowledge.codes import Code


@dataclass(frozen=True, slots=True)
class Claim:
    """judged: "documented", "wrong", "wrong as said"."""

    says: str
    judged: str
    because: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """right_for: ids of causes that it helps against; none: it is no remedy."""

    id: str
    advice: str
    right_when: str
    right_for: tuple[str, ...]
    breaks: str
    instead: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Popular:
    """about: kind → numbers of the codes that all of it is said about."""

    about: dict[str, tuple[int, ...]]
    claims: tuple[Claim, ...]
    remedies: tuple[Advice, ...]

    def concerns(self, code: Code) -> bool:
        return code.number in self.about.get(code.kind, ())


@cache
def popular() -> Popular:
    table = tomllib.loads((Path(__file__).parent / "codes" / "popular.toml").read_text("utf-8"))
    return Popular(
        about={kind: tuple(numbers) for kind, numbers in table["about"].items()},
        claims=tuple(Claim(**{**row, "sources": tuple(row["sources"])}) for row in table["claims"]),
        remedies=tuple(
            Advice(**{**row, "sources": tuple(row["sources"]), "right_for": tuple(row["right_for"])})
            for row in table["remedies"]
        ),
    )
