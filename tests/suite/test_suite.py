"""Every case is played and checked, and the verdict is what it has to be: status, stage, first cause.

Then what all of them amount to. One run for all of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.knowledge import load
from rdpdoctor.lab.scenario import CIRCUMSTANCES
from rdpdoctor.probes.context import TOTAL_HEALTHY, TOTAL_UNHEALTHY

from .__main__ import PAGE
from .case import Played, wrong
from .collect import cases, sample
from .page import expectation, expectations
from .play import play_all
from .score import Score, score

if TYPE_CHECKING:
    from .play import Results

GRACE = 1.5  # seconds beyond a check's own time, for a machine with two busy cores
#: What the suite has to reach. The rest of the table is in `docs/scenarios.md`.
TOP, STAGE, LIKELY, CONFIRMED = 0.95, 1.0, 0.85, 1.0
#: Of the connections that every experiment takes, so many the planned ones may.
SHARE_OF_CONNECTIONS = 0.6


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", list(cases()))


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Results:
    """Of the cases that this run selects; a sample of them once more, with every experiment."""
    wanted = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "name" in item.callspec.params
    }
    chosen = [case for name, case in cases().items() if name in wanted and not case.lacks]
    again = [case for case in chosen if case.name in sample()] if wanted >= set(cases()) else []
    return play_all([*((case, False) for case in chosen), *((case, True) for case in again)])


def test_verdict(name: str, results: Results) -> None:
    case = cases()[name]
    if case.lacks:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must play this: {case.lacks}", pytrace=False)
        pytest.skip(case.lacks)
    played = results[name, False]
    if isinstance(played, BaseException):
        raise played
    assert played.took < played.timeout + GRACE
    plain = case.healthy and not case.check.code and not case.check.answers
    assert played.connections <= (TOTAL_HEALTHY if plain else TOTAL_UNHEALTHY)
    found = wrong(case, played)
    assert not found, f"{found}\n{played.told()}"


@pytest.fixture
def total(results: Results) -> Score:
    return _score(results, everything=False)


def _score(results: Results, *, everything: bool, only: list[str] | None = None) -> Score:
    names = list(cases()) if only is None else only
    playable = [name for name in names if not cases()[name].lacks]
    if any((name, everything) not in results for name in playable):
        pytest.skip("not all cases were selected")
    rows = [(cases()[name], results[name, everything]) for name in playable]
    return score((case, played) for case, played in rows if isinstance(played, Played))


def test_the_first_cause_is_right(total: Score) -> None:
    assert total.top.share >= TOP, total.misnamed()


def test_the_stage_is_right(total: Score) -> None:
    assert total.stage.share >= STAGE, total.stage


def test_no_alarm_where_all_is_well(total: Score) -> None:
    assert total.alarms == []


def test_words_are_calibrated(total: Score) -> None:
    assert total.words["likely"].share >= LIKELY, total.beside
    assert total.words["confirmed"].share >= CONFIRMED, total.beside


def test_experiments_pay(results: Results) -> None:
    """Fewer connections than with every experiment, and no less often right, over a fixed part of it."""
    planned = _score(results, everything=False, only=sample())
    full = _score(results, everything=True, only=sample())
    assert planned.connections <= SHARE_OF_CONNECTIONS * full.connections, (
        planned.connections,
        full.connections,
    )
    assert planned.top.right >= full.top.right, (planned.misnamed(), full.misnamed())
    assert planned.stage.right >= full.stage.right


def test_every_probe_is_used(results: Results, total: Score) -> None:
    """By the roles of attempts, and the tags of the probes that have none."""
    assert total.top.all
    rows = [row for one in results.values() if isinstance(one, Played) for row in one.report["observations"]]
    roles = {row["args"].get("role") for row in rows}
    variants = {row["args"].get("variant") for row in rows}
    assert roles >= {"walk", "matrix", "versions", "repeat", "variant"}
    # A neutral cookie is tried where one of the user's and none at all both fail: test_planner plays that.
    assert variants >= {"no-cookie", "split-hello", "no-sni", "small-segments"}
    assert {"service.identified", "dns.resolved", "nla.challenged"} <= {row["tag"] for row in rows}


def test_there_is_enough_of_everything() -> None:
    known = cases().values()
    assert len(known) >= 70
    assert sum(bool(case.combines) for case in known) * 3 >= len(known)
    assert sum(case.healthy for case in known) >= 20


def test_what_they_expect_exists() -> None:
    """A cause or tag that nobody knows would be expected in vain, and forbidden for nothing."""
    knowledge = load()
    for case in cases().values():
        expect = case.expect
        assert {*expect.causes, *expect.also, *expect.forbid} <= set(knowledge.causes), case.name
        assert set(expect.observed) <= set(knowledge.tags), case.name
        assert set(case.combines) <= {*knowledge.causes, *CIRCUMSTANCES}, case.name
        assert len(case.combines) != 1, case.name
        planted = [name for name in case.combines if name in knowledge.causes]
        if planted and not case.healthy:
            assert set(planted) & set(expect.causes), (
                f"{case.name}: the first cause is not among those planted"
            )


def test_the_page_is_of_this_suite() -> None:
    """What was played is on the page that `make scenarios` writes, with what it had to say."""
    written = expectations(PAGE.read_text(encoding="utf-8"))
    assert written == [expectation(case) for case in cases().values()], "run `make scenarios`"
