"""Each stage says how it went, and one that was not tried says why."""

from __future__ import annotations

from typing import Any

import pytest

from rdpdoctor.diagnosis import StageResult, Status
from rdpdoctor.facts import WALK, Stage
from tests.diagnosis.story import Story


def stages(story: Story) -> dict[Stage, StageResult]:
    return {stage.id: stage for stage in story.diagnosis().stages}


def test_the_walk_is_always_whole_and_in_order() -> None:
    for story in (Story(), Story().healthy(), Story().resolved().dialled("refused")):
        found = [stage.id for stage in story.diagnosis().stages]
        assert tuple(found[:10]) == WALK
        assert set(found[10:]) <= {Stage.PATH}


def test_healthy() -> None:
    found = stages(Story().healthy())
    tried = [found[stage].status for stage in WALK[:5]]
    assert tried == [Status.OK] * 5
    assert {found[stage].status for stage in WALK[5:]} == {Status.SKIPPED}
    assert all(found[stage].reason and "no account" in str(found[stage].reason) for stage in WALK[5:])
    assert found[Stage.TCP].elapsed_ms == 14.0
    assert found[Stage.X224].summary == "server chose CredSSP (HYBRID_EX)"


def test_what_was_not_timed_has_no_time() -> None:
    story = Story().healthy()
    assert stages(story)[Stage.DNS].elapsed_ms is not None
    assert stages(story)[Stage.PATH].elapsed_ms is None  # read off the others' connections
    literal = Story("10.0.4.21").see("dns.resolved", via="literal", elapsed_ms=0.0)
    assert stages(literal)[Stage.DNS].elapsed_ms is None


def test_what_comes_after_a_failure_needs_it() -> None:
    found = stages(Story().walk(8, "closed"))
    assert found[Stage.TLS].status is Status.FAILED
    for stage in WALK[4:]:
        assert (found[stage].status, found[stage].reason) == (Status.SKIPPED, "needs tls")


def test_a_server_without_nla_is_no_gap() -> None:
    found = stages(Story().walk(1, "TLS 1.3"))
    assert found[Stage.NLA].status is Status.SKIPPED
    assert found[Stage.NLA].reason == "the server does not use NLA"


def test_standard_security_has_no_tls_and_no_nla() -> None:
    found = stages(Story().walk(0))
    assert found[Stage.X224].status is Status.WARNING
    assert found[Stage.TLS].reason == "the server uses standard RDP security, which has no TLS"
    assert found[Stage.NLA].status is Status.SKIPPED


@pytest.mark.parametrize(
    ("tag", "args", "reason"),
    [
        ("check.interrupted", {}, "the check was interrupted"),
        ("check.out-of-time", {"left": ["tls"]}, "the time was up"),
        ("probe.crashed", {"probe": "tls", "error": "ValueError"}, "a fault of this tool (tls)"),
    ],
)
def test_unknown_says_why(tag: str, args: dict[str, Any], reason: str) -> None:
    story = Story().walk(8).see(tag, **args)
    diagnosis = story.diagnosis()
    found = stages(story)
    assert (found[Stage.TLS].status, found[Stage.TLS].reason) == (Status.UNKNOWN, reason)
    assert diagnosis.verdict.status == "unknown"
    assert diagnosis.verdict.stage is None
    assert reason in diagnosis.verdict.summary


def test_a_crash_is_no_health() -> None:
    """That the server has no NLA is known from the negotiation; it says nothing of TLS, which nobody has
    tried.
    """
    story = Story().walk(1).see("probe.crashed", probe="tls", error="NameError")
    story.see("probe.skipped", probe="nla", reason="no TLS")
    assert stages(story)[Stage.TLS].status is Status.UNKNOWN
    assert story.diagnosis().verdict.status == "unknown"


def test_interrupted_after_the_walk_is_still_healthy() -> None:
    assert Story().healthy().see("check.interrupted").diagnosis().verdict.status == "healthy"


def test_evidence_that_begins_later_skips_what_it_lacks() -> None:
    """A capture has no look-up in it, and that is nobody's failure."""
    story = Story()
    story.attempt(8, "TLS 1.3", {}, role="walk")
    found = stages(story)
    assert found[Stage.DNS].status is Status.SKIPPED
    assert story.diagnosis().verdict.status == "healthy"


def test_two_in_three_fail_is_failing_though_the_first_passes() -> None:
    story = Story().healthy()
    for outcome in ("closed", "closed", "closed"):
        story.attempt(8, outcome, variant="alone")
    assert stages(story)[Stage.TLS].status is Status.FAILED


def test_one_in_five_fails_is_a_warning_though_it_was_the_first() -> None:
    story = Story().walk("closed")
    for _ in range(4):
        story.attempt(8, "TLS 1.3", {}, variant="alone")
    found = stages(story)
    assert found[Stage.X224].status is Status.WARNING
    assert found[Stage.NLA].status is Status.OK


def test_certificate_faults_are_told_the_most_pressing_first() -> None:
    story = Story().healthy(certificate={"not_after": "2026-11-01T00:00:00Z", "key_bits": 1024})
    assert stages(story)[Stage.TLS].summary == "certificate expired 2026-11-01"


def test_rulings_of_the_closing_server() -> None:
    """The picture of the design: what is likely, what is possible, what is ruled out, and what tells them
    apart.
    """
    story = Story().walk(8, "closed").versions("closed", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
    diagnosis = story.code(2308, 7).diagnosis()
    found = {cause.id: cause.confidence.value for cause in diagnosis.causes}
    assert found == {
        "certificate.key-unusable": "likely",
        "path.tls-cut": "possible",
        "path.mtu-black-hole": "ruled-out",
        "tls.version-mismatch": "ruled-out",
        "listener.absent": "ruled-out",
    }
    assert "5 of 5 tries; no alert, no certificate, the same with TLS 1.0 to 1.3" in (
        diagnosis.stages[3].summary
    )
    assert diagnosis.next[0].separates == ("certificate.key-unusable", "path.tls-cut")
    assert "36870" in diagnosis.next[0].text
