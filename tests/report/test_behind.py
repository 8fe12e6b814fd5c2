"""Why a cause is not the first one, in one plain sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rdpdoctor.diagnosis.model import Confidence, RankedCause, Weighed
from rdpdoctor.report.behind import behind
from rdpdoctor.report.words import prior_word
from tests.diagnosis.stories import CASES
from tests.report.samples import cause

_NUMBERS = re.compile(r"\bbits?\b|\d+(\.\d+)? *%")


def ranked(name: str = "a.b", confidence: str = "possible", **more: Any) -> RankedCause:
    return cause(name, confidence, name, "because", **more)


def weighed(kind: str, weight: int, says: str | None = None) -> Weighed:
    return Weighed(kind, weight, says, (0,))


STRONG, MEDIUM, WEAK = (weighed("supports", weight) for weight in (3, 2, 1))
SAID = weighed("supports", 3, "The server sent nothing else at all: no alert, no certificate.")
OPPOSED = weighed("opposes", 2, "Small segments pass.")


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (ranked(weights=(STRONG,)), ranked(weights=(MEDIUM, OPPOSED)), "Against it: Small segments pass."),
        (
            ranked(weights=(OPPOSED,)),
            ranked(weights=(OPPOSED,)),
            "Nothing seen so far tells it from the first.",
        ),
        (
            ranked(weights=(STRONG, SAID)),
            ranked(weights=(STRONG, OPPOSED)),
            "Only for the first: The server sent nothing else at all.",
        ),
        (
            ranked(weights=(STRONG,)),
            ranked(weights=(WEAK,)),
            "A strong sign speaks for the first, only a weak one for this.",
        ),
        (ranked(weights=(STRONG,)), ranked(), "It fits, but nothing in particular speaks for it."),
        (
            ranked(weights=(WEAK, WEAK)),
            ranked(weights=(WEAK,)),
            "Fewer signs speak for it than for the first.",
        ),
        (ranked(prior=1.0), ranked(prior=0.0), "As much speaks for it as for the first, but it is rarer."),
        (
            ranked(prior=2.0, weights=(MEDIUM,)),
            ranked(prior=0.0, weights=(WEAK,)),
            "It is rarer than the first.",
        ),
        (ranked(), ranked(explains=False), "It would not explain why the connection stops where it does."),
        (
            ranked(),
            ranked(confidence="confirmed", explains=False),
            "It holds as well, but does not explain why the connection stops where it does.",
        ),
        (
            ranked(),
            ranked(limits=("hearsay",)),
            "Only a code or an answer speaks for it, nothing that was measured.",
        ),
        (
            ranked(),
            ranked(limits=("impatience",)),
            "It rests on a short silence, and a server may merely be slow.",
        ),
        (ranked(refines=("c.d",)), ranked("c.d"), "The first says the same more exactly."),
        (
            ranked(),
            ranked("c.d", refines=("a.b",)),
            "It is a special case of the first, and nothing seen shows that it is this one.",
        ),
        (ranked(confidence="confirmed"), ranked(), "The first was seen directly; this one merely fits."),
        (ranked(confidence="confirmed"), ranked(confidence="confirmed"), None),
        (ranked(), ranked(confidence="ruled-out"), None),
    ],
)
def test_the_reason(first: RankedCause, second: RankedCause, said: str | None) -> None:
    assert behind((first, second), 0) is None
    assert behind((first, second), 1) == said


@pytest.mark.parametrize(
    ("bits", "word"), [(1.0, "common"), (0.0, "usual"), (0.5, "usual"), (-0.5, "rare"), (-3.0, "rare")]
)
def test_a_prior_is_a_word(bits: float, word: str) -> None:
    assert prior_word(bits) == word


def test_every_runner_up_of_every_story_has_a_reason() -> None:
    """None only where both were seen directly. No bits and no percentages: they are not calibrated."""
    reasons = []
    for case in CASES.values():
        causes = case.tell().diagnosis().causes
        for place, each in enumerate(causes[1:], 1):
            reason = behind(causes, place)
            if reason is None:
                both = causes[0].confidence is each.confidence is Confidence.CONFIRMED
                assert both or each.confidence is Confidence.RULED_OUT
                continue
            assert not _NUMBERS.search(reason)
            reasons.append(reason)
    assert len(set(reasons)) >= 6
