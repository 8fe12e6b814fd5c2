"""Lines of `.rdp` files, `name:type:value`, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rdpdoctor.knowledge.settings import judging
from rdpdoctor.knowledge.settings.judging import Case, Judgement, build_cases, pointed
from rdpdoctor.knowledge.sourced import SURE, Point, Row, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "settings/rdpfile.json"
TYPES = ("s", "i", "b")
_KEYS = (
    *("name", "type", "says", "values", "default", "judge", "points", "secret", "personal", "note"),
    *("sure", "sources"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """type: s (text), i (number), b (bytes in hex). values: what they mean; "any" describes them all.

    default: what a client does without the line. secret: its value must never be shown; personal: it names a
    person.
    """

    name: str
    type: str
    says: str
    values: Mapping[str, str]
    default: str | None
    cases: tuple[Case, ...]
    points: tuple[Point, ...]
    secret: bool
    personal: bool
    note: str | None
    sure: str
    sources: tuple[str, ...]

    def judge(self, value: str | None) -> Judgement | None:
        """What a value as written does to connections; None: nothing worth saying. None is an absent line."""
        if value is not None and self.type == "i":
            text = value.strip()
            if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 11):
                return None
            return judging.judge(self.cases, int(text))
        return judging.judge(self.cases, value)


@cache
def lines(folder: Path = Path(__file__).parent) -> Mapping[str, Line]:
    """By name in lower case, in the file's order. Raises KnowledgeError where the file is wrong."""
    table = Row(FILE, "", read_json(folder / "rdpfile.json", FILE), ("sources", "settings"))
    sources, rows = table.texts("sources"), table.value.get("settings")
    if not isinstance(rows, list):
        raise table.wrong("settings", "write a list")
    found: dict[str, Line] = {}
    for place, value in enumerate(rows):
        row = Row(FILE, f"settings[{place}]", value, _KEYS)
        name = row.text("name")
        if name != name.lower() or name in found:
            raise row.wrong("name", "write it in lower case, and each once")
        cases = build_cases(row)
        found[name] = Line(
            name=name,
            type=row.one_of("type", TYPES),
            says=row.text("says"),
            values=MappingProxyType(row.named("values")),
            default=row.text_or_none("default"),
            cases=cases,
            points=pointed(row.points(), cases),
            secret=row.flag("secret"),
            personal=row.flag("personal"),
            note=row.text_or_none("note"),
            sure=row.one_of("sure", SURE),
            sources=row.chosen("sources", sources),
        )
    return MappingProxyType(found)


def find(name: str) -> Line | None:
    return lines().get(" ".join(name.lower().split()))
