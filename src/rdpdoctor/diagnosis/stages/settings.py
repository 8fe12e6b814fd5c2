"""What rules of clouds and settings of `.rdp` files add (the contract, "What recorded evidence gives"): where
they alone make connections impossible, a stage fails; where they are unsafe, it is a warning; else nobody can
tell from them whether a connection works.

What was measured stands above them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Health, Status
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.diagnosis.view import View, flag, text, whole
from rdpdoctor.facts import WALK, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from rdpdoctor.diagnosis.conclusions import Conclusions

RULES = ("cloud.rule-decides", "cloud.just-in-time")
FILE = "file.read"
MACHINE = "host.read"
#: Evidence of how things are set, and of what was logged: none of it is a connection that we saw.
_STILL = frozenset({Source.CLOUD, Source.FILE, Source.EVENTLOG, Source.BUNDLE, Source.CODE, Source.ANSWER})
_DOUBTS = ("source", "target", "lost", "client-port", "which")
#: Contradictions with which no connection comes about.
_FATAL = ("entra-by-address", "gateway-without-name")
#: Characters of a moment in UTC, down to the day and to the second.
_DAY, _SECOND = len("2026-11-22"), len("2026-11-22T10:00:00")
#: Those that hide what a client does: it takes one line of two, or its own setting.
_ODD = ("no-host", "wrong-type", "no-number", "port-twice", "gateway-settings-ignored", "twice")
_BROKEN_SIGNATURE = ("signed-line-missing", "address-not-signed")


def only(view: View) -> bool:
    """Whether no connection was seen, and rules or settings are among the evidence."""
    return any(tag in view for tag in (*RULES, FILE, MACHINE)) and all(
        row.source in _STILL for rows in view.by_tag.values() for row in rows
    )


def add(view: View, conclusions: Conclusions, judged: MutableMapping[Stage, Judged | None]) -> None:
    """Judge the stages that rules and settings tell of and nothing else does."""
    if not _ran(view) and not any(judged.get(stage) for stage in WALK[1:]):
        judged[Stage.TCP] = _rules(view, conclusions)
    tcp = judged.get(Stage.TCP)
    if tcp is not None and tcp.status is Status.OK:
        wide = next((rules for rules in conclusions.each("rules") if rules["open"]), None)
        if wide is not None:
            judged[Stage.TCP] = Judged(Status.WARNING, "rules.open", wide, tcp.elapsed_ms)
    for asks in conclusions.each("file-asks"):
        before = judged.get(Stage.X224)
        elapsed = before.elapsed_ms if before is not None else None
        if not asks["met"] and asks["need"] != "entra" and before is not None and _passed(before):
            judged[Stage.X224] = Judged(Status.FAILED, f"x224.file-{asks['need']}", asks, elapsed)
        elif asks["met"] and asks["need"] == "entra" and before is not None and before.key == "x224.entra":
            judged[Stage.X224] = Judged(Status.OK, "x224.file-entra", asks, elapsed)
    if judged.get(Stage.HOST) is None:
        judged[Stage.HOST] = _unsafe(view)


def absent(judged: Iterable[Judged | None]) -> Judged:
    """A stage that rules and settings do not tell of: no matter, where something decides without it."""
    if any(found is not None and found.status not in (Status.UNKNOWN, Status.OK) for found in judged):
        return Judged(Status.SKIPPED, "reason.not-tried", reason="settings-only")
    return Judged(Status.UNKNOWN, "reason.not-known", reason="settings-only")


def verdict(view: View, health: Health, stages: Mapping[Stage, str]) -> tuple[str, dict[str, Any]] | None:
    """Key of the sentence and what it may name; None where a connection was seen. stages: id → summary."""
    if not only(view):
        return None
    if health is Health.DEGRADED:
        return "settings-unsafe", {}
    if health is not Health.UNKNOWN:
        return None
    if any(tag in view for tag in RULES):
        return "settings-rules", {"looked_at": stages.get(Stage.TCP)}
    tested = next((row for row in view.all("host.tested") if flag(row, "opened")), None)
    if tested is not None:
        return "settings-tested", dict(tested.args)
    if MACHINE in view:
        return "settings-host", dict(next(view.all(MACHINE)).args)
    file = view.first(FILE)
    return "settings-file", dict(file.args) if file is not None else {}


def _ran(view: View) -> bool:
    """Whether a check tried; it has its own word for what it could not try."""
    return "check.connections" in view or "check.out-of-time" in view


def _passed(judged: Judged) -> bool:
    return judged.status in (Status.OK, Status.WARNING)


def _rules(view: View, conclusions: Conclusions) -> Judged | None:
    found = list(conclusions.each("rules"))
    for rules in found:
        if rules["verdict"] == "deny":
            way = "back" if rules["direction"] == "return" else "deny"
            return Judged(Status.FAILED, f"rules.{way}", rules)
    for rules in found:
        if rules["verdict"] != "allow":
            word = rules["doubt"] if rules["doubt"] in _DOUBTS else rules["verdict"]
            if word == "which" and not rules["denied"]:
                word = "which-part"
            return Judged(Status.UNKNOWN, f"rules.{word}", rules, reason="as-set")
    for rules in found:
        if rules["open"]:
            return Judged(Status.WARNING, "rules.open", rules)
    if found:
        return Judged(Status.UNKNOWN, "rules.allow", found[0], reason="as-set")
    closed = next((row for row in view.all("cloud.just-in-time") if not flag(row, "asked")), None)
    row = closed or view.first("cloud.just-in-time")
    if row is None:
        return None
    key = "rules.just-in-time" if closed is not None else "rules.just-in-time-asked"
    return Judged(Status.UNKNOWN, key, row.args, reason="as-set")


def _unsafe(view: View) -> Judged | None:
    for kind in (*_FATAL, *_BROKEN_SIGNATURE):
        for row in view.all("file.contradiction"):
            if text(row, "kind") == kind:
                return Judged(Status.WARNING, f"file.{kind}", row.args)
    for row in view.all("file.signature"):
        if text(row, "state") in ("changed", "broken", "unreadable"):
            return Judged(Status.WARNING, f"file.signature-{text(row, 'state')}", row.args)
    for row in view.all("file.setting"):
        if text(row, "name") == "authentication level" and whole(row, "number") == 0:
            return Judged(Status.WARNING, "file.unverified", row.args)
    for row in view.all("file.signature"):
        ends = text(row, "ends")
        if ends is not None and ends[:_SECOND] < view.started[:_SECOND]:
            return Judged(Status.WARNING, "file.signature-expired", {**row.args, "ends": ends[:_DAY]})
    for kind in _ODD:
        for row in view.all("file.contradiction"):
            if text(row, "kind") == kind:
                return Judged(Status.WARNING, f"file.{kind}", row.args)
    secret = view.first("file.secret")
    return Judged(Status.WARNING, "file.secret", secret.args) if secret is not None else None
