"""What an experiment or an answer would be worth: the expected information about the cause, in bits.

Each possible outcome is a handful of observations that the journal would gain. The journal with them is
diagnosed by the same tables that judge the real result, so what a cause predicts is not written down
anywhere a second time: a cause makes the outcome likely after which it stands best. From that follow how
probable each outcome is, and how much each would change the odds: the mutual information of cause and
outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Confidence
from rdpdoctor.facts import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.diagnosis.model import Diagnosis
    from rdpdoctor.facts import Observation
    from rdpdoctor.knowledge import Knowledge

#: Bits of a cause that an outcome takes out of the race, of one that nothing speaks for yet (below its
#: prior), and what direct evidence is worth beyond its weight.
_FALLEN, _UNHEARD, _DIRECT = -6.0, 1.0, 4.0
#: "Something else, or nothing": what no cause of ours explains. It expects no outcome more than another.
_OTHER, _OTHER_BITS = "", 1.0
#: A cause expects an outcome if that is so much likelier with it than any other.
_EXPECTS = 0.6
#: An outcome costs at least so much of a person's time, in seconds.
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way it may end: what the journal would gain."""

    id: str
    rows: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """An experiment or a question. seconds: what it costs."""

    id: str
    seconds: float
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """bits: expected information about the cause. predictions: cause → the outcome it expects, if any."""

    option: Option
    bits: float
    predictions: Mapping[str, str]

    @property
    def rate(self) -> float:
        """Bits a second."""
        return self.bits / max(self.option.seconds, _LEAST_SECONDS)


def weigh(journal: Journal, options: Iterable[Option], knowledge: Knowledge) -> tuple[Worth, ...]:
    """Best bits per second first; equal ones in the order given."""
    from rdpdoctor.diagnosis import diagnose

    now = diagnose(journal, knowledge, ahead=False)
    found = []
    for option in options:
        after = [
            diagnose(_with(journal, outcome.rows), knowledge, ahead=False) for outcome in option.outcomes
        ]
        found.append(worth(option, now, after, knowledge))
    return tuple(sorted(found, key=lambda worth: -worth.rate))


def standing(diagnosis: Diagnosis, knowledge: Knowledge) -> dict[str, float]:
    """Causes that would explain what was found, with their bits: of a failure those that can break that
    stage, else all that are left but the warnings that are certain. Whatever else a client met, these are no
    rivals to its cause.
    """
    died_at = diagnosis.verdict.stage if diagnosis.verdict.status in ("failing", "unreachable") else None
    found = {}
    for ranked in diagnosis.causes:
        cause = knowledge.causes[ranked.id]
        if died_at is not None:
            aside = cause.effect != "breaks" or died_at not in cause.stages
        else:
            aside = cause.effect == "warns" and ranked.confidence is Confidence.CONFIRMED
        if ranked.confidence is Confidence.RULED_OUT or aside:
            continue
        found[ranked.id] = ranked.bits + (_DIRECT if ranked.confidence is Confidence.CONFIRMED else 0.0)
    return found


def _with(journal: Journal, rows: Iterable[Observation]) -> Journal:
    imagined = Journal(journal.target, journal.started, journal.elapsed_ms)
    imagined.extend((*journal, *rows))
    return imagined


def worth(option: Option, now: Diagnosis, after: Sequence[Diagnosis], knowledge: Knowledge) -> Worth:
    before = standing(now, knowledge)
    results = [standing(diagnosis, knowledge) for diagnosis in after]
    names = sorted({name for bits in (before, *results) for name in bits})
    odds = {name: before.get(name, min(0.0, knowledge.causes[name].prior) - _UNHEARD) for name in names} | {
        _OTHER: _OTHER_BITS
    }
    weights = {name: 2.0**bits for name, bits in odds.items()}
    total = sum(weights.values())
    prior = {name: weight / total for name, weight in weights.items()}
    chances = {name: _chances(name, results) for name in odds}
    predictions = {}
    for name in names:
        best = max(range(len(results)), key=lambda index: chances[name][index])
        if chances[name][best] >= _EXPECTS:
            predictions[name] = option.outcomes[best].id
    return Worth(option, round(_information(prior, chances, len(results)), 6), predictions)


def _chances(name: str, results: Sequence[Mapping[str, float]]) -> list[float]:
    """How likely each outcome is if this is the cause: the better it stands after it, the likelier it was."""
    even = 1.0 / len(results)
    if name == _OTHER:
        return [even] * len(results)
    weights = [2.0 ** max(bits.get(name, _FALLEN), _FALLEN) for bits in results]
    total = sum(weights)
    return [weight / total for weight in weights]


def _information(prior: Mapping[str, float], chances: Mapping[str, Sequence[float]], outcomes: int) -> float:
    """The mutual information of cause and outcome."""
    bits = 0.0
    for index in range(outcomes):
        whole = sum(prior[name] * chances[name][index] for name in prior)
        for name, chance in prior.items():
            joint = chance * chances[name][index]
            if joint > 0.0:
                bits += joint * log2(joint / (chance * whole))
    return max(0.0, bits)
