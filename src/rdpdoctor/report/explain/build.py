"""From the codes somebody asked for to everything that is known of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge.advice import for_code
from rdpdoctor.knowledge.codes import KINDS, all_by_symbol, by_number, family, neighbours
from rdpdoctor.knowledge.codes.links import Link, causes_at, causes_of, stages_of
from rdpdoctor.knowledge.popular import popular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.knowledge import Knowledge
    from rdpdoctor.knowledge.advice import Advice
    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.knowledge.codes.reading import Asked
    from rdpdoctor.knowledge.popular import Claim

#: Causes that a whole explanation names.
_MOST = 8
#: A link that is no stronger is a hint (one rule that supports weakly).
_HINT = 2
_HOLE = re.compile(r"\{[a-z_.]+(?::[a-z]+)?\}")


class Meaning(NamedTuple):
    """stages: where it appears; empty: anywhere. causes: ids of those whose rules name this code."""

    code: Code
    stages: tuple[str, ...]
    causes: tuple[str, ...]


class Step(NamedTuple):
    """What to do next. command: what to type here, where it is one."""

    text: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """One code. meanings: likeliest first, none where it is unknown; then `near` and `group` say what is
    known around it.
    """

    asked: Asked
    meanings: tuple[Meaning, ...] = ()
    near: tuple[Code, ...] = ()
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    codes: tuple[Explained, ...]
    stages: tuple[str, ...] = ()
    causes: tuple[Link, ...] = ()
    next: tuple[Step, ...] = ()
    claims: tuple[Claim, ...] = field(default=())
    remedies: tuple[Advice, ...] = field(default=())

    @property
    def all_known(self) -> bool:
        return all(one.meanings for one in self.codes)


def explain(asked: Sequence[Asked], knowledge: Knowledge) -> Explanation:
    codes = tuple(_explained(one, knowledge) for one in asked)
    likeliest = [one.meanings[0].code for one in codes if one.meanings]
    if not likeliest:
        return Explanation(codes, next=(_check(()),))
    stages = _stages(likeliest)
    linked = causes_of(likeliest, knowledge)
    named = {link.cause.id for link in linked}
    weak = all(link.strength <= _HINT for link in linked)
    at = tuple(link for link in causes_at(stages, knowledge) if weak and link.cause.id not in named)
    causes = (*linked, *at)[:_MOST]
    said = [code.kind for code in likeliest if popular().concerns(code)]
    return Explanation(
        codes,
        stages,
        causes,
        _next(likeliest, linked),
        popular().claims if said else (),
        tuple(dict.fromkeys(one for code in likeliest for one in for_code(code))),
    )


def _explained(asked: Asked, knowledge: Knowledge) -> Explained:
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
    return Explained(asked, tuple(meanings), near, group)


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


def _stages(codes: Sequence[Code]) -> tuple[str, ...]:
    """Where all of these can appear together; where they contradict each other, what the first says."""
    common: list[str] = []
    for code in codes:
        stages = stages_of(code)
        if not common:
            common = list(stages)
        elif stages and (both := [stage for stage in common if stage in stages]):
            common = both
    return tuple(common)


def _next(codes: Sequence[Code], linked: Sequence[Link]) -> tuple[Step, ...]:
    steps = [_check(codes)]
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
    return tuple(steps)


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
