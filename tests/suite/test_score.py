"""The score counts what it says, on reports made up for it."""

from __future__ import annotations

from typing import Any

import pytest

from rdpdoctor.lab.scenario import Check, Expect

from .case import Case, Played, wrong
from .page import expectation, expectations, page
from .score import score


def case(name: str, expect: Expect, *combines: str) -> Case:
    def never(_: object) -> Any:
        raise AssertionError("is not played")

    return Case(name, "lab", f"The title of {name}", Check(), expect, never, combines)


def played(status: str, stage: str | None, *causes: tuple[str, str], made: int = 5) -> Played:
    report = {
        "verdict": {"status": status, "stage": stage, "summary": ""},
        "causes": [{"id": name, "confidence": word, "why": ""} for name, word in causes],
        "observations": [{"tag": "check.connections", "args": {"made": made}}],
    }
    return Played(report, 0.1, 10.0)


EXPIRED, COOKIE, KEY = "certificate.expired", "cookie.filtered", "certificate.key-unusable"
BOTH = case("both", Expect("failing", "x224", (COOKIE,), (EXPIRED,)), EXPIRED, COOKIE)
WELL = case("well", Expect("healthy"))
GOOD = played("failing", "x224", (COOKIE, "confirmed"), (EXPIRED, "confirmed"), (KEY, "ruled-out"))


def test_all_right() -> None:
    total = score([(BOTH, GOOD), (WELL, played("healthy", None))])
    assert (total.top.right, total.top.all, total.stage.right) == (2, 2, 2)
    assert (total.healthy, total.combined, total.connections) == (1, 1, 10)
    assert str(total.words["confirmed"]) == "2 of 2 (100.0%)"
    assert (total.alarms, total.confused, total.beside) == ([], {}, {})
    assert wrong(BOTH, GOOD) == []


def test_the_warning_named_first_is_confused() -> None:
    total = score([(BOTH, played("failing", "x224", (EXPIRED, "confirmed"), (COOKIE, "likely")))])
    assert (total.top.right, total.stage.right) == (0, 1)
    assert total.misnamed() == [f"{COOKIE} → {EXPIRED} (1)"]
    assert total.words["confirmed"].share == 1.0, "it is planted all the same"


def test_a_wrong_word_counts_even_behind_the_right_cause() -> None:
    total = score([(BOTH, played("failing", "tls", (COOKIE, "confirmed"), (KEY, "likely")))])
    assert (total.top.right, total.stage.right) == (1, 0)
    assert total.words["likely"].share == 0.0
    assert total.beside == {COOKIE: {KEY: 1}}


@pytest.mark.parametrize(
    ("word", "alarms"), [("possible", []), ("likely", ["well"]), ("confirmed", ["well"])]
)
def test_alarms_on_the_healthy(word: str, alarms: list[str]) -> None:
    assert score([(WELL, played("healthy", None, (KEY, word)))]).alarms == alarms


def test_a_wider_cause_of_a_right_one_is_right() -> None:
    farm = case("farm", Expect("degraded", "tls", ("farm.bad-member",)))
    said = played("degraded", "tls", ("farm.bad-member", "likely"), ("path.intermittent", "likely"))
    assert score([(farm, said)]).words["likely"].share == 1.0


def test_wrong_says_what() -> None:
    found = wrong(BOTH, played("healthy", None))
    assert [line.split(",")[0].split(" of ")[0] for line in found] == [
        "healthy at None",
        "first",
        "no certificate.expired in []",
    ]


def test_the_page_holds_what_was_expected() -> None:
    rows = [(BOTH, GOOD), (WELL, played("healthy", None))]
    text = page(rows, rows)
    assert expectations(text) == [expectation(BOTH), expectation(WELL)]
    assert "| both | The title of both | certificate.expired + cookie.filtered | failing at x224: " in text
    assert "Planned takes 0% fewer connections." in text
    assert f"| {COOKIE} | 1 | 1 | – | – |" in text
