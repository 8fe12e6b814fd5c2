"""From what somebody asked about to everything that is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge.advice import for_code
from rdpdoctor.knowledge.alike import named
from rdpdoctor.knowledge.asking import AskedEvent
from rdpdoctor.knowledge.codes import KINDS, all_by_symbol, by_number, family, neighbours, stages_of
from rdpdoctor.knowledge.codes.links import Link, causes_at, causes_of, joined, pointed, strengths
from rdpdoctor.knowledge.codes.reading import Asked
from rdpdoctor.knowledge.events import by_id
from rdpdoctor.knowledge.popular import popular
from rdpdoctor.report.explain.topics import Step, Topic, judged, of_dialog, of_event, of_setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdpdoctor.knowledge import Knowledge
    from rdpdoctor.knowledge.advice import Advice
    from rdpdoctor.knowledge.alike import Named
    from rdpdoctor.knowledge.asking import Reading
    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.knowledge.popular import Claim

#: Causes that a whole explanation names.
_MOST = 8
#: Fewer than these, and weak ones, are filled up with causes that only the stage fits, at most as many.
_FEW = 4
_STEPS = 3
#: A link that is no stronger is a hint (one rule that supports weakly).
_HINT = 2
_HOLE = re.compile(r"\{[a-z_.]+(?::[a-z]+)?\}")


class Meaning(NamedTuple):
    """stages: where it appears; empty: anywhere. causes: ids of those whose rules name this code."""

    code: Code
    stages: tuple[str, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One code. meanings: likeliest first, none where it is unknown; then `near` and `group` say what is
    known around it. taken: how the number was read, where that is not as it was typed.
    """

    asked: Asked
    meanings: tuple[Meaning, ...] = ()
    near: tuple[Code, ...] = ()
    group: str | None = None
    taken: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """topics: the events, settings and dialogs that were asked about. left: words that were not understood.
    named: causes and remedies that unknown words may mean.
    """

    codes: tuple[Explained, ...]
    topics: tuple[Topic, ...] = ()
    stages: tuple[str, ...] = ()
    causes: tuple[Link, ...] = ()
    next: tuple[Step, ...] = ()
    claims: tuple[Claim, ...] = field(default=())
    remedies: tuple[Advice, ...] = field(default=())
    left: tuple[str, ...] = ()
    named: tuple[Named, ...] = ()

    @property
    def where_not_why(self) -> bool:
        """Whether all that was asked about tells where a connection ended, and nothing about why."""
        codes = [one.meanings[0].code for one in self.codes if one.meanings]
        return bool(codes) and not self.topics and all(code.where_not_why for code in codes)

    @property
    def all_known(self) -> bool:
        """Whether there was something, and everything of it is known."""
        return (
            bool(self.codes or self.topics)
            and all(one.meanings for one in self.codes)
            and all(topic.means for topic in self.topics)
            and not any(re.search("[0-9_]", word) for word in self.left)
        )


def explain(asked: Reading, knowledge: Knowledge) -> Explanation:
    codes = tuple(_explained(one, knowledge) for one in _with_those_behind(asked))
    topics = (
        *(of_dialog(said) for said in asked.dialogs),
        *(topic for one in asked.events for topic in of_event(one)),
        *_settings(asked),
    )
    if bare := _as_events(codes):
        topics += bare
        codes = tuple(one for one in codes if one.meanings)
    likeliest = [one.meanings[0].code for one in codes if one.meanings]
    unknown = " ".join(asked.left) or next((one.asked.text for one in codes if not one.meanings), "")
    if not likeliest and not any(topic.means for topic in topics):
        may_be = named(unknown, knowledge) if all(one.asked.number is None for one in codes) else ()
        if may_be and any("." in one.id and "." in unknown for one in may_be):
            codes = tuple(replace(one, near=()) for one in codes)
        return Explanation(codes, topics, next=(_check(()),), left=asked.left, named=may_be)
    stages = _stages([*map(stages_of, likeliest), *(topic.stages for topic in topics)])
    main = [topic for topic in topics if not topic.brief]
    linked = joined(
        [*(strengths(code, knowledge) for code in likeliest), *(pointed(topic.points) for topic in main)],
        knowledge,
    )
    by_words = {point.cause for said in asked.dialogs for point in said.dialog.points if point.how == "names"}
    linked = tuple(sorted(linked, key=lambda link: link.cause.id not in by_words))  # a code says less
    there = {link.cause.id for link in linked}
    weak = bool(likeliest) and len(linked) < _FEW and all(link.strength <= _HINT for link in linked)
    at = tuple(link for link in causes_at(stages, knowledge) if weak and link.cause.id not in there)
    return Explanation(
        codes,
        topics,
        stages,
        (*linked, *at[:_FEW])[:_MOST],
        _next(likeliest, main, linked),
        popular().claims if any(popular().concerns(code) for code in likeliest) else (),
        tuple(dict.fromkeys(one for code in likeliest for one in for_code(code))),
        asked.left,
    )


