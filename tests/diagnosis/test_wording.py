"""What stories must say, and must not, beside their verdict."""

from __future__ import annotations

import pytest

from rdpdoctor.diagnosis import Confidence, Health
from tests.diagnosis.stories import CASES
from tests.diagnosis.story import Story


@pytest.mark.parametrize(
    ("name", "headline", "why"),
    [
        ("wants a certificate of the client", "after client finished", "wants a certificate from the client"),
        ("closes where TLS 1.3 is offered", "that offers TLS 1.3 is closed; one for TLS 1.2 is", "TLS 1.3"),
        ("closes where CredSSP was asked for", "closed when CredSSP was asked for", "TLS alone"),
        ("closes for a name", "another name in the cookie passes", "another name in the cookie passes"),
        ("slow beside others", "5 of 5 tries died while 2 or more", "5 of 5 got no answer"),
        (
            "handshakes fail in a crowd only",
            "handshakes that failed beside others of ours: 2",
            "2 failed (closed)",
        ),
        ("says nothing, and nobody waited", "nothing for 900 ms", "nothing for 900 ms"),
        ("stops in the answer", "not complete after 8.0 s (5 bytes so far)", "after 8.0 s (5 bytes so far)"),
        ("closes after choosing RDP", "closed right after the negotiation", "before anything was asked"),
        ("resets after TLS without NLA", "reset right after the TLS handshake", "before anything was asked"),
        ("two issuers by turns", "by turns", "by turns"),
    ],
)
def test_sentences(name: str, headline: str, why: str) -> None:
    diagnosis = CASES[name].tell().diagnosis()
    assert headline in diagnosis.verdict.summary
    assert why in diagnosis.causes[0].why
    assert "only when" not in diagnosis.verdict.summary


def test_what_another_hello_passes_is_no_cut() -> None:
    causes = {each.id: each for each in CASES["closes where TLS 1.3 is offered"].tell().diagnosis().causes}
    assert causes["path.tls-cut"].confidence is Confidence.POSSIBLE
    assert "TLS 1.2 is answered" in causes["path.tls-cut"].why


def test_a_cookie_that_decides_rules_out_nonsense() -> None:
    causes = {each.id: each for each in CASES["closes for a name"].tell().diagnosis().causes}
    assert causes["negotiation.inconsistent"].confidence is Confidence.RULED_OUT


def test_several_servers_are_possible_where_issuers_differ() -> None:
    causes = {each.id: each for each in CASES["two issuers by turns"].tell().diagnosis().causes}
    assert causes["farm.bad-member"].confidence is Confidence.POSSIBLE


@pytest.mark.parametrize("shown", [True, False])
def test_a_failure_that_did_not_recur(shown: bool) -> None:
    story = Story().healthy()
    diagnosis = (story.code(2308, 7) if shown else story).diagnosis()
    assert diagnosis.verdict.status is Health.HEALTHY
    assert [step.kind for step in diagnosis.next[:1]] == (["probe"] if shown else [])
    assert any("--user" in step.text for step in diagnosis.next) is shown
