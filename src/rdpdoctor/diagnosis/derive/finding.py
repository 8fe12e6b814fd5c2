"""One thing that facts of a machine amount to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import derived, text
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.facts import Observation


@dataclass(frozen=True, slots=True)
class Finding:
    """weight: breaks (every connection, at this stage), warns, notes (it matters beside something else), or
    good. says, by (policy or local), setting: of a setting, from the knowledge; of everything else
    `wording.toml` says what it means. value, number, other: what its sentence names.
    """

    means: str
    weight: str
    at: Stage
    rows: Sequence[Observation]
    says: str | None = None
    by: str | None = None
    setting: str | None = None
    value: str | None = None
    number: int | None = None
    other: str | None = None

    def told(self, computer: str | None) -> Observation:
        return derived(
            "host",
            Stage.HOST,
            {
                "means": self.means,
                "says": self.says.rstrip(".") if self.says else None,
                "weight": self.weight,
                "at": self.at.value,
                "computer": computer,
                "by": self.by,
                "setting": self.setting,
                "value": self.value,
                "number": self.number,
                "other": self.other,
            },
            self.rows,
        )


def named(row: Observation) -> str:
    """The name of a setting, with its key before it where others below other keys have the same."""
    name, path = text(row, "name") or "", text(row, "setting") or ""
    if name in ("Enabled", "DisabledByDefault", "Start"):
        return "\\".join(path.split("\\")[-3 if name != "Start" else -2 :])
    return name
