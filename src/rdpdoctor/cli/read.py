"""`rdpdoctor read FILE…`: the report of a check that was saved."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import Parser, UsageError, warn_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.facts import Journal
    from rdpdoctor.report.model import Report

_DESCRIPTION = """\
Gives the report of a saved check again, from the journal that
`rdpdoctor TARGET --save FILE` wrote. This version reads no other evidence."""

_WANTED = "rdpdoctor read takes a journal that `rdpdoctor TARGET --save FILE` wrote, and nothing else yet"
_LARGEST = 64 * 2**20  # bytes; a check writes some tens of kilobytes

#: How files begin that one might want to have read here.
_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture"),
    (b"\x4d\x3c\xb2\xa1", "a packet capture"),
    (b"\xa1\xb2\x3c\x4d", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"ElfFile\0", "a Windows event log"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"regf", "a registry hive"),
)
_ORDER = ("unreachable", "failing", "unknown", "degraded", "healthy")


def run(words: Sequence[str]) -> int:
    parser = Parser("rdpdoctor read", "rdpdoctor read FILE... [options]", _DESCRIPTION)
    parser.add_argument("files", metavar="FILE", nargs="*", help="a saved journal")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="the report as JSON; an array for several files")
    output.add_argument("--jsonl", action="store_true", help="one JSON report a line")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="all evidence, for and against each cause"
    )
    given = parser.parse_intermixed_args(words)
    if not given.files:
        raise UsageError("no file was given", _WANTED)
    journals = [read_journal(name) for name in given.files]

    from rdpdoctor.cli.output import Writer

    reports = sorted(map(_judged, journals), key=_rank)
    wanted = "json" if given.json else "jsonl" if given.jsonl else "text"
    writer = Writer(wanted, len(reports) > 1, given.verbose)
    for number, report in enumerate(reports):
        writer.take(number, report)
    writer.finish()
    return writer.worst


def _judged(journal: Journal) -> Report:
    from rdpdoctor.diagnosis import diagnose
    from rdpdoctor.knowledge import load
    from rdpdoctor.report.build import report_of

    return report_of(journal, diagnose(journal, load()))


def _rank(report: Report) -> int:
    """Worst first."""
    return _ORDER.index(report.verdict.status)


def read_journal(name: str) -> Journal:
    """Raise UsageError for a file that cannot be read, or that is something else."""
    from rdpdoctor.facts import Journal

    try:
        with Path(name).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read `{name}`: {getattr(error, 'strerror', None) or error}", _WANTED
        ) from error
    if len(data) > _LARGEST:
        raise UsageError(f"`{name}` is larger than the {_LARGEST // 2**20} MiB a journal may have", _WANTED)
    if (kind := _kind(name, data)) is not None:
        raise UsageError(f"`{name}` is {kind}, which this version cannot read", _WANTED)
    try:
        lines = _decoded(data).split("\n")
        try:
            return Journal.from_lines(lines)
        except ValueError:
            if not _cut_off(lines):
                raise
            journal = Journal.from_lines(lines[:-1])
    except ValueError as error:
        raise UsageError(f"`{name}` is not a saved journal: {error}", _WANTED) from error
    warn_of(f"the last line of `{name}` is cut off and left out")
    return journal


def _decoded(data: bytes) -> str:
    """Windows PowerShell and Notepad write UTF-16, and put a mark before UTF-8."""
    return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")


def _cut_off(lines: Sequence[str]) -> bool:
    """Whether the last line never came to its end; a whole one that is wrong is another matter."""
    from json import JSONDecodeError

    from rdpdoctor.facts import parsed

    if len(lines) < 2 or not lines[-1].strip():
        return False
    with suppress(ValueError, RecursionError):
        try:
            parsed(lines[-1])
        except JSONDecodeError:
            return True
    return False


def _kind(name: str, data: bytes) -> str | None:
    """What it is when it is no journal, where one can tell."""
    for start, kind in _KINDS:
        if data.startswith(start):
            return kind
    if name.lower().endswith(".rdp"):
        return "a file of connection settings"
    return None
