"""Run the product's command as a user would, and judge what it said. For the real and the hostile tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

SOURCES = Path(__file__).resolve().parent.parent / "src"

VALIDATOR = Draft202012Validator(
    json.loads((SOURCES / "rdpdoctor/report/schema/report-1.json").read_text(encoding="utf-8"))
)

#: What the tool may take beyond its --timeout: starting Python on a busy machine, and ending tidily.
GRACE = 1.5
#: In bytes.
MEMORY = 150 * 1024 * 1024

#: Starts the command; tells its exit code, peak memory (bytes) and seconds on the last line of stderr.
#: A small parent, because a child's `ru_maxrss` begins with what its parent held when it forked.
LAUNCHER = """
import json, os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen(sys.argv[1:])
try:
    _, status, usage = os.wait4(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
except AttributeError:
    code, peak = child.wait(), 0
print(json.dumps([code, peak, time.monotonic() - began]), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One ended command. `peak` is in bytes, 0 where the system does not say."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak: int

    @property
    def report(self) -> dict[str, Any]:
        value = json.loads(self.stdout)
        assert isinstance(value, dict)
        return value

    def say(self) -> str:
        """For a failing test: what happened, an observation a line."""
        head = (
            f"exit {self.code} after {self.seconds:.2f} s, {self.peak / 1e6:.0f} MB\n{self.stderr[-3000:]}\n"
        )
        try:
            report = self.report
        except (ValueError, AssertionError):
            return head + self.stdout[:3000]
        causes = [f"{cause['confidence']} {cause['id']}: {cause['why']}" for cause in report["causes"]]
        rows = [
            f"{row['at_ms']} {row['tag']} {json.dumps(row['args'])}"[:300] for row in report["observations"]
        ]
        return head + "\n".join(["", str(report["verdict"]), *causes, *rows])


@dataclass(frozen=True, slots=True)
class Expect:
    """What a verdict must and must not say. A tuple lists what is allowed; an empty one allows anything.

    `causes`: the first cause is one of them, unless all is healthy. `also`: all of these appear and are not
    ruled out. `never`: none of these appears unless ruled out.
    """

    status: tuple[str, ...]
    stage: tuple[str | None, ...]
    causes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    nothing_else: bool = field(default=False)

    def wrong(self, report: dict[str, Any]) -> list[str]:
        """Everything that is not as expected."""
        verdict = report["verdict"]
        open_causes = [cause["id"] for cause in report["causes"] if cause["confidence"] != "ruled-out"]
        found = []
        if verdict["status"] not in self.status:
            found.append(f"status {verdict['status']}, not {self.status}")
        if self.stage and verdict["stage"] not in self.stage:
            found.append(f"stage {verdict['stage']}, not {self.stage}")
        fine = verdict["status"] == "healthy" and not open_causes
        if self.causes and not fine and (not open_causes or open_causes[0] not in self.causes):
            found.append(f"first of {open_causes}, not {self.causes}")
        found += [f"no {cause} in {open_causes}" for cause in self.also if cause not in open_causes]
        found += [f"{cause} must not appear" for cause in self.never if cause in open_causes]
        if self.nothing_else:
            more = set(open_causes) - set(self.causes) - set(self.also)
            found += [f"{cause} must not appear" for cause in sorted(more)]
        return found


def environment() -> dict[str, str]:
    """The sources as they lie here, warnings shown, a terminal of 100 columns."""
    path = os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "default", "COLUMNS": "100"}


def command(*arguments: str, prefix: tuple[str, ...] = (), seconds: float = 60.0) -> Run:
    """`python -m rdpdoctor ARGUMENTS`, under `prefix` (a namespace); killed after `seconds`."""
    own = [sys.executable, "-m", "rdpdoctor", *arguments]
    process = subprocess.Popen(
        [*prefix, sys.executable, "-ISc", LAUNCHER, *own],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    try:
        stdout, stderr_bytes = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None and sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    stderr = stderr_bytes.decode("utf-8", "strict")
    said, _, figures = stderr.rstrip("\n").rpartition("\n")
    code, peak, took = json.loads(figures)
    return Run(code, stdout.decode("utf-8", "strict"), said, took, peak)


def check(
    target: str, *options: str, timeout: float = 10.0, prefix: tuple[str, ...] = (), json_: bool = True
) -> Run:
    """`check TARGET --json` within its time and its memory, with an exit code that fits what it says."""
    arguments = ["check", target, "--timeout", f"{timeout:g}", *options]
    run = command(*arguments, *(["--json"] if json_ else []), prefix=prefix, seconds=timeout + 20)
    assert run.seconds < timeout + GRACE, run.say()
    assert run.peak < MEMORY, f"{run.peak / 1e6:.0f} MB\n{run.say()}"
    assert "Traceback" not in run.stderr, run.say()
    assert "Warning:" not in run.stderr, run.say()
    assert control_bytes(run.stdout) == [], run.say()
    assert control_bytes(run.stderr) == [], run.say()
    if json_:
        VALIDATOR.validate(run.report)
        status = run.report["verdict"]["status"]
        assert run.code == {"healthy": 0, "degraded": 0, "unknown": 3}.get(status, 1), run.say()
    return run


def judge(run: Run, expect: Expect) -> None:
    wrong = expect.wrong(run.report)
    assert not wrong, f"{wrong}\n{run.say()}"


def control_bytes(text: str) -> list[str]:
    """What a terminal would act on: C0 and C1 controls but the line end, and marks that turn text around."""
    return sorted(
        {
            repr(one)
            for one in text
            if (ord(one) < 0x20 and one != "\n")
            or 0x7F <= ord(one) < 0xA0
            or one in BIDI
            or one in SEPARATORS
        }
    )


BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
SEPARATORS = "\u2028\u2029"


def opened(run: Run) -> int:
    """How many connections the report says it made."""
    rows = [row for row in run.report["observations"] if row["tag"] == "check.connections"]
    assert len(rows) == 1, run.say()
    made = rows[0]["args"]["made"]
    assert isinstance(made, int)
    return made
