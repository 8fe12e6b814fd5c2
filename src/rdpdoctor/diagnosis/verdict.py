"""One word and one sentence for the whole connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Confidence, Health, RankedCause, StageResult, Status, Verdict
from rdpdoctor.diagnosis.stages import logged, recorded, settings
from rdpdoctor.facts import WALK, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.diagnosis.view import View
    from rdpdoctor.knowledge import Knowledge


def status_of(stages: Sequence[StageResult]) -> tuple[Health, StageResult | None]:
    """The status, and the stage that decides it."""
    failed = _first(stages, Status.FAILED)
    if failed is not None:
        return (Health.UNREACHABLE if failed.id in (Stage.DNS, Stage.TCP) else Health.FAILING), failed
    untold = next((each for each in stages if each.status is Status.UNKNOWN and each.id in WALK), None)
    if untold is not None:
        return Health.UNKNOWN, untold
    warned = _first(stages, Status.WARNING)
    return (Health.DEGRADED, warned) if warned is not None else (Health.HEALTHY, None)


def judged(stages: Sequence[StageResult], view: View) -> tuple[Health, StageResult | None]:
    """The status and the stage that decides it, or that would, if enough were known."""
    health, decisive = status_of(stages)
    told = logged.health(view, health)
    return told, None if told is Health.FAILING and health is Health.UNKNOWN else decisive


def verdict(
    stages: Sequence[StageResult], causes: Sequence[RankedCause], view: View, knowledge: Knowledge
) -> Verdict:
    health, decisive = judged(stages, view)
    standing = [cause for cause in causes if cause.confidence is not Confidence.RULED_OUT]
    key: str = health.value
    if health is Health.HEALTHY and standing:
        key = "healthy-but"
    elif health in (Health.FAILING, Health.UNREACHABLE) and not standing:
        key = f"{health.value}-strange"
    elif health is Health.UNKNOWN and _tried_something(stages):
        key = "unknown-stage"
    elif health is Health.UNKNOWN and ("code.shown" in view or "answer.given" in view):
        key = "unknown-codes"
    args: dict[str, Any] = {}
    summaries = {each.id: each.summary for each in stages}
    special = (
        recorded.verdict(view, health)
        or logged.verdict(view, health)
        or settings.verdict(view, health, summaries)
    )
    if special is not None:
        key, more = special
        args.update(more)
    if key == "settings-host" and standing:
        key = "settings-host-maybe"
    if decisive is not None:
        name = knowledge.say(f"stage-name.{decisive.id}")
        args |= {"stage_name": name, "stage_summary": decisive.summary, "reason": decisive.reason}
    at = decisive.id if decisive is not None and health is not Health.UNKNOWN else None
    return Verdict(health, at, knowledge.say(f"verdict.{key}", args))


def _tried_something(stages: Sequence[StageResult]) -> bool:
    return any(each.status in (Status.OK, Status.WARNING) for each in stages)


def _first(stages: Sequence[StageResult], status: Status) -> StageResult | None:
    return next((each for each in stages if each.status is status), None)
