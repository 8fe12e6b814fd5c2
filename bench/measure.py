"""Run a command, and say how long it took and what it said."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 600.0

# Forked from a small process: a child's peak counts what its parent held when it was forked.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """spent: processor time of it and its children, 0 where the system does not say."""

    seconds: float
    spent: float
    exit: int
    stdout: str
    stderr: str


@dataclass(slots=True)
class Contender:
    """One tool with its whole command line, and the runs it has made."""

    name: str
    argv: Sequence[str]
    runs: list[Run] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def spent(self) -> float:
        return statistics.median(run.spent for run in self.runs)

    def spread(self) -> str:
        times = [run.seconds for run in self.runs]
        return f"{min(times):.2f}–{max(times):.2f}"


def once(argv: Sequence[str]) -> Run:
    before, began = _spent(), time.perf_counter()
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LIMIT,
        check=False,
    )
    return Run(time.perf_counter() - began, _spent() - before, done.returncode, done.stdout, done.stderr)


def _spent() -> float:
    times = os.times()
    return times.children_user + times.children_system


def until_line(argv: Sequence[str], beginning: str) -> float:
    """Seconds from the start of the process to the first line on stderr that begins so, or infinity."""
    began = time.perf_counter()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        found = any(line.startswith(beginning) for line in process.stderr)
        taken = time.perf_counter() - began
        process.kill()
    return taken if found else math.inf


def alternate(contenders: Sequence[Contender], rounds: int) -> None:
    """One run of each in turn, so that whatever else the machine does meets all of them alike."""
    for _ in range(rounds):
        for contender in contenders:
            contender.runs.append(once(contender.argv))


def peak_megabytes(argv: Sequence[str]) -> float | None:
    """The most resident memory of the command, in MB of 10^6 bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    done = once([sys.executable, "-I", "-S", "-c", _PEAK, *argv])
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kilobytes elsewhere
    return int(done.stdout) * unit / 1e6 if done.exit == 0 else None
