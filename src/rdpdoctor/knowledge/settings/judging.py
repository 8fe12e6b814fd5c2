"""What a value of a setting does to connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.facts import WALK
from rdpdoctor.knowledge.sourced import HOW, Point, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

#: breaks: connections fail because of it. weakens: they work, with less security. limits: they work, within
#: bounds that some connections hit.
EFFECTS = ("breaks", "weakens", "limits")
_KEYS = ("is", "not", "min", "max", "absent", "effect", "at", "says", "points")

Value = int | str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """effect: one of EFFECTS. says: a sentence. points: causes that the value speaks for, loudest first.

    at: the stage that the value is about, where it is one. One that breaks and has a stage lets, by itself,
    no connection get past it.
    """

    effect: str
    says: str
    points: tuple[Point, ...]
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """equal, unequal: numbers, or texts in lower case. Every condition that is given must hold."""

    equal: frozenset[int | str]
    unequal: frozenset[int | str]
    least: int | None
    most: int | None
    absent: bool
    judgement: Judgement

    @property
    def when(self) -> str:
        """For which values, in words."""
        if self.absent:
            return "absent"
        parts = []
        if self.equal:
            parts.append(" or ".join(sorted(map(str, self.equal))))
        if self.unequal:
            parts.append("anything but " + " or ".join(sorted(map(str, self.unequal))))
        if self.least is not None:
            parts.append(f"{self.least} and more")
        if self.most is not None:
            parts.append(f"{self.most} and less")
        return ", ".join(parts)

    def holds(self, value: Value) -> bool:
        if value is None or self.absent:
            return value is None and self.absent
        plain = value.strip().lower() if isinstance(value, str) else value
        if (self.equal and plain not in self.equal) or plain in self.unequal:
            return False
        if self.least is None and self.most is None:
            return True
        return (
            isinstance(plain, int)
            and (self.least is None or plain >= self.least)
            and (self.most is None or plain <= self.most)
        )


def judge(cases: Sequence[Case], value: Value) -> Judgement | None:
    """Of the first case that holds. value: None where the setting is absent. None: nothing to say."""
    return next((case.judgement for case in cases if case.holds(value)), None)


def pointed(own: tuple[Point, ...], cases: Sequence[Case]) -> tuple[Point, ...]:
    """Every cause that a setting speaks for, whatever its value; each once, as loud as it can get."""
    loudest: dict[str, Point] = {}
    every = [*own, *(point for case in cases for point in case.judgement.points)]
    for point in sorted(every, key=lambda point: HOW.index(point.how)):
        loudest.setdefault(point.cause, point)
    return tuple(loudest.values())


def build_cases(row: Row) -> tuple[Case, ...]:
    entries = row.value.get("judge", [])
    if not isinstance(entries, list):
        raise row.wrong("judge", "write a list")
    return tuple(_case(row, place, entry) for place, entry in enumerate(entries))


def _case(parent: Row, place: int, entry: Any) -> Case:
    row = Row(parent.file, f"{parent.key}.judge[{place}]", entry, _KEYS)
    equal, unequal = _values(row, "is"), _values(row, "not")
    least = row.number("min") if "min" in row.value else None
    most = row.number("max") if "max" in row.value else None
    absent = row.flag("absent")
    if not (equal or unequal or absent or least is not None or most is not None):
        raise row.wrong("", "say for which values: is, not, min, max or absent")
    at = row.one_of("at", tuple(WALK)) if "at" in row.value else None
    judgement = Judgement(row.one_of("effect", EFFECTS), row.text("says"), row.points(), at)
    return Case(equal, unequal, least, most, absent, judgement)


def _values(row: Row, name: str) -> frozenset[int | str]:
    values = row.value.get(name, [])
    if not isinstance(values, list) or not all(
        isinstance(one, int | str) and not isinstance(one, bool) for one in values
    ):
        raise row.wrong(name, "write a list of numbers or texts")
    return frozenset(one.lower() if isinstance(one, str) else one for one in values)
