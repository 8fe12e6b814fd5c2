"""What a cause says about evidence: rules made of matchers. Plain values; the ranking applies them.

A matcher is a tag and tests on its arguments. In TOML a test is a bare value (equal to it), a list (equal
to one of them) or a table of `min`, `max`, `not`, `contains`, `starts`, `null`. A rule holds when

    any    at least one of these matches (a rule with one matcher may write `tag` and `where` directly)
    all    and every one of these
    unless and none of these

or, with `absent = true`, when nothing of it matches although something in `ran` shows that the probe ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.facts import Observation

WEIGHTS = {"strong": 3, "medium": 2, "weak": 1}
TESTS = ("min", "max", "not", "contains", "starts", "null")

Test = tuple[str, str, Any]  # argument, kind of test, value


@dataclass(frozen=True, slots=True)
class Matcher:
    tag: str
    tests: tuple[Test, ...] = ()
    stage: str | None = None
    source: str | None = None
    count: int = 1  # so many must match

    def fits(self, observation: Observation) -> bool:
        """Whether one observation, already known to bear this tag, passes the tests."""
        if self.stage is not None and observation.stage != self.stage:
            return False
        if self.source is not None and observation.source != self.source:
            return False
        args = observation.args
        return all(_passes(args.get(name), kind, value) for name, kind, value in self.tests)


@dataclass(frozen=True, slots=True)
class Rule:
    any: tuple[Matcher, ...] = ()
    all: tuple[Matcher, ...] = ()
    unless: tuple[Matcher, ...] = ()
    absent: bool = False
    ran: tuple[Matcher, ...] = ()
    weight: int = 3
    says: str | None = None


def build_rule(row: Mapping[str, Any]) -> Rule:
    """From a row that `check` let pass."""
    alternatives = row.get("any", ())
    return Rule(
        any=(build_matcher(row),) if "tag" in row else tuple(map(build_matcher, alternatives)),
        all=tuple(map(build_matcher, row.get("all", ()))),
        unless=tuple(map(build_matcher, row.get("unless", ()))),
        absent=row.get("absent", False),
        ran=tuple(map(build_matcher, row.get("ran", ()))),
        weight=WEIGHTS[row.get("weight", "strong")],
        says=row.get("says"),
    )


def build_matcher(row: Mapping[str, Any] | str) -> Matcher:
    if isinstance(row, str):
        return Matcher(row)
    tests: list[Test] = []
    for name, wanted in row.get("where", {}).items():
        if isinstance(wanted, dict):
            tests.extend((name, kind, _frozen(value)) for kind, value in wanted.items())
        else:
            tests.append((name, "is", _frozen(wanted) if isinstance(wanted, list) else (wanted,)))
    return Matcher(row["tag"], tuple(tests), row.get("stage"), row.get("source"), row.get("count", 1))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _same(value: Any, wanted: Any) -> bool:
    """Equality without Python's `True == 1`."""
    return bool(value == wanted) and isinstance(value, bool) is isinstance(wanted, bool)


def _passes(value: Any, kind: str, wanted: Any) -> bool:
    """A value of the wrong type passes no test but `null` and `not`: journals come from outside."""
    if kind == "is":
        return any(_same(value, one) for one in wanted)
    if kind == "null":
        return (value is None) is wanted
    if kind == "not":
        unwanted = wanted if isinstance(wanted, tuple) else (wanted,)
        return not any(_same(value, one) for one in unwanted)
    if kind in ("min", "max"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return bool(value >= wanted if kind == "min" else value <= wanted)
    if kind == "contains":
        wanted_any = wanted if isinstance(wanted, tuple) else (wanted,)
        if isinstance(value, str):
            low = value.casefold()
            return any(isinstance(one, str) and one.casefold() in low for one in wanted_any)
        return isinstance(value, list | tuple) and any(
            _same(one, want) for one in value for want in wanted_any
        )
    starts = wanted if isinstance(wanted, tuple) else (wanted,)
    return isinstance(value, str) and value.startswith(starts)
