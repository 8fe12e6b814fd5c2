"""`rdpdoctor list WHAT`: what the tool knows, an id and a line each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import OK, Parser, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Rows = list[tuple[str, str]]


def _probes() -> Rows:
    from rdpdoctor.probes import PROBES

    return [(probe.id, probe.title) for probe in PROBES]


def _causes() -> Rows:
    from rdpdoctor.knowledge import load

    return [(name, cause.title) for name, cause in load().causes.items()]


def _remedies() -> Rows:
    from rdpdoctor.knowledge.remedies import remedies

    return [(name, remedy.title) for name, remedy in remedies().items()]


def _scenarios() -> Rows:
    from rdpdoctor.lab.load import load, names

    return [(name, load(name).title) for name in names()]


def _tags() -> Rows:
    from rdpdoctor.knowledge import load

    return [(name, tag.says) for name, tag in load().tags.items()]


_KINDS: dict[str, Callable[[], Rows]] = {
    "probes": _probes,
    "causes": _causes,
    "remedies": _remedies,
    "scenarios": _scenarios,
    "tags": _tags,
}


def run(words: Sequence[str]) -> int:
    names = ", ".join(_KINDS)
    parser = Parser(
        "rdpdoctor list", "rdpdoctor list WHAT [--json]", "What the tool knows, an id and a line each."
    )
    parser.add_argument("what", metavar="WHAT", nargs="?", help=names)
    parser.add_argument("--json", action="store_true", help="as an array of {id, text}")
    given = parser.parse_intermixed_args(words)
    if given.what not in _KINDS:
        wrong = "it was not said what to list" if given.what is None else f"`{given.what}` cannot be listed"
        raise UsageError(wrong, f"rdpdoctor list takes one of {names}")
    rows = _KINDS[given.what]()

    from rdpdoctor.cli.output import write

    if given.json:
        import json

        write(json.dumps([{"id": name, "text": text} for name, text in rows], indent=2) + "\n")
    else:
        write("".join(_lines(rows)))
    return OK


def _lines(rows: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Aligned, cut to the terminal; whole where it goes into a pipe."""
    from rdpdoctor.cli.output import is_terminal, stdout_page
    from rdpdoctor.report.layout import pad

    page = stdout_page(verbose=False)
    column = max(len(name) for name, _ in rows) + 2
    limit = max(20, page.columns - column) if is_terminal(sys.stdout) else None
    for name, text in rows:
        yield pad(name, column) + page.show(text, limit) + "\n"
