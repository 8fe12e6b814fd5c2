"""What may be concluded from a log, and what not: a row for each mistake that was once made."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.diagnosis import Confidence, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.eventlog import journals
from tests.readers.eventlog import exports
from tests.readers.eventlog.exports import AUDIT, CLIENT, MANAGER, SESSIONS, Sample

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.diagnosis import Diagnosis

WRONG, LOCKED, NOBODY = "0xc000006a", "0xc0000234", "0xc0000064"


def found_in(path: Path, *samples: Sample, computer: bool = True) -> list[Diagnosis]:
    text = exports.saved_xml(samples)
    if not computer:
        text = text.replace(b"srv01.corp.example", b"")
    file = path / "log.xml"
    file.write_bytes(text)
    return [diagnose(journal, load()) for journal in journals([file])]


def refused(seconds: float, user: str, client: str = "10.0.0.9", sub: str = WRONG, **other: str) -> Sample:
    sample = exports.refused(seconds, client, sub)
    return replace(sample, values={**sample.values, "TargetUserName": user, **other})


def network(seconds: float, client: str = "10.0.0.9", **other: str) -> Sample:
    return refused(
        seconds, "svc_backup", client, **{"LogonType": "3", "LogonProcessName": "NtLmSsp "} | other
    )


def session(identity: int, seconds: float, user: str, client: str = "10.0.0.9", number: str = "3") -> Sample:
    values = {"User": f"CORP\\{user}", "SessionID": number, "Address": client}
    return Sample(SESSIONS, identity, seconds, values, level=4, user_data=True)


def ended(seconds: float, reason: str, number: str = "3") -> Sample:
    return Sample(SESSIONS, 40, seconds, {"Session": number, "Reason": reason}, level=4, user_data=True)


def client(identity: int, seconds: float, value: str) -> Sample:
    return Sample(CLIENT, identity, seconds, {"Name": "x", "Value": value, "CustomLevel": "Info"}, level=4)


def schannel(kind: str) -> Sample:
    return replace(
        exports.key_unusable(0), values={"Type": kind, "ErrorCode": "0x8009030D", "ErrorStatus": "10001"}
    )


def at(seconds: float, sample: Sample) -> Sample:
    return replace(sample, seconds=seconds)


SIX = tuple(network(60.0 * place) for place in range(6))
LSA = Sample("LsaSrv", 6041, 0, {"#1": "TERMSRV/10.9.8.7", "#2": "4"})
BOB_AND_ALICE = (
    *(refused(60.0 * place, "bob", "198.51.100.1") for place in range(4)),
    exports.accepted(600, "198.51.100.1"),
    session(21, 601, "alice", "198.51.100.1"),
)


@pytest.mark.parametrize(
    ("samples", "status", "stage", "cause", "confidence"),
    [
        # any sign-in over the network is none of Remote Desktop by itself
        (SIX, "unknown", None, "credentials.wrong", "possible"),
        ((exports.tcp(0, "10.0.0.9"), network(2)), "failing", "nla", "credentials.wrong", "confirmed"),
        ((exports.tcp(0, "10.0.0.9"), network(900)), "unknown", None, "credentials.wrong", "possible"),
        ((exports.tcp(0, "10.0.0.9"), network(2, "10.0.0.77")), "unknown", None, "credentials.wrong",
         "possible"),
        ((network(0, LogonProcessName="Advapi  "),), "unknown", None, None, None),
        ((network(0, ProcessName="C:\\Windows\\explorer.exe"),), "unknown", None, None, None),
        ((network(0, "-"),), "unknown", None, None, None),
        ((exports.accepted(0, "10.0.0.9"), session(21, 1, "alice"), network(5)), "healthy", None, None, None),
        # a refused sign-in at a desktop is the end of an attempt
        ((refused(0, "alice", sub=LOCKED),), "failing", "nla", "account.locked", "confirmed"),
        ((refused(0, "alice", sub="0xc00000dc"),), "failing", "nla", "authority.unreachable", "possible"),
        # who passed NLA, or unlocks a session, is refused at the desktop
        ((exports.tcp(0, "10.0.0.9"), exports.accepted(1, "10.0.0.9"), refused(2, "alice", sub="0xc000015b")),
         "failing", "finalization", "authorization.denied", "confirmed"),
        ((exports.tcp(0, "10.0.0.9"), refused(2, "alice", sub="0xc000015b")), "failing", "nla",
         "authorization.denied", "confirmed"),
        ((refused(0, "alice", LogonType="7"),), "failing", "finalization", "credentials.wrong", "confirmed"),
        # what a status says, and what it only may say
        ((refused(0, "alice", sub="0xc0000388"),), "failing", "nla", "authority.unreachable", "possible"),
        ((refused(0, "alice", sub="0xc0000413"),), "failing", "nla", "authorization.denied", "confirmed"),
        ((Sample(AUDIT, 4740, 0, {"TargetUserName": "bob", "TargetDomainName": "PC-050"}),), "unknown", None,
         "account.locked", "possible"),
        # the client's log: whom it connected to, and the reason it was given
        ((client(1024, 0, "srv01"), client(1026, 3, "260")), "unreachable", "dns", "name.not-found",
         "likely"),
        ((LSA,), "failing", "nla", "credssp.oracle", "confirmed"),
        ((replace(LSA, values={"#1": "WSMAN/10.9.8.7", "#2": "4"}),), "unknown", None, None, None),
        ((client(1024, 0, "srv01"), client(1026, 11, "2055")), "failing", "nla", "credentials.wrong",
         "possible"),
        ((client(1024, 0, "srv01"), client(1026, 11, "2308")), "failing", None, None, None),
        ((client(1024, 0, "srv01"), client(1026, 11, "516")), "unreachable", "tcp", None, None),
        # a defect alone works nowhere; of a program that connects to others it is none
        ((schannel("server"),), "unknown", None, "certificate.key-unusable", "likely"),
        ((schannel("client"),), "unknown", None, None, None),
        ((Sample(MANAGER, 1130),), "unknown", None, "licensing.none", "possible"),
        ((Sample(MANAGER, 1128),), "unknown", None, "licensing.none", None),
        # the defect that ends a handshake ends the attempt of that moment, where nothing follows
        ((exports.tcp(0, "10.0.0.9"), at(1, schannel("server"))), "failing", "tls",
         "certificate.key-unusable", "likely"),
        ((exports.accepted(-60, "10.0.0.9"), exports.tcp(0, "10.0.0.9"), at(1, schannel("server"))),
         "failing", "tls", "certificate.key-unusable", "likely"),
        ((exports.tcp(0, "10.0.0.9"), at(60, schannel("server"))), "unknown", None,
         "certificate.key-unusable", "likely"),
        ((exports.tcp(0, "10.0.0.9"), at(-1, schannel("server"))), "unknown", None,
         "certificate.key-unusable", "likely"),
        ((exports.tcp(0, "10.0.0.9"), at(1, schannel("server")), exports.accepted(3, "10.0.0.9")), "healthy",
         None, None, None),
        # who signed in and got no session, when a licence was missing
        ((exports.accepted(0, "10.0.0.9"), Sample(MANAGER, 1128, 1)), "degraded", "licensing",
         "licensing.none", None),
        ((exports.accepted(0, "10.0.0.9"), Sample(MANAGER, 1128, 900)), "healthy", None, None, None),
        ((exports.accepted(0, "10.0.0.9"), session(21, 1, "alice"), Sample(MANAGER, 1128, 2)), "healthy",
         None, None, None),
        # limits of sessions
        ((session(21, 0, "alice"), ended(3600, "3")), "degraded", "finalization", "session.limit",
         "confirmed"),
        ((ended(0, "4"),), "degraded", "finalization", "session.limit", "confirmed"),
        ((session(21, 0, "alice"), ended(3600, "5")), "degraded", "finalization", "session.limit",
         "possible"),
        ((ended(0, "5"),), "unknown", None, None, None),
        ((exports.accepted(0, "10.0.0.9"), session(21, 1, "alice"), session(24, 5, "alice"),
          exports.accepted(60, "10.0.0.9"), ended(61, "5"), session(25, 62, "alice")),
         "healthy", None, None, None),
        ((session(21, 0, "alice"), ended(3600, "11")), "healthy", None, None, None),
        # one user's success is not another's
        (BOB_AND_ALICE, "failing", "nla", "credentials.wrong", "confirmed"),
        ((*BOB_AND_ALICE, exports.tcp(700, "198.51.100.1"), session(21, 701, "bob", "198.51.100.1", "4")),
         "healthy", None, None, None),
        ((refused(0, "alise", sub=NOBODY), exports.accepted(30, "10.0.0.9"), session(21, 31, "alice")),
         "healthy", None, None, None),
        ((refused(-3 * 86400, "bob"), exports.accepted(30, "10.0.0.9"), session(21, 31, "alice")),
         "healthy", None, None, None),
    ],
)  # fmt: skip
def test_what_a_log_comes_to(
    samples: tuple[Sample, ...],
    status: str,
    stage: str | None,
    cause: str | None,
    confidence: str | None,
    tmp_path: Path,
) -> None:
    (found,) = found_in(tmp_path, *samples)
    assert (found.verdict.status, found.verdict.stage) == (status, stage)
    standing = [one for one in found.causes if one.confidence is not Confidence.RULED_OUT]
    assert [one.id for one in standing[:1]] == ([cause] if cause else [])
    if confidence is not None:
        assert standing[0].confidence == confidence


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (BOB_AND_ALICE, "4 of 5 attempts failed, as b…b (4), and another user got in"),
        (SIX, "sign-ins over the network that were refused (6), of Remote Desktop or of anything else, as "
              "s…p (6), from 10.0.0.9 (6)"),
        # the time of a step is its own
        ((session(21, 0, "alice"), session(24, 28800, "alice")), "the latest at 2026-11-20 14:02 UTC"),
        ((replace(exports.not_renewed(0), id=1057, values={"#1": "%%2147942405"}),), "status 0x80070005"),
    ],
)  # fmt: skip
def test_what_the_first_sentence_says(samples: tuple[Sample, ...], said: str, tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, *samples)
    assert said in found.verdict.summary
    assert "the text has" not in found.verdict.summary


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (exports.key_unusable(0), "The log says: the private key of the server's credential"),
        (refused(0, "alice", sub=LOCKED), "The log has the sign-in refused with status 0xC0000234"),
        (refused(0, "alice", sub=NOBODY), "The log has the sign-in refused since there is no such user"),
    ],
)
def test_of_a_log_without_a_computer_nothing_is_made_up(sample: Sample, why: str, tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, sample, computer=False)
    assert found.causes[0].why.startswith(why)


@pytest.mark.parametrize(
    ("samples", "works", "fails", "status"),
    [
        ((client(1024, 0, "srv01"), client(1026, 3, "2308"), client(1024, 120, "srv01"),
          client(1025, 122, ""), client(1027, 123, "CORP")), 1, 1, "healthy"),
        ((client(1024, 0, "srv01"), client(1025, 2, ""), client(1027, 3, "CORP"), client(1024, 120, "srv01"),
          client(1026, 123, "2308")), 1, 1, "failing"),
    ],
)  # fmt: skip
def test_a_clients_log_without_activities(
    samples: tuple[Sample, ...], works: int, fails: int, status: str, tmp_path: Path
) -> None:
    file = tmp_path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    (journal,) = journals([file])
    (log,) = journal.tagged("event.log")
    assert (journal.target.host, log.args["works"], log.args["fails"]) == ("srv01", works, fails)
    assert diagnose(journal, load()).verdict.status == status


@pytest.mark.parametrize(
    ("samples", "asked"),
    [
        ((refused(0, "alice"),), "Id=4625"),
        ((refused(0, "alice", sub="0xc000006e"),), "Id=4625"),
        ((schannel("server"),), "Id=36870"),
        ((exports.tcp(0, "10.0.0.9"), at(1, schannel("server"))), "Id=36870"),
    ],
)
def test_what_a_log_has_told_is_not_asked_for(
    samples: tuple[Sample, ...], asked: str, tmp_path: Path
) -> None:
    (found,) = found_in(tmp_path, *samples)
    assert found.next
    assert not [step for step in found.next if asked in step.text]


def test_what_no_log_has_told_is_asked_for(tmp_path: Path) -> None:
    (asked,) = found_in(tmp_path, client(1024, 0, "srv01"), client(1026, 11, "2055"))
    assert "security-log-4625" in {step.id for step in asked.next}


_DATA = {"TargetUserName": "alice", "Status": "0xc000006d", "SubStatus": LOCKED, "LogonType": "10"} | {
    "IpAddress": "10.1.2.3"
}
_SYSTEM = {
    "Provider": {"#attributes": {"Name": AUDIT}},
    "EventID": {"#text": 4625, "#attributes": {"Qualifiers": 0}},
    "TimeCreated": {"#attributes": {"SystemTime": "2026-11-20T09:14:03Z"}},
    "Channel": "Security",
    "Computer": "SRV01",
}
_WINLOG = {
    "@timestamp": "2026-11-20T09:14:03.000Z",
    "winlog": {"event_id": 4625, "provider_name": AUDIT, "computer_name": "SRV01", "event_data": _DATA},
}
_FLAT = {"EventTime": "2026-11-20 09:14:03", "Hostname": "SRV01", "SourceName": AUDIT, "EventID": 4625}


@pytest.mark.parametrize(
    "row",
    [
        {"Event": {"System": _SYSTEM, "EventData": _DATA}},
        {"Event": {"EventData": _DATA, "System": {**_SYSTEM, "EventID": 4625}}},
        _WINLOG,
        {"_index": "winlogbeat", "_source": _WINLOG},
        {**_FLAT, **_DATA},
        {**_DATA, **_FLAT},
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_json_of_collectors(row: dict[str, object], lines: bool, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    file.write_text("\n".join([json.dumps(row)] * 3) if lines else json.dumps([row] * 3), "utf-8")
    (journal,) = journals([file])
    found = diagnose(journal, load())
    assert (journal.target.host, found.verdict.status) == ("SRV01", "failing")
    assert (found.causes[0].id, found.causes[0].confidence) == ("account.locked", Confidence.CONFIRMED)
    assert "2026-11-20 09:14" in found.verdict.summary


@pytest.mark.parametrize("verbose", [True, False])
def test_alike_reports_are_folded_for_people(
    verbose: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log.xml"
    rows = [refused(60.0 * place, f"user{place}", f"8.8.{place}.1") for place in range(9)]
    file.write_bytes(exports.saved_xml([*rows, exports.accepted(900, "10.0.0.9")]))
    assert main(["read", str(file), *(["-v"] if verbose else [])]) == 1
    out, err = capsys.readouterr()
    assert out.count("FAILS at nla") == (9 if verbose else 1)
    assert ("The same for 8 other clients" in out) is not verbose
    assert ("9 addresses of the Internet failed to sign in" in " ".join(out.split())) is not verbose
    assert out.count("WORKS") == 1
    assert "10 reports: 9 failing, 1 healthy" in err


def test_json_is_not_folded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.xml"
    file.write_bytes(
        exports.saved_xml([refused(60.0 * place, "bob", f"8.8.{place}.1") for place in range(9)])
    )
    assert main(["read", str(file), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)) == 9


def test_a_zone_that_is_not_named_is_no_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps({**_FLAT, **_DATA}), "utf-8")
    main(["read", str(file)])
    err = capsys.readouterr().err
    assert "they are taken as UTC" in err
    assert "not read whole" not in err


def test_settings_alone_do_not_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.xml"
    file.write_bytes(exports.saved_xml([Sample(MANAGER, 1052)]))
    main(["read", str(file)])
    out = capsys.readouterr().out
    assert "A WARNING at tls" in out
    assert "WORKS" not in out


def test_the_dot_that_ends_a_sentence_is_no_part_of_an_address() -> None:
    from rdpdoctor.readers.eventlog.messages import values

    said = "The Terminal Server security layer detected an error. Client IP: 10.1.2.3."
    assert values("TermDD", 56, said) == {"#2": "10.1.2.3"}