def _settings(asked: Reading) -> Iterator[Topic]:
    """Of a whole file only those settings at length whose value is worth it."""
    many = len(asked.settings) > _FEW
    for one in asked.settings:
        good = all(given.has_value and judged(given) is None for given in one.given)
        for topic in of_setting(one):
            yield replace(topic, brief=True) if many and good else topic


def _with_those_behind(asked: Reading) -> list[Asked]:
    """The codes, and those that the client has behind its dialogs."""
    codes = list(asked.codes)
    there = {code.number for code in codes}
    for said in asked.dialogs:
        code = said.dialog.code
        if code is not None and code.number not in there:
            there.add(code.number)
            codes.append(Asked(f"0x{code.number or 0:X}", code.number, code.kind))
    return codes


def _as_events(codes: Sequence[Explained]) -> tuple[Topic, ...]:
    """A bare decimal number may also be the id of an event; brief where it is a code as well."""
    if len(codes) != 1 or codes[0].asked.family is not None:
        return ()
    if not (codes[0].asked.text.isascii() and codes[0].asked.text.isdigit()):
        return ()
    found = by_id(codes[0].asked.number or 0)
    if not found:
        return ()
    topics = of_event(AskedEvent(codes[0].asked.number or 0, found))
    return tuple(replace(topic, brief=True) for topic in topics) if codes[0].meanings else topics


def _explained(asked: Asked, knowledge: Knowledge) -> Explained:
    taken = None
    if (number := _as_hexadecimal(asked)) is not None:
        taken = (
            f"0x{number:X}, as dialogs write it. As the decimal number {asked.text} (0x{asked.number:X}) "
            "it is not known here."
        )
        asked = replace(asked, number=number)
    if asked.number is None:
        found = all_by_symbol(asked.text)
        near = () if found else neighbours.near_name(asked.text)
        group = None
    else:
        found = _in_order(asked.number, asked.family)
        near = () if found else neighbours.near_number(asked.number)
        group = None if found else neighbours.group(asked.number)
    meanings = (
        Meaning(code, stages_of(code), tuple(link.cause.id for link in causes_of((code,), knowledge)))
        for code in found
    )
    return Explained(asked, tuple(meanings), near, group, taken)


def _as_hexadecimal(asked: Asked) -> int | None:
    """What digits mean if their 0x was lost, where they mean nothing without it, and no event."""
    digits = asked.text
    if not (digits.isascii() and digits.isdigit() and 2 < len(digits) < 5) or asked.number != int(digits):
        return None
    if by_id(asked.number) or _in_order(asked.number, asked.family):
        return None
    return int(digits, 16) if by_number(int(digits, 16)) else None


def _in_order(number: int, hint: str | None) -> tuple[Code, ...]:
    """Every meaning, what the words around it say first; errinfo is what an extended code carries."""
    found = by_number(number)
    if number >> 16 == 0x8007:  # an HRESULT around a Win32 code
        inner = by_number(number & 0xFFFF)
        found += tuple(code for code in inner if code.kind in ("gateway_hresult", "rdstls"))
    elif number < 0x10000:
        outer = by_number(0x80070000 + number)
        found += tuple(code for code in outer if code.kind == "gateway_hresult")
    first = ("extended", "errinfo") if hint == "extended" else (hint,)
    return tuple(sorted(found, key=lambda code: (code.kind not in first, KINDS.index(code.kind))))


def _stages(parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Where all of these can appear together; where they contradict each other, what the first says."""
    common: list[str] = []
    for stages in parts:
        if not common:
            common = list(stages)
        elif stages and (both := [stage for stage in common if stage in stages]):
            common = both
    return tuple(common)


def _next(codes: Sequence[Code], topics: Sequence[Topic], linked: Sequence[Link]) -> tuple[Step, ...]:
    steps = [topic.step for topic in topics if topic.step][:1]
    steps.append(_check(codes))
    for link in linked[:2]:
        told = next((tell.text for tell in link.cause.tell if tell.kind == "evidence"), "")
        for hole, word in (
            ("{host:literal}", "HOST"),
            ("{host}", "HOST"),
            ("{address}", "HOST"),
            ("{port}", "3389"),
        ):
            told = told.replace(hole, word)
        if told and not _HOLE.search(told) and all(step.text != told for step in steps):
            steps.append(Step(told))
    return tuple(steps[:_STEPS])


def _check(codes: Sequence[Code]) -> Step:
    """`check` with the codes, in the places where a client shows them."""
    shown: dict[str, str] = {}
    for code in codes:
        place = family(code.kind).shown_as
        if place and code.number is not None:
            shown.setdefault(place, f"0x{code.number:X}")
    words = [shown[place] for place in ("reason", "extended") if place in shown]
    if list(shown) == ["extended"]:  # a number alone would count as a reason
        names = (code.symbol for code in codes if family(code.kind).shown_as == "extended")
        words = [next(filter(None, names), f"0x0 {words[0]}")]
    option = " --code " + " ".join(words) if words else ""
    return Step("Walk the connection and see where it dies.", f"rdpdoctor check HOST{option}")
