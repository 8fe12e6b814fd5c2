"""An explanation for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.knowledge.codes import family
from rdpdoctor.report.explain.json import hexadecimal
from rdpdoctor.report.layout import hanging, line, to_string

if TYPE_CHECKING:
    from rich.text import Text

    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.report.explain.build import Explained, Explanation, Meaning
    from rdpdoctor.report.page import Page

_INDENT = 15
_LINES = 12  # of one text
_TYPED = 60  # cells of what was typed


def render(explanation: Explanation, page: Page) -> str:
    """Text that ends in a newline, without control characters but for colours that `page` allows."""
    blocks = [_code(one, page) for one in explanation.codes]
    blocks += [_causes(explanation, page), _next(explanation, page), *_popular(explanation, page)]
    made: list[Text] = []
    for block in blocks:
        if block:
            made.extend([line(), *block] if made else block)
    return to_string(made, page.colour)


def _row(label: str, text: str, page: Page, meaning: str = "plain") -> list[Text]:
    rows = page.wrap(text, page.width - _INDENT, _LINES)
    return hanging((page.show(label, _INDENT - 2), "absent"), rows, _INDENT, meaning)


def _code(one: Explained, page: Page) -> list[Text]:
    typed = page.show(" ".join(one.asked.text.split()), _TYPED)
    if not one.meanings:
        return _unknown(one, typed, page)
    first = one.meanings[0]
    code, about = first.code, family(first.code.kind)
    name = _names(code)
    made = [line((name if typed.lower() in name.lower() else f"{typed}: {name}", "head"))]
    known = "" if code.official else " (known from others, not documented by its maker)"
    made += _row("means", code.says + known, page, "head")
    made += _row("is a", f"{about.title}. {about.what}", page)
    made += _row("proves not", about.not_proof, page, "warns")
    if code.note:
        made += _row("note", code.note, page)
    made += _row("at stage", ", ".join(first.stages) or "any", page)
    if first.causes:
        made += _row("speaks for", ", ".join(first.causes), page, "type")
    made += _row("source", code.source, page, "absent")
    for place, other in enumerate(one.meanings[1:]):
        made += _row("" if place else "or also", _other(other), page)
    return made


def _names(code: Code) -> str:
    number = hexadecimal(code.number)
    decimal = f" ({code.number})" if code.number is not None and code.number > 9 else ""
    return " ".join(filter(None, [f"{number}{decimal}" if number else None, code.symbol]))


def _other(meaning: Meaning) -> str:
    code = meaning.code
    name = f" {code.symbol}" if code.symbol else ""
    speaks = f" Speaks for {', '.join(meaning.causes)}." if meaning.causes else ""
    return f"{family(code.kind).title},{name}: {code.says}.{speaks}".replace(",:", ":")


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


def _causes(explanation: Explanation, page: Page) -> list[Text]:
    made: list[Text] = []
    if explanation.stages and explanation.causes:
        made += _row("fits at", ", ".join(explanation.stages), page)
    for by_code, label in ((True, "fits causes"), (False, "or, by stage")):
        links = [link for link in explanation.causes if bool(link.strength) is by_code]
        for place, link in enumerate(links):
            made += _row("" if place else label, f"{link.cause.id}: {link.cause.title}", page)
    return made


def _next(explanation: Explanation, page: Page) -> list[Text]:
    made: list[Text] = []
    for place, step in enumerate(explanation.next):
        made += _row("" if place else "next", step.text, page)
        if step.command:
            made += _row("", step.command, page, "type")
    return made


def _popular(explanation: Explanation, page: Page) -> list[list[Text]]:
    blocks: list[list[Text]] = []
    if explanation.claims:
        made = [line(("What is said about it", "head"))]
        for claim in explanation.claims:
            made += _row(claim.judged, f"{claim.says} {claim.because}", page)
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
