"""The journals that `--save` writes."""

from __future__ import annotations

from contextlib import suppress
from json import JSONDecodeError
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_journal(data: bytes, largest: int) -> tuple[Journal, tuple[str, ...]]:
    """The journal, and what of it is lost. Raise ValueError that names the wrong line."""
    if len(data) > largest:
        raise ValueError(f"it is larger than the {largest // 2**20} MiB one may have")
    lines = _decoded(data).split("\n")
    try:
        return Journal.from_lines(lines), ()
    except ValueError:
        if not _cut_off(lines):
            raise
    return Journal.from_lines(lines[:-1]), ("the last line is cut off and left out",)


def _decoded(data: bytes) -> str:
    """Windows PowerShell and Notepad write UTF-16, and put a mark before UTF-8."""
    return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")


def _cut_off(lines: Sequence[str]) -> bool:
    """Whether the last line never came to its end; a whole one that is wrong is another matter."""
    if len(lines) < 2 or not lines[-1].strip():
        return False
    with suppress(ValueError, RecursionError):
        try:
            parsed(lines[-1])
        except JSONDecodeError:
            return True
    return False
