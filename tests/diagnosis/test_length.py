"""The work of a diagnosis grows no faster than the journal. Calls are counted, not time: no machine's speed
matters.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bench.journals import SHAPES, journal
from rdpdoctor.diagnosis import diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.report.build import report_of
from rdpdoctor.report.json import dumps
from rdpdoctor.report.text import Page, render

if TYPE_CHECKING:
    from types import FrameType

    from rdpdoctor.facts import Journal

SHORT, TIMES = 400, 4
#: Sorting and growing tables cost a little more than the length; what is quadratic takes TIMES times as much.
SLACK = 1.4


def calls(made: Journal) -> int:
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        diagnose(made, load())
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_is_linear(shape: str) -> None:
    diagnose(journal(shape, 10), load())  # what is kept from one diagnosis to the next is no part of it
    short, long = calls(journal(shape, SHORT)), calls(journal(shape, SHORT * TIMES))
    assert short > SHORT
    assert long < short * TIMES * SLACK


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_journal_has_a_report(shape: str) -> None:
    made = journal(shape, 2000)
    report = report_of(made, diagnose(made, load()))
    assert len(render(report, Page(80)).splitlines()) < 60
    assert dumps(report).count('"tag"') >= 2000
