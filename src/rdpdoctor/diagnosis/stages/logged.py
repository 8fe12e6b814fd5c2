"""What event logs add: the latest attempt whose end they tell decides (the contract, "What recorded evidence
gives"); where there is none, an event that lets no connection succeed, or announces a defect.

What was measured stands above what was logged.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Health, Status
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.diagnosis.view import View, flag, text, whole
from rdpdoctor.facts import Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from rdpdoctor.facts import Observation

LOG, ATTEMPT, EVENT = "event.log", "event.attempt", "event.logged"
_OURS = frozenset({LOG, ATTEMPT, EVENT, "code.shown", "answer.given"})
#: Of these, what is not merely about to break.
_FATAL = frozenset(
    {
        *("certificate.key-denied", "schannel.key-unusable", "schannel.no-key", "schannel.no-credential"),
        *(
            "schannel.no-suites",
            "licensing.grace-over",
            "licensing.no-server",
            "licensing.no-server-set",
            "service.crashed",
        ),
    }
)
#: Defects that an event of these names announces are a warning by themselves; the others are only evidence.
_DEFECTS = frozenset(
    {
        *("certificate.expired", "certificate.expiring", "certificate.wrong-usage", "certificate.not-usable"),
        *(
            "certificate.key-denied",
            "schannel.key-unusable",
            "schannel.no-key",
            "schannel.no-credential",
            "schannel.no-suites",
        ),
        *(
            "licensing.grace-over",
            "licensing.grace-ending",
            "licensing.no-server",
            "licensing.no-server-set",
            "service.crashed",
        ),
    }
)

#: Of a handshake: where an attempt ends within a moment of it, it ended that.
_STRIKES = frozenset({"schannel.key-unusable", "schannel.no-key", "schannel.nothing-common"})
_MOMENT = timedelta(seconds=5)
#: A sign-in and what the server says of its licence.
_AROUND = timedelta(minutes=5)


def only(view: View) -> bool:
    """Whether event logs are all the evidence of a connection."""
    return LOG in view and all(
        tag in _OURS or all(row.source is Source.EVENTLOG for row in rows)
        for tag, rows in view.by_tag.items()
    )


def add(view: View, judged: MutableMapping[Stage, Judged | None]) -> None:
    """Judge the stages that logs tell of and nothing else does."""
    if LOG not in view:
        return
    row = _latest(view)
    if row is not None:
        stage = _stage(row)
        works = text(row, "outcome") == "works"
        if stage is not None:
            _put(stage, works, row, judged)
        if works and only(view):
            _cut(view, judged)
            _unlicensed(view, row, judged)
    elif not any(judged.values()):
        struck = _struck(view)
        if struck is not None:
            judged[Stage.TLS] = Judged(Status.FAILED, "logged.breaks", struck.args)
            return
        for event in _standing(view):
            stage = _stage(event)
            broken = text(event, "weight") == "breaks"
            if stage is None or not (broken or text(event, "means") in _DEFECTS):
                continue
            before = judged.get(stage)
            if before is None or (broken and before.status is Status.WARNING):
                status = Status.FAILED if broken else Status.WARNING
                judged[stage] = Judged(status, "logged.breaks" if broken else "logged.warns", event.args)


def _put(stage: Stage, works: bool, row: Observation, judged: MutableMapping[Stage, Judged | None]) -> None:
    measured = judged.get(stage)
    if measured is None and not any(judged.values()):
        key, status = ("logged.works", Status.OK) if works else ("logged.fails", Status.FAILED)
        judged[stage] = Judged(status, key, row.args)
    elif not works and (measured is None or measured.status is Status.OK):
        # Nobody signed in here, so a refused sign-in and a good check are both true.
        judged[stage] = Judged(
            Status.WARNING, "logged.beside", row.args, measured.elapsed_ms if measured else None
        )


def _cut(view: View, judged: MutableMapping[Stage, Judged | None]) -> None:
    """A session that a limit ended had worked."""
    for event in _standing(view):
        if text(event, "weight") == "cuts":
            judged[Stage.FINALIZATION] = Judged(Status.WARNING, "logged.cut", event.args)


def _unlicensed(view: View, row: Observation, judged: MutableMapping[Stage, Judged | None]) -> None:
    """Who signed in has no session yet; a licence that is missing at that very time may be why."""
    if _stage(row) is not Stage.NLA:
        return
    for event in _standing(view):
        if (
            _stage(event) is Stage.LICENSING
            and text(event, "means") in _DEFECTS
            and _near(text(event, "last"), text(row, "decided"), _AROUND)
        ):
            judged[Stage.LICENSING] = Judged(Status.WARNING, "logged.warns", event.args)


def _struck(view: View) -> Observation | None:
    """The defect that ended the latest attempt, where the log has the end of neither: nothing follows, and
    only logs tell of it (a check's own experiments end so at good servers).
    """
    last = max(view.all(ATTEMPT), key=lambda row: text(row, "began") or "", default=None)
    if last is None or text(last, "outcome") != "open" or not only(view):
        return None
    return next(
        (
            event
            for event in _standing(view)
            if text(event, "means") in _STRIKES
            and event.args.get("ours") is not False
            and (text(last, "began") or "") <= (text(event, "last") or "")
            and _near(text(event, "last"), text(last, "ended"), _MOMENT)
        ),
        None,
    )


def _near(one: str | None, other: str | None, most: timedelta) -> bool:
    try:
        return abs(datetime.fromisoformat(one or "") - datetime.fromisoformat(other or "")) <= most
    except (ValueError, TypeError):  # a saved journal may hold anything
        return False


def health(view: View, found: Health) -> Health:
    """What a log tells although no stage does: that it failed, not where; or a defect, and no attempt."""
    if not only(view):
        return found
    row = _latest(view)
    if row is not None:
        failed = text(row, "outcome") == "fails" and _stage(row) is None
        return Health.FAILING if failed and found is Health.UNKNOWN else found
    return Health.UNKNOWN if found is Health.DEGRADED and _broken(view) else found


def _broken(view: View) -> bool:
    """Whether one of the defects lets no connection succeed where it is what it seems."""
    return any(text(event, "means") in _FATAL for event in _standing(view))


def absent(judged: Iterable[Judged | None]) -> Judged:
    """A stage of which a log tells nothing: no matter, where it tells how an attempt ended."""
    if any(found is not None for found in judged):
        return Judged(Status.SKIPPED, "reason.not-tried", reason="not-in-log")
    return Judged(Status.UNKNOWN, "reason.not-known", reason="no-attempt")


def verdict(view: View, health: Health) -> tuple[str, Mapping[str, Any]] | None:
    """Key of the sentence and what it may name; None where more than logs is known."""
    log = view.first(LOG)
    if log is None or not only(view):
        return None
    args: dict[str, Any] = dict(log.args)
    row = _latest(view)
    if row is None:
        for name in ("attempts", "works", "fails"):
            args.pop(name, None)
    else:
        args["client"] = text(row, "client") or (
            text(row, "computer") if text(row, "side") == "client" else None
        )
    if row is not None:
        args |= {name: row.args.get(name) for name in ("says", "status", "user")}
        args["decided"] = text(row, "decided") or text(row, "ended")
    if health is Health.UNKNOWN:
        return ("logged-defect" if _broken(view) else "logged-unknown"), args
    if health in (Health.FAILING, Health.UNREACHABLE):
        if row is None:
            return "logged-fails", args
        if _stage(row) is None:
            return "logged-fails-somewhere", args
        return ("logged-fails-others" if _got_in_later(view, row) else "logged-fails"), args
    if health is Health.DEGRADED:
        if row is None:
            return "logged-degraded", args
        cut = any(text(event, "weight") == "cuts" for event in _standing(view))
        return ("logged-cut" if cut else "logged-works-but"), args
    failed = [text(each, "ended") or "" for each in view.all(ATTEMPT) if text(each, "outcome") == "fails"]
    if failed and whole(log, "fails"):
        return "logged-mended", {**args, "failed_until": max(failed)}
    return "logged-works", args


def _latest(view: View) -> Observation | None:
    """None where a later one, of whose end the log is silent, met a defect."""
    return (
        None
        if _struck(view) is not None
        else next((row for row in view.all(ATTEMPT) if flag(row, "latest")), None)
    )


def _got_in_later(view: View, row: Observation) -> bool:
    began = text(row, "began") or ""
    return any(
        text(each, "outcome") == "works" and (text(each, "began") or "") > began for each in view.all(ATTEMPT)
    )


def _standing(view: View) -> list[Observation]:
    return [row for row in view.all(EVENT) if flag(row, "stands")]


def _stage(row: Observation) -> Stage | None:
    try:
        return Stage(text(row, "at") or "")
    except ValueError:
        return None
