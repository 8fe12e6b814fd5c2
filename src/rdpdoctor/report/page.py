"""What the report is printed on, and how much of it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rdpdoctor.report.escape import cells, encodable, visible
from rdpdoctor.report.layout import wrap

NARROWEST, WIDEST = 40, 100  # beyond that the eye loses the line
#: Lines of a text that is said whole: none of ours has as many, but peers' and journals' words are in it.
WHOLE = 12

_SYMBOLS = {"ok": "\u2713", "failed": "\u2717", "warning": "!", "skipped": "\u2013", "unknown": "?"}
_PLAIN_SYMBOLS = {"ok": "+", "failed": "x", "warning": "!", "skipped": "-", "unknown": "?"}


class Detail(NamedTuple):
    """How much to say.

    Lines: for a stage, the others' why, those ruled out. The summary, the best cause's why and the next steps
    are always whole.
    Numbers: of causes, of next steps. beside: whether stages beside the walk that are well are worth a line.
    """

    stage: int
    other_why: int
    ruled_out: int
    causes: int
    steps: int
    beside: int


@dataclass(frozen=True, slots=True)
class Page:
    """columns: what the terminal has; `width` is what is used. colour: control sequences are allowed. whole:
    this is no screen but a file or a pipe, where nothing has to be cut.
    """

    columns: int = 80
    encoding: str = "utf-8"
    colour: bool = False
    verbose: bool = False
    whole: bool = False

    @property
    def width(self) -> int:
        return min(max(self.columns, NARROWEST), WIDEST)

    def symbol(self, status: str) -> str:
        wanted = "".join(_SYMBOLS.values())
        symbols = _SYMBOLS if encodable(wanted, self.encoding) == wanted else _PLAIN_SYMBOLS
        return symbols.get(status, "?")

    def show(self, text: str, limit: int | None = None) -> str:
        return visible(text, limit, self.encoding)

    def wrap(self, text: str, width: int, most: int) -> list[str]:
        """Any text in at most `most` lines; an ellipsis ends the last where there was more."""
        if self.verbose or self.whole:
            most = max(most, WHOLE)
        rows = wrap(self.show(text, (width + 1) * most + width), width)
        if len(rows) <= most:
            return rows
        ellipsis = self.show("…")
        last = rows[most - 1]
        while cells(last) + len(ellipsis) + 1 > width:
            shorter = last.rpartition(" ")[0]
            if not shorter:  # one long word
                return [*rows[: most - 1], self.show(last + "…" * width, width)]
            last = shorter
        return [*rows[: most - 1], f"{last} {ellipsis}"]


def duration(milliseconds: float) -> str:
    if 0 < milliseconds < 0.05:
        return "<0.1 ms"
    if 0.05 <= milliseconds < 0.95:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{min(milliseconds / 1000, 1e6):.1f} s"
