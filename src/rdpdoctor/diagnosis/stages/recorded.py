"""What recordings of packets add: how the latest try in them ended that was recorded to its end (the
contract, "What recorded evidence gives").

A session that came about shows that no stage before it failed, whatever is wrong there; a connection that the
recording cuts off is unknown from there on. Where a check saw the server itself, its own word stands above.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Confidence, Health, RankedCause, Status
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.diagnosis.view import View, flag, text, whole
from rdpdoctor.facts import WALK, Observation, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

    from rdpdoctor.diagnosis.conclusions import Conclusions

READ, ATTEMPT = "flow.read", "flow.attempt"
_DIALS = ("refused", "rejected", "silent")
_ENDED_BY = ("client", "server")


def only(view: View) -> bool:
    """Whether recordings are what is known of connections."""
    return READ in view and not any(
        row.source is Source.PROBE for rows in view.by_tag.values() for row in rows
    )


def add(view: View, conclusions: Conclusions, judged: MutableMapping[Stage, Judged | None]) -> None:
    """Judge the stages by how the latest try ended."""
    udp = conclusions.the("udp")
    if udp is not None and judged.get(Stage.UDP) is None:
        key = "udp.silent" if udp["blocked"] else "udp.answered"
        judged[Stage.UDP] = Judged(Status.WARNING if udp["blocked"] else Status.OK, key, udp)
    row = _latest(view)
    if row is None:
        return
    outcome, at = text(row, "outcome"), _stage(row)
    if not only(view):
        _beside(row, outcome, at, judged)
    elif outcome == "works":
        _works(row, judged)
    elif outcome == "fails":
        before = judged.get(at)
        if before is None or before.status is not Status.FAILED:
            judged[at] = _failed(view, row, at)
    else:
        _open(view, row, at, judged)


def absent(view: View, judged: Iterable[Judged | None]) -> Judged:
    """A stage of which recordings show nothing: no matter, where they show a try, or more is known. Where
    somebody only looked whether the port is open, nobody tried.
    """
    failed = any(found is not None and found.status is Status.FAILED for found in judged)
    if failed or _latest(view) is not None:
        return Judged(Status.SKIPPED, "reason.not-tried", reason="not-recorded")
    return Judged(Status.UNKNOWN, "reason.not-known", reason="none-recorded")


def verdict(view: View, health: Health) -> tuple[str, Mapping[str, Any]] | None:
    """Key of the sentence and what it may name; None where more than recordings is known."""
    read = view.first(READ)
    if read is None or not only(view):
        return None
    args: dict[str, Any] = dict(read.args)
    row = _latest(view)
    if row is None or health is Health.UNKNOWN:
        silent = view.first("flow.unanswered")
        if row is None and silent is not None:
            return "recorded-unanswered", {**args, **silent.args}
        return ("recorded-nothing" if row is None else "recorded-unknown"), args
    args["ended"] = text(row, "ended")
    failed = [text(one, "ended") or "" for one in view.all(ATTEMPT) if text(one, "outcome") == "fails"]
    several = (whole(read, "attempts") or 0) > 1
    if health in (Health.FAILING, Health.UNREACHABLE):
        return "recorded-fails" if several else "recorded-fails-once", args
    if failed:
        args["failed_until"] = max(failed)
    if health is Health.DEGRADED:
        return "recorded-degraded", args
    if failed:
        return "recorded-mended", args
    return ("recorded-works" if several else "recorded-works-once"), args


def limited(view: View, health: Health, causes: Sequence[RankedCause]) -> tuple[RankedCause, ...]:
    """Where recordings do not show how it ended, nothing is more than possible: there may be no failure."""
    if health is not Health.UNKNOWN or not only(view):
        return tuple(causes)
    return tuple(
        replace(cause, confidence=Confidence.POSSIBLE, limits=(*cause.limits, "cut-off"))
        if cause.confidence in (Confidence.CONFIRMED, Confidence.LIKELY)
        else cause
        for cause in causes
    )


def _works(row: Observation, judged: MutableMapping[Stage, Judged | None]) -> None:
    for stage in WALK:
        found = judged.get(stage)
        if found is None and stage is not Stage.DNS and stage not in (Stage.TLS, Stage.SECURITY):
            last = stage is Stage.FINALIZATION
            judged[stage] = Judged(Status.OK, "recorded.session" if last else "recorded.passed", row.args)
        elif found is not None and found.status is Status.FAILED:
            judged[stage] = Judged(Status.WARNING, found.key, found.args, found.elapsed_ms)
        elif found is not None and found.status is Status.UNKNOWN:
            judged[stage] = Judged(Status.OK, "recorded.passed", row.args)


def _failed(view: View, row: Observation, at: Stage) -> Judged:
    by = text(row, "by")
    if at is Stage.TCP:
        dial = next((one for way in _DIALS if (one := view.first(f"tcp.{way}")) is not None), None)
        if dial is not None:
            return Judged(Status.FAILED, dial.tag, dial.args)
    if at is Stage.GATEWAY:
        refused = next((one for one in view.all("gateway.answered") if whole(one, "code")), None)
        answered = list(view.all("gateway.http"))[-1:]
        args = (refused or (answered[0] if answered else row)).args
        return Judged(Status.FAILED, "recorded.gateway-code" if refused else "recorded.gateway", args)
    alert = view.first("flow.alert")
    if at is Stage.NLA and alert is not None:
        key = "recorded.alert-guessed" if flag(alert, "guessed") else "recorded.alert"
        return Judged(Status.FAILED, key, {**row.args, **alert.args})
    return Judged(Status.FAILED, f"recorded.{by if by in _ENDED_BY else 'ended'}", row.args)


def _open(view: View, row: Observation, at: Stage, judged: MutableMapping[Stage, Judged | None]) -> None:
    """From the stage on in which it was last seen, nothing is known."""
    for stage in WALK:
        found = judged.get(stage)
        if found is None or found.status is not Status.FAILED:
            continue
        if WALK.index(stage) < _place(at):
            judged[stage] = replace(found, status=Status.WARNING)  # this one came through
        elif stage is at and flag(row, "cut"):
            judged[stage] = None  # what failed there was asked before this
        else:
            return
    reason = "cut-off" if flag(row, "cut") else "left"
    reason = _lacking(view) or reason
    if flag(row, "inside") is False:
        at, reason = Stage.X224, "nothing-inside"
    if at is Stage.GATEWAY:
        at = Stage.NLA
    places = WALK[WALK.index(at) :]
    stage = next((one for one in places if judged.get(one) is None), Stage.FINALIZATION)
    judged[stage] = Judged(Status.UNKNOWN, "reason.not-known", row.args, reason=reason)


def _lacking(view: View) -> str | None:
    """Why a recording cannot show how it ended, whoever ended it."""
    for row in view.all("flow.incomplete"):
        if flag(row, "from_middle"):
            return "from-middle"
        if flag(row, "one_sided"):
            return "one-sided"
        if (whole(row, "client_missing") or 0) + (whole(row, "server_missing") or 0):
            return "lacking"
    return None


def _beside(
    row: Observation, outcome: str | None, at: Stage, judged: MutableMapping[Stage, Judged | None]
) -> None:
    """Another client's connection, of another time: both it and the check are true."""
    before = judged.get(at)
    if outcome == "fails" and (before is None or before.status in (Status.OK, Status.SKIPPED)):
        judged[at] = Judged(
            Status.WARNING, "recorded.beside", row.args, before.elapsed_ms if before else None
        )


def _latest(view: View) -> Observation | None:
    return next((row for row in view.all(ATTEMPT) if flag(row, "latest")), None)


def _stage(row: Observation) -> Stage:
    at = text(row, "at")
    return next((stage for stage in (*WALK, Stage.GATEWAY) if stage == at), Stage.TCP)


def _place(stage: Stage) -> int:
    return WALK.index(stage) if stage in WALK else 0
