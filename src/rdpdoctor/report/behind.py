"""Why a cause stands behind the first one, in a short sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Confidence
from rdpdoctor.report.words import LIMITS, WEIGHT_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.diagnosis.model import RankedCause, Weighed

#: A sentence is cut at its colon only where enough of it is left to be understood.
_ENOUGH = 20
_PRO = ("confirms", "supports")


def behind(causes: Sequence[RankedCause], place: int) -> str | None:
    """None for the first, for what is ruled out (its why says so), and where both may be true."""
    first, cause = causes[0], causes[place]
    if place == 0 or cause.confidence is Confidence.RULED_OUT:
        return None
    if first.explains and not cause.explains:
        if cause.confidence is Confidence.POSSIBLE:
            return "It would not explain why the connection stops where it does."
        return "It holds as well, but does not explain why the connection stops where it does."
    if "hearsay" in cause.limits and "hearsay" not in first.limits:
        return LIMITS["hearsay"]
    if cause.id in first.refines:
        return "The first says the same more exactly."
    if first.id in cause.refines:
        return "It is a special case of the first, and nothing seen shows that it is this one."
    if first.confidence is Confidence.CONFIRMED:
        if cause.confidence is Confidence.CONFIRMED:
            return None
        return "The first was seen directly; this one merely fits."
    if "impatience" in cause.limits and "impatience" not in first.limits:
        return LIMITS["impatience"]
    return _difference(first, cause)


def _difference(first: RankedCause, cause: RankedCause) -> str:
    """What makes the largest part of the distance."""
    against = _sum(cause, "opposes") - _sum(first, "opposes")
    less = _for(first) - _for(cause)
    rarer = first.prior - cause.prior
    most = max(against, less, rarer)
    if most <= 0:
        return "Nothing seen so far tells it from the first."
    if most == against:
        return _naming("Against it", cause, first, ("opposes",)) or "More speaks against it than the first."
    if most == less:
        return _naming("Only for the first", first, cause, _PRO) or _weaker(first, cause)
    if against == less == 0:
        return "As much speaks for it as for the first, but it is rarer."
    return "It is rarer than the first."


def _weaker(first: RankedCause, cause: RankedCause) -> str:
    best, own = (
        max((rule.weight for rule in one.weights if rule.kind in _PRO), default=0) for one in (first, cause)
    )
    if not own:
        return "It fits, but nothing in particular speaks for it."
    if own < best:
        return f"A {WEIGHT_WORDS[best]} sign speaks for the first, only a {WEIGHT_WORDS[own]} one for this."
    return "Fewer signs speak for it than for the first."


def _for(cause: RankedCause) -> int:
    """Direct evidence counts once, as in the ranking."""
    direct = next((rule.weight for rule in cause.weights if rule.kind == "confirms"), 0)
    return direct + _sum(cause, "supports")


def _sum(cause: RankedCause, kind: str) -> int:
    return sum(rule.weight for rule in cause.weights if rule.kind == kind)


def _naming(label: str, one: RankedCause, other: RankedCause, kinds: tuple[str, ...]) -> str | None:
    """The heaviest sentence of one that the other lacks, and that is not said anyway."""
    known = {rule.says for rule in other.weights} | {one.why}
    rules = [rule for rule in one.weights if rule.kind in kinds and rule.says and rule.says not in known]
    best: Weighed | None = max(rules, key=lambda rule: rule.weight, default=None)
    return None if best is None or best.says is None else f"{label}: {_short(best.says)}"


def _short(says: str) -> str:
    head = says.partition(": ")[0]
    return says if head == says or len(head) < _ENOUGH else f"{head}."
