"""A check and the server's log, matched by time: whose clock is off, and which entries are about it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.knowledge import load
from rdpdoctor.readers.eventlog import read_events
from rdpdoctor.readers.joined import beside
from rdpdoctor.readers.joined.clocks import clock
from tests.diagnosis.story import NOW, Story
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rdpdoctor.readers.joined import Joined

LATER = datetime.fromisoformat(NOW).timestamp() - exports.START.timestamp()
US = "10.0.4.9"
#: Seconds from the beginning of a check at which it connects; no two spans are alike.
STARTS = (0.2, 1.9, 4.4, 9.8, 13.1, 21.7)


def test_without_entries_nothing_is_known() -> None:
    assert clock([1.0, 5.0], {}).by is None
    assert clock([], {None: [1.0]}).by is None


@pytest.mark.parametrize("off", [0.0, 3.0, -47.0, 640.0])
def test_several_connections_tell_how_far_a_clock_is_off(off: float) -> None:
    found = clock(STARTS, {US: [start + off for start in STARTS], "10.0.4.8": [500.0]})
    assert (found.by, found.client, found.matched) == ("attempts", US, len(STARTS))
    assert found.skew == pytest.approx(off, abs=0.1)


def test_one_or_two_connections_tell_nothing() -> None:
    assert clock(STARTS[:2], {US: [start + 30 for start in STARTS[:2]]}).by is None


def test_another_burst_makes_no_clock_wrong() -> None:
    """Somebody else's scan of ten minutes later looks like ours, which was over in a moment."""
    burst = [0.01 * number for number in range(8)]
    assert clock(burst, {"203.0.113.5": [start + 600 for start in burst]}).by is None
    assert round(clock(burst, {US: [start + 3 for start in burst]}).skew) == 3


def test_a_flood_of_others_is_no_pattern() -> None:
    """Somebody who tries each second fits at every shift."""
    flood = [float(second) for second in range(-600, 600)]
    assert clock(STARTS, {"203.0.113.5": flood}).by is None
    found = clock(STARTS, {"203.0.113.5": flood[::7], US: [start + 3 for start in STARTS]})
    assert (found.client, round(found.skew)) == (US, 3)


@pytest.mark.parametrize("zone", [3600.0, -5 * 3600.0, 20_700.0])
def test_an_export_without_a_zone_is_shifted_by_quarter_hours(zone: float) -> None:
    times = [round(start + zone + 4) for start in STARTS]  # whole seconds
    found = clock(STARTS, {US: times}, zoneless=True)
    assert found.zone == zone
    assert found.skew == pytest.approx(4, abs=0.7)


@pytest.mark.parametrize("zone", [3600.0, -5 * 3600.0, 20_700.0])
@pytest.mark.parametrize("starts", [(100.72,), (100.72, 101.23)])
def test_few_entries_cut_to_whole_seconds_tell_the_zone(starts: Sequence[float], zone: float) -> None:
    found = clock(starts, {None: [float(int(start + zone)) for start in starts]}, zoneless=True)
    assert (found.zone, found.matched) == (zone, len(starts))


def test_the_challenge_and_one_entry_tell_the_zone() -> None:
    found = clock([100.0], {None: [100.0 + 7200 + 12.4]}, challenge=12.0, zoneless=True)
    assert (found.zone, found.by) == (7200.0, "attempts")
    assert found.skew == pytest.approx(12, abs=1.1)


def check(*starts: float) -> Journal:
    """A walk and the same again, each closed after the ClientHello."""
    story = Story().walk(8, "closed")
    journal = Journal(Target("srv01", "srv01"), NOW, 30_000.0)
    walk = [row for row in story.journal if "attempt" in row.args]
    for number, start in enumerate(starts, 1):
        for row in walk:
            role = "walk" if number == 1 else "repeat"
            args = {**row.args, "attempt": number, "role": role, "elapsed_ms": 1.0}
            journal.add(Observation(row.tag, args, row.stage, at_ms=start * 1000 + 2))
    return journal


