"""Journal and knowledge in, ranked causes out. Pure: no bytes, no sockets, no clock; the same journal, the
same answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis import contradictions, derive, stages
from rdpdoctor.diagnosis.conclusions import Conclusions
from rdpdoctor.diagnosis.model import (
    Confidence,
    Diagnosis,
    Health,
    NextStep,
    RankedCause,
    StageResult,
    Status,
    Verdict,
)
from rdpdoctor.diagnosis.rank import rank
from rdpdoctor.diagnosis.steps import steps
from rdpdoctor.diagnosis.verdict import judged, verdict
from rdpdoctor.diagnosis.view import View

if TYPE_CHECKING:
    from rdpdoctor.facts import Journal
    from rdpdoctor.knowledge import Knowledge

__all__ = [
    "Confidence",
    "Diagnosis",
    "Health",
    "NextStep",
    "RankedCause",
    "StageResult",
    "Status",
    "Verdict",
    "diagnose",
]


def diagnose(journal: Journal, knowledge: Knowledge, ahead: bool = True) -> Diagnosis:
    """Never raises on what a journal holds: unknown tags and odd arguments are kept and ignored.

    ahead: say what to look at next; a live display, or a journal that is only imagined, needs none of it.
    """
    view = View(journal)
    derived = derive.everything(view)
    observations = (*journal, *derived)
    contradicted = contradictions.find(view, observations, len(journal), knowledge.causes)
    observations += tuple(contradicted)
    results = stages.judge(view, Conclusions(derived), knowledge)
    health, decisive = judged(results, view)
    died_at = decisive.id if decisive is not None and decisive.status is Status.FAILED else None
    if contradicted:
        results = contradictions.mark(results, contradicted, knowledge)
        health, died_at = Health.UNKNOWN, None
    address = next((attempt.address for attempt in view.attempts if attempt.address), None)
    warned_at = decisive.id if decisive is not None and health is Health.DEGRADED else None
    causes = rank(
        observations, len(journal), knowledge.causes, died_at, health, journal.target, address, warned_at
    )
    causes = stages.recorded.limited(view, health, causes)
    said = verdict(results, causes, view, knowledge)
    if contradicted:
        causes = contradictions.limited(causes, contradicted)
        said = contradictions.verdict(contradicted, knowledge)
    found = Diagnosis(said, results, observations, causes, ())
    return replace(found, next=steps(found, view, knowledge)) if ahead else found
