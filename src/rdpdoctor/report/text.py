"""The report for people: one screen, and whether it works on the first line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rdpdoctor.facts import WALK
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.report.causes import cause_lines
from rdpdoctor.report.escape import cells
from rdpdoctor.report.evidence import evidence_lines
from rdpdoctor.report.layout import hanging, line, to_string, wrap
from rdpdoctor.report.mend import mend_of
from rdpdoctor.report.page import WHOLE, Detail, Page, duration
from rdpdoctor.report.remarks import remarks
from rdpdoctor.report.stages import stage_lines
from rdpdoctor.report.trace import trace_lines

if TYPE_CHECKING:
    from rich.text import Text

    from rdpdoctor.diagnosis.model import StageResult
    from rdpdoctor.facts import Target
    from rdpdoctor.report.model import Report

__all__ = ["SCREEN", "Page", "render"]

#: Rows of a report for people, unless what must be whole needs more: about one screen. Narrower than this
#: it has as many more, since a fact that is cut is worth less than one that scrolls.
SCREEN, _USUAL = 28, 60
_NEXT = 17  # columns for "Tell them apart" and a gap
_NAME = 253  # cells of a host name
_COMMAND = 2000  # cells of a command: none of ours comes near, and no journal may fill the screen

_ANSWERS = {
    "healthy": ("WORKS", "works"),
    "degraded": ("WORKS, with a warning", "warns"),
    "failing": ("FAILS", "fails"),
    "unreachable": ("UNREACHABLE", "fails"),
    "unknown": ("CANNOT TELL", "warns"),
}

_EVERYTHING = Detail(*[99] * len(Detail._fields))
_TERSE = Detail(stage=1, other_why=0, ruled_out=1, causes=2, steps=1, beside=0)
#: What is said beyond the tersest while the screen has room, what matters most first.
_MORE: tuple[tuple[str, int], ...] = (
    ("stage", 2), ("other_why", 1), ("other_why", 2), ("causes", 3), ("stage", 3), ("beside", 1),
    ("causes", 4), ("ruled_out", 2), ("steps", 2), ("stage", 4), ("steps", 3), ("causes", 6), ("stage", 9),
)  # fmt: skip


def render(report: Report, page: Page) -> str:
    """The report as text that ends in a newline; control sequences only where `page.colour` allows them."""
    if page.verbose or page.whole:
        return to_string(_lines(report, page, _EVERYTHING), page.colour)
    room = SCREEN * max(1.0, _USUAL / page.columns)
    detail, best = _TERSE, _lines(report, page, _TERSE)
    for name, value in _MORE:
        more = detail._replace(**{name: value})
        lines = _lines(report, page, more)
        if _rows(lines, page) <= room:
            detail, best = more, lines
    return to_string(best, page.colour)


def _rows(lines: list[Text], page: Page) -> int:
    """Rows on the terminal, which breaks the commands that we do not break."""
    return sum(max(1, math.ceil(cells(row.plain) / page.columns)) for row in lines)


def _lines(report: Report, page: Page, detail: Detail) -> list[Text]:
    blocks = [
        _head(report, page, detail),
        stage_lines(_worth_a_line(report, detail), page, detail.stage),
        cause_lines(report, page, detail),
        [line((row, "plain")) for text in remarks(report) for row in page.wrap(text, page.width, 3)],
        _steps(report, page, detail),
        trace_lines(report, page) if page.verbose else [],
        evidence_lines(report, page) if page.verbose else [],
    ]
    made: list[Text] = []
    for block in blocks:
        if block and made:
            made.append(line())
        made.extend(block)
    return made


def _worth_a_line(report: Report, detail: Detail) -> list[StageResult]:
    return [stage for stage in report.stages if detail.beside or stage.id in WALK or stage.status != "ok"]


def _head(report: Report, page: Page, detail: Detail) -> list[Text]:
    answer, style = _ANSWERS.get(report.verdict.status, _ANSWERS["unknown"])
    if report.verdict.status == "degraded" and not _worked(report):
        answer = "A WARNING"
    if report.verdict.stage is not None:
        answer += f" at {report.verdict.stage}"
    where, dot = _where(report, page), page.show(" · ")
    elapsed = duration(report.elapsed_ms) if report.elapsed_ms else ""  # files alone took no time
    gap = page.width - cells(where) - len(dot) - len(answer) - len(elapsed)
    if gap >= 2:
        rows = [
            line((where, "head"), (dot, "plain"), (answer, style), (" " * gap, "plain"), (elapsed, "absent"))
        ]
    else:  # a long name must not push the answer off the first line
        gap = max(1, page.width - len(answer) - len(elapsed))
        rows = [line((answer, style), (" " * gap, "plain"), (elapsed, "absent"))]
        rows.extend(line((row, "head")) for row in wrap(where, page.width))
    rows.extend(line((row, "plain")) for row in page.wrap(report.verdict.summary, page.width, WHOLE))
    return rows


def _worked(report: Report) -> bool:
    """Whether anything of a connection was seen: settings and defects alone show none."""
    return any(
        stage.status == "ok" or (stage.id == "finalization" and stage.status == "warning")
        for stage in report.stages
    )


def _where(report: Report, page: Page) -> str:
    """An internationalised name stands as it was typed and as it is asked for."""
    target = report.target
    host, address = page.show(target.host, _NAME), page.show(report.address or target.host, _NAME)
    end = f"[{address}]:{target.port}" if ":" in address else f"{address}:{target.port}"
    typed = page.show(_typed(target) or "", _NAME)
    if host == address:
        return f"{typed} ({end})" if typed else end
    return (f"{typed} ({host})" if typed else host) + page.show(" · ") + end


def _typed(target: Target) -> str | None:
    """None where that is no other than what is asked for. A file's path names no host."""
    typed = target.input.strip()
    if typed.isascii() or not target.host.isascii() or typed.lower().endswith(".rdp"):
        return None
    return typed.partition(":")[0]


def _steps(report: Report, page: Page, detail: Detail) -> list[Text]:
    made: list[Text] = []
    for step in report.next[: detail.steps]:
        label = "Also" if made else "Tell them apart" if len(step.separates) > 1 else "To know more"
        made.extend(_pieces(label, step.text, page))
        if step.reach and step is report.next[0]:  # once is enough
            made.extend(_pieces("Without RDP", step.reach, page))
    if (mend := mend_of(report.causes)) is not None:
        made.extend(_pieces("Mend", mend, page))
    return made


def _pieces(label: str, text: str, page: Page) -> list[Text]:
    """Prose hangs beside the label, and is whole: it holds conditions and values. A command has a line
    of its own, however long, so that what is selected on a terminal can be pasted.
    """
    made: list[Text] = []
    for piece in pieces(text):
        if not piece.command:
            rows = page.wrap(piece.text, page.width - _NEXT, WHOLE)
            made.extend(hanging(("" if made else label, "head"), rows, _NEXT))
            continue
        if not made and label:
            made.append(line((label, "head")))
        made.append(line(("  ", "plain"), (page.show(piece.text, _COMMAND), "type")))
    return made
