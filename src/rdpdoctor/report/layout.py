"""Lines of styled text in columns, measured in cells. No markup anywhere: what is printed is never parsed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from rdpdoctor.report.escape import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: One colour, one meaning.
STYLES = {
    "works": "green",
    "fails": "bold red",
    "warns": "yellow",
    "absent": "dim",
    "type": "cyan",  # ids and commands: what one can type
    "head": "bold",
    "plain": "",
}
#: Where a path, a name or a list may be broken.
_JOINTS = "/-,;_"


def wrap(text: str, width: int, first: int | None = None) -> list[str]:
    """Visible text in lines of at most `width` cells (`first` for the first); longer words are broken.

    Never empty: one empty line at least.
    """
    lines: list[str] = []
    line, room = "", max(1, width if first is None else first)
    for word in text.split():
        if line and cells(line) + 1 + cells(word) <= room:
            line += " " + word
            continue
        if line:
            lines.append(line)
            room = max(1, width)
        while cells(word) > room:
            head = _head(word, room)
            lines.append(head)
            word, room = word[len(head) :], max(1, width)
        line = word
    lines.append(line)
    return lines


def _head(word: str, room: int) -> str:
    """As much of a word as fits; up to its last joint, where that leaves not too little."""
    used = 0
    for index, character in enumerate(word):
        used += cells(character)
        if used > room:
            joint = max(word.rfind(mark, 0, index) for mark in _JOINTS) + 1
            return word[: joint if joint > index // 2 else max(1, index)]
    return word


def pad(text: str, width: int) -> str:
    return text + " " * max(0, width - cells(text))


def line(*parts: tuple[str, str]) -> Text:
    """One line of (text, meaning) parts."""
    made = Text(no_wrap=True, overflow="ignore", end="")
    for text, meaning in parts:
        made.append(text, style=STYLES[meaning])
    return made


def hanging(label: tuple[str, str], rows: Sequence[str], indent: int, meaning: str = "plain") -> list[Text]:
    """A label, and rows of text that all start at column `indent`."""
    made = [line((pad(label[0], indent), label[1]), (rows[0], meaning))]
    made.extend(line((" " * indent, "plain"), (row, meaning)) for row in rows[1:])
    return made


def to_string(lines: Iterable[Text], colour: bool) -> str:
    """The lines, each ended by a newline and without trailing blanks; ANSI colours only when asked for."""
    if not colour:
        return "".join(row.plain.rstrip() + "\n" for row in lines)
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
        width=10_000,  # lines are laid out already
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for row in lines:
        row.rstrip()
        console.print(row, soft_wrap=True, end="\n")
    return stream.getvalue()
