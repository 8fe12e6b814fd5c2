"""The journal's file: opened before a check begins, so that a wrong path costs no waiting."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rdpdoctor.facts import Journal


@contextmanager
def open_for_save(path: str) -> Iterator[TextIO]:
    """What is in the file stays until `save`. Raise UsageError where it cannot be written."""
    try:
        file = Path(path).open("a", encoding="ascii", newline="\n")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot write `{path}`: {reason}", "--save takes the path of a file to write"
        ) from error
    with file:
        yield file


def save(file: TextIO, journal: Journal) -> None:
    """Raise OSError or ValueError (a value that JSON has no form for)."""
    text = "".join(line + "\n" for line in journal.to_lines())
    if file.seekable():  # a pipe or a terminal is not
        file.truncate(0)
    file.write(text)
    file.flush()
