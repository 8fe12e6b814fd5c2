"""Everything that knowledge names exists, and everything in it has a source."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rdpdoctor import lab
from rdpdoctor.facts import Stage
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.advice import advice
from rdpdoctor.knowledge.causes import RULES
from rdpdoctor.knowledge.codes import by_number, every_code
from rdpdoctor.knowledge.events import LOGS, log
from rdpdoctor.knowledge.prose import prose
from rdpdoctor.knowledge.remedies import remedies
from rdpdoctor.knowledge.settings import rdpfile, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.knowledge.sourced import Point

CAUSES = frozenset(load().causes)


def pointed() -> Iterator[tuple[str, tuple[Point, ...]]]:
    for name in LOGS:
        for event in log(name).events.values():
            yield f"event {event.id} of {name}", event.points
    for setting in registry.settings():
        yield setting.path, setting.points
    for line in rdpfile.lines().values():
        yield line.name, line.points


def sourced() -> Iterator[tuple[str, tuple[str, ...]]]:
    for code in every_code():
        yield f"{code.kind} {code.number} {code.symbol}", (code.source,)
    for name in LOGS:
        for event in log(name).events.values():
            yield f"event {event.id} of {name}", event.sources
    for setting in registry.settings():
        yield setting.path, setting.sources
    for line in rdpfile.lines().values():
        yield line.name, line.sources
    for cause in load().causes.values():
        yield cause.id, cause.sources
        for side, told in prose(cause.id).shows.items():
            yield f"{cause.id} on the {side}", told.sources
    for remedy in remedies().values():
        yield remedy.id, remedy.sources
    for piece in advice().values():
        yield piece.id, piece.sources


def test_each_cause_that_an_event_or_a_setting_speaks_for_exists() -> None:
    wrong = {
        (what, point.cause) for what, points in pointed() for point in points if point.cause not in CAUSES
    }
    assert wrong == set()


def test_everything_has_a_source() -> None:
    assert [what for what, sources in sourced() if not sources or not all(map(str.strip, sources))] == []


def test_causes_name_causes_and_remedies_that_exist() -> None:
    known = frozenset(remedies())
    for cause in load().causes.values():
        named = [*cause.refines, *cause.masks, *(one for tell in cause.tell for one in tell.separates)]
        assert set(named) <= CAUSES, cause.id
        assert set(cause.remedies) <= known, cause.id


def test_each_remedy_belongs_to_a_cause() -> None:
    used = {one for cause in load().causes.values() for one in cause.remedies}
    mends = {name for name, remedy in remedies().items() if remedy.diagnostic is None}
    assert mends - used == set(), "a diagnostic names its causes itself"


def test_advice_names_causes_and_codes_that_exist() -> None:
    for piece in advice().values():
        assert {*piece.causes, *piece.right_for} <= CAUSES, piece.id
        for kind, number in piece.codes:
            assert any(code.kind == kind for code in by_number(number)), piece.id


def test_each_step_separates_causes_that_exist() -> None:
    for key, steps in load().steps.items():
        for step in steps:
            assert set(step.separates) <= CAUSES, key


@pytest.mark.parametrize("identity", sorted(CAUSES))
def test_a_cause_refines_no_cause_that_refines_it(identity: str) -> None:
    wider, seen = list(load().causes[identity].refines), {identity}
    while wider:
        name = wider.pop()
        assert name not in seen
        seen.add(name)
        wider += load().causes[name].refines


def test_each_answer_that_a_rule_hears_is_one_that_can_be_given() -> None:
    asked = load().questions
    heard = set()
    for cause in load().causes.values():
        for kind in RULES:
            for rule in getattr(cause, kind):
                for matcher in (*rule.any, *rule.all, *rule.unless):
                    if matcher.tag != "answer.given":
                        continue
                    wanted = {name: values for name, test, values in matcher.tests if test == "is"}
                    for key in wanted.get("question", ()):
                        assert key in asked, cause.id
                        assert set(wanted.get("answer", ())) <= set(asked[key].values), (cause.id, key)
                        heard.add(key)
    assert heard == set(asked)


SCENARIOS = Path(lab.__file__).parent / "scenarios"


@pytest.mark.parametrize("path", sorted(SCENARIOS.rglob("*.toml")), ids=lambda path: path.stem)
def test_each_scenario_names_causes_and_stages_that_exist(path: Path) -> None:
    expect = tomllib.loads(path.read_text("utf-8"))["expect"]
    assert {*expect.get("causes", []), *expect.get("forbid", [])} <= CAUSES
    assert expect.get("stage", Stage.TCP) in tuple(Stage)
