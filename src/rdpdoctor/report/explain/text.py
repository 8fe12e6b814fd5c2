"""An explanation for people: the gist on the first screen; with -v all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.knowledge.codes import family
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.report.explain.json import hexadecimal
from rdpdoctor.report.layout import hanging, line, to_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.report.explain.build import Explained, Explanation, Meaning
    from rdpdoctor.report.explain.topics import Step, Topic
    from rdpdoctor.report.page import Page

_INDENT = 15
_LINES = 12  # of one text
_SHORT = 2  # of one text that is not the gist, on the first screen
_TYPED = 60  # cells of what was typed
_COMMAND = 4  # cells before a command, which has its line to itself so that it can be pasted
_WHERE = (
    "The connection ended while it was set up. This tells where, and nothing about why: only a look at the "
    "connection itself, or the server's log, tells the causes below apart."
)
_MORE = "rdpdoctor explain -v says more, with the sources."


def render(explanation: Explanation, page: Page) -> str:
    """Text that ends in a newline, without control characters but for colours that `page` allows."""
    blocks = [_topic(one, page) for one in explanation.topics if one.kind == "dialog"]
    brief = bool(explanation.claims) and not page.verbose  # what is noted of these codes is said below
    if explanation.where_not_why:
        blocks.append(_row("in short", _WHERE, page))
    blocks += [_code(one, page, not brief) for one in explanation.codes]
    blocks += [_topic(one, page) for one in explanation.topics if one.kind != "dialog" and not one.brief]
    briefly = [one for one in explanation.topics if one.brief]
    blocks.append(_briefly(briefly, "also" if any(blocks) else "one of", page))
    blocks.append(_words(explanation, page))
    if not explanation.codes and not explanation.topics:
        blocks.append(
            _row("means", "In this text is no code, event, setting or dialog that is known here.", page)
        )
    blocks += [_causes(explanation, page), _next(explanation.next, page), *_popular(explanation, page)]
    if not page.verbose and explanation.all_known:
        blocks.append(_row("more", _MORE, page, "absent"))
    made: list[Text] = []
    for block in blocks:
        if block:
            made.extend([line(), *block] if made else block)
    return to_string(made, page.colour)


def _row(label: str, text: str, page: Page, meaning: str = "plain", most: int = _LINES) -> list[Text]:
    rows = page.wrap(text, page.width - _INDENT, most)
    return hanging((page.show(label, _INDENT - 2), "absent"), rows, _INDENT, meaning)


def _head(name: str, is_a: str, page: Page) -> list[Text]:
    """The name, and what kind of thing it is where there is room beside it."""
    shown, kind = page.show(name, page.width), page.show(is_a)
    if len(shown) + len(kind) + 3 <= page.width:
        return [line((shown, "head"), (page.show(" · "), "absent"), (kind, "absent"))]
    return [line((shown, "head")), *_row("is a", is_a, page)]


# ---- codes


def _code(one: Explained, page: Page, notes: bool) -> list[Text]:
    typed = page.show(" ".join(one.asked.text.split()), _TYPED)
    if not one.meanings:
        return _unknown(one, typed, page)
    first = one.meanings[0]
    code, about = first.code, family(first.code.kind)
    name = _names(code)
    made = _head(name if typed.lower() in name.lower() else f"{typed}: {name}", about.title, page)
    if one.taken:
        made += _row("taken for", one.taken, page)
    known = "" if code.official else " (known from others, not documented by its maker)"
    made += _row("means", code.says + known, page, "head")
    if page.verbose:
        made += _row("where from", about.what, page)
    made += _row("proves not", about.not_proof, page, "warns")
    if code.note and notes:
        made += _row("note", code.note, page, most=_SHORT)
    if page.verbose:
        made += _row("at stage", ", ".join(first.stages) or "any", page)
        if first.causes:
            made += _row("speaks for", ", ".join(first.causes), page, "type")
        made += _row("source", code.source, page, "absent")
    for place, other in enumerate(one.meanings[1:]):
        made += _row("" if place else "or also", _other(other, page), page, most=_SHORT)
    return made


def _names(code: Code) -> str:
    number = hexadecimal(code.number)
    decimal = f" ({code.number})" if code.number is not None and code.number > 9 else ""
    return " ".join(filter(None, [f"{number}{decimal}" if number else None, code.symbol]))


def _other(meaning: Meaning, page: Page) -> str:
    code = meaning.code
    name = f", {code.symbol}" if code.symbol and page.verbose else ""
    speaks = f" Speaks for {', '.join(meaning.causes)}." if meaning.causes else ""
    return f"as {family(code.kind).title}{name}: {code.says}.{speaks}"


def _unknown(one: Explained, typed: str, page: Page) -> list[Text]:
    number = one.asked.number
    forms = [] if number is None else [form for form in (hexadecimal(number), str(number)) if form]
    value = ", ".join(form for form in forms if form.lower() != typed.lower())
    value = value and f" ({value})"
    made = [line((typed, "head"), (value, "plain"))]
    made += _row("means", "unknown: it is not among the codes known here.", page, "warns")
    if one.group:
        made += _row("but", one.group, page)
    for place, code in enumerate(one.near):
        made += _row(
            "" if place else "near it", f"{_names(code)}: {code.says}. {family(code.kind).title}", page
        )
    return made


# ---- events, settings, dialogs


def _topic(topic: Topic, page: Page) -> list[Text]:
    made = _head(topic.name, topic.is_a, page)
    if topic.means is None:
        made += _row("means", f"unknown: this {topic.kind} is not among those known here.", page, "warns")
    else:
        made += _row("means", topic.means, page, "head")
    for detail in topic.details:
        if detail.main or page.verbose:
            made += _row(detail.label, detail.text, page)
    if topic.note:
        made += _row("note", topic.note, page)
    if (topic.means and topic.kind != "dialog") or (topic.means and page.verbose):
        made += _row("proves not", topic.not_proof, page, "warns")
    if topic.sure == "unverified":
        made += _row("but", "No document or recording was found that confirms it.", page, "warns")
    if page.verbose:
        made += _row("at stage", ", ".join(topic.stages) or "any", page)
        made += _row("source", "; ".join(topic.sources) or "none", page, "absent")
    return made


def _briefly(topics: Sequence[Topic], label: str, page: Page) -> list[Text]:
    """Things of the same name, a line each."""
    made: list[Text] = []
    for place, topic in enumerate(topics):
        at = next((detail.text for detail in topic.details if detail.label == "stands at"), topic.is_a)
        name = (
            at if topic.kind == "setting" else topic.name if topic.kind == "line" else f"{topic.name}, {at}"
        )
        made += _row("" if place else label, f"{name}: {topic.means}", page)
    return made


def _words(explanation: Explanation, page: Page) -> list[Text]:
    """What was not understood, and what it may be."""
    made: list[Text] = []
    if explanation.left and (explanation.codes or explanation.topics):
        made += _row("left over", f"{' '.join(explanation.left)}: this was not understood.", page, "warns")
    for place, one in enumerate(explanation.named):
        made += _row("" if place else "it may be", f"{one.id}: {one.title}", page)
    return made


# ---- what follows


def _causes(explanation: Explanation, page: Page) -> list[Text]:
    made: list[Text] = []
    if explanation.stages and explanation.causes:
        made += _row("fits at", ", ".join(explanation.stages), page)
    for by_code, label in ((True, "fits causes"), (False, "or, by stage")):
        links = [link for link in explanation.causes if bool(link.strength) is by_code]
        for place, link in enumerate(links):
            made += _row("" if place else label, f"{link.cause.id}: {link.cause.title}", page)
    return made


def _next(steps: Sequence[Step], page: Page) -> list[Text]:
    made: list[Text] = []
    for step in steps if page.verbose else steps[:2]:
        parts = pieces(step.text) if step.command is None else ()
        if step.command is not None:
            made += _row("" if made else "next", step.text, page)
            made += _typed(step.command, page)
        for part in parts:
            if part.command:
                made += _typed(part.text, page)
            else:
                made += _row("" if made else "next", part.text, page)
    return made


def _typed(command: str, page: Page) -> list[Text]:
    return [line((" " * _COMMAND, "plain"), (page.show(command), "type"))]


# ---- what is said and advised


def _popular(explanation: Explanation, page: Page) -> list[list[Text]]:
    if page.verbose:
        return _at_length(explanation, page)
    made: list[Text] = []
    if explanation.claims:
        made.append(line(("What is said about it", "head")))
        for claim in explanation.claims:
            made += _row(claim.judged, claim.says, page, most=_SHORT)
    blocks = [made]
    if explanation.remedies:
        made = [line(("What is advised, judged", "head"))]
        right = [advice for advice in explanation.remedies if not advice.right_when.startswith("Never")]
        never = [advice.advice for advice in explanation.remedies if advice.right_when.startswith("Never")]
        for place, advice in enumerate(right):
            made += _row("" if place else "only when", f"{advice.advice}: {advice.right_when}", page)
        if never:
            made += _row("never", ". ".join(never) + ".", page, "warns")
        blocks.append(made)
    return blocks


def _at_length(explanation: Explanation, page: Page) -> list[list[Text]]:
    blocks: list[list[Text]] = []
    if explanation.claims:
        made = [line(("What is said about it", "head"))]
        for claim in explanation.claims:
            made += _row(claim.judged, f"{claim.says} {claim.because}", page)
            made += _row("", "; ".join(claim.sources), page, "absent")
        blocks.append(made)
    for place, advice in enumerate(explanation.remedies):
        made = [] if place else [line(("What is advised, judged", "head")), line()]
        made += _row("advice", advice.advice, page, "head")
        made += _row("right when", advice.right_when, page)
        made += _row("breaks", advice.breaks, page, "warns")
        made += _row("instead", advice.instead, page)
        made += _row("source", "; ".join(advice.sources), page, "absent")
        blocks.append(made)
    return blocks
