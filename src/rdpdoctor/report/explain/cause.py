"""One cause, whole: what it is, how it shows, what to check, what mends it, what is advised for it. Or one
remedy.

As JSON, schema `rdpdoctor.cause/1`:

{ "schema", "id", "title", "what", "stages": [], "refines": [id],
  "shows": [{ "side": "wire"|"client"|"server", "says", "sources": [],
              "sure": "measured"|"documented"|"inferred" }],
  "check": [],
  "remedies": [{ "id", "title", "where", "risk", "breaks", "needs": [], "steps": [], "verify": [],
                 "undo": [], "lowers_security": bool, "sources": [],
                 "diagnostic": { "minutes", "restores", "warning", "causes": [id] }|null }],
  "advice": [{ "id", "advice", "right_when", "right_for": [id], "breaks", "instead",
               "lowers_security": bool, "causes": [id], "codes": [[family, number]], "sources": [] }],
  "sources": [] }

One remedy, schema `rdpdoctor.remedy/1`: "schema" and the keys that a remedy has above.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge.advice import for_cause
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.prose import prose
from rdpdoctor.knowledge.remedies import diagnostics_for, remedies
from rdpdoctor.report.layout import hanging, line, to_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from rdpdoctor.knowledge import Cause
    from rdpdoctor.knowledge.advice import Advice
    from rdpdoctor.knowledge.prose import Prose
    from rdpdoctor.knowledge.remedies import Remedy
    from rdpdoctor.report.page import Page

SCHEMA = "rdpdoctor.cause/1"
REMEDY_SCHEMA = "rdpdoctor.remedy/1"
_INDENT = 15
_COMMAND = 4  # columns before a command
_LINES = 16  # of one text; none of ours has as many


@dataclass(frozen=True, slots=True)
class WholeCause:
    """remedies: in the cause's order, the mildest first; then tests that cost something."""

    cause: Cause
    prose: Prose
    remedies: tuple[Remedy, ...]
    advice: tuple[Advice, ...]


def whole(cause: Cause) -> WholeCause:
    known = remedies()
    mends = tuple(known[name] for name in cause.remedies)
    return WholeCause(cause, prose(cause.id), mends + diagnostics_for(cause.id), for_cause(cause.id))


def dumps(told: WholeCause | Remedy) -> str:
    if isinstance(told, WholeCause):
        return json.dumps(to_json(told), indent=2)
    return json.dumps({"schema": REMEDY_SCHEMA, **asdict(told)}, indent=2)


def to_json(told: WholeCause) -> dict[str, Any]:
    cause = told.cause
    return {
        "schema": SCHEMA,
        "id": cause.id,
        "title": cause.title,
        "what": cause.what,
        "stages": [str(stage) for stage in cause.stages],
        "refines": list(cause.refines),
        "shows": [{"side": name, **asdict(side)} for name, side in told.prose.shows.items()],
        "check": list(told.prose.check),
        "remedies": [asdict(remedy) for remedy in told.remedies],
        "advice": [asdict(advice) for advice in told.advice],
        "sources": list(cause.sources),
    }


def render(told: WholeCause | Remedy, page: Page) -> str:
    """Text that ends in a newline, without control characters but for colours that `page` allows."""
    if not isinstance(told, WholeCause):
        return to_string(_remedy(told, page), page.colour)
    blocks = _whole(told, page) if page.verbose else _gist(told, page)
    made: list[Text] = []
    for block in blocks:
        if block:
            made.extend([line(), *block] if made else block)
    return to_string(made, page.colour)


def _whole(told: WholeCause, page: Page) -> list[list[Text]]:
    return [
        _about(told, page),
        _steps("check", told.prose.check, page),
        *(_remedy(remedy, page) for remedy in told.remedies),
        *(_advice(advice, page, place == 0) for place, advice in enumerate(told.advice)),
    ]


def _gist(told: WholeCause, page: Page) -> list[list[Text]]:
    """What it is, how it shows, the first check, the mildest remedy; of the rest a line each."""
    mild, *others = told.remedies
    rest: list[Text] = []
    for remedy in others:
        label = "test" if remedy.diagnostic else "or mend"
        rest += _row(label, f"{remedy.title} ({remedy.id}, risk {remedy.risk})", page)
    advised: list[Text] = []
    for place, advice in enumerate(told.advice):
        if not place:
            advised.append(line(("What is widely advised, and what it costs", "head")))
        never = advice.right_when.startswith("Never")
        said = f"{advice.advice}. {advice.breaks}"
        advised += _row("never" if never else "advice", said, page, "warns" if never else "plain")
    more = f"rdpdoctor explain {told.cause.id} -v tells every check and remedy whole, with the sources."
    return [
        _about(told, page),
        _steps("check", told.prose.check[:1], page),
        _remedy(mild, page, whole=False),
        rest,
        advised,
        _row("more", more, page, "absent"),
    ]


def _row(label: str, text: str, page: Page, meaning: str = "plain") -> list[Text]:
    rows = page.wrap(text, page.width - _INDENT, _LINES)
    return hanging((page.show(label, _INDENT - 2), "absent"), rows, _INDENT, meaning)


def _steps(label: str, steps: Sequence[str], page: Page) -> list[Text]:
    """A command has a line of its own, however long, so that what is selected can be pasted."""
    made: list[Text] = []
    for step in steps:
        for piece in pieces(step):
            if not piece.command:
                made += _row("" if made else label, piece.text, page)
                continue
            if not made:
                made.append(line((label, "absent")))
            made.append(line((" " * _COMMAND, "plain"), (page.show(piece.text), "type")))
    return made


def _about(told: WholeCause, page: Page) -> list[Text]:
    cause = told.cause
    made = [line((page.show(cause.id), "head"))]
    made += _row("is", cause.title, page, "head")
    made += _row("", cause.what, page)
    if page.verbose:
        made += _row("at stage", ", ".join(cause.stages), page)
    if cause.refines:
        made += _row("a kind of", ", ".join(cause.refines), page, "type")
    for name, side in told.prose.shows.items():
        made += _row(f"on the {name}", side.says, page)
        if page.verbose:
            made += _row("", f"{side.sure}: {'; '.join(side.sources)}", page, "absent")
    if page.verbose:
        made += _row("source", "; ".join(cause.sources), page, "absent")
    return made


def _remedy(remedy: Remedy, page: Page, whole: bool = True) -> list[Text]:
    word = "test" if remedy.diagnostic else "mend"
    made = _row(word, f"{remedy.title} ({remedy.id})", page, "head")
    if remedy.diagnostic:
        made += _row("warning", remedy.diagnostic.warning, page, "fails")
        made += _row("ends", remedy.diagnostic.restores, page)
    made += _row("where", f"{remedy.where}, risk {remedy.risk}", page)
    made += _row("costs", remedy.breaks, page, "warns")
    if remedy.needs:
        made += _row("needs", "; ".join(remedy.needs), page)
    made += _steps("do", remedy.steps, page)
    made += _steps("verify", remedy.verify, page)
    made += _steps("undo", remedy.undo, page)
    if whole:
        made += _row("source", "; ".join(remedy.sources), page, "absent")
    return made


def _advice(advice: Advice, page: Page, first: bool) -> list[Text]:
    made = [line(("What is widely advised, judged", "head")), line()] if first else []
    made += _row("advice", advice.advice, page, "head")
    made += _row("right when", advice.right_when, page)
    made += _row("breaks", advice.breaks, page, "warns")
    made += _row("instead", advice.instead, page)
    made += _row("source", "; ".join(advice.sources), page, "absent")
    return made
