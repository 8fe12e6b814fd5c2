"""Where reports go: what stdout can show, and each format's way to write one report or many."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import OK, PROBLEM, UNKNOWN, OutputError

if TYPE_CHECKING:
    from typing import TextIO

    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Page

_EXITS = {"healthy": OK, "degraded": OK, "failing": PROBLEM, "unreachable": PROBLEM, "unknown": UNKNOWN}


def exit_code(report: Report) -> int:
    return _EXITS.get(report.verdict.status, UNKNOWN)


def write(text: str) -> None:
    """To stdout, at once. Raise BrokenPipeError where nobody reads on, OutputError for any other failure."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if sys.platform == "win32" and error.errno == errno.EINVAL:  # what a closed pipe is there
            raise BrokenPipeError from error
        raise OutputError(error.strerror or str(error)) from error


def is_terminal(stream: TextIO | None) -> bool:
    """A terminal that understands control sequences."""
    if stream is None or not stream.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    if sys.platform == "win32":
        from rich.console import detect_legacy_windows

        return not detect_legacy_windows()
    return True


def stdout_page(verbose: bool) -> Page:
    """NO_COLOR counts when it is not empty (no-color.org)."""
    from rdpdoctor.report.page import Page

    return Page(
        columns=shutil.get_terminal_size((80, 24)).columns,
        encoding=getattr(sys.stdout, "encoding", None) or "ascii",
        colour=is_terminal(sys.stdout) and not os.environ.get("NO_COLOR"),
        verbose=verbose,
        whole=sys.stdout is not None and not sys.stdout.isatty(),
    )


@dataclass(slots=True)
class Writer:
    """Takes reports as they end and writes them: text in the order of targets, JSON lines at once, JSON last.

    several: whether several targets were asked for, however many reports there come to be.
    """

    format: str  # "text", "json", "jsonl"
    several: bool
    verbose: bool = False
    worst: int = OK
    _kept: dict[int, Report] = field(default_factory=dict)
    _next: int = 0
    _written: int = 0

    def take(self, number: int, report: Report) -> None:
        """`number`: the target's place among the targets."""
        self.worst = max(self.worst, exit_code(report))
        if self.format == "jsonl":
            from rdpdoctor.report.json import dumps

            write(dumps(report) + "\n")
            return
        self._kept[number] = report
        while self.format == "text" and self._next in self._kept:
            self._text(self._kept.pop(self._next))
            self._next += 1

    def add(self, text: str) -> None:
        """Below the report that was written last."""
        if self.format == "text" and text:
            write(f"\n{text}")

    def finish(self) -> None:
        """Write what waited: reports behind a target that has none, or all of them."""
        reports = [self._kept[number] for number in sorted(self._kept)]
        self._kept.clear()
        if self.format == "text":
            for report in reports:
                self._text(report)
        elif self.format == "json" and (reports or self.several):
            from rdpdoctor.report.json import dumps_array, dumps_pretty

            write((dumps_array(reports) if self.several else dumps_pretty(reports[0])) + "\n")

    def _text(self, report: Report) -> None:
        from rdpdoctor.report.text import render

        write(("\n" if self._written else "") + render(report, stdout_page(self.verbose)))
        self._written += 1
