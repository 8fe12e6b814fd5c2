"""What a terminal gets: colour and progress; and what everything else gets: neither."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.command import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals here", allow_module_level=True)

import pty

REFUSED = "127.0.0.1:1"


class Seen:
    """What came out of one run: on the terminal, and through the pipe."""

    def __init__(self, words: list[str], stdout_too: bool, variables: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        env = {**environment(), "TERM": "xterm-256color", **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "rdpdoctor", *words, "--no-questions"], stdin=theirs, stderr=theirs,
            stdout=theirs if stdout_too else subprocess.PIPE, env=env,
        )  # fmt: skip
        os.close(theirs)
        self.terminal = _all(ours)
        self.pipe = "" if process.stdout is None else process.stdout.read().decode()
        self.code = process.wait(timeout=60)
        if process.stdout is not None:
            process.stdout.close()
        os.close(ours)

    def screen(self) -> str:
        """The terminal's text as a person is left with it: what was drawn over is gone."""
        lines = [""]
        row = column = 0
        for part in re.findall(r"\x1b\[\??[0-9;]*[A-Za-z]|[^\x1b]", self.terminal):
            if part == "\r":
                column = 0
            elif part == "\n":
                row += 1
                lines.extend([""] * (row + 1 - len(lines)))
            elif part[-1] == "A" and part[0] == "\x1b":
                row -= int(part[2:-1] or "1")
            elif part == "\x1b[2K":
                lines[row] = ""
            elif part[0] != "\x1b":
                lines[row] = lines[row].ljust(column)[:column] + part + lines[row][column + 1 :]
                column += 1
        return "\n".join(line.rstrip() for line in lines)


def _all(descriptor: int) -> str:
    data = b""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            more = os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        data += more
    return data.decode()


def test_a_terminal_gets_colour_and_progress_and_is_left_with_the_report_alone(failing: str) -> None:
    seen = Seen([failing], True, {})
    assert seen.code == 1
    assert "\x1b[1;31m" in seen.terminal
    assert "checking, " in seen.terminal
    screen = seen.screen()
    assert "checking, " not in screen
    assert screen.startswith(f"{failing} · FAILS at tls")
    assert "LIKELY" in screen


def test_progress_goes_to_stderr_and_the_pipe_gets_the_report_alone(failing: str) -> None:
    seen = Seen([failing], False, {})
    assert "checking, " in seen.terminal
    assert "\x1b" not in seen.pipe
    assert seen.pipe.startswith(f"{failing} · FAILS at tls")
    assert seen.screen().strip() == ""


def test_progress_of_several_targets(failing: str) -> None:
    seen = Seen([failing, REFUSED], True, {})
    assert "checked " in seen.terminal
    screen = seen.screen()
    assert "checked " not in screen
    assert "FAILS at tls" in screen
    assert "UNREACHABLE at tcp" in screen
    assert (
        screen.count("LIKELY") + screen.count("CONFIRMED") == 2
    )  # nothing of the first report was drawn over


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "unknown"}])
def test_a_dumb_terminal_gets_plain_text(variables: dict[str, str], failing: str) -> None:
    assert "\x1b" not in Seen([failing], True, variables).terminal


def test_no_color_is_respected(failing: str) -> None:
    seen = Seen([failing], True, {"NO_COLOR": "1"})
    report = seen.terminal[seen.terminal.index(" · FAILS") :]
    assert "\x1b" not in report
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", seen.terminal)


def test_no_color_that_is_empty_counts_for_nothing(failing: str) -> None:
    assert "\x1b[1;31m" in Seen([failing], True, {"NO_COLOR": ""}).terminal


def test_an_encoding_without_the_symbols(failing: str) -> None:
    seen = Seen([failing], False, {"PYTHONIOENCODING": "ascii"})
    assert seen.pipe.isascii()
    assert " x tls " in seen.pipe
    assert " + tcp " in seen.pipe


@pytest.mark.parametrize("columns", [60, 80])
def test_columns_are_respected(columns: int, failing: str) -> None:
    seen = Seen([failing], False, {"COLUMNS": str(columns)})
    lines = seen.pipe.splitlines()
    (command,) = [line for line in lines if line.startswith("  Get-WinEvent ")]
    assert len(command) > columns, "a command is left to the terminal, so that it can be pasted"
    assert columns - 12 < max(len(line) for line in lines if line != command) <= columns
