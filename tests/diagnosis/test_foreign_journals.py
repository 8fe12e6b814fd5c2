"""Journals come from outside: whatever they hold, there is a diagnosis, and nothing of theirs is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdpdoctor.diagnosis import Health, diagnose
from rdpdoctor.facts import Journal, Observation, Source, Stage, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.tags import faults
from tests.diagnosis.story import NOW, Story

TAGS = load().tags
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["walk", "repeat", "ordinary", "alone", "client", "TLS 1.2", NOW, "10.0.4.21", "::1"]),
)
_VALUES: st.SearchStrategy[Any] = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2)
)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """A declared tag with any arguments: some missing, some of another type, some that nobody declared."""
    tag = TAGS[draw(st.sampled_from(sorted(TAGS)))]
    args = {name: draw(_VALUES) for name in tag.args if draw(st.integers(0, 9))}
    if draw(st.booleans()):
        args["odd"] = draw(_VALUES)
    stage = tag.stage if draw(st.integers(0, 4)) else draw(st.sampled_from(list(Stage)))
    return Observation(tag.name, args, stage, draw(st.sampled_from(list(Source))), None)


@given(st.lists(observations(), max_size=25), st.sampled_from([NOW, "", "yesterday"]), st.text(max_size=10))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_never_raises(rows: list[Observation], started: str, host: str) -> None:
    journal = Journal(Target(host, host), started)
    journal.extend(rows)
    diagnosis = diagnose(journal, load())
    assert list(diagnosis.observations[: len(rows)]) == rows
    for row in diagnosis.observations[len(rows) :]:
        assert not faults(row, TAGS)
    assert len(diagnosis.stages) >= 10
    assert diagnosis.verdict.summary


def test_a_tag_of_a_newer_version_is_kept_and_ignored() -> None:
    story = Story().healthy()
    before = story.diagnosis()
    story.journal.add(Observation("quantum.entangled", {"with": "you"}, Stage.TLS))
    after = diagnose(story.journal, load())
    assert after.verdict == before.verdict
    assert "quantum.entangled" in {row.tag for row in after.observations}


def test_derived_tags_in_a_journal_are_no_evidence() -> None:
    """What this version concludes is concluded from what was seen, not from what a file says was
    concluded.
    """
    story = Story().walk("closed")
    before = story.diagnosis()
    story.journal.add(Observation("derived.server", {"layer": "entra"}, Stage.X224))
    after = diagnose(story.journal, load())
    assert [cause.id for cause in after.causes] == [cause.id for cause in before.causes]
    assert "entra.required" not in {cause.id for cause in after.causes}


@pytest.mark.parametrize("host", ["a; calc", "a`b", "-x", "$(calc)", "a b", "", "h" * 121, "a\nb", "\u202e"])
def test_no_step_pastes_what_a_journal_calls_a_host(host: str) -> None:
    story = Story(host=host, address=host).walk(8, "silent")
    texts = [step.text for step in story.diagnosis().next]
    texts += [step.text for step in Story(host=host).dialled("refused").diagnosis().next]
    texts += [step.text for step in diagnose(Journal(Target(host, host), NOW), load()).next]
    assert not host or not any(host in piece.text for text in texts for piece in pieces(text))
    assert any("check HOST:3389`" in text for text in texts)


def test_a_step_can_name_an_ipv6_target() -> None:
    (step,) = diagnose(Journal(Target("x", "2001:db8::5", 3390), NOW), load()).next
    assert pieces(step.text)[1].text == "rdpdoctor check [2001:db8::5]:3390"


def test_an_empty_journal_is_unknown() -> None:
    diagnosis = diagnose(Journal(Target("h", "h"), NOW), load())
    assert diagnosis.verdict.status is Health.UNKNOWN
    assert not diagnosis.causes
    assert diagnosis.next
