"""Causes weighed against the evidence, in bits (log2 of the odds), and said in words.

Every rule that holds counts once, however many observations carry it: ten closes are one fact seen ten times.
Bits are for ordering and for the thresholds below; no percentage is made of them, since none is calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.evidence import SHOWN_EVIDENCE, Evidence
from rdpdoctor.diagnosis.model import Confidence, Health, RankedCause, Weighed
from rdpdoctor.facts import Observation, Source, Target
from rdpdoctor.knowledge.templates import fill, first_that_fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.facts import Stage
    from rdpdoctor.knowledge import Cause
    from rdpdoctor.knowledge.rules import Rule

#: One strong and one weak piece of evidence, for a cause that is neither common nor rare.
LIKELY = 4.0
#: One weak piece of evidence.
POSSIBLE = 1.0
#: A cause this far behind the best explanation of the same failure is not likely any more.
MARGIN = 2.0
SHOWN_CAUSES = 8
SHOWN_RULED_OUT = 6

#: A server that is silent for less may merely be slow; who was recorded may have left for their own reasons.
PATIENCE_MS, RECORDED_MS = 3000.0, 10_000.0
_HEARSAY = (Source.CODE, Source.ANSWER)
_ORDER = (Confidence.CONFIRMED, Confidence.LIKELY, Confidence.POSSIBLE, Confidence.RULED_OUT)


@dataclass(slots=True)
class Case:
    """One cause before the court."""

    cause: Cause
    required: list[int] = field(default_factory=list)
    confirming: list[int] = field(default_factory=list)
    supporting: list[int] = field(default_factory=list)
    opposing: list[int] = field(default_factory=list)
    direct: bool = False
    bits: float = 0.0
    confidence: Confidence | None = None
    said: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)  # sentences, each with its evidence
    held: list[tuple[str, Rule, tuple[int, ...]]] = field(default_factory=list)  # kind, rule, its evidence
    limits: list[str] = field(default_factory=list)

    def weaken(self, confidence: Confidence, for_: str) -> None:
        """At most this, from now on. for_: one of the words of `RankedCause.limits`."""
        if self.confidence is not None and _ORDER.index(self.confidence) < _ORDER.index(confidence):
            self.confidence = confidence
            self.limits.append(for_)

    def hold(self, kind: str, rule: Rule, carried: tuple[int, ...]) -> None:
        self.held.append((kind, rule, carried))
        if rule.says and kind in ("confirms", "supports"):
            self.said.append((rule.says, carried))

    @property
    def stands(self) -> bool:
        return self.confidence in (Confidence.CONFIRMED, Confidence.LIKELY)


def rank(
    observations: Sequence[Observation],
    concluded_from: int,
    causes: Mapping[str, Cause],
    died_at: Stage | None,
    health: Health,
    target: Target,
    address: str | None,
    warned_at: Stage | None = None,
) -> tuple[RankedCause, ...]:
    """Best first, ruled out last. died_at: the stage that failed, if one did; warned_at: else the first that
    has a warning.
    """
    evidence = Evidence(observations, concluded_from)
    always = {"host": target.host, "port": target.port, "address": address}
    cases: dict[str, Case] = {}
    for cause in causes.values():
        case = _try(cause, evidence, died_at)
        if case is not None:
            cases[cause.id] = case
    for case in cases.values():
        _limit_hearsay(case, evidence)
        _limit_impatience(case, evidence)
    _narrow(cases)
    _unmask(cases)
    if died_at is not None:
        _compare(cases, died_at)
    if health is Health.HEALTHY:
        cases = {key: case for key, case in cases.items() if _rests_on_hearsay(case, evidence)}
        for case in cases.values():
            case.weaken(Confidence.POSSIBLE, "healthy")
    ordered = sorted(cases.values(), key=lambda case: _place(case, died_at, warned_at))
    standing = [case for case in ordered if case.confidence is not Confidence.RULED_OUT][:SHOWN_CAUSES]
    fallen = [case for case in ordered if case.confidence is Confidence.RULED_OUT][:SHOWN_RULED_OUT]
    return tuple(_ranked(case, evidence, always, died_at) for case in (*standing, *fallen))


def _try(cause: Cause, evidence: Evidence, died_at: Stage | None) -> Case | None:
    """None where the cause has nothing to do with this journal."""
    case = Case(cause)
    relevant = True
    for rule in cause.requires:
        carried = evidence.carrying(rule)
        if carried is None:
            relevant = False
            break
        case.required.extend(carried)
        case.hold("requires", rule, carried)
    for rule in cause.excludes:
        carried = evidence.carrying(rule)
        if carried is None:
            continue
        near = died_at is not None and died_at in cause.suspected
        if not relevant and not near:
            return None
        case.confidence = Confidence.RULED_OUT
        case.opposing.extend(carried)
        case.hold("excludes", rule, carried)
        case.said = [(rule.says or "", carried)]
        return case
    if not relevant:
        return None
    _weigh(case, evidence)
    return case if case.confidence is not None else None


def _weigh(case: Case, evidence: Evidence) -> None:
    cause = case.cause
    bits = cause.prior
    for rule in cause.confirms:
        carried = evidence.carrying(rule)
        if carried is not None:
            case.confirming.extend(carried)
            case.hold("confirms", rule, carried)
            bits += 0 if case.direct else rule.weight
            case.direct = True
    for rule in cause.supports:
        carried = evidence.carrying(rule)
        if carried is not None:
            case.supporting.extend(carried)
            case.hold("supports", rule, carried)
            bits += rule.weight
    strongly_opposed = False
    for rule in cause.opposes:
        carried = evidence.carrying(rule)
        if carried is not None:
            case.opposing.extend(carried)
            case.hold("opposes", rule, carried)
            bits -= rule.weight
            strongly_opposed = strongly_opposed or rule.weight >= 3
    case.bits = bits
    if case.direct and not strongly_opposed:
        case.confidence = Confidence.CONFIRMED
    elif bits >= LIKELY:
        case.confidence = Confidence.LIKELY
    elif bits >= POSSIBLE:
        case.confidence = Confidence.POSSIBLE


def _rests_on_hearsay(case: Case, evidence: Evidence) -> bool:
    carried = (*case.required, *case.confirming, *case.supporting)
    return any(evidence.observations[index].source in _HEARSAY for index in carried)


def _limit_hearsay(case: Case, evidence: Evidence) -> None:
    """Codes and answers alone never make a cause more than possible."""
    carried = (*case.required, *case.confirming, *case.supporting)
    if carried and all(evidence.observations[index].source in _HEARSAY for index in carried):
        case.weaken(Confidence.POSSIBLE, "hearsay")


def _limit_impatience(case: Case, evidence: Evidence) -> None:
    """What rests on silence alone, and on a short wait for it, is possible at most."""
    if case.confidence is not Confidence.LIKELY:
        return
    seen = [evidence.observations[index] for index in (*case.required, *case.supporting)]
    seen = [row for row in seen if not row.tag.startswith("derived.") and row.source not in _HEARSAY]
    if seen and all(_brief(row) for row in seen):
        case.weaken(Confidence.POSSIBLE, "impatience")


def _brief(row: Observation) -> bool:
    waited = row.args.get("waited_ms", row.args.get("elapsed_ms"))
    quiet = row.tag.endswith((".silent", ".stalled"))
    left = row.source is Source.CAPTURE and not row.tag.startswith("tcp.")
    return quiet and isinstance(waited, int | float) and waited < (RECORDED_MS if left else PATIENCE_MS)


def _narrow(cases: dict[str, Case]) -> None:
    """A narrower cause with direct evidence replaces the wider one; a likely one goes before it."""
    for case in list(cases.values()):
        if not case.stands:
            continue
        for wider in case.cause.refines:
            other = cases.get(wider)
            if other is None or other.confidence is Confidence.RULED_OUT:
                continue
            if case.confidence is Confidence.CONFIRMED:
                del cases[wider]
            elif case.confidence is not None:
                other.weaken(case.confidence, "narrower")
                other.bits = min(other.bits, case.bits - 0.5)


def _unmask(cases: dict[str, Case]) -> None:
    """What is a mere consequence of a cause that stands does not speak. Read first, so that order does not
    matter.
    """
    hidden = {name for case in cases.values() if case.stands for name in case.cause.masks}
    for name in hidden:
        if name in cases and cases[name].confidence is not Confidence.RULED_OUT:
            del cases[name]


def _compare(cases: dict[str, Case], died_at: Stage) -> None:
    """Of the causes that would explain the failure alone, one far behind the best is possible at most."""
    rivals = [
        case
        for case in cases.values()
        if _explains(case, died_at) and case.confidence is not Confidence.RULED_OUT
    ]
    confirmed = any(case.confidence is Confidence.CONFIRMED for case in rivals)
    best = max((case.bits for case in rivals), default=0.0)
    for case in rivals:
        if case.confidence is Confidence.LIKELY and (confirmed or best - case.bits >= MARGIN):
            case.weaken(Confidence.POSSIBLE, "behind")


def _explains(case: Case, died_at: Stage) -> bool:
    return case.cause.effect == "breaks" and died_at in case.cause.stages


def _place(case: Case, died_at: Stage | None, warned_at: Stage | None) -> tuple[bool, bool, int, float, str]:
    """Explanations of the failure before what merely deserves a warning; and of warnings that stand, those of
    the stage that the verdict names.
    """
    assert case.confidence is not None
    ruled_out = case.confidence is Confidence.RULED_OUT
    if died_at is not None:
        aside = not _explains(case, died_at)
    else:
        aside = warned_at is not None and not (case.stands and warned_at in case.cause.stages)
    return (ruled_out, aside, _ORDER.index(case.confidence), -case.bits, case.cause.id)


def _ranked(case: Case, evidence: Evidence, always: Mapping[str, Any], died_at: Stage | None) -> RankedCause:
    assert case.confidence is not None
    cause = case.cause
    pro = case.confirming + case.supporting + case.required
    return RankedCause(
        id=cause.id,
        confidence=case.confidence,
        title=cause.title,
        why=_why(case, evidence, always),
        supporting=_shown(pro),
        opposing=_shown(case.opposing),
        remedies=cause.remedies,
        sources=cause.sources,
        bits=round(case.bits, 2),
        prior=cause.prior,
        weights=tuple(_weighed(*held, evidence, always) for held in case.held),
        explains=died_at is None or _explains(case, died_at),
        refines=cause.refines,
        limits=tuple(case.limits),
    )


def _weighed(
    kind: str, rule: Rule, carried: tuple[int, ...], evidence: Evidence, always: Mapping[str, Any]
) -> Weighed:
    says = fill(rule.says, _bindings(carried, evidence, always)) if rule.says else None
    return Weighed(kind, rule.weight, says, _shown(carried), rule.absent)


def _why(case: Case, evidence: Evidence, always: Mapping[str, Any]) -> str:
    """What the first rule that holds has to say, with what it rests on; else what the cause says of
    itself.
    """
    for template, carried in case.said:
        sentence = fill(template, _bindings(carried, evidence, always))
        if sentence is not None:
            return sentence
    pro = case.confirming + case.supporting + case.required
    return first_that_fits(case.cause.why, _bindings(pro, evidence, always))


def _bindings(carried: Iterable[int], evidence: Evidence, always: Mapping[str, Any]) -> dict[str, Any]:
    """What sentences may name: arguments of the evidence, the most direct first."""
    bound: dict[str, Any] = {key: value for key, value in always.items() if value is not None}
    for index in carried:
        for name, value in evidence.observations[index].args.items():
            if value is not None:
                bound.setdefault(name, value)
    return bound


def _shown(indexes: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(indexes))[:SHOWN_EVIDENCE])
