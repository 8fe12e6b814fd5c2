"""Which events belong together, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Confidence, Diagnosis, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.eventlog import journals, read_events
from rdpdoctor.readers.eventlog.table import WANTED, WEIGHTS
from tests.readers.eventlog import exports
from tests.readers.eventlog.exports import AUDIT, CLIENT, CORE, GATEWAY, MANAGER, SESSIONS, Sample

if TYPE_CHECKING:
    from pathlib import Path


def told(path: Path, *samples: Sample) -> Diagnosis:
    file = path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    (journal,) = journals([file])
    return diagnose(journal, load())


def outcomes(path: Path, *samples: Sample) -> list[tuple[str, str | None]]:
    file = path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    return [(attempt.outcome, attempt.client) for attempt in read_events(file).attempts]


def standing(found: Diagnosis) -> dict[str, Confidence]:
    return {
        cause.id: cause.confidence for cause in found.causes if cause.confidence is not Confidence.RULED_OUT
    }


def client(identity: int, seconds: float, value: str = "", activity: str = "A1") -> Sample:
    values = {"Name": "x", "Value": value, "CustomLevel": "Info"} if value else {}
    return Sample(CLIENT, identity, seconds, values, channel="RDPClient", level=4, activity=activity)


def session(identity: int, seconds: float, address: str, number: str = "2") -> Sample:
    values = {"User": "CORP\\alice", "SessionID": number, "Address": address}
    return Sample(SESSIONS, identity, seconds, values, level=4, user_data=True)


def test_a_connection_told_by_four_logs_is_one_attempt(tmp_path: Path) -> None:
    rows = [
        exports.tcp(0, "10.0.0.9"),
        exports.received(0.01),
        exports.accepted(6, "10.0.0.9"),
        session(21, 8, "10.0.0.9"),
        Sample(SESSIONS, 40, 900, {"Session": "2", "Reason": "11"}, level=4, user_data=True),
        session(24, 900.1, "10.0.0.9"),
    ]
    assert outcomes(tmp_path, *rows) == [("works", "10.0.0.9")]
    assert told(tmp_path, *rows).verdict.status == "healthy"


def test_the_latest_attempt_decides(tmp_path: Path) -> None:
    bad, good = exports.refused(0, "10.0.0.9"), exports.accepted(600, "10.0.0.9")
    assert told(tmp_path, bad).verdict.status == "failing"
    mended = told(tmp_path, bad, good)
    assert mended.verdict.status == "healthy"
    assert standing(mended) == {}
    assert "1 of 2 attempts failed until 2026-11-20 14:02 UTC" in mended.verdict.summary
    later = exports.refused(1200, "10.0.0.9", "0xc0000234")
    assert standing(told(tmp_path, bad, good, later)) == {"account.locked": Confidence.CONFIRMED}


def test_each_client_has_its_own_journal(tmp_path: Path) -> None:
    file = tmp_path / "log.xml"
    file.write_bytes(exports.saved_xml([exports.refused(0, "10.0.0.9"), exports.accepted(1, "10.0.0.8")]))
    found = {journal.target.input: diagnose(journal, load()).verdict.status for journal in journals([file])}
    assert found == {
        "srv01.corp.example from 10.0.0.9": "failing",
        "srv01.corp.example from 10.0.0.8": "healthy",
    }


@pytest.mark.parametrize(
    ("sub", "cause"),
    [
        ("0xc000006a", "credentials.wrong"),
        ("0xc0000064", "credentials.wrong"),
        ("0xc0000234", "account.locked"),
        ("0xc0000072", "account.disabled"),
        ("0xc0000071", "credentials.expired"),
        ("0xc000006f", "account.restricted"),
        ("0xc000015b", "authorization.denied"),
        ("0xc000005e", "authority.unreachable"),
        ("0xc000018d", "trust.broken"),
        ("0xc0000133", "clock.skew"),
        ("0xc0000418", "ntlm.blocked"),
        ("0xc000035b", "channel-binding.mismatch"),
    ],
)
def test_the_sub_status_of_a_refused_sign_in_names_the_cause(sub: str, cause: str, tmp_path: Path) -> None:
    found = told(tmp_path, exports.refused(0, "10.0.0.9", sub))
    assert (found.verdict.status, found.verdict.stage) == ("failing", "nla")
    assert standing(found) == {cause: Confidence.CONFIRMED}


def test_a_refusal_over_the_network_needs_a_connection_beside_it(tmp_path: Path) -> None:
    """Logon type 3 is how NLA signs in, and how file shares do."""
    alone = told(tmp_path, exports.refused(0, "10.0.0.9", kind="3"))
    assert alone.verdict.status == "unknown"
    beside = told(tmp_path, exports.tcp(0, "10.0.0.9"), exports.refused(2, "10.0.0.9", kind="3"))
    assert (beside.verdict.status, beside.verdict.stage) == ("failing", "nla")


@pytest.mark.parametrize(
    ("kind", "address", "outcome"),
    [
        ("10", "10.0.0.9", "works"),
        ("10", "127.0.0.1", "works"),
        ("7", "10.0.0.9", "works"),
        ("7", "127.0.0.1", None),
        ("3", "10.0.0.9", None),
        ("2", "-", None),
        ("5", "-", None),
    ],
)
def test_which_sign_ins_are_remote_desktops(
    kind: str, address: str, outcome: str | None, tmp_path: Path
) -> None:
    values = {"TargetUserName": "alice", "LogonType": kind, "IpAddress": address}
    found = outcomes(tmp_path, Sample(AUDIT, 4624, 0, values, channel="Security", level=0))
    assert [each for each, _ in found] == ([outcome] if outcome else [])


def test_a_connection_of_which_nobody_tells_more_is_no_failure(tmp_path: Path) -> None:
    assert told(tmp_path, exports.received(0), exports.received(60)).verdict.status == "unknown"


@pytest.mark.parametrize(
    ("reason", "stage", "cause"),
    [("260", "dns", None), ("516", "tcp", None), ("2055", "nla", "credentials.wrong")],
)
def test_the_clients_own_log(reason: str, stage: str, cause: str | None, tmp_path: Path) -> None:
    found = told(tmp_path, client(1024, 0, "srv01"), client(1026, 3, reason))
    assert (found.verdict.status, found.verdict.stage) in [("failing", stage), ("unreachable", stage)]
    assert cause is None or cause in standing(found)


@pytest.mark.parametrize("reason", ["1", "2", "3", "263"])
def test_how_a_good_session_ends_is_no_failure(reason: str, tmp_path: Path) -> None:
    rows = [client(1024, 0, "srv01"), client(1025, 2), client(226, 9), client(1026, 9, reason)]
    assert told(tmp_path, *rows).verdict.status == "healthy"


def test_a_gateway_that_refuses(tmp_path: Path) -> None:
    values = {"Username": "CORP\\a", "IpAddress": "10.0.0.9", "Resource": "srv02", "ErrorCode": "23002"}
    found = told(tmp_path, Sample(GATEWAY, 301, 0, values, level=3, user_data=True))
    assert (found.verdict.status, found.verdict.stage) == ("failing", "gateway")
    assert standing(found) == {"gateway.refused": Confidence.CONFIRMED}
    good = dict(values, ErrorCode="1226")
    rows = [Sample(GATEWAY, 302, 0, dict(values, ErrorCode="0"), user_data=True)]
    ended = told(tmp_path, *rows, Sample(GATEWAY, 303, 60, good, user_data=True))
    assert (ended.verdict.status, standing(ended)) == ("healthy", {})


@pytest.mark.parametrize(
    ("sample", "status", "stage", "cause", "confidence"),
    [
        (exports.not_renewed(0), "failing", "tls", "certificate.key-unusable", "confirmed"),
        (exports.key_unusable(0), "unknown", None, "certificate.key-unusable", "likely"),
        (exports.key_unusable(0, "svchost[TermService]"), "unknown", None, "certificate.key-unusable",
         "confirmed"),
        (Sample(MANAGER, 1053), "degraded", "tls", "certificate.expired", "confirmed"),
        (Sample(MANAGER, 1069), "failing", "licensing", "licensing.none", "confirmed"),
        (Sample(MANAGER, 260, 0, {"listenerName": "RDP-Tcp", "errorCode": "5"}), "unreachable", "tcp",
         "listener.damaged", "confirmed"),
    ],
)  # fmt: skip
def test_what_lets_nobody_in_needs_no_attempt(
    sample: Sample, status: str, stage: str | None, cause: str, confidence: str, tmp_path: Path
) -> None:
    found = told(tmp_path, sample)
    assert (found.verdict.status, found.verdict.stage) == (status, stage)
    assert standing(found).get(cause) == confidence
    over = told(tmp_path, sample, session(21, 60, "10.0.0.9"))
    assert over.verdict.status == "healthy"


@pytest.mark.parametrize(
    "sample",
    [
        Sample(MANAGER, 1056, 0, {"#1": "srv01"}, level=4),
        Sample("Microsoft-Windows-DNS-Client", 1012),
        Sample("Microsoft-Windows-Time-Service", 50),
        Sample(MANAGER, 1012, 0, {"#1": "Console"}),
        Sample(CORE, 226, 0, {"ErrorCode": "0x80004005"}),
        Sample(CORE, 227),
        Sample(CORE, 229),
        Sample("Service Control Manager", 7031, 0, {"param1": "Print Spooler", "Binary": "53007000"}),
        exports.key_unusable(0, "w3wp"),
    ],
    ids=lambda sample: f"{sample.provider.rpartition('-')[2]}-{sample.id}",
)
def test_noise_gives_no_cause(sample: Sample, tmp_path: Path) -> None:
    found = told(tmp_path, sample)
    assert standing(found) == {}
    assert found.verdict.status == "unknown"


def test_the_service_is_known_by_its_own_name_in_any_language(tmp_path: Path) -> None:
    binary = "TermService/4".encode("utf-16-le").hex().upper()
    found = told(
        tmp_path,
        Sample("Service Control Manager", 7022, 0, {"param1": "Remotedesktopdienste", "Binary": binary}),
    )
    assert (found.verdict.status, found.verdict.stage) == ("unreachable", "tcp")


def test_the_table_and_the_knowledge_agree() -> None:
    """Each event that is read is one of which the knowledge tells, and neither calls good what the other
    calls bad.
    """
    from rdpdoctor.knowledge.events import find

    good = {"works", "step", "ends"}
    for provider, kinds in WANTED.items():
        for identity, kind in kinds.items():
            row = find(identity, provider)
            assert kind.weight in WEIGHTS
            assert row is not None, f"{provider} {identity}"
            if row.outcome == "success":
                assert kind.weight in good, f"{provider} {identity}"
            if kind.weight == "works":
                assert row.outcome in ("success", "anchor", "detail"), f"{provider} {identity}"
