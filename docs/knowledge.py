"""`make docs`: docs/knowledge.md, everything that the tool knows, from the files it knows it by.

`--check` writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.advice import advice, for_cause
from rdpdoctor.knowledge.codes import KINDS, family, stages_of
from rdpdoctor.knowledge.codes.links import causes_of
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.dialogs import dialogs
from rdpdoctor.knowledge.events import LOGS, log
from rdpdoctor.knowledge.popular import popular
from rdpdoctor.knowledge.prose import prose
from rdpdoctor.knowledge.remedies import diagnostics_for, remedies
from rdpdoctor.knowledge.settings import rdpfile, registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rdpdoctor.knowledge import Cause
    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.knowledge.events import Event
    from rdpdoctor.knowledge.remedies import Remedy
    from rdpdoctor.knowledge.settings.judging import Case
    from rdpdoctor.knowledge.sourced import Point

PAGE = Path(__file__).with_name("knowledge.md")
WIDTH = 110
_INTRO = """\
This page is made by `make docs` from the files below `src/rdpdoctor/knowledge`. Do not edit it.

How sure something is: *measured* means seen by this project's tests or in a recording of a real machine,
*documented* means that its maker or a named source says so, *inferred* means that nobody documents it, and
*unverified* that nothing could be found to check it by. An event or a setting that *names* a cause says so
itself; one that *fits* it has other explanations too; one that *follows* from it is a consequence.
Numbers in brackets are the sources at the end of each section."""


class Sources:
    """The sources of one section, by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, sources: Iterable[str]) -> str:
        numbers = sorted(self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources)
        return "[" + ", ".join(map(str, numbers)) + "]"

    def listed(self) -> Iterator[str]:
        yield "Sources of this section:"
        yield ""
        for source, number in self._numbers.items():
            yield from wrapped(f"{number}. ", plain(source))
        yield ""


def plain(text: str) -> str:
    """Prose as Markdown shows it unchanged; what stands in backticks stays as it is."""
    parts = text.split("`")
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r"([*\\\[\]])", r"\\\1", parts[place]).replace("<", "&lt;").replace(">", "&gt;")
    return "`".join(parts)


def code(text: str) -> str:
    return f"`{text}`"


