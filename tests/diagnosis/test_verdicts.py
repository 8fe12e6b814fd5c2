"""Each story ends in the verdict it tells of, and in no other."""

from __future__ import annotations

import pytest

from rdpdoctor.diagnosis import Confidence, Diagnosis, Health
from rdpdoctor.knowledge import load
from tests.diagnosis.stories import CASES

#: Shown by evidence beside one that explains more, or only together with it.
NEVER_FIRST = {
    "host.down": "silent",
    "udp.idle-drop": "healthy, and it drops after a while",
    "udp.blocked": "healthy, and it fails after the desktop",
    # Answers alone point at these; what was read on the machine or in the cloud has yet to show them.
    "rdp.disabled": "refused, and it never worked",
    "service.stopped": "refused since an update",
    "listener.damaged": "refused since an update",
    "port.changed": "refused since a change",
    "firewall.windows": "silent, a PC",
    "cloud.nsg-denies": "silent, in Azure",
    "cloud.security-group-denies": "silent, in AWS",
}


def standing(diagnosis: Diagnosis) -> dict[str, str]:
    return {
        cause.id: cause.confidence.value
        for cause in diagnosis.causes
        if cause.confidence is not Confidence.RULED_OUT
    }


@pytest.mark.parametrize("name", CASES)
def test_story(name: str) -> None:
    case = CASES[name]
    diagnosis = case.tell().diagnosis()
    found = standing(diagnosis)
    assert diagnosis.verdict.status == case.status, diagnosis.verdict.summary
    assert diagnosis.verdict.stage == case.stage
    assert next(iter(found.items()), None) == case.top
    assert not set(found) & set(case.never)
    assert diagnosis.next or diagnosis.verdict.status is Health.HEALTHY


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_is_filled(name: str) -> None:
    diagnosis = CASES[name].tell().diagnosis()
    sentences = [diagnosis.verdict.summary, *(stage.summary for stage in diagnosis.stages)]
    sentences += [cause.why for cause in diagnosis.causes] + [step.text for step in diagnosis.next]
    for sentence in sentences:
        assert sentence
        assert "None" not in sentence
        assert "{" not in sentence.replace("@{", "").replace("{ $_", "")


@pytest.mark.parametrize("name", CASES)
def test_order_and_evidence(name: str) -> None:
    diagnosis = CASES[name].tell().diagnosis()
    ruled_out = [cause.confidence is Confidence.RULED_OUT for cause in diagnosis.causes]
    assert ruled_out == sorted(ruled_out), "ruled-out last"
    for cause in diagnosis.causes:
        for index in (*cause.supporting, *cause.opposing):
            assert 0 <= index < len(diagnosis.observations)
        assert cause.supporting or cause.confidence is Confidence.RULED_OUT
        assert cause.opposing or cause.confidence is not Confidence.RULED_OUT
        assert cause.sources


def test_every_cause_wins_a_story() -> None:
    """And so a cause that nothing can show is found out."""
    first = {case.top[0] for case in CASES.values() if case.top is not None}
    missing = set(load().causes) - first - set(NEVER_FIRST)
    assert not missing
    for cause, story in NEVER_FIRST.items():
        assert cause in standing(CASES[story].tell().diagnosis())


def test_every_cause_is_forbidden_somewhere() -> None:
    never = {cause for case in CASES.values() for cause in case.never}
    assert never <= set(load().causes), "a misspelt cause is never found"
    assert set(load().causes) == never


def test_healthy_is_silent() -> None:
    """Nothing likely or confirmed where every stage is well."""
    for case in CASES.values():
        diagnosis = case.tell().diagnosis()
        if diagnosis.verdict.status is Health.HEALTHY:
            assert set(standing(diagnosis).values()) <= {"possible"}


def test_one_screen_of_causes() -> None:
    for case in CASES.values():
        confidences = [cause.confidence for cause in case.tell().diagnosis().causes]
        assert confidences.count(Confidence.RULED_OUT) <= 6
        assert len(confidences) - confidences.count(Confidence.RULED_OUT) <= 8
