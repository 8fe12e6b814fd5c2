"""A live check and the server's own log, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Confidence, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.eventlog import read_events
from tests.diagnosis.story import Story
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.diagnosis import Diagnosis
    from rdpdoctor.facts import Value


def together(story: Story, path: Path, *samples: exports.Sample) -> Diagnosis:
    file = path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    story.journal.extend(read_events(file).about(story.journal.target.host))
    return diagnose(story.journal, load())


def first(found: Diagnosis) -> tuple[str, Confidence]:
    return found.causes[0].id, found.causes[0].confidence


def dies_after_hello() -> Story:
    return Story().walk(8, "closed").versions("closed")


def no_common_suite() -> Story:
    return Story().walk(8, ("alerted", 40), after="client-hello")


def port_closed() -> Story:
    return Story().resolved().dialled("refused")


NOTHING_COMMON = exports.Sample("Schannel", 36874, 0, {"Protocol": "TLS 1.2"})
NOT_STARTED = exports.Sample(
    "Service Control Manager", 7000, 0, {"param1": "Remote Desktop Services", "param2": "%%5"}
)


@pytest.mark.parametrize(
    ("story", "sample", "alone", "cause"),
    [
        (dies_after_hello, exports.not_renewed(0), "certificate.key-unusable", "certificate.key-unusable"),
        (dies_after_hello, exports.key_unusable(0), "certificate.key-unusable", "certificate.key-unusable"),
        (no_common_suite, NOTHING_COMMON, "tls.cipher-mismatch", "tls.cipher-mismatch"),
        (port_closed, NOT_STARTED, "listener.absent", "service.stopped"),
    ],
)
def test_the_log_makes_the_likely_cause_certain(
    story: object, sample: exports.Sample, alone: str, cause: str, tmp_path: Path
) -> None:
    live: Story = story()  # type: ignore[operator]
    assert first(diagnose(live.journal, load())) == (alone, Confidence.LIKELY)
    both = together(live, tmp_path, sample)
    assert first(both) == (cause, Confidence.CONFIRMED)
    assert both.verdict.status == diagnose(story().journal, load()).verdict.status  # type: ignore[operator]


def test_a_log_that_says_it_is_over_makes_nothing_certain(tmp_path: Path) -> None:
    made = exports.Sample(exports.MANAGER, 1056, 60, {"#1": "srv01"}, level=4)
    found = together(dies_after_hello(), tmp_path, exports.not_renewed(0), made)
    assert first(found) == ("certificate.key-unusable", Confidence.LIKELY)


def test_what_was_said_long_ago_and_never_again_is_over(tmp_path: Path) -> None:
    later = exports.Sample(exports.MANAGER, 258, 40 * 86400, {"listenerName": "RDP-Tcp"}, level=4)
    odd = exports.Sample("Schannel", 36888, 40 * 86400, {"AlertDesc": "70", "ErrorState": "1205"})
    assert first(together(dies_after_hello(), tmp_path, exports.not_renewed(0), odd))[1] is Confidence.LIKELY
    assert (
        first(together(dies_after_hello(), tmp_path, exports.not_renewed(0), later))[1] is Confidence.LIKELY
    )


def test_what_was_measured_stands_above_what_was_logged(tmp_path: Path) -> None:
    found = together(Story().healthy(), tmp_path, exports.not_renewed(0))
    assert found.verdict.status == "healthy"
    assert [cause.id for cause in found.causes if cause.confidence is not Confidence.RULED_OUT] == []


def test_another_machines_log_says_nothing_of_this_one(tmp_path: Path) -> None:
    file = tmp_path / "log.xml"
    text = exports.event_xml(exports.not_renewed(0)).replace("srv01", "srv02")
    file.write_text(f"<Events>{text}{exports.event_xml(exports.received(0))}</Events>", "utf-8")
    story = dies_after_hello()
    story.journal.extend(read_events(file).about("srv01.corp.example"))
    assert first(diagnose(story.journal, load())) == ("certificate.key-unusable", Confidence.LIKELY)


def test_a_refused_sign_in_beside_a_good_check_is_a_warning(tmp_path: Path) -> None:
    found = together(Story().healthy(), tmp_path, exports.refused(0, "10.0.0.9"))
    assert (found.verdict.status, found.verdict.stage) == ("degraded", "nla")
    assert "credentials.wrong" in {cause.id for cause in found.causes}


def test_odd_rows_of_a_foreign_journal_do_no_harm() -> None:
    from rdpdoctor.facts import Observation, Source, Stage

    odd: list[dict[str, Value]] = [
        {},
        {"latest": True},
        {"latest": True, "at": 5, "outcome": []},
        {"stands": True, "at": "nowhere"},
    ]
    for args in odd:
        story = Story()
        for tag in ("event.log", "event.attempt", "event.logged"):
            story.journal.add(Observation(tag, args, Stage.HOST, Source.EVENTLOG))
        assert diagnose(story.journal, load()).verdict.status == "unknown"
