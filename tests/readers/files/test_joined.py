"""Which connections are one try, which files speak of one machine, and what that comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.facts import Journal, Observation, Source, Stage, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.eventlog import read_events
from rdpdoctor.readers.joined import Joined, Reading, beside, join
from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.tries import tries
from rdpdoctor.wire import nego
from tests.diagnosis.story import Story
from tests.readers.capture import craft
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.eventlog import EventLog

OTHER = "10.0.0.9"
#: The certificate of these recordings cannot be read, which is a warning.
WORKS = ("healthy", "degraded")


def talk(at: float, **ends: str) -> craft.Conversation:
    """A connection that begins so many seconds after the recording does."""
    made = craft.Conversation(**ends, ports=(40000 + int(at) % 20000, 3389))  # type: ignore[arg-type]
    made.now = craft.START + at
    return made.open()


def dies(at: float, **ends: str) -> craft.Conversation:
    return talk(at, **ends).ask().close(1)


def refused(at: float, code: int = 5, requested: int = 1, **ends: str) -> craft.Conversation:
    failure = nego.NegotiationFailure(code)
    return talk(at, **ends).ask(requested).say(1, nego.confirm_packet(failure)).reset(0)


def session(at: float, **ends: str) -> craft.Conversation:
    made = talk(at, **ends).ask().confirm().hello().handshake()
    for _ in range(30):
        made.data(0, 50).data(1, 900)
    return made.reset(0)


def cut(at: float, **ends: str) -> craft.Conversation:
    return talk(at, **ends).ask().confirm()


def recording(*talks: craft.Conversation, name: str = "a.pcap") -> Reading:
    packets = sorted((packet for each in talks for packet in each.packets), key=lambda packet: packet[0])
    return Reading(name, "recording of packets", capture=craft.read(craft.pcap(craft.framed(packets))))


def judged(one: Joined) -> Diagnosis:
    assert [fault for row in one.journal for fault in faults(row, load().tags)] == []
    return diagnose(one.journal, load())


def said(*talks: craft.Conversation) -> tuple[str, str | None, str]:
    found = join([recording(*talks)])
    assert len(found) == 1
    verdict = judged(found[0]).verdict
    return verdict.status, verdict.stage, verdict.summary


def test_a_retry_is_no_second_fault() -> None:
    status, stage, summary = said(dies(0), dies(5), dies(10))
    assert (status, stage) == ("failing", "x224")
    assert "tries failed" not in summary, "it is one try"


def test_a_fallback_that_works_is_healthy() -> None:
    assert said(refused(0, 2), session(3))[0] in WORKS


def test_a_retry_that_works_is_healthy() -> None:
    assert said(dies(0), session(4))[0] in WORKS


def test_the_verdict_is_that_of_the_latest_try() -> None:
    status, _, summary = said(dies(0), dies(300), dies(600), session(900), session(1800))
    assert status in WORKS
    assert "3 of 5 tries failed until 2023-11-14 22:23 UTC" in summary
    status, stage, summary = said(session(0), dies(300))
    assert (status, stage) == ("failing", "x224")
    assert "1 of 2 tries failed" in summary


def test_earlier_tries_stay_as_observations() -> None:
    journal = join([recording(dies(0), dies(300), session(900))])[0].journal
    tried = [row.args for row in journal.tagged("flow.attempt")]
    assert [one["outcome"] for one in tried] == ["fails", "fails", "works"]
    assert [one["latest"] for one in tried] == [False, False, True]
    assert "x224.closed" in str(tried[0]["steps"])


def test_a_session_that_ends_by_reset_is_a_good_one() -> None:
    assert said(session(0))[0] in WORKS


def test_what_the_recording_cuts_off_is_unknown() -> None:
    assert said(cut(0))[0] == "unknown"
    assert said(refused(0, 2), cut(3))[0] == "unknown", "the way in may have been found"


def test_the_first_stream_may_hold_the_cause() -> None:
    """What was asked with less, after that, tells only what came of it."""
    found = judged(join([recording(signing(), refused(2, client=OTHER))])[0])
    assert (found.verdict.status, found.verdict.stage) == ("failing", "nla")
    assert "nla.required" not in [cause.id for cause in found.causes[:1]]


def test_a_pause_before_the_hello_is_a_person_typing() -> None:
    slow = talk(0).ask().confirm()
    slow.now += 25
    slow.hello().handshake()
    for _ in range(30):
        slow.data(0, 50).data(1, 900)
    assert said(slow.reset(0))[0] in WORKS


def test_who_only_looks_whether_the_port_is_open_is_no_try() -> None:
    looks = [talk(60.0 * minute).close(0) for minute in range(5)]
    assert said(*looks)[0] == "unknown"
    assert said(*looks, dies(400))[:2] == ("failing", "x224")


def test_each_pair_has_its_own_report() -> None:
    found = join([recording(dies(0), session(1, client=OTHER), session(2, server="10.0.0.7"))])
    assert sorted(judged(one).verdict.status for one in found) == ["degraded", "degraded", "failing"]
    assert len({one.journal.target.input for one in found}) == 3


def test_numbers_of_connections_are_unique_over_files() -> None:
    """Two recordings count from one each; one number with two outcomes would be a contradiction."""
    found = join([recording(dies(0), name="a"), recording(session(2), name="b")])
    assert len(found) == 1
    numbers = {row.args["attempt"] for row in found[0].journal if row.tag.startswith("x224.")}
    assert len(numbers) == 2
    assert judged(found[0]).verdict.status in WORKS


def test_certificates_are_judged_by_the_time_of_the_try() -> None:
    journal = join([recording(dies(0), session(86400 * 40))])[0].journal
    assert journal.started.startswith("2023-12-24T22:13:20.")
    assert min(row.at_ms for row in journal if row.at_ms is not None) < 0


def test_tries_of_one_minute_are_one() -> None:
    streams = recording(dies(0), dies(30), dies(59), dies(61)).capture
    assert streams is not None
    assert [len(one.streams) for one in tries(streams.streams)] == [3, 1]


def test_what_begins_beside_a_session_belongs_to_it() -> None:
    long = talk(0).ask().confirm().hello().handshake()
    for _ in range(40):
        long.data(0, 50, after=0.2).data(1, 900)
    streams = recording(long.reset(0), cut(2)).capture
    assert streams is not None
    assert [len(one.streams) for one in tries(streams.streams)] == [2]


# ---- which files speak of one machine


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["srv01"], ["SRV01.corp.example"], True),
        (["srv01.a.example"], ["srv01.b.example"], False),
        (["srv01"], ["srv02"], False),
        (["10.0.0.1"], ["10.0.0.1"], True),
        (["10.0.0.1"], ["10.0.0.2"], False),
        (["10.0.0.1"], ["srv01"], None),
        (["10.0.0.1", "srv01"], ["srv02"], False),
        (["10.0.0.1", "srv01"], ["10.0.0.2", "srv01"], True),
        ([], ["srv01"], None),
        (["[2001:db8::1]"], ["2001:DB8::1"], True),
        (["averylongcomputername.corp.example"], ["AVERYLONGCOMPUT"], True),
    ],
)
def test_whether_two_are_the_same(one: list[str], other: list[str], same: bool | None) -> None:
    assert Machine.of(one).same(Machine.of(other)) is same
    assert Machine.of(other).same(Machine.of(one)) is same


def logged(path: Path, *samples: exports.Sample, computer: str = "srv01.corp.example") -> EventLog:
    path.write_bytes(exports.saved_xml(samples).replace(b"srv01.corp.example", computer.encode()))
    return read_events(path)


def rows(tag: str, **args: object) -> tuple[Observation, ...]:
    return (Observation(tag, args, Stage.HOST, Source.FILE),)  # type: ignore[arg-type]


def signing() -> craft.Conversation:
    """Refused in CredSSP; what was said is encrypted."""
    return talk(0, client=OTHER).ask().confirm(8).hello().handshake().data(0, 200).data(1, 300).reset(0)


def test_a_recording_and_the_servers_log_are_one_report(tmp_path: Path) -> None:
    alone = judged(join([recording(signing())])[0])
    assert alone.causes[0].confidence != "confirmed"
    log = logged(tmp_path / "log.xml", exports.refused(0, OTHER), computer="SRV.example")
    found = join([recording(signing())], log)
    assert len(found) == 1
    both = judged(found[0])
    assert (both.verdict.status, both.verdict.stage) == ("failing", "nla")
    assert (both.causes[0].id, both.causes[0].confidence) == ("credentials.wrong", "confirmed")
    assert found[0].assumed == []


def test_a_log_of_a_machine_with_another_name_stays_apart(tmp_path: Path) -> None:
    found = join([recording(signing())], logged(tmp_path / "log.xml", exports.refused(0, OTHER)))
    assert [one.journal.target.host for one in found] == ["srv.example", "srv01.corp.example"]


def test_where_the_recording_names_nobody_the_log_is_assumed_to_be_the_servers(tmp_path: Path) -> None:
    log = logged(tmp_path / "log.xml", exports.refused(0, OTHER))
    found = join([recording(dies(0, client=OTHER))], log)
    assert len(found) == 1
    assert found[0].assumed == ["the event log of srv01.corp.example is taken for that of 10.0.0.2"]


def test_a_log_of_another_client_stays_apart(tmp_path: Path) -> None:
    log = logged(tmp_path / "log.xml", exports.refused(0, OTHER), exports.refused(60, "10.0.0.8"))
    found = join([recording(dies(0, client=OTHER))], log)
    assert len(found) == 2
    clients = {row.args["client"] for row in found[0].journal.tagged("event.attempt")}
    assert clients == {OTHER}


def test_settings_without_a_name_join_all_and_with_another_name_none() -> None:
    rules = Reading("nsg.json", "file of cloud rules", rows=rows("cloud.part-lost", what="x"))
    mine = Reading("a.rdp", ".rdp file", rows=rows("file.secret", name="password 51"), host="10.0.0.2")
    theirs = Reading("b.rdp", ".rdp file", rows=rows("file.secret", name="other"), host="10.9.9.9")
    found = join([theirs, rules, mine, recording(dies(0))])
    assert len(found) == 2
    assert {row.tag for row in found[0].journal} >= {"cloud.part-lost", "file.secret", "x224.closed"}
    assert found[0].assumed == []
    assert [row.args["name"] for row in found[1].journal.tagged("file.secret")] == ["other"]


def test_a_name_for_an_address_is_assumed_and_said() -> None:
    named = Reading("a.rdp", ".rdp file", rows=rows("file.secret", name="x"), host="srv01")
    found = join([recording(dies(0)), named])
    assert len(found) == 1
    assert found[0].assumed == ["`a.rdp`, about srv01, is taken to be about 10.0.0.2"]


def test_files_alone_are_about_the_machine_that_one_of_them_names() -> None:
    nameless = Reading("nsg.json", "file of cloud rules", rows=rows("cloud.part-lost", what="x"))
    named = Reading("b.json", "file", rows=rows("file.secret", name="x"), host="srv01", port=3390)
    found = join([nameless, named])
    assert [(one.journal.target.host, one.journal.target.port) for one in found] == [("srv01", 3390)]
    assert [one.journal.target.host for one in join([nameless])] == ["HOST"]


def test_a_log_beside_a_check_is_put_into_its_time_by_both_clocks(tmp_path: Path) -> None:
    """The server's clock is an hour ahead, as its challenge said: the event happened during the check."""
    journal = Journal(Target("10.0.0.2", "10.0.0.2"), "2026-11-20T13:02:00.000Z", 900.0)
    args: dict[str, Value] = {
        "attempt": 1,
        "address": "10.0.0.2",
        "skew_ms": 3_600_000.0,
        "computer": "SRV01",
    }
    journal.add(Observation("nla.challenged", args, Stage.NLA))
    log = logged(tmp_path / "log.xml", exports.key_unusable(0.4))
    made = beside(journal, [], log)
    event = next(row for row in journal.tagged("event.logged"))
    assert event.at_ms == pytest.approx(400, abs=1)
    during = journal.tagged("event.during")[0].args
    assert (during["events"], during["clock_known"], during["skew_ms"]) == (1, True, 3_600_000.0)
    assert made.assumed == []


def test_a_saved_check_and_the_servers_log_are_one_report(tmp_path: Path) -> None:
    saved = Story().walk(8, "closed").versions("closed").journal
    assert diagnose(saved, load()).causes[0].confidence == "likely"
    log = logged(tmp_path / "log.xml", exports.not_renewed(0), computer="srv01.corp.example")
    found = join([Reading("saved.jsonl", "saved check", journal=saved)], log)
    assert len(found) == 1
    cause = judged(found[0]).causes[0]
    assert (cause.id, cause.confidence) == ("certificate.key-unusable", "confirmed")


def test_beside_several_servers_a_file_without_a_name_stands_alone() -> None:
    rules = Reading("nsg.json", "file of cloud rules", rows=rows("cloud.part-lost", what="x"))
    found = join([recording(dies(0), dies(1, server="10.0.0.7")), rules])
    assert [one.journal.target.host for one in found] == ["10.0.0.2", "10.0.0.7", "HOST"]
