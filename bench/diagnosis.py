"""How long a diagnosis of many observations takes, and loading all knowledge."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from bench.measure import once

if TYPE_CHECKING:
    from bench.table import Table

OBSERVATIONS = 10_000
DIAGNOSIS_MS, LOADING_MS = 200, 60
#: What everything imports anyway is no part of it.
_LOAD = """
import time, rdpdoctor.facts
began = time.process_time()
from rdpdoctor.knowledge import load
load()
print(time.process_time() - began)
"""


def measure(table: Table, rounds: int) -> None:
    from bench.journals import SHAPES, journal
    from rdpdoctor.diagnosis import diagnose
    from rdpdoctor.knowledge import load

    knowledge = load()
    print(f"\nDiagnosis of {OBSERVATIONS} observations, median of {rounds}")
    worst = 0.0
    for shape in SHAPES:
        made, times = journal(shape, OBSERVATIONS), []
        for _ in range(rounds):
            began = time.process_time()  # pure computing: what else the machine does is no part of it
            diagnose(made, knowledge)
            times.append((time.process_time() - began) * 1000)
        median = statistics.median(times)
        worst = max(worst, median)
        print(f"  {shape:48}{median:7.1f} ms", flush=True)
    table.wanted("the slowest of them", worst, DIAGNOSIS_MS, " ms")
    loads = [float(once([sys.executable, "-c", _LOAD]).stdout) * 1000 for _ in range(rounds)]
    table.wanted("importing and loading all knowledge", statistics.median(loads), LOADING_MS, " ms")
