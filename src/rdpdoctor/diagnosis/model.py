"""What a diagnosis is made of: frozen values, no sentences of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation, Stage


class Status(StrEnum):
    """How a stage went. SKIPPED: nothing to try it with, or no need; UNKNOWN: should have been tried and
    was not.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Health(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    RULED_OUT = "ruled-out"


@dataclass(frozen=True, slots=True)
class Verdict:
    """stage: the first that failed; for DEGRADED the first with a warning."""

    status: Health
    stage: Stage | None
    summary: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """reason: why SKIPPED or UNKNOWN, else None."""

    id: Stage
    status: Status
    elapsed_ms: float | None
    summary: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """One rule that held. kind: requires confirms supports opposes excludes. weight: bits, without a sign.
    says: its sentence, None where it has none. evidence: indexes into `Diagnosis.observations`; with
    `absent` what shows that something was looked for and not found.
    """

    kind: str
    weight: int
    says: str | None
    evidence: tuple[int, ...]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class RankedCause:
    """supporting, opposing: indexes into `Diagnosis.observations`. bits: evidence for it, log2 of the
    odds, `prior` included. weights: every rule that held, in the order of the cause's file. explains:
    it alone would stop the connection where it stopped. limits: what holds its confidence down, as words:
    hearsay, impatience, narrower, behind, healthy, contradiction, cut-off.
    """

    id: str
    confidence: Confidence
    title: str
    why: str
    supporting: tuple[int, ...]
    opposing: tuple[int, ...]
    remedies: tuple[str, ...]
    sources: tuple[str, ...]
    bits: float
    prior: float = 0.0
    weights: tuple[Weighed, ...] = ()
    explains: bool = True
    refines: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """text: prose, and commands in backticks. reach: the same way, how to run them on the server while
    Remote Desktop fails; empty where there is no need.
    """

    kind: str  # probe, evidence, question
    id: str
    text: str
    separates: tuple[str, ...]
    reach: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """observations: the journal's, then what was derived from them."""

    verdict: Verdict
    stages: tuple[StageResult, ...]
    observations: tuple[Observation, ...]
    causes: tuple[RankedCause, ...]
    next: tuple[NextStep, ...]
