"""`check HOST --with FILE…`: what files add to a check that is made now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.facts import Journal
from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import load
from tests.command import VALIDATOR
from tests.readers.capture import craft
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from pathlib import Path

NOTHING_COMMON = exports.Sample("Schannel", 36874, 0, {"Protocol": "TLS 1.2"})
KEY = "certificate.key-unusable"
NOT_STARTED = exports.Sample(
    "Service Control Manager", 7000, 0, {"param1": "Remote Desktop Services", "param2": "%%5"}
)


def log(path: Path, *samples: exports.Sample) -> str:
    file = path / "log.xml"
    file.write_bytes(exports.saved_xml(samples))
    return str(file)


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    report = json.loads(out)
    VALIDATOR.validate(report)
    return code, report, err


def first(report: dict[str, Any]) -> tuple[str, str]:
    return report["causes"][0]["id"], report["causes"][0]["confidence"]


@pytest.mark.parametrize(
    ("scenario", "sample", "alone", "together"),
    [
        ("closes-after-client-hello", exports.not_renewed(0), KEY, KEY),
        ("alert-40", NOTHING_COMMON, "tls.cipher-mismatch", "tls.cipher-mismatch"),
        ("absent", NOT_STARTED, "listener.absent", "service.stopped"),
    ],
)  # fmt: skip
def test_the_servers_log_makes_likely_confirmed(
    scenario: str,
    sample: exports.Sample,
    alone: str,
    together: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lately = (datetime.now(UTC) - exports.START).total_seconds() - 600
    with background(load(scenario)) as endpoint:
        target = f"{endpoint.addresses[0]}:{endpoint.port}"
        code, report, _ = checked(capsys, target)
        assert (code, *first(report)) == (1, alone, "likely")
        file = log(tmp_path, replace(sample, seconds=lately))
        code, report, err = checked(capsys, target, "--with", file)
        assert (code, *first(report)) == (1, together, "confirmed")
    assert "is taken for that of 127.0.0.1" in err
    during = next(row for row in report["observations"] if row["tag"] == "event.during")
    assert during["args"]["events"] == 0, "what was logged at another time is not of this check"


def test_old_errors_of_single_connections_confirm_nothing_today(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = (datetime.now(UTC) - exports.START).total_seconds() - 7200
    with background(load("alert-40")) as endpoint:
        target = f"{endpoint.addresses[0]}:{endpoint.port}"
        file = log(tmp_path, replace(NOTHING_COMMON, seconds=old))
        code, report, err = checked(capsys, target, "--with", file)
    assert (code, *first(report)) == (1, "tls.cipher-mismatch", "likely")
    assert "before the check: what it says of single connections is not about this one" in err


@pytest.mark.parametrize("grows", [True, False])
def test_a_log_that_grew_meanwhile_is_read_again(
    grows: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's own, or one on a share: then its entries may be about this very check."""
    written = count()
    monkeypatch.setattr("rdpdoctor.cli.check._written", lambda path: grows and next(written))
    now = int((datetime.now(UTC) - exports.START).total_seconds())
    file = log(tmp_path, *(replace(NOTHING_COMMON, seconds=second) for second in range(now - 20, now + 60)))
    with background(load("alert-40")) as endpoint:
        target = f"{endpoint.addresses[0]}:{endpoint.port}"
        _, report, _ = checked(capsys, target, "--with", file)
    during = next(row for row in report["observations"] if row["tag"] == "event.during")
    assert any("Schannel 36874" in line for line in during["args"]["told"]) is grows


def test_what_is_saved_holds_the_files_too(
    failing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.jsonl"
    file = log(tmp_path, exports.not_renewed(0))
    code, report, _ = checked(capsys, failing, "--save", str(saved), "--with", file)
    assert code == 1
    with saved.open(encoding="ascii") as lines:
        tags = {row.tag for row in Journal.from_lines(lines)}
    assert {"event.log", "event.logged", "event.during", "tls.closed"} <= tags
    code, again, _ = checked(capsys, "read", str(saved))
    assert again["causes"] == report["causes"]


def test_a_recording_beside_a_good_check_is_a_warning(
    healthy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another client's connection died in it; here all is well: both are true."""
    talk = craft.Conversation(server="127.0.0.1").open().ask().close(1)
    file = tmp_path / "dies.pcap"
    file.write_bytes(craft.pcap(craft.framed(talk.packets)))
    code, report, _ = checked(capsys, healthy, "--with", str(file))
    assert (code, report["verdict"]["status"], report["verdict"]["stage"]) == (0, "degraded", "x224")


def test_another_machines_file_is_left_out(
    failing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "other.rdp"
    settings.write_text("full address:s:192.0.2.9\nenablecredsspsupport:i:0\n", "utf-8")
    code, report, err = checked(capsys, failing, "--with", str(settings))
    assert "about another machine, and left out" in err
    assert "file" not in {row["source"] for row in report["observations"]}
    assert code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["127.0.0.1", "127.0.0.2", "--with", "x"], "--with takes one target"),
        (["127.0.0.1", "--from", "10.0.0.1"], "--from needs --with"),
        (["127.0.0.1", "--with", "nowhere.evtx"], "`nowhere.evtx` cannot be used"),
    ],
)
def test_wrong_calls(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err
