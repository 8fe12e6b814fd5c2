"""What judging one stage gives: a status, and which sentence with which arguments says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.view import Step, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.diagnosis.conclusions import Conclusions
    from rdpdoctor.facts import Observation, Stage

#: Of identical attempts that pass and fail, more failures than this make the stage failed rather than shaky;
#: where the walk itself failed, fewer do: one bad member in four, or one try in four, is what a user calls
#: broken.
TOO_MANY_FAILURES, TOO_MANY_BESIDE_THE_WALK = 0.5, 0.25


@dataclass(frozen=True, slots=True)
class Judged:
    """key: of the sentence in wording.toml. reason: key of the sentence that says why SKIPPED or UNKNOWN."""

    status: Status
    key: str
    args: Mapping[str, Any] = field(default_factory=dict)
    elapsed_ms: float | None = None
    reason: str | None = None


def elapsed_of(row: Observation | None) -> float | None:
    return None if row is None else number(row, "elapsed_ms")


def mixed(stage: Stage, conclusions: Conclusions, leading: Step) -> Judged | None:
    """Where identical attempts at a stage do not agree."""
    repeats = conclusions.at("repeats", stage)
    if repeats is None or not repeats["mixed"]:
        return None
    share = repeats["failed"] / repeats["attempts"]
    broken = share > TOO_MANY_FAILURES or (share >= TOO_MANY_BESIDE_THE_WALK and not leading.passed)
    status = Status.FAILED if broken else Status.WARNING
    return Judged(status, f"{stage}.mixed", repeats, elapsed_of(leading.row))


def crowded(stage: Stage, conclusions: Conclusions, leading: Step) -> Judged | None:
    """Where the same passes alone each time, and failed beside others of ours: never more than a warning."""
    repeats = conclusions.at("repeats", stage)
    if repeats is None or not repeats["crowded_only"]:
        return None
    return Judged(Status.WARNING, f"{stage}.crowded-alike", repeats, elapsed_of(leading.row))


def ended(stage: Stage, conclusions: Conclusions, leading: Step) -> Judged:
    """A stage that died, with how many attempts did so."""
    better = [each for each in conclusions.each("variant") if each["at"] == stage and each["better"]]
    # That no cookie passes too is no news where another one does.
    for variant in sorted(better, key=lambda each: each["variant"] != "neutral-cookie"):
        key = "other-name" if variant["variant"] == "neutral-cookie" else "only-variant"
        return Judged(Status.FAILED, f"{stage}.{key}", variant, elapsed_of(leading.row))
    return plainly(stage, conclusions, leading)


def plainly(stage: Stage, conclusions: Conclusions, leading: Step) -> Judged:
    """How it died and how often, whatever the variants say."""
    endings = conclusions.at("endings", stage) or {}
    args: dict[str, Any] = dict(leading.row.args)
    if endings.get("attempts", 0) > 1:
        args |= {"failed": endings["failed"], "attempts": endings["attempts"]}
    return Judged(Status.FAILED, f"{stage}.{leading.outcome}", args, elapsed_of(leading.row))
