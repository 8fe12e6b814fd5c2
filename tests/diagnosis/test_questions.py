"""Questions are asked where an answer separates causes, and nowhere else."""

from __future__ import annotations

import pytest

from rdpdoctor.diagnosis import Confidence, diagnose
from rdpdoctor.diagnosis.questions import WORTH_ASKING, Asking, askings, decides, given
from rdpdoctor.diagnosis.view import View
from rdpdoctor.facts import Journal
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.questions import UNKNOWN
from rdpdoctor.knowledge.tags import faults
from tests.diagnosis.stories import CASES
from tests.diagnosis.story import Story


def asked(story: Story) -> tuple[Asking, ...]:
    journal = story.journal
    return askings(diagnose(journal, load(), ahead=False), View(journal), load())


def keys(story: Story) -> list[str]:
    return [asking.question.key for asking in asked(story)]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("silent", "machine"),
        ("closes after the ClientHello", "others"),
        ("closes for a cookie, seen once", "others"),
        ("refused", "since"),
        ("healthy, and 0x904/0x7", "moment"),
    ],
)
def test_asked_where_it_separates(name: str, key: str) -> None:
    found = asked(CASES[name].tell())
    assert found[0].question.key == key
    assert found[0].bits >= WORTH_ASKING
    assert found[0].moves


@pytest.mark.parametrize(
    "name",
    [
        "name unknown", "web server", "no certificate", "closes for a cookie", "alert 40", "TLS 1.0 only",
        "failure 6", "Entra only", "31 days left", "expired", "nothing at all",
    ],
)  # fmt: skip
def test_not_asked_where_it_separates_nothing(name: str) -> None:
    assert keys(CASES[name].tell()) == []


def test_nobody_is_asked_about_a_server_that_is_well() -> None:
    assert keys(Story().healthy()) == []
    assert keys(Story().healthy().code(2308, 7)) != []


def test_a_question_is_not_asked_twice() -> None:
    story = CASES["silent"].tell()
    first = keys(story)
    assert {"machine", "others"} <= set(first)
    assert "machine" not in keys(story.answer("machine", "pc"))
    assert "others" not in keys(story.answer("others", UNKNOWN)), "not to know is an answer too"


def test_the_seed_comes_first() -> None:
    found = asked(CASES["silent"].tell())
    assert [asking.question.seed for asking in found] == sorted(
        (asking.question.seed for asking in found), reverse=True
    )
    assert found[0].question.seed
    assert found[0].bits < max(asking.bits for asking in found), "although another would tell more"


def test_says_what_the_answer_decides() -> None:
    found = asked(CASES["closes after the ClientHello"].tell())[0]
    said = decides(found, load())
    assert load().causes["certificate.key-unusable"].title in said
    assert load().causes["path.tls-cut"].title in said


def test_an_answer_is_as_a_check_writes_it() -> None:
    assert faults(given("via", "vpn"), load().tags) == []


def test_no_answer_ever_confirms() -> None:
    """Over all stories and all answers: what was not confirmed is not confirmed by one."""
    for name, case in CASES.items():
        journal = case.tell().journal
        before = {cause.id for cause in diagnose(journal, load()).causes if cause.confidence == "confirmed"}
        for key, question in load().questions.items():
            for value in question.telling:
                more = Journal(journal.target, journal.started)
                more.extend([*journal, given(key, value)])
                after = diagnose(more, load(), ahead=False).causes
                new = {cause.id for cause in after if cause.confidence == "confirmed"} - before
                assert not new, (name, key, value)


def test_answers_alone_are_possible_at_most() -> None:
    for key, question in load().questions.items():
        for value in question.telling:
            for story in (Story().answer(key, value), Story().healthy().answer(key, value)):
                for cause in story.diagnosis().causes:
                    assert cause.confidence in (Confidence.POSSIBLE, Confidence.RULED_OUT)


@pytest.mark.parametrize("key", list(load().questions))
def test_every_value_of_every_question_moves_some_cause(key: str) -> None:
    """A value that is evidence of nothing would be asked for nothing."""
    named = {
        (wanted_key, answer)
        for cause in load().causes.values()
        for rule in (*cause.requires, *cause.supports, *cause.opposes)
        for matcher in (*rule.any, *rule.all)
        if matcher.tag == "answer.given"
        for wanted_key in dict((name, values) for name, _, values in matcher.tests)["question"]
        for answer in dict((name, values) for name, _, values in matcher.tests)["answer"]
    }
    for value in load().questions[key].telling:
        assert (key, value) in named
    assert {name for name, _ in named} <= set(load().questions)
    for name, answer in named:
        assert answer in load().questions[name].telling


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (("moment", "after-desktop"), {"graphics.driver", "udp.blocked"}),
        (("moment", "after-a-while"), {"path.idle-timeout", "udp.idle-drop"}),
        (("moment", "after-credentials"), {"authorization.denied", "licensing.none", "session.limit"}),
        (("via", "gateway"), {"gateway.refused", "gateway.unreachable", "gateway.target-unreachable"}),
    ],
)
def test_a_healthy_walk_and_an_answer(answer: tuple[str, str], wanted: set[str]) -> None:
    found = Story().healthy().answer(*answer).diagnosis()
    standing = {cause.id for cause in found.causes if cause.confidence is Confidence.POSSIBLE}
    assert wanted <= standing
    assert found.next[0].separates, "something tells them apart"
