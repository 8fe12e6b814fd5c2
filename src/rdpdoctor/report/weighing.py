"""All that was weighed for one cause, in words: the long form of what the ranking did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.knowledge import load
from rdpdoctor.report.evidence import evidence_of
from rdpdoctor.report.words import KINDS, LIMITS, prior_word, weight_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.diagnosis.model import RankedCause, Weighed
    from rdpdoctor.report.model import Report


def weighing(report: Report, cause: RankedCause) -> Iterator[tuple[str, str]]:
    """(label, text): each rule that held, its prior, what holds it back, its sources."""
    order = list(KINDS)
    for rule in sorted(filter(partial(_news, cause), cause.weights), key=lambda rule: order.index(rule.kind)):
        yield KINDS[rule.kind][0], _told(report, rule)
    if cause.confidence != "ruled-out":
        yield "prior", prior_word(cause.prior)
    for limit in cause.limits:
        yield "limit", LIMITS[limit]
    if cause.sources:
        yield "sources", "; ".join(cause.sources)


def _news(cause: RankedCause, rule: Weighed) -> bool:
    """False for one without a sentence where another of its kind, no weaker, puts its evidence into words."""
    return rule.says is not None or not any(
        other.says is not None
        and other.kind == rule.kind
        and other.weight >= rule.weight
        and set(rule.evidence) <= set(other.evidence)
        for other in cause.weights
    )


def _told(report: Report, rule: Weighed) -> str:
    """The rule's sentence, or what the tags of its evidence mean; its weight, and the evidence."""
    evidence = evidence_of(report, rule.evidence)
    if rule.absent:
        evidence = f"looked for in vain, beside {evidence}"
    meanings = " ".join(filter(None, map(_meaning, dict.fromkeys(_tags(report, rule.evidence)))))
    said = meanings if rule.says is None else rule.says
    word = weight_word(rule)
    if not said:
        return f"{evidence} ({word})" if word else evidence
    return f"{said} ({word}; {evidence})" if word else f"{said} ({evidence})"


def _tags(report: Report, indexes: tuple[int, ...]) -> Iterator[str]:
    for index in indexes:
        if 0 <= index < len(report.observations):
            yield report.observations[index].tag


def _meaning(tag: str) -> str:
    """The first sentence of what a tag means. Conclusions of ours are explained by their arguments."""
    known = load().tags.get(tag)
    if known is None or known.derived:
        return ""
    return known.says.partition(". ")[0].rstrip(".") + "."
