"""What was seen, one observation after the other: the report's long form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rdpdoctor.facts import Source
from rdpdoctor.report.escape import cells
from rdpdoctor.report.layout import line, wrap

if TYPE_CHECKING:
    from rich.text import Text

    from rdpdoctor.facts import Observation
    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Page

_VALUE = 200  # cells of one argument
_ARGUMENTS = 1000  # cells of all of one observation's
_DEPTH = 4


def evidence_lines(report: Report, page: Page) -> list[Text]:
    made = [line(("Evidence", "head"), ("  number, time, what was seen", "absent"))]
    for index, row in enumerate(report.observations):
        head = f"{index:>4} {_time(row.at_ms):>8} "
        source = "" if row.source is Source.PROBE else f" ({row.source})"
        tag = page.show(row.tag, page.width - len(head) - len(source) - 2) + source
        indent = len(head) + 2
        arguments = page.show(_arguments(row, page), _ARGUMENTS)
        texts = wrap(arguments, page.width - indent, page.width - len(head) - cells(tag) - 1)
        made.append(line((head, "absent"), (tag, "head"), (" " + texts[0], "plain")))
        made.extend(line((" " * indent + text, "plain")) for text in texts[1:])
    return made


def _time(at_ms: float | None) -> str:
    """Saved journals may hold any number."""
    if at_ms is None:
        return ""
    return f"{at_ms:.1f}" if abs(at_ms) < 1e7 else f"{at_ms:.3g}"


def evidence_of(report: Report, indices: Sequence[int]) -> str:
    """Observations by tag, with the numbers to look them up by: `tls.closed #4 #5 · tcp.connected #2`."""
    by_tag: dict[str, list[str]] = {}
    for index in indices:
        tag = report.observations[index].tag if 0 <= index < len(report.observations) else ""
        by_tag.setdefault(tag, []).append(f"#{index}")
    return " · ".join(" ".join([tag, *numbers]).strip() for tag, numbers in by_tag.items())


def _arguments(row: Observation, page: Page) -> str:
    return " ".join(f"{key}={page.show(_value(value, _DEPTH), _VALUE)}" for key, value in row.args.items())


def _value(value: object, depth: int) -> str:
    """A value as one word where it can be; text with blanks is quoted."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, str):
        return f'"{value}"' if " " in value or not value else value
    if depth == 0:
        return "..."
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(inner, depth - 1)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(inner, depth - 1) for inner in value) + "]"
    return str(value)
