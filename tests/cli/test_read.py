"""Saved journals: hostile, broken, several, and files that are something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.facts import Journal, Observation, Stage, Target
from tests.command import VALIDATOR

if TYPE_CHECKING:
    from pathlib import Path

STARTED = "2026-11-22T10:00:00.000Z"
HEAD = f'{{"schema": "rdpdoctor.journal/1", "target": {{"host": "h", "port": 3389}}, "started": "{STARTED}"}}'


def saved(path: Path, *rows: Observation) -> str:
    journal = Journal(Target("srv01", "srv01"), STARTED, 12.5)
    journal.extend(rows)
    path.write_text("".join(line + "\n" for line in journal.to_lines()), "utf-8")
    return str(path)


def row(tag: str, stage: Stage, **args: object) -> Observation:
    return Observation(tag, args, stage)  # type: ignore[arg-type]


REFUSED = row("tcp.refused", Stage.TCP, address="192.0.2.1", port=3389, elapsed_ms=1.0)
RESOLVED = row("dns.resolved", Stage.DNS, name="srv01", addresses=["192.0.2.1"], via="system", elapsed_ms=1.0)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pcap", b"\xd4\xc3\xb2\xa1\x02\x00", "is a packet capture, which this version cannot read"),
        ("a.pcapng", b"\x0a\x0d\x0d\x0a\x1c\x00", "is a packet capture, which this version cannot read"),
        ("System.evtx", b"ElfFile\0\0\0", "is a Windows event log, which this version cannot read"),
        ("bundle.zip", b"PK\x03\x04", "is a zip archive, which this version cannot read"),
        (
            "a.rdp",
            b"full address:s:srv01\r\n",
            "is a file of connection settings, which this version cannot read",
        ),
        ("empty", b"", "line 1: the journal is empty"),
        ("text", b"hello\n", "is not a saved journal: line 1"),
        ("binary", b"\xff\xfe\x00\x01", "is not a saved journal"),
        ("report.json", b'{"schema": "rdpdoctor.report/1"}', "not a journal of rdpdoctor.journal/1"),
        ("cut", HEAD.encode() + b'\n{"tag": "tcp.conn', "line 2"),
        ("stage", HEAD.encode() + b'\n{"tag": "a", "args": {}, "stage": "moon"}', "line 2"),
        ("deep", HEAD.encode() + b"\n" + b"[" * 100_000, "line 2"),
    ],
)
def test_what_is_no_journal_is_said_to_be_none(
    name: str, data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["read", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error, hint, _ = err.split("\n")
    assert said in error
    assert "--save FILE" in hint


def test_a_file_beyond_all_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdpdoctor.cli.read._LARGEST", 100)
    (tmp_path / "large").write_bytes(b"x" * 101)
    assert main(["read", str(tmp_path / "large")]) == 2
    assert "is larger than" in capsys.readouterr().err


def test_several_are_worst_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = saved(tmp_path / "nothing.jsonl")
    refused = saved(tmp_path / "refused.jsonl", RESOLVED, REFUSED)
    assert main(["read", nothing, refused, "--json"]) == 3
    statuses = [report["verdict"]["status"] for report in json.loads(capsys.readouterr().out)]
    assert statuses == ["unreachable", "unknown"]
    assert main(["read", nothing, refused, "--jsonl"]) == 3
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["read", refused, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"]["status"] == "unreachable"


HOSTILE = "\x1b]0;x\x07\u202e\n"
ODD = [
    row("tcp.connected", Stage.TCP, address=HOSTILE, port=HOSTILE, rtt_ms=HOSTILE),
    row("tcp.connected", Stage.TCP),
    row("x224.selected", Stage.X224, selected=[1], requested="many", attempt=None),
    row(
        "tls.certificate",
        Stage.TLS,
        position=0,
        subject=HOSTILE * 3000,
        names=[HOSTILE, 7],
        not_after="never",
    ),
    row("nla.challenged", Stage.NLA, computer=HOSTILE, skew_ms=1e308, server_time=-1, version=HOSTILE),
    row("code.shown", Stage.HOST, reason=10**30, extended=-1, text=HOSTILE),
    row("answer.given", Stage.HOST, question=HOSTILE, answer=None),
    row("check.out-of-time", Stage.PATH, left={HOSTILE: HOSTILE}),
    row(HOSTILE, Stage.HOST, **{HOSTILE: {HOSTILE: [HOSTILE]}}),
    row("unheard.of", Stage.GATEWAY, x=1),
]


@pytest.mark.parametrize("form", [[], ["-v"], ["--json"]])
@pytest.mark.parametrize("rows", [*([odd] for odd in ODD), ODD, [RESOLVED, REFUSED, *ODD]])
def test_a_journal_that_someone_made_up(
    rows: list[Observation], form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", saved(tmp_path / "odd.jsonl", *rows), *form]) in (0, 1, 3)
    out, err = capsys.readouterr()
    assert err == ""
    assert {character for character in out if not character.isprintable()} <= {"\n"}
    if form == ["--json"]:
        VALIDATOR.validate(json.loads(out))
