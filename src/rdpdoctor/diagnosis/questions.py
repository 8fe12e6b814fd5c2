"""Which question a person should be asked: what its answer would be worth, by the tables that judge it.

An answer derives nothing and ends no stage, so only the ranking is made anew for each one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis import foresee
from rdpdoctor.diagnosis.evidence import Evidence
from rdpdoctor.diagnosis.foresee import Option, Outcome, standing
from rdpdoctor.diagnosis.model import Confidence, Diagnosis, Health
from rdpdoctor.diagnosis.rank import rank
from rdpdoctor.diagnosis.view import text
from rdpdoctor.facts import Observation, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.diagnosis.view import View
    from rdpdoctor.knowledge import Cause, Knowledge, Question
    from rdpdoctor.knowledge.rules import Rule

TAG = "answer.given"
#: Bits an answer must be worth before anybody is asked. Over the stories of the tests an answer can change
#: the first cause or its confidence in every second question above it, and in one of seven below.
WORTH_ASKING = 0.1
#: Of each tag, so many observations are enough to judge an imagined answer by.
_ENOUGH = 50
#: A cause's odds must change so much from one answer to another for the question to be about it.
_MOVES = 1.0
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """A question worth its time. bits: expected information. moves: the causes whose odds the answer changes,
    the leading first.
    """

    question: Question
    bits: float
    moves: tuple[str, ...]


def given(key: str, value: str, at_ms: float | None = None) -> Observation:
    """An answer as the journal holds it."""
    return Observation(TAG, {"question": key, "answer": value}, Stage.HOST, Source.ANSWER, at_ms)


def askings(found: Diagnosis, view: View, knowledge: Knowledge) -> tuple[Asking, ...]:
    """The questions that are worth asking, best first. None where nothing failed and nobody said so, and none
    where the cause is confirmed.
    """
    confirmed = any(cause.confidence is Confidence.CONFIRMED for cause in found.causes[:1])
    if confirmed or not _something_failed(found, view):
        return ()
    answered = {text(row, "question") for row in view.all(TAG)}
    bench = _Bench(found, view, knowledge)
    asked = [
        asking
        for key, question in knowledge.questions.items()
        if key not in answered and (asking := bench.asking(question)).bits >= WORTH_ASKING
    ]
    return tuple(sorted(asked, key=lambda asking: (not asking.question.seed, -asking.bits)))


def decides(asking: Asking, knowledge: Knowledge) -> str:
    """What the answer is for, in a sentence."""
    titles = [f"“{knowledge.causes[name].title}”" for name in asking.moves]
    if not titles:
        return "The answer decides what to look at next."
    if len(titles) == 1:
        return f"The answer speaks for or against {titles[0]}."
    return f"The answer helps to tell {', '.join(titles[:-1])} and {titles[-1]} apart."


def _something_failed(found: Diagnosis, view: View) -> bool:
    if found.verdict.status in (Health.HEALTHY, Health.DEGRADED):
        return "code.shown" in view or TAG in view
    return found.verdict.status is not Health.UNKNOWN or TAG in view or "code.shown" in view


class _Bench:
    """The diagnosis, ready to be made anew with one more answer."""

    def __init__(self, found: Diagnosis, view: View, knowledge: Knowledge) -> None:
        self._found, self._view, self._knowledge = found, view, knowledge
        rows = [row for tag in view.by_tag.values() for row in tag[:_ENOUGH]]
        self._derived = [row for row in found.observations if row.tag.startswith("derived.")]
        self._rows = [row for row in rows if not row.tag.startswith("derived.")]
        self._now = standing(found, knowledge)
        evidence = Evidence((*self._rows, *self._derived), len(self._rows))
        self._causes = {
            name: cause
            for name, cause in knowledge.causes.items()
            if name in self._now or _may_come_up(cause, evidence)
        }

    def asking(self, question: Question) -> Asking:
        minding = {name for name, cause in self._causes.items() if _minds(cause, question.key)}
        if not minding:
            return Asking(question, 0.0, ())
        causes = {name: self._causes[name] for name in self._causes if name in minding or name in self._now}
        outcomes = tuple(Outcome(value, (given(question.key, value),)) for value in question.telling)
        after = [self._with(outcome.rows, causes) for outcome in outcomes]
        option = Option(question.key, question.seconds, outcomes)
        bits = foresee.worth(option, self._found, after, self._knowledge).bits
        return Asking(question, bits, self._moved(after))

    def _with(self, rows: Iterable[Observation], causes: Mapping[str, Cause]) -> Diagnosis:
        found, view = self._found, self._view
        seen = [*self._rows, *rows]
        status, stage = found.verdict.status, found.verdict.stage
        died_at = stage if status in (Health.FAILING, Health.UNREACHABLE) else None
        observations = (*seen, *self._derived)
        ranked = rank(observations, len(seen), causes, died_at, status, view.target, None)
        return replace(found, causes=ranked)

    def _moved(self, after: Sequence[Diagnosis]) -> tuple[str, ...]:
        """Leading causes first, then those that only an answer brings up."""
        odds = [standing(diagnosis, self._knowledge) for diagnosis in after]
        names = list(dict.fromkeys([*self._now, *(name for bits in odds for name in bits)]))
        lowest = {name: min(bits.get(name, 0.0) for bits in odds) for name in names}
        highest = {name: max(bits.get(name, 0.0) for bits in odds) for name in names}
        moved = [name for name in names if highest[name] - lowest[name] >= _MOVES]
        return tuple(moved[:_NAMED])


def _may_come_up(cause: Cause, evidence: Evidence) -> bool:
    """Whether all it requires has been seen, but for what somebody may still answer."""
    return all(_asks(rule) or evidence.carrying(rule) is not None for rule in cause.requires)


def _minds(cause: Cause, key: str) -> bool:
    """Whether the answer to this question is evidence about this cause."""
    rules = (*cause.requires, *cause.confirms, *cause.supports, *cause.opposes, *cause.excludes)
    return any(_asks(rule, key) for rule in rules)


def _asks(rule: Rule, key: str | None = None) -> bool:
    return any(
        name == "question" and (key is None or key in wanted)
        for matcher in (*rule.any, *rule.all)
        if matcher.tag == TAG
        for name, kind, wanted in matcher.tests
        if kind == "is"
    )
