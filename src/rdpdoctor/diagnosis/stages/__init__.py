"""How each stage of the walk went, in order. What a stage means is in its own file; here is what they
share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import StageResult, Status
from rdpdoctor.diagnosis.stages import dns, host, logged, mcs, nla, path, recorded, settings, tcp, tls, x224
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.diagnosis.view import View, text, words
from rdpdoctor.facts import WALK, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdpdoctor.diagnosis.conclusions import Conclusions
    from rdpdoctor.knowledge import Knowledge

    Judge = Callable[[View, Conclusions], Judged | None]

JUDGES: Mapping[Stage, Judge] = {
    Stage.DNS: dns.judge,
    Stage.TCP: tcp.judge,
    Stage.X224: x224.judge,
    Stage.TLS: tls.judge,
    Stage.NLA: nla.judge,
    Stage.MCS: mcs.judge,
}
#: Beside the walk, and known from recorded evidence only.
BESIDE = (Stage.UDP, Stage.GATEWAY, Stage.HOST)
#: What this check can try without an account. The verdict waits for these.
TRIED = (Stage.DNS, Stage.TCP, Stage.X224, Stage.TLS, Stage.NLA)


def judge(view: View, conclusions: Conclusions, knowledge: Knowledge) -> tuple[StageResult, ...]:
    """All stages of the walk, then those beside it of which something is known."""
    judged = {stage: each(view, conclusions) for stage, each in JUDGES.items()}
    recorded.add(view, conclusions, judged)
    logged.add(view, judged)
    settings.add(view, conclusions, judged)
    host.add(view, conclusions, judged)
    results: list[StageResult] = []
    failed: Stage | None = None
    for number, stage in enumerate(WALK):
        found = judged.get(stage)
        if found is None or (failed is not None and found.status is Status.SKIPPED):
            later = any(_seen(judged.get(other)) for other in WALK[number + 1 :])
            found = _absent(stage, failed, later, view)
            if failed is None and recorded.only(view):
                found = recorded.absent(view, judged.values())
            elif failed is None and logged.only(view):
                found = logged.absent(judged.values())
            elif failed is None and settings.only(view):
                found = settings.absent(judged.values())
        results.append(_result(stage, found, knowledge))
        if failed is None and found.status is Status.FAILED:
            failed = stage
    beside = {Stage.PATH: path.judge(conclusions), **{stage: judged.get(stage) for stage in BESIDE}}
    results += [_result(stage, found, knowledge) for stage, found in beside.items() if found is not None]
    return tuple(results)


def _seen(judged: Judged | None) -> bool:
    return judged is not None and judged.status is not Status.SKIPPED


def _absent(stage: Stage, failed: Stage | None, later: bool, view: View) -> Judged:
    """Why nothing is known of a stage."""
    if failed is not None:
        return Judged(Status.SKIPPED, "reason.not-tried", reason="needs", args={"stage": failed.value})
    if stage not in TRIED:
        return Judged(Status.SKIPPED, "reason.not-tried", reason="no-account")
    for row in view.all("probe.crashed", "probe.skipped"):
        probe = text(row, "probe") or ""
        if probe == stage or probe.startswith(f"{stage}_"):
            key = "crashed" if row.tag == "probe.crashed" else "probe-skipped"
            return Judged(Status.UNKNOWN, "reason.not-known", reason=key, args=dict(row.args))
    if later:
        return Judged(Status.SKIPPED, "reason.not-tried", reason="no-evidence")
    if "check.interrupted" in view:
        return Judged(Status.UNKNOWN, "reason.not-known", reason="interrupted")
    left = [name for row in view.all("check.out-of-time") for name in words(row, "left")]
    if left or "check.out-of-time" in view:
        return Judged(Status.UNKNOWN, "reason.not-known", reason="out-of-time")
    crashed = view.first("probe.crashed")
    if crashed is not None:
        return Judged(Status.UNKNOWN, "reason.not-known", reason="crashed", args=dict(crashed.args))
    return Judged(Status.UNKNOWN, "reason.not-known", reason="nothing")


def _result(stage: Stage, judged: Judged, knowledge: Knowledge) -> StageResult:
    reason = knowledge.say(f"reason.{judged.reason}", judged.args) if judged.reason else None
    summary = knowledge.say(judged.key, {**judged.args, "reason": reason} if reason else judged.args)
    return StageResult(stage, judged.status, judged.elapsed_ms, summary, reason)
