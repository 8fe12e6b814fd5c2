"""Questions on a terminal: asked, skipped, answered with nonsense, interrupted; and never anywhere else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.ask import _meant
from rdpdoctor.knowledge import load
from tests.command import environment

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals here")

PROMPT = re.compile(r"(?:Number or word|or its number): \Z")


class Talk:
    """One run with a person at a terminal of 80 columns, who answers each prompt with the next line."""

    def __init__(self, *words: str, lines: tuple[str, ...] = (), piped: str = "") -> None:
        """piped: which of stdin, stdout and stderr is none of the terminal's."""
        import fcntl
        import pty
        import termios

        ours, theirs = pty.openpty()

        def control() -> None:  # so that Ctrl-C typed here becomes a signal there
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        def end(name: str) -> int:
            return subprocess.PIPE if name == piped else theirs

        process = subprocess.Popen(
            [sys.executable, "-m", "rdpdoctor", *words],
            stdin=end("stdin"), stdout=end("stdout"), stderr=end("stderr"), preexec_fn=control,
            env={**environment(), "TERM": "dumb", "COLUMNS": "80"},
        )  # fmt: skip
        os.close(theirs)
        self.prompts = 0
        self.screen = self._converse(ours, list(lines))
        rest, _ = process.communicate(timeout=60)
        self.screen += (rest or b"").decode()
        self.code = process.returncode
        os.close(ours)

    def _converse(self, descriptor: int, lines: list[str]) -> str:
        data = ""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                more = os.read(descriptor, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            data += more.decode().replace("\r\n", "\n")
            if PROMPT.search(data):
                self.prompts += 1
                os.write(descriptor, (lines.pop(0) if lines else "\n").encode())
        return data


@posix
def test_an_answer_is_asked_for_and_counts(failing: str, tmp_path: Path) -> None:
    saved = tmp_path / "journal"
    talk = Talk(failing, "--save", str(saved), lines=("1\n",))
    assert talk.prompts == 1
    question = load().questions["others"]
    assert question.text in talk.screen
    assert "Something on the path cuts TLS" in " ".join(talk.screen.split("FAILS at tls")[0].split())
    assert talk.code == 1
    assert talk.screen.index("Number or word") < talk.screen.index("FAILS at tls")
    rows = [json.loads(line) for line in saved.read_text().splitlines()]
    given = [row["args"] for row in rows if row.get("tag") == "answer.given"]
    assert given == [{"question": "others", "answer": "yes"}]
    assert all(len(line) <= 80 for line in talk.screen.split(" · FAILS")[0].splitlines())


@posix
def test_enter_skips(failing: str, tmp_path: Path) -> None:
    saved = tmp_path / "journal"
    talk = Talk(failing, "--save", str(saved), lines=("\n",))
    assert talk.prompts == 1
    assert "FAILS at tls" in talk.screen
    assert "answer.given" not in saved.read_text()


@posix
def test_a_wrong_answer_is_asked_again_once(failing: str, tmp_path: Path) -> None:
    saved = tmp_path / "journal"
    talk = Talk(failing, "--save", str(saved), lines=("perhaps\n", "n\n"))
    assert talk.prompts == 2
    assert "One of yes, no, unknown, or its number: " in talk.screen
    assert '"answer": "no"' in saved.read_text()
    again = Talk(failing, "--save", str(saved), lines=("perhaps\n", "\x07" + "9" * 3000 + "\n"))
    assert again.prompts == 2
    assert "FAILS at tls" in again.screen
    assert "answer.given" not in saved.read_text()


@posix
@pytest.mark.parametrize("end", ["\x03", "\x04"], ids=["ctrl-c", "end of input"])
def test_ctrl_c_and_the_end_of_input_skip_and_the_report_is_written(failing: str, end: str) -> None:
    talk = Talk(failing, lines=(end,))
    assert talk.prompts == 1
    assert "FAILS at tls" in talk.screen
    assert talk.code == 1
    assert "Traceback" not in talk.screen


@posix
def test_at_most_three_and_each_once() -> None:
    """Nobody answers anything, about a port where much is possible."""
    talk = Talk("127.0.0.1:1", "--code", "0x904", "0x7")
    asked = [question.key for question in load().questions.values() if question.text in talk.screen]
    assert 1 <= talk.prompts <= 3
    assert len(set(asked)) >= talk.prompts
    assert "UNREACHABLE" in talk.screen


@posix
@pytest.mark.parametrize("piped", ["stdin", "stdout", "stderr"])
def test_never_where_one_end_is_no_terminal(failing: str, piped: str) -> None:
    talk = Talk(failing, piped=piped)
    assert talk.prompts == 0
    assert talk.code == 1


@posix
@pytest.mark.parametrize(
    "option", ["--no-questions", "--json", "--jsonl", "127.0.0.1:1", "--answer=others=no"]
)
def test_never_when_it_is_not_wanted_or_answered(failing: str, option: str) -> None:
    assert Talk(failing, option).prompts == 0


@posix
def test_nobody_is_asked_about_a_server_that_is_well(healthy: str) -> None:
    talk = Talk(healthy)
    assert talk.prompts == 0
    assert talk.code == 0


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1", "direct"), ("5", "unknown"), ("VPN", "vpn"), ("bast", "bastion"), ("g", "gateway"),
        ("0", None), ("6", None), ("-1", None), ("²", None), ("x", None), ("direct vpn", None),
    ],
)  # fmt: skip
def test_numbers_words_and_beginnings(typed: str, value: str | None) -> None:
    assert _meant(typed, load().questions["via"]) == value


def test_a_beginning_of_two_values_means_neither() -> None:
    assert _meant("after", load().questions["moment"]) is None
    assert _meant("after-d", load().questions["moment"]) == "after-desktop"
