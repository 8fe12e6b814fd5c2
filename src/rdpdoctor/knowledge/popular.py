"""What is widely said about a code, judged and with its sources. What is widely advised is in `advice`."""

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
class Popular:
    """about: kind → numbers of the codes that all of it is said about."""

    about: dict[str, tuple[int, ...]]
    claims: tuple[Claim, ...]

    def concerns(self, code: Code) -> bool:
        return code.number in self.about.get(code.kind, ())


@cache
def popular() -> Popular:
    table = tomllib.loads((Path(__file__).parent / "codes" / "popular.toml").read_text("utf-8"))
    return Popular(
        about={kind: tuple(numbers) for kind, numbers in table["about"].items()},
        claims=tuple(Claim(**{**row, "sources": tuple(row["sources"])}) for row in table["claims"]),
    )
