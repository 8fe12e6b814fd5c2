"""Where the evidence contradicts itself: where not all of it can be true, whatever the cause.

Attempts that differ contradict nothing: that is intermittence. A contradiction is one of these:

outcomes   one connection has two outcomes at one stage that exclude each other
order      one connection passes a stage after an earlier one ended it
addresses  one connection has two addresses
sources    one source shows a cause directly, another rules it out, and both speak of the same time

The verdict is then `unknown`: whichever half one believes, the other half denies it, and a damaged file must
not pass for a broken server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.diagnosis.evidence import Evidence
from rdpdoctor.diagnosis.model import Confidence, Health, RankedCause, StageResult, Status, Verdict
from rdpdoctor.diagnosis.view import PASSED, STEPS, derived, text, whole
from rdpdoctor.facts import WALK, Observation, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rdpdoctor.diagnosis.view import View
    from rdpdoctor.knowledge import Cause, Knowledge
    from rdpdoctor.knowledge.rules import Rule

#: More of them say nothing more.
MOST = 5
#: Evidence of times further apart speaks of a change.
SAME_TIME_MS = 60_000.0

#: What ends a connection where it stands.
_FINAL = frozenset({"closed", "reset", "silent", "stalled", "malformed", "declined", "alerted", "rejected"})
#: Outcomes that exclude each other. A ServerHello that was answered or a challenge may be followed by an end.
_EXCLUSIVE: Mapping[Stage, frozenset[str]] = {
    Stage.X224: _FINAL | {"selected", "plain", "failure"},
    Stage.TLS: _FINAL | {"completed"},
}
#: kind, stage in question, one side, the other side
Odd: TypeAlias = "tuple[str, Stage, str, str]"
_NOT_OPEN = ("refused", "rejected", "silent", "failed")
#: Who sees connections, and who knows how things are. Codes and answers are hearsay, events have a time of
#: their own.
_SEES = frozenset({Source.PROBE, Source.CAPTURE})
_KNOWS = frozenset({Source.BUNDLE, Source.CLOUD, Source.FILE})


def find(
    view: View, observations: Sequence[Observation], concluded_from: int, causes: Mapping[str, Cause]
) -> list[Observation]:
    """At most MOST, those of single connections first. The observations are as for `Evidence`."""
    found: list[Observation] = []
    for theme in (_connections(view), _sources(observations, concluded_from, causes)):
        for each in theme:
            if len(found) == MOST:
                return found
            found.append(each)
    return found


def _connections(view: View) -> Iterator[Observation]:
    """Each source numbers its own connections."""
    by_connection: dict[tuple[Source, int], list[Observation]] = {}
    for tag in STEPS:
        for row in view.all(tag):
            number = whole(row, "attempt")
            if number is not None:
                by_connection.setdefault((row.source, number), []).append(row)
    shut = _shut(view)
    for (_, number), rows in by_connection.items():
        if len(rows) == 1 and not shut:
            continue
        odd = _outcomes(rows) or _order(rows) or _addresses(rows) or _not_open(rows, shut)
        if odd is not None:
            yield _told(odd, number, None, rows)


def _outcomes(rows: Sequence[Observation]) -> Odd | None:
    """At `tls` each hello is a step of its own."""
    seen: dict[tuple[Stage, str | None], str] = {}
    for row in rows:
        stage, _ = STEPS[row.tag]
        word = _word(row)
        if word not in _EXCLUSIVE.get(stage, ()):
            continue
        other = seen.setdefault((stage, text(row, "hello")), word)
        if other != word:
            return "outcomes", stage, other, word
    return None


def _order(rows: Sequence[Observation]) -> Odd | None:
    ended: tuple[Stage, str] | None = None
    for row in sorted(rows, key=lambda row: WALK.index(STEPS[row.tag][0])):
        stage, outcome = STEPS[row.tag]
        word = _word(row)
        if ended is not None and stage is not ended[0] and outcome == PASSED:
            return "order", ended[0], ended[1], stage.value
        if word in _FINAL or word == "failure":
            ended = ended or (stage, word)
    return None


def _addresses(rows: Sequence[Observation]) -> Odd | None:
    first, *others = list(dict.fromkeys(address for row in rows if (address := text(row, "address")))) or [""]
    return ("addresses", Stage.TCP, first, others[0]) if others else None


def _not_open(rows: Sequence[Observation], shut: Mapping[tuple[Source, str], str]) -> Odd | None:
    """An answer from an address that never took a connection."""
    for row in rows:
        how = shut.get((row.source, text(row, "address") or ""))
        if how is not None and STEPS[row.tag][1] == PASSED:
            return "order", Stage.TCP, how, STEPS[row.tag][0].value
    return None


def _shut(view: View) -> dict[tuple[Source, str], str]:
    """(source, address) → how it ended, for those that were dialled and never open."""
    found = {
        (row.source, address): how
        for how in _NOT_OPEN
        for row in view.all(f"tcp.{how}")
        if (address := text(row, "address"))
    }
    for row in view.all("tcp.connected"):
        found.pop((row.source, text(row, "address") or ""), None)
    return found


def _word(row: Observation) -> str:
    return row.tag.partition(".")[2]


def _sources(
    observations: Sequence[Observation], concluded_from: int, causes: Mapping[str, Cause]
) -> Iterator[Observation]:
    """Two that see connections see different ones; only what one of them knows can be denied."""
    sources = {row.source for row in observations} & (_SEES | _KNOWS)
    if len(sources) == 1 or not sources & _KNOWS:
        return
    evidence = Evidence(observations, concluded_from)
    for cause in causes.values():
        if not cause.confirms or not cause.excludes:
            continue
        denying = _rows(evidence, cause.excludes)
        for one in _rows(evidence, cause.confirms) if denying else ():
            other = next((row for row in denying if _excludes(one, row)), None)
            if other is not None:
                odd = "sources", one.stage, one.source.value, other.source.value
                yield _told(odd, None, cause.id, (one, other))
                break


def _rows(evidence: Evidence, rules: Sequence[Rule]) -> list[Observation]:
    return [evidence.observations[index] for rule in rules for index in evidence.carrying(rule) or ()]


def _excludes(one: Observation, other: Observation) -> bool:
    sources = {one.source, other.source}
    if len(sources) == 1 or not sources <= _SEES | _KNOWS or not sources & _KNOWS:
        return False
    return one.at_ms is None or other.at_ms is None or abs(one.at_ms - other.at_ms) <= SAME_TIME_MS


def _told(odd: Odd, number: int | None, cause: str | None, rows: Sequence[Observation]) -> Observation:
    kind, stage, one, other = odd
    args = {"kind": kind, "at": stage.value, "attempt": number, "cause": cause, "one": one, "other": other}
    return derived("contradiction", Stage.PATH, args, rows)


def sentence(row: Observation, knowledge: Knowledge) -> str:
    """What contradicts what, without a full stop."""
    args = dict(row.args)
    kind, cause = str(args["kind"]), knowledge.causes.get(str(args["cause"]))
    words = {
        "outcomes": ("ending", "ending"),
        "order": ("ending", "stage-name"),
        "sources": ("source", "source"),
    }
    for name, group in zip(("one", "other"), words.get(kind, ()), strict=False):
        args[name] = knowledge.say(f"{group}.{args[name]}")
    args |= {"stage_name": knowledge.say(f"stage-name.{args['at']}"), "title": cause.title if cause else None}
    return knowledge.say(
        f"contradiction.{'unopened' if kind == 'order' and args['at'] == Stage.TCP else kind}", args
    )


def verdict(found: Sequence[Observation], knowledge: Knowledge) -> Verdict:
    """Of one contradiction or more."""
    summary = knowledge.say("verdict.contradiction", {"what": sentence(found[0], knowledge)})
    return Verdict(Health.UNKNOWN, None, summary)


def mark(
    stages: Sequence[StageResult], found: Sequence[Observation], knowledge: Knowledge
) -> tuple[StageResult, ...]:
    """The stages in question are unknown: neither half is believed."""
    doubtful = {str(row.args["at"]) for row in found}
    reason = knowledge.say("reason.contradiction")
    summary = knowledge.say("reason.not-known", {"reason": reason})
    return tuple(
        replace(stage, status=Status.UNKNOWN, summary=summary, reason=reason)
        if stage.id in doubtful
        else stage
        for stage in stages
    )


def limited(causes: Sequence[RankedCause], found: Sequence[Observation]) -> tuple[RankedCause, ...]:
    """Every cause possible at most; one that a source shows directly is not ruled out either."""
    shown = {row.args["cause"] for row in found}
    made = [
        replace(cause, confidence=Confidence.POSSIBLE, limits=(*cause.limits, "contradiction"))
        if cause.confidence in (Confidence.CONFIRMED, Confidence.LIKELY) or cause.id in shown
        else cause
        for cause in causes
    ]
    return tuple(sorted(made, key=lambda cause: cause.confidence is Confidence.RULED_OUT))
