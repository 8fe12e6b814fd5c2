"""What a check amounts to, ready to be rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.model import NextStep, RankedCause, StageResult, Verdict
    from rdpdoctor.facts import Observation, Target

SCHEMA = "rdpdoctor.report/1"


@dataclass(frozen=True, slots=True)
class Report:
    """One target's report: the journal's head, and everything the diagnosis says.

    address: where the walk connected to, else the first address of the name, else None.
    started: ISO 8601, UTC. elapsed_ms: the whole check. Indices in causes point into `observations`.
    """

    target: Target
    address: str | None
    started: str
    elapsed_ms: float
    verdict: Verdict
    stages: tuple[StageResult, ...]
    observations: tuple[Observation, ...]
    causes: tuple[RankedCause, ...]
    next: tuple[NextStep, ...]
