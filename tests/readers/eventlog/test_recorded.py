"""Logs of real machines, where they are at hand: what each must come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdpdoctor.diagnosis import Confidence, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.eventlog import journals, read_events, xml
from rdpdoctor.readers.eventlog.leap import Led
from rdpdoctor.readers.eventlog.tally import Tally

LOGS = Path(__file__).parents[4] / "shared" / "captures" / "evtx"
pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="the recorded logs are not at hand")

FINE = ("healthy", "unknown")
#: file → accepted verdicts, the first cause (None: none that is likely), journals.
EXPECTED: dict[str, tuple[tuple[str, ...], str | None, int]] = {
    "client-one-good-session": (("healthy",), None, 1),
    "damaged-rcm-261-1149": ((*FINE, "degraded"), None, 3),
    "gateway-operational-good": (("healthy",), None, 1),
    "host-system-1056-1067": ((*FINE, "degraded"), None, 1),
    "lab-lsm-40-reason5": (("healthy", "degraded"), None, 1),
    "lab-rcm": (("healthy",), None, 1),
    "lab-security-4624-type10": (FINE, None, 1),
    "lab-system-nothing-rdp": (FINE, None, 1),
    "rcm-1149-eleven-computers": (FINE, None, 11),
    "rcm-1149-through-tunnel": (FINE, None, 5),
    "rdpcorets-104-timezone": (FINE, None, 1),
    "rdpcorets-131-68-168": (FINE, None, 1),
    "sandbox-listener-lsm": (FINE, None, 1),
    "sandbox-listener-rcm-admin": (FINE, None, 1),
    "sandbox-listener-rcm": (FINE, None, 1),
    "sandbox-listener-rdpcorets": (FINE, None, 1),
    "security-4624-type10-loopback": (FINE, None, 1),
    "security-4625-type10-bad-password": (("failing",), "credentials.wrong", 1),
    "security-4778-4779": (FINE, None, 1),
    "security-4825-not-in-group": (("failing",), "authorization.denied", 1),
    "system-termdd-50-56": (("failing", "degraded"), None, 2),
}


def test_every_log_at_hand_is_expected() -> None:
    assert {path.stem for path in LOGS.glob("*.evtx")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_log_comes_to_what_it_must(name: str) -> None:
    verdicts, first, count = EXPECTED[name]
    found = journals([LOGS / f"{name}.evtx"])
    assert len(found) == count
    for journal in found:
        assert [fault for row in journal for fault in faults(row, load().tags)] == []
        said = diagnose(journal, load())
        assert said.verdict.status in verdicts
        if said.verdict.status == "failing":
            assert said.verdict.stage in ("x224", "tls", "nla", "security")
        likely = [c.id for c in said.causes if c.confidence in (Confidence.CONFIRMED, Confidence.LIKELY)]
        assert likely[:1] == ([first] if first else [])


def test_reading_goes_on_after_damage_and_says_so() -> None:
    log = read_events(LOGS / "damaged-rcm-261-1149.evtx")
    counts = {identity: sum(event.id == identity for event in log.events) for identity in (261, 1149)}
    assert counts == {261: 1769, 1149: 5}
    assert any("damaged or missing record" in each for each in log.lost)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_quick_way_through_a_record_reads_what_the_slow_one_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = read_events(LOGS / f"{name}.evtx")
    monkeypatch.setattr("rdpdoctor.readers.eventlog.record._SYSTEM", __import__("re").compile("(?!)"))
    slow = read_events(LOGS / f"{name}.evtx")
    # XML makes one end of line of each kind.
    bare = [
        event._replace(
            data={key: value.replace("\r\n", "\n").replace("\r", "\n") for key, value in event.data.items()}
        )
        for event in quick.events
    ]
    assert bare == list(slow.events)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_leapt_over_is_of_no_interest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leapt = read_events(LOGS / f"{name}.evtx")
    monkeypatch.setattr("rdpdoctor.readers.eventlog.evtx.leap", lambda chunk, _: Led(chunk, 0, 0))
    whole = read_events(LOGS / f"{name}.evtx")
    assert leapt.events == whole.events
    assert [tally.records for _, tally in leapt.tallies] == [tally.records for _, tally in whole.tallies]
    assert leapt.lost == whole.lost


def test_of_many_alike_the_latest_are_read_and_drive_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_events(LOGS / "damaged-rcm-261-1149.evtx")
    monkeypatch.setattr("rdpdoctor.readers.eventlog.evtx.MOST_ALIKE", 100)
    found = read_events(LOGS / "damaged-rcm-261-1149.evtx")
    alike = [event for event in found.events if event.id == 261]
    assert 100 <= len(alike) < 1000  # a batch is read whole
    numbers = [event.record or 0 for event in whole.events if event.id == 261]
    taken = {event.record or 0 for event in alike}
    assert max(numbers) in taken
    assert min(taken) > sorted(numbers)[len(numbers) // 2]
    assert [event for event in found.events if event.id == 1149] == [
        event for event in whole.events if event.id == 1149
    ]
    assert any("of its id, only counted" in each for each in found.lost)
    assert found.tallies[0][1].records == whole.tallies[0][1].records


def test_as_xml_a_log_says_the_same() -> None:
    """All files of one host through the library, and through XML made of that."""
    library = pytest.importorskip("evtx")
    for name in ("lab-rcm", "lab-lsm-40-reason5", "lab-security-4624-type10", "gateway-operational-good"):
        path = LOGS / f"{name}.evtx"
        text = "".join(row["data"] for row in library.PyEvtxParser(str(path)).records())
        kept = list(xml.read(__import__("io").StringIO(text), Tally()))
        wanted = list(read_events(path).events)
        assert [event for event in kept if event in wanted] == wanted


def test_one_hosts_logs_make_one_story() -> None:
    files = [LOGS / f"lab-{name}.evtx" for name in ("rcm", "lsm-40-reason5", "security-4624-type10")]
    (journal,) = journals([*files, LOGS / "lab-system-nothing-rdp.evtx"])
    (attempt,) = journal.tagged("event.attempt")
    assert (attempt.args["outcome"], attempt.args["client"]) == ("works", "192.168.38.1")
    told = " ".join(attempt.args["story"])  # type: ignore[arg-type]
    assert all(f" {identity}: " in told for identity in (261, 1149, 4624, 25, 4778))
