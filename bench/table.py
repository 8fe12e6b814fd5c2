"""What the bench prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.measure import Contender


@dataclass(slots=True)
class Table:
    """Prints as it goes, and remembers whether all that was wanted held."""

    held: bool = True

    def title(self, text: str) -> None:
        print(f"\n{text}\n  {'':36}{'median':>9}  {'spread':14}{'processor':>9}  answers", flush=True)

    def row(self, contender: Contender, said: str) -> None:
        name, spread = contender.name, contender.spread()
        spent = f"{contender.spent:.2f} s" if contender.spent else "-"
        print(f"  {name:36}{contender.median:7.2f} s  {spread:14}{spent:>9}  {said}", flush=True)
        if name == "rdpdoctor" and said != "right":
            self.held = False

    def wanted(self, what: str, value: float, limit: float, unit: str = "") -> None:
        held = value <= limit
        self.held = self.held and held
        print(
            f"  {what}: {value:.2f}{unit}, wanted at most {limit:g}{unit}: {'held' if held else 'MISSED'}",
            flush=True,
        )
