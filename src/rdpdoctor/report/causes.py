"""The causes: those that fit, best first, each with its why, and those that are ruled out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.report.behind import behind
from rdpdoctor.report.escape import cells
from rdpdoctor.report.layout import hanging, line, pad
from rdpdoctor.report.page import WHOLE
from rdpdoctor.report.weighing import weighing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from rdpdoctor.diagnosis.model import RankedCause
    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Detail, Page

_INDENT = 11  # "RULED OUT" and a gap
_ID = 26  # the longest usual id
_STYLE = {"confirmed": "fails", "likely": "fails", "possible": "warns", "ruled-out": "absent"}
_ALL = 99
_SIDE = 9  # "against" and a gap, in the long form
_BEHIND = 2  # lines, at most, of why another is not first


def cause_lines(report: Report, page: Page, detail: Detail) -> list[Text]:
    fitting = [cause for cause in report.causes if cause.confidence != "ruled-out"]
    ruled_out = [cause for cause in report.causes if cause.confidence == "ruled-out"]
    room = page.width - _INDENT
    made: list[Text] = []
    stopped = any(row.tag == "check.interrupted" for row in report.observations)
    if not fitting and report.verdict.status != "healthy" and not stopped:
        rows = page.wrap("No cause known to rdpdoctor fits what was seen.", room, 2)
        made.extend(hanging(("UNKNOWN", "warns"), rows, _INDENT))
    if page.verbose:
        return [*made, *_at_length(report, page, [*fitting, *ruled_out])]
    shown = fitting[: detail.causes]
    column = _column(page, shown)
    for position, cause in enumerate(shown):
        made.extend(_cause(cause, page, column, detail.other_why if position else WHOLE))
        if reason := behind(report.causes, position):
            made.extend(_indented(reason, page, _BEHIND))
    if len(fitting) > len(shown):
        rows = page.wrap(_named(fitting[len(shown) :], page, _BEHIND * room), room, _BEHIND + 1)
        made.extend(hanging(("and also", "absent"), rows, _INDENT, "absent"))
    if ruled_out:
        rows = page.wrap(" · ".join(cause.title for cause in ruled_out), room, detail.ruled_out)
        made.extend(hanging(("RULED OUT", "absent"), rows, _INDENT, "absent"))
    return made


def _named(causes: Sequence[RankedCause], page: Page, room: int) -> str:
    """By title and id, as many as fit."""
    names = [page.show(f"{cause.title} ({cause.id})") for cause in causes]
    fits = len(names)
    while fits > 1 and not page.whole and sum(cells(name) + 2 for name in names[:fits]) > room:
        fits -= 1
    more = len(names) - fits
    return "; ".join(names[:fits]) + (f"; {more} more with -v" if more else "")


def _at_length(report: Report, page: Page, causes: Sequence[RankedCause]) -> list[Text]:
    """Every cause with all that speaks for it and against it, and how much."""
    made: list[Text] = []
    column = _column(page, causes)
    for place, cause in enumerate(causes):
        if made:
            made.append(line())
        made.extend(_cause(cause, page, column, _ALL))
        if reason := behind(causes, place):
            made.extend(_indented(reason, page, _ALL))
        for label, text in weighing(report, cause):
            rows = page.wrap(text, page.width - _INDENT - _SIDE, _ALL)
            made.extend(hanging((" " * _INDENT + label, "absent"), rows, _INDENT + _SIDE))
    return made


def _column(page: Page, causes: Sequence[RankedCause]) -> int | None:
    """Where the ids begin, if all titles leave room for a column of ids; else None."""
    widest = max((cells(page.show(cause.title)) for cause in causes), default=0) + 3
    longest = max((len(cause.id) for cause in causes), default=0)
    return widest if _INDENT + widest + max(_ID, longest) <= page.width else None


def _cause(cause: RankedCause, page: Page, column: int | None, most: int) -> list[Text]:
    """With the id in a column of its own, or, where that does not fit, in front of the why."""
    label = (cause.confidence.upper().replace("-", " "), _STYLE.get(cause.confidence, "plain"))
    room = page.width - _INDENT
    if column is not None:
        title = (pad(page.show(cause.title), column), "head")
        made = [line((pad(label[0], _INDENT), label[1]), title, (cause.id, "type"))]
        return [*made, *_indented(cause.why, page, most)] if most and cause.why else made
    made = hanging(label, page.wrap(cause.title, room, 2), _INDENT, "head")
    rows = page.wrap(f"{cause.id}: {cause.why}" if most and cause.why else cause.id, room, max(1, most))
    name = rows[0][: len(cause.id)]
    made.append(line((" " * _INDENT, "plain"), (name, "type"), (rows[0][len(name) :], "plain")))
    return [*made, *(line((" " * _INDENT + row, "plain")) for row in rows[1:])]


def _indented(text: str, page: Page, most: int) -> list[Text]:
    return [line((" " * _INDENT + row, "plain")) for row in page.wrap(text, page.width - _INDENT, most)]