def joined(
    journal: Journal, path: Path, *samples: exports.Sample, before: bool = False
) -> tuple[Joined, Diagnosis]:
    file = path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    made = beside(journal, [], read_events(file), before)
    return made, diagnose(journal, load())


def standing(journal: Journal) -> Sequence[object]:
    return [row.args["id"] for row in journal.tagged("event.logged") if row.args["stands"]]


@pytest.mark.parametrize(("off", "confirmed"), [(0.0, True), (3.0, True), (400.0, True)])
def test_entries_of_this_check_confirm_whatever_the_clock_says(
    off: float, confirmed: bool, tmp_path: Path
) -> None:
    journal = check(*STARTS)
    samples = []
    for start in STARTS:
        samples.append(exports.tcp(LATER + start + off, US))
        samples.append(exports.key_unusable(LATER + start + off + 0.05))
    _, found = joined(journal, tmp_path, *samples)
    cause = next(one for one in found.causes if one.id == "certificate.key-unusable")
    assert (cause.confidence == "confirmed") is confirmed
    during = journal.tagged("event.during")[0].args
    assert during["skew_ms"] == pytest.approx(off * 1000, abs=100)
    assert (during["client"], during["matched"]) == (US, len(STARTS))
    assert "Schannel 36870" in str(during["told"])
    causes = [one.id for one in found.causes if one.confidence == "confirmed"]
    assert ("clock.skew" in causes) is (off > 300)


def test_entries_of_another_day_confirm_nothing(tmp_path: Path) -> None:
    journal = check(*STARTS)
    old = [exports.key_unusable(LATER - 86400 + start) for start in STARTS]
    now = exports.Sample(exports.CORE, 131, LATER + 25, {"ConnType": "TCP", "ClientIP": "10.0.4.8:50000"})
    _, found = joined(journal, tmp_path, *old, now)
    assert standing(journal) == []
    assert found.causes[0].confidence != "confirmed"


def test_what_only_the_comparisons_called_forth_is_no_evidence(tmp_path: Path) -> None:
    """A good server refuses the old versions that a check asks it for, and writes it down."""
    journal = Story().healthy().journal
    for row in list(journal):
        assert row.stage is not Stage.TLS or not row.tag.endswith("closed")
    refused = exports.Sample("Schannel", 36874, LATER + 0.01, {"Protocol": "TLS 1.0"})
    joined(journal, tmp_path, refused)
    assert standing(journal) == []


@pytest.mark.parametrize("before", [True, False])
def test_an_earlier_check_in_the_log_makes_no_clock_wrong(before: bool, tmp_path: Path) -> None:
    """It left the same pattern twenty minutes ago."""
    journal = check(*STARTS)
    rows = [exports.tcp(LATER - 1200 + start, US) for start in STARTS]
    joined(journal, tmp_path, *rows, before=before)
    during = journal.tagged("event.during")[0].args
    assert (during["by"], during["skew_ms"]) == (None, 0)


def test_two_checks_in_the_log_and_the_clock_is_right(tmp_path: Path) -> None:
    journal = check(*STARTS)
    rows = [exports.tcp(LATER + by + start, US) for by in (-1200, 0, 1200) for start in STARTS]
    joined(journal, tmp_path, *rows)
    during = journal.tagged("event.during")[0].args
    assert during["by"] == "attempts"
    assert during["skew_ms"] == pytest.approx(0, abs=100)


def test_a_csv_of_another_zone_is_matched_with_the_check(tmp_path: Path) -> None:
    """Event Viewer writes the time of whoever looks, two hours east of Greenwich here, in whole seconds."""
    journal = check(*STARTS)
    samples = [exports.key_unusable(LATER + start + 7200) for start in STARTS]
    file = tmp_path / "log.csv"
    file.write_bytes(exports.viewer_csv(samples))
    beside(journal, [], read_events(file))
    during = journal.tagged("event.during")[0].args
    assert (during["by"], during["zone_ms"]) == ("attempts", 7_200_000)
    assert abs(float(str(during["skew_ms"]))) < 1500
    assert 36870 in standing(journal)
