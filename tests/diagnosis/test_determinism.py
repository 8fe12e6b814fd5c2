"""The same journal gives the same bytes: on every run, under any hash seed, and after being written and
read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.facts import Journal
from rdpdoctor.knowledge import load
from tests.diagnosis.stories import CASES

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from bench.journals import SHAPES, journal
from rdpdoctor.diagnosis import diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.report.build import report_of
from rdpdoctor.report.json import dumps
from rdpdoctor.report.text import Page, render
from tests.diagnosis.stories import CASES

sys.stdout.reconfigure(encoding="utf-8")
stories = [case.tell().journal for case in CASES.values()]
for number, made in enumerate([*stories, *(journal(shape, 60) for shape in SHAPES)]):
    found = diagnose(made, load())
    report = report_of(made, found)
    print(repr(found), dumps(report))
    if number % 5 == 0:
        print(render(report, Page(80)), render(report, Page(100, verbose=True)))
"""


def everything_under(seed: str) -> bytes:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, check=True, timeout=60
    )
    return run.stdout


def test_any_hash_seed() -> None:
    first, second, third = (everything_under(seed) for seed in ("0", "1", "4242"))
    assert len(first) > 100_000
    assert first == second == third


@pytest.mark.parametrize("name", CASES)
def test_saved_and_read_again(name: str) -> None:
    journal = CASES[name].tell().journal
    again = Journal.from_lines(journal.to_lines())
    assert repr(diagnose(journal, load())) == repr(diagnose(again, load()))
