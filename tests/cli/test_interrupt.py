"""Ctrl-C, and readers and disks that give up: real processes, with real signals and pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.cli.main import main
from tests.command import VALIDATOR, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

REFUSED = "127.0.0.1:1"
#: Seconds between Ctrl-C and the end, on a machine that others use too.
AT_ONCE = 3.0


def start(words: Sequence[str], **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rdpdoctor", *words], env=environment(), text=True, encoding="utf-8",
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | more),
    )  # fmt: skip


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Whatever happens inside, nothing of it runs on."""
    with process:
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def waits(silent: str) -> str:
    """A target whose check takes many seconds."""
    return silent


def interrupted(*words: str) -> tuple[str, str]:
    """stdout and stderr of a check that was stopped once it was under way."""
    process = start(words)
    with ended(process):
        time.sleep(1.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - began < AT_ONCE
    assert process.returncode == 130
    return out, err


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
class TestCtrlC:
    def test_text(self, waits: str) -> None:
        out, err = interrupted(waits)
        assert "Interrupted: this is what was known by then." in out
        assert out.startswith(f"{waits} · ")
        assert err == ""

    def test_json(self, waits: str) -> None:
        out, err = interrupted(waits, "--json")
        report = json.loads(out)
        VALIDATOR.validate(report)
        tags = [row["tag"] for row in report["observations"]]
        assert "tcp.connected" in tags
        assert "check.interrupted" in tags
        assert err == ""

    def test_several(self, waits: str) -> None:
        out, err = interrupted(waits, REFUSED, waits, "--json")
        array = json.loads(out)
        assert [report["target"]["input"] for report in array] == [waits, REFUSED, waits]
        assert err == ""

    def test_saved(self, waits: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "saved.jsonl"
        out, _ = interrupted(waits, "--json", "--save", str(file))
        main(["read", str(file), "--json"])
        assert capsys.readouterr().out == out

    def test_lab(self) -> None:
        process = start(["lab", "healthy-without-nla", "-v"])
        with ended(process):
            assert process.stdout is not None
            assert process.stdout.readline().startswith("healthy-without-nla: ")
            line = next(line for line in process.stdout if line.startswith("check it: "))
            out, _ = start([*line.split()[3:], "--json"]).communicate(timeout=60)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        assert json.loads(out)["verdict"]["status"] == "healthy"
        assert process.returncode == 130
        assert "connection 1: " in err
        assert "Traceback" not in err


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as end:
        process = start([REFUSED, REFUSED, "--jsonl"], stdout=end)
    _, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == 1  # what was found stays found


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"]])
def test_a_full_disk_is_said(form: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = start([REFUSED, *form], stdout=full)
    _, err = process.communicate(timeout=60)
    assert err.startswith("error: cannot write to stdout: ")
    assert err.count("\n") == 2
    assert process.returncode == 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_journal_that_cannot_be_written_costs_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([REFUSED, "--save", "/dev/full"]) == 3
    out, err = capsys.readouterr()
    assert "UNREACHABLE" in out
    assert err.startswith("error: could not write `/dev/full`: ")


def test_no_stdout_at_all_is_no_fault() -> None:
    process = start(["list", "probes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(timeout=60) == 0
