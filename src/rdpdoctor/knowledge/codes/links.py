"""Which causes a code, an event or a setting speaks for.

For codes the causes' own rules say it, so that it stands in one place only; where none names a code, its row
says what its words fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.knowledge.codes import family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rdpdoctor.knowledge import Knowledge
    from rdpdoctor.knowledge.causes import Cause
    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.knowledge.rules import Matcher
    from rdpdoctor.knowledge.sourced import Point

#: Where a probe sees codes of a family: tag, and the argument that holds the number.
_SEEN: dict[str, tuple[tuple[str, str], ...]] = {
    "ntstatus": (("nla.error", "code"),),
    "sspi": (("nla.error", "code"),),
    "neg_failure": (("x224.failure", "code"),),
    "tls_alert": (("tls.alerted", "alert"),),
}
_KINDS = {"requires": 1, "supports": 2, "confirms": 6}
_HOW = {"names": 6, "fits": 2, "follows": 1}


class Link(NamedTuple):
    """strength: larger speaks louder; 0: only the stage fits."""

    cause: Cause
    strength: int


def causes_of(codes: Iterable[Code], knowledge: Knowledge) -> tuple[Link, ...]:
    """Causes that one of these codes speaks for, loudest first."""
    return joined([strengths(code, knowledge) for code in codes], knowledge)


def strengths(code: Code, knowledge: Knowledge) -> dict[str, int]:
    """Cause → how loud; those only that it speaks for at all, what happens most first."""
    common = sorted(knowledge.causes.values(), key=lambda cause: -cause.prior)
    found = {cause.id: loud for cause in common if (loud := _strength(cause, code))}
    for cause, loud in pointed(code.points).items():
        found[cause] = max(loud, found.get(cause, 0))
    return found


def pointed(points: Iterable[Point]) -> dict[str, int]:
    """The same of the points of an event, a setting or a dialog."""
    return {point.cause: _HOW[point.how] for point in points}


def joined(parts: Iterable[Mapping[str, int]], knowledge: Knowledge) -> tuple[Link, ...]:
    """What several of them say together, loudest first; of those as loud, what was named first."""
    sums: dict[str, int] = {}
    for part in parts:
        for cause, loud in part.items():
            if cause in knowledge.causes:
                sums[cause] = sums.get(cause, 0) + loud
    links = [Link(knowledge.causes[cause], loud) for cause, loud in sums.items()]
    return tuple(sorted(links, key=lambda link: -link.strength))


def causes_at(stages: Iterable[str], knowledge: Knowledge) -> tuple[Link, ...]:
    """Causes that break one of these stages, whether or not they know the code: the most common first, then
    by stage.
    """
    order = {stage: place for place, stage in enumerate(stages)}
    found = [
        (-cause.prior, min(places), cause.id, cause)
        for cause in knowledge.causes.values()
        if cause.effect == "breaks" and (places := [order[one] for one in cause.stages if one in order])
    ]
    return tuple(Link(row[3], 0) for row in sorted(found, key=lambda row: row[:3]))


def _strength(cause: Cause, code: Code) -> int:
    loudest = 0
    for kind, factor in _KINDS.items():
        for rule in getattr(cause, kind):
            if not rule.absent and any(_names(matcher, code) for matcher in (*rule.any, *rule.all)):
                loudest = max(loudest, factor if kind == "requires" else factor * rule.weight)
    return loudest


def _names(matcher: Matcher, code: Code) -> bool:
    """Whether the matcher is about this very number, other arguments being unknown."""
    if code.number is None:
        return False
    place = family(code.kind).shown_as
    if matcher.tag == "code.shown" and place is not None:
        return bool(matcher.tests) and matcher.fits(_shown({place: code.number}))
    return any(
        tag == matcher.tag
        and any(
            name == argument and kind == "is" and code.number in wanted
            for name, kind, wanted in matcher.tests
        )
        for tag, argument in _SEEN.get(code.kind, ())
    )


def _shown(args: Mapping[str, Any]) -> Observation:
    return Observation(
        "code.shown", {"reason": None, "extended": None, "text": "", **args}, Stage.HOST, Source.CODE
    )
