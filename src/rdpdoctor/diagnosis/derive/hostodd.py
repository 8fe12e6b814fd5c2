"""Where files with facts of one machine contradict each other: one is of another moment or another machine.
The last one that was read counts all the same, and both values are told.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.finding import Finding, named
from rdpdoctor.diagnosis.view import View, flag, text, whole
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.facts import Observation


def find(view: View) -> Iterator[Finding]:
    """Of settings, those with which no connection comes about, and the port."""
    computers = {name.lower() for row in view.all("host.read") if (name := text(row, "computer"))}
    if len(computers) > 1:
        return
    first: dict[tuple[str, str | None], Observation] = {}
    for settings in _by_file(view):
        for (name, by), row in settings.items():
            before = first.setdefault((name, by), row)
            if text(before, "value") == text(row, "value") or not any(map(_matters, (before, row))):
                continue
            yield Finding(
                "facts.differ",
                "warns",
                Stage.HOST,
                [before, row],
                value=f"{text(before, 'value')} and {text(row, 'value')}",
                other=name,
            )
    states: dict[str, Observation] = {}
    for row in view.all("host.service"):
        if (text(row, "name") or "").lower() == "termservice" and text(row, "state"):
            states.setdefault(text(row, "state") or "", row)
    if len(states) > 1:
        value = " and ".join(list(states)[:3])
        yield Finding(
            "facts.differ", "warns", Stage.HOST, list(states.values()), value=value, other="TermService"
        )


def _matters(row: Observation) -> bool:
    return text(row, "effect") == "breaks" or text(row, "name") == "PortNumber"


def _by_file(view: View) -> Iterator[dict[tuple[str, str | None], Observation]]:
    """(name, by) → what each file says at its end. Nothing where the files do not tell which is whose."""
    sizes = [max(whole(row, "settings") or 0, 0) for row in view.all("host.read")]
    rows = list(view.all("host.setting"))
    if len(sizes) < 2 or sum(sizes) != len(rows):
        return
    left = iter(rows)
    for size in sizes:
        yield {(named(row), text(row, "by")): row for row in islice(left, size) if flag(row, "set")}
