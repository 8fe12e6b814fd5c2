"""A journal whose halves exclude each other is told so; one whose attempts merely differ is not."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.diagnosis import Confidence, Health, contradictions, diagnose
from rdpdoctor.diagnosis.view import View
from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.knowledge import causes, load
from tests.diagnosis.stories import CASES
from tests.diagnosis.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.diagnosis import Diagnosis

TAG = "derived.contradiction"


def again(story: Story, tag: str, source: Source = Source.PROBE, **args: Any) -> Story:
    """One more line of the last attempt."""
    of_it = {
        "attempt": story.attempts,
        "address": story.address,
        "role": "walk",
        "variant": "ordinary",
        "at_once": 1,
    }
    return story.see(tag, source, **{**of_it, **args})


def contradicted(diagnosis: Diagnosis) -> list[Observation]:
    return [row for row in diagnosis.observations if row.tag == TAG]


CONTRADICTIONS: dict[str, tuple[Callable[[], Story], str]] = {
    "selected and closed": (
        lambda: again(Story().walk(8), "x224.closed"),
        "connection 1 was both answered and closed in the RDP negotiation",
    ),
    "completed and reset": (
        lambda: again(Story().walk(8, "reset"), "tls.completed", version="TLS 1.3", hello="client"),
        "connection 1 was both completed and reset in the TLS handshake",
    ),
    "closed and silent": (
        lambda: again(Story().walk("closed"), "x224.silent"),
        "connection 1 was both closed and left without an answer in the RDP negotiation",
    ),
    "closed, and then a handshake": (
        lambda: again(Story().walk("closed"), "tls.completed", version="TLS 1.3", hello="client"),
        "connection 1 was closed in the RDP negotiation, and still passed the TLS handshake",
    ),
    "refused, and then a challenge": (
        lambda: again(Story().walk(("failure", 5)), "nla.challenged", version=6),
        "connection 1 was refused in the RDP negotiation, and still passed network level authentication",
    ),
    "two addresses": (
        lambda: again(
            Story().walk(8), "tls.completed", version="TLS 1.3", hello="client", address="10.0.4.99"
        ),
        "connection 1 has two addresses, 10.0.4.21 and 10.0.4.99",
    ),
    "an answer from a port that refuses": (
        lambda: again(
            Story().resolved().dialled("refused"), "x224.selected", selected=8, requested=11, attempt=1
        ),
        "connection 1 passed the RDP negotiation, though every dial of its address was refused",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_itself(name: str) -> None:
    tell, said = CONTRADICTIONS[name]
    diagnosis = tell().diagnosis()
    assert diagnosis.verdict.status is Health.UNKNOWN
    assert diagnosis.verdict.stage is None
    assert diagnosis.verdict.summary == f"The evidence contradicts itself: {said}."
    assert len(contradicted(diagnosis)) == 1
    (stage,) = (stage for stage in diagnosis.stages if stage.reason == "the evidence contradicts itself")
    assert stage.id == contradicted(diagnosis)[0].args["at"]
    assert {cause.confidence for cause in diagnosis.causes} <= {Confidence.POSSIBLE, Confidence.RULED_OUT}


def test_what_would_be_confirmed_is_merely_possible() -> None:
    story = Story().walk(8, "TLS 1.3", certificate={"not_after": "2026-01-01T00:00:00Z"})
    assert story.diagnosis().causes[0].confidence is Confidence.CONFIRMED
    cause = again(story, "x224.closed").diagnosis().causes[0]
    assert cause.confidence is Confidence.POSSIBLE
    assert cause.limits == ("contradiction",)


@pytest.mark.parametrize("name", CASES)
def test_no_story_contradicts_itself(name: str) -> None:
    assert not contradicted(CASES[name].tell().diagnosis())


@pytest.mark.parametrize(
    "story",
    [
        Story().walk(8, "TLS 1.3").attempt(8, "reset").attempt("closed"),
        Story().walk(8).dialled("refused").dialled("silent"),
        again(Story().walk(8), "x224.selected", selected=8),
        again(Story().walk(8), "x224.closed", Source.CAPTURE),
        again(Story().walk(8, "TLS 1.2", hello="TLS 1.2"), "tls.closed", hello="TLS 1.2"),
        again(Story().walk(8, "TLS 1.3", {}), "nla.closed"),
        again(Story().walk(8, "TLS 1.3"), "x224.closed", attempt=7),
        Story().walk(8, "TLS 1.3", {}).code(0x904, 7).answer("others", "no"),
    ],
    ids=[
        "attempts that differ", "dials that differ", "the same twice", "seen by another source",
        "an answer and then an end", "a challenge and then an end", "another attempt", "a code and an answer",
    ],
)  # fmt: skip
def test_what_does_not(story: Story) -> None:
    assert not contradicted(story.diagnosis())


def test_many_contradictions_are_not_all_told() -> None:
    story = Story()
    for _ in range(50):
        again(story.attempt(8), "x224.closed")
    assert len(contradicted(story.diagnosis())) == contradictions.MOST


def test_an_unnumbered_attempt_contradicts_nothing() -> None:
    story = Story().walk(8)
    story.journal.add(Observation("x224.closed", {"attempt": None}, Stage.X224))
    assert not contradicted(diagnose(story.journal, load()))


STOPPED = """
id = "service.stopped"
title = "The service is stopped"
what = "made up"
stages = ["tcp"]
prior = 0.0
why = ["because"]
sources = ["inference"]
[[confirms]]
tag = "tcp.refused"
[[excludes]]
tag = "tcp.connected"
says = "The port took the connection."
"""


@pytest.mark.parametrize(
    ("shows", "denies", "apart_ms", "contradicts"),
    [
        (Source.BUNDLE, Source.PROBE, 0.0, True),
        (Source.CLOUD, Source.CAPTURE, None, True),
        (Source.BUNDLE, Source.CLOUD, 60_000.0, True),
        (Source.BUNDLE, Source.PROBE, 60_001.0, False),  # it was started in between
        (Source.CAPTURE, Source.PROBE, 0.0, False),  # each saw connections of its own
        (Source.EVENTLOG, Source.PROBE, None, False),  # an event tells of its own time
        (Source.CODE, Source.PROBE, 0.0, False),
        (Source.PROBE, Source.ANSWER, 0.0, False),
        (Source.PROBE, Source.PROBE, 0.0, False),
    ],
)
def test_two_sources(shows: Source, denies: Source, apart_ms: float | None, contradicts: bool) -> None:
    cause = causes.build(tomllib.loads(STOPPED))
    rows = [
        Observation("tcp.refused", {}, Stage.TCP, shows, 5.0),
        Observation("tcp.connected", {}, Stage.TCP, denies, None if apart_ms is None else 5.0 + apart_ms),
    ]
    journal = Story().journal
    journal.extend(rows)
    found = contradictions.find(View(journal), rows, len(rows), {cause.id: cause})
    assert [row.args["cause"] for row in found] == (["service.stopped"] if contradicts else [])
    if contradicts:
        said = contradictions.verdict(found, load())
        assert said.status is Health.UNKNOWN
        assert "shown by" in said.summary or said.summary == "The evidence contradicts itself."