def anchor(title: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def link(title: str) -> str:
    return f"[{title}](#{anchor(title)})"


def wrapped(lead: str, text: str, indent: str | None = None) -> list[str]:
    """Lines of at most WIDTH, the later ones under the first; a longer word stays whole."""
    under = " " * len(lead) if indent is None else indent
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=under,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [lead.rstrip()]


def steps(title: str, texts: Iterable[str]) -> Iterator[str]:
    """A step is a list item; its commands stand in blocks, to be copied as they are."""
    texts = tuple(texts)
    if not texts:
        return
    yield f"{title}:"
    yield ""
    for text in texts:
        lead = "- "
        for piece in pieces(text):
            if piece.command:
                yield from (f"{lead}```", f"  {piece.text}", "  ```")
            else:
                yield from wrapped(lead, plain(piece.text))
            lead = "  "
    yield ""


def pointed(points: Iterable[Point]) -> str:
    found = ", ".join(f"{point.how} {link(point.cause)}" for point in points)
    return f" It {found}." if found else ""


# ---- causes, remedies, advice


def causes() -> Iterator[str]:
    yield "Every cause that the diagnosis can name, by id."
    yield ""
    for cause in load().causes.values():
        yield from _cause(cause)


def _cause(cause: Cause) -> Iterator[str]:
    yield f"### {cause.id}"
    yield ""
    yield from wrapped("", f"**{plain(cause.title)}.** {plain(cause.what)}")
    yield ""
    facts = [f"shows at {', '.join(cause.stages)}"]
    if cause.refines:
        facts.append("a kind of " + ", ".join(map(link, cause.refines)))
    if cause.masks:
        facts.append("brings about " + ", ".join(map(link, cause.masks)))
    yield from wrapped("", f"It {'; '.join(facts)}.")
    yield ""
    told = prose(cause.id)
    if told.shows:
        yield "How it shows:"
        yield ""
        for side, shown in told.shows.items():
            yield from wrapped("- ", f"On the {side} ({shown.sure}): {plain(shown.says)}")
            yield from wrapped("  ", f"*{plain('; '.join(shown.sources))}*")
        yield ""
    yield from steps("What to check", told.check)
    known = remedies()
    mends = [*(known[name] for name in cause.remedies), *diagnostics_for(cause.id)]
    if mends:
        yield from wrapped("", "Remedies: " + ", ".join(link(remedy.id) for remedy in mends) + ".")
        yield ""
    if given := for_cause(cause.id):
        yield from wrapped(
            "", "Advice that is given for it: " + ", ".join(link(one.id) for one in given) + "."
        )
        yield ""
    yield from wrapped("", f"*Sources: {plain('; '.join(cause.sources))}*")
    yield ""


def mending() -> Iterator[str]:
    yield from wrapped(
        "",
        "What mends a cause, and what it costs. The tool does none of it. A test costs security or quality "
        "for minutes, and ends by itself.",
    )
    yield ""
    for remedy in remedies().values():
        yield from _remedy(remedy)


def _remedy(remedy: Remedy) -> Iterator[str]:
    yield f"### {remedy.id}"
    yield ""
    kind = "A test. " if remedy.diagnostic else ""
    yield from wrapped("", f"**{plain(remedy.title)}.** {kind}Where: {remedy.where}. Risk: {remedy.risk}.")
    yield from wrapped("", f"It costs: {plain(remedy.breaks)}")
    if remedy.needs:
        yield from wrapped("", f"It needs: {plain('; '.join(remedy.needs))}.")
    if remedy.diagnostic:
        yield from wrapped("", f"**{plain(remedy.diagnostic.warning)}** {plain(remedy.diagnostic.restores)}")
    yield ""
    for title, texts in (("Steps", remedy.steps), ("Verify", remedy.verify), ("Undo", remedy.undo)):
        yield from steps(title, texts)
    yield from wrapped("", f"*Sources: {plain('; '.join(remedy.sources))}*")
    yield ""


def advised() -> Iterator[str]:
    yield "What is widely advised, judged."
    yield ""
    for piece in advice().values():
        yield f"### {piece.id}"
        yield ""
        lowers = " It lowers security." if piece.lowers_security else ""
        yield from wrapped("", f"**{plain(piece.advice)}.**{lowers}")
        yield ""
        yield from wrapped("- ", f"Right when: {plain(piece.right_when)}")
        if piece.right_for:
            yield from wrapped("- ", "Helps against: " + ", ".join(map(link, piece.right_for)))
        yield from wrapped("- ", f"Breaks: {plain(piece.breaks)}")
        yield from wrapped("- ", f"Instead: {plain(piece.instead)}")
        yield from wrapped("- ", f"*Sources: {plain('; '.join(piece.sources))}*")
        yield ""
    yield "What is widely said about 0x904/0x7:"
    yield ""
    for claim in popular().claims:
        yield from wrapped("- ", f"{plain(claim.says)} **{claim.judged}.** {plain(claim.because)}")
        yield from wrapped("  ", f"*{plain('; '.join(claim.sources))}*")
    yield ""


# ---- codes, dialogs


def codes() -> Iterator[str]:
    for kind in KINDS:
        about = family(kind)
        sources = Sources()
        yield f"### {kind}: {about.title}"
        yield ""
        yield from wrapped("", f"{plain(about.what)} {plain(about.not_proof)}")
        yield ""
        for row in about.codes:
            yield from wrapped("- ", _code(row, sources))
        yield ""
        yield from sources.listed()


def _code(row: Code, sources: Sources) -> str:
    number = "" if row.number is None else f"**0x{row.number:X}** ({row.number})"
    name = f"{number} {code(row.symbol) if row.symbol else ''}".strip()
    text = f"{name}: {plain(row.says)}."
    if not row.official:
        text += " Not documented by its maker."
    if stages := stages_of(row):
        text += f" At {', '.join(stages)}."
    if speaks := causes_of((row,), load()):
        text += " Speaks for " + ", ".join(link(one.cause.id) for one in speaks) + "."
    if row.note:
        text += f" {plain(row.note)}"
    return f"{text} {sources.of([row.source])}"


def said() -> Iterator[str]:
    yield "Dialogs of clients that are recognised by their words, in English."
    yield ""
    sources = Sources()
    for dialog in dialogs().values():
        behind = ""
        if dialog.code is not None:
            behind = f" The code behind it: 0x{dialog.code.number or 0:X} ({dialog.code.kind})."
        note = f" {plain(dialog.note)}" if dialog.note else ""
        text = f'"{plain(dialog.words[0])}": {plain(dialog.says)}{behind}{pointed(dialog.points)}{note}'
        yield from wrapped("- ", f"{text} {sources.of([dialog.source])}")
    yield ""
    yield from sources.listed()


# ---- events, settings, questions


def logged() -> Iterator[str]:
    for name in LOGS:
        about = log(name)
        sources = Sources()
        yield f"### {name}: {about.title}"
        yield ""
        yield from wrapped("", plain(about.what))
        yield ""
        others = f", also {', '.join(map(code, about.aliases))}" if about.aliases else ""
        channels = ", ".join(map(code, about.channels))
        yield from wrapped("", f"Provider {code(about.provider)}{others}. Channels: {channels}.")
        yield ""
        for event in about.events.values():
            yield from wrapped("- ", _event(event, sources))
        yield ""
        yield from sources.listed()


def _event(event: Event, sources: Sources) -> str:
    text = f"**{event.id}** ({event.outcome}): {plain(event.says)}."
    if event.stage:
        text += f" At {event.stage}."
    if event.fields:
        text += (
            " Fields: " + ", ".join(f"{role} in {code(name)}" for role, name in event.fields.items()) + "."
        )
    text += pointed(event.points)
    if event.note:
        text += f" {plain(event.note)}"
    return f"{text} *{event.sure}* {sources.of(event.sources)}"


def configured() -> Iterator[str]:
    yield "A policy that is set beats the local value."
    yield ""
    sources = Sources()
    key = None
    for row in registry.settings():
        if row.key != key:
            key = row.key
            yield ""
            yield from wrapped("", f"In {code(key)}:")
            yield ""
        yield from wrapped("- ", _setting(row, sources))
    yield ""
    yield from sources.listed()


def _setting(row: registry.Setting, sources: Sources) -> str:
    text = f"**{row.name}** ({row.side}, {row.type}): {plain(row.says)}."
    text += _values(row.values.items(), row.default) + _judged(row.cases)
    if row.policy:
        text += f' Policy: "{plain(row.policy.title)}"'
        text += "." if row.policy.key == row.key else f", which writes {code(row.policy.key)}."
    if row.takes_effect:
        text += f" Takes effect: {plain(row.takes_effect)}."
    return text + _rest(row.secret, row.points, row.note, row.sure) + f" {sources.of(row.sources)}"


def lines() -> Iterator[str]:
    yield "Lines of `.rdp` files, `name:type:value`."
    yield ""
    sources = Sources()
    for row in rdpfile.lines().values():
        text = f"**{row.name}** ({row.type}): {plain(row.says)}."
        text += _values(row.values.items(), row.default) + _judged(row.cases)
        text += _rest(row.secret, row.points, row.note, row.sure)
        yield from wrapped("- ", f"{text} {sources.of(row.sources)}")
    yield ""
    yield from sources.listed()


def _values(values: Iterable[tuple[str, str]], default: str | None) -> str:
    found = "; ".join(f"{plain(value)} {plain(means)}" for value, means in values)
    text = f" Values: {found}." if found else ""
    return text + (f" Without it: {plain(default)}." if default else "")


def _judged(cases: Iterable[Case]) -> str:
    return "".join(
        f" {one.when.capitalize()} {one.judgement.effect}: {plain(one.judgement.says)}" for one in cases
    )


def _rest(secret: bool, points: Iterable[Point], note: str | None, sure: str) -> str:
    text = (" **It is a secret.**" if secret else "") + pointed(points)
    return text + (f" {plain(note)}" if note else "") + f" *{sure}*"


def asked() -> Iterator[str]:
    yield "What only a person knows. Answers (`--answer KEY=VALUE`) are evidence with a weight, never proof."
    yield ""
    for question in load().questions.values():
        yield from wrapped("- ", f"**{question.key}**: {plain(question.text)} {plain(question.why)}")
        for value, means in question.values.items():
            yield from wrapped("  - ", f"{code(value)}: {plain(means)}")
    yield ""


SECTIONS = (
    ("Causes", causes),
    ("Remedies", mending),
    ("Advice", advised),
    ("Codes", codes),
    ("Dialogs", said),
    ("Events", logged),
    ("Registry values and policies", configured),
    ("Lines of .rdp files", lines),
    ("Questions", asked),
)


def page() -> str:
    bodies = [(title, list(make())) for title, make in SECTIONS]
    made = ["# What rdpdoctor knows", "", _INTRO, "", "## Contents", ""]
    for title, body in bodies:
        made.append(f"- {link(title)}")
        heads = [line[4:] for line in body if line.startswith("### ")]
        made += wrapped("  ", " · ".join(map(link, heads))) if heads else []
    for title, body in bodies:
        made += ["", f"## {title}", "", *body]
    text = "\n".join(made).rstrip() + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def main(words: list[str]) -> int:
    text = page()
    if words == ["--check"]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            print(f"{PAGE.name} is stale: make docs", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
