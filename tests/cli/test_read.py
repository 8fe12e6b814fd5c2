"""Saved journals: hostile, broken, several, and files that are nothing that can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.facts import Journal, Observation, Stage, Target
from tests.command import VALIDATOR

if TYPE_CHECKING:
    from collections.abc import Callable
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
        (
            "a.pcap",
            b"\xd4\xc3\xb2\xa1\x02\x00",
            "is a recording of packets, but it ends within its own header",
        ),
        ("bundle.zip", b"PK\x03\x04", "is a zip archive, but it is damaged"),
        ("empty", b"", "it is empty"),
        ("text", b"hello\n", "no kind of file that is known here"),
        ("binary", b"\xff\xfe\x00\x01", "no kind of file that is known here"),
        ("report.json", b'{"schema": "rdpdoctor.report/1"}', "not a journal of rdpdoctor.journal/1"),
        ("cut", HEAD.encode() + b'\n{"tag": "tcp.conn\n', "line 2"),
        ("head", HEAD.encode()[:-9], "line 1"),
        ("nan", HEAD.encode() + b'\n{"tag": "a", "args": {"x": NaN}, "stage": "tcp"}', "NaN is no number"),
        ("huge", HEAD.encode() + b'\n{"tag": "a", "args": {"x": 1e999}, "stage": "tcp"}', "too large"),
        ("digits", HEAD.encode() + b"\n" + b"9" * 5000, "too large"),
        (
            "twice",
            HEAD.encode() + b'\n{"tag": "a", "tag": "b", "args": {}, "stage": "tcp"}',
            "`tag` stands twice",
        ),
        (
            "nested",
            HEAD.encode() + b'\n{"tag": "a", "args": {"x": ' + b"[" * 15 + b"]" * 15 + b'}, "stage": "tcp"}',
            "nested more than",
        ),
        (
            "long",
            HEAD.encode() + b'\n{"tag": "a", "args": {}, "stage": "' + b"x" * 2**20 + b'"}',
            "no stage is called",
        ),
        (
            "newer",
            HEAD.replace("journal/1", "journal/7").encode(),
            "rdpdoctor.journal/7 is of another version",
        ),
        ("port", HEAD.replace("3389", "0").encode(), "no port from 1 to 65535"),
        ("host", HEAD.replace('"h"', '""').encode(), "has no host"),
        ("started", HEAD.replace(STARTED, "yesterday").encode(), "must be a time"),
        ("stage", HEAD.encode() + b'\n{"tag": "a", "args": {}, "stage": "moon"}', "line 2"),
        ("deep", HEAD.encode() + b"\n" + b"[" * 100_000, "line 2"),
    ],
)
def test_what_cannot_be_read_is_said_in_two_lines(
    name: str, data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["read", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error, hint, _ = err.split("\n")
    assert said in error
    assert ("it takes " in hint) == ("no kind of file" in error), (
        "what is read helps only who gave something else"
    )


def test_a_file_beyond_all_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdpdoctor.readers.gather.LARGEST", 100)
    saved(tmp_path / "large", RESOLVED)
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


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\n\n  \n").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=["bom", "crlf", "utf-16", "empty lines", "no last newline"],
)
def test_a_journal_that_an_editor_has_saved(
    rewritten: Callable[[str], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "saved.jsonl"
    saved(path, RESOLVED, REFUSED)
    assert main(["read", str(path), "--json"]) == 1
    before = capsys.readouterr()
    path.write_bytes(rewritten(path.read_text("utf-8")))
    assert main(["read", str(path), "--json"]) == 1
    assert capsys.readouterr() == before
    assert before.err == ""


@pytest.mark.parametrize("kept", [1, 40, -3])
def test_a_journal_whose_end_is_lost(kept: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What came whole is read."""
    path = tmp_path / "cut.jsonl"
    saved(path, RESOLVED, REFUSED)
    head, resolved, refused = path.read_text("utf-8").splitlines()
    path.write_text(f"{head}\n{resolved}\n{refused[:kept]}", "utf-8")
    assert main(["read", str(path), "--json"]) == 3
    out, err = capsys.readouterr()
    assert [row["tag"] for row in json.loads(out)["observations"]] == ["dns.resolved"]
    assert err.startswith("warning: `")
    assert "the last line is cut off" in err


def test_a_whole_last_line_that_is_wrong_is_not_called_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(f'{HEAD}\n{{"tag": "a", "args": {{}}, "stage": "moon"}}', "utf-8")
    assert main(["read", str(path)]) == 2
    assert "no stage is called 'moon'" in capsys.readouterr().err


def test_tags_of_a_newer_version_are_kept_and_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = row("moon.rises", Stage.TCP, phase={"of": ["four", 0.25, None, True]}, big=10**30)
    path = tmp_path / "newer.jsonl"
    assert main(["read", saved(path, RESOLVED, REFUSED), "--json"]) == 1
    before = json.loads(capsys.readouterr().out)
    assert main(["read", saved(path, RESOLVED, newer, REFUSED), "--json"]) == 1
    after = json.loads(capsys.readouterr().out)
    assert after["observations"][1] == {**newer.to_json(), "args": dict(newer.args)}
    assert (after["verdict"], after["stages"]) == (before["verdict"], before["stages"])
    assert [cause["id"] for cause in after["causes"]] == [cause["id"] for cause in before["causes"]]
    lines = path.read_text("utf-8").splitlines()
    assert list(Journal.from_lines(lines).to_lines()) == lines


def test_a_journal_that_contradicts_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of_it = {"attempt": 1, "address": "192.0.2.1", "role": "walk", "requested": 11}
    rows = (
        RESOLVED,
        row("tcp.connected", Stage.TCP, address="192.0.2.1", port=3389, rtt_ms=1.0),
        row("x224.selected", Stage.X224, selected=8, flags=0, **of_it),
        row("x224.closed", Stage.X224, received=0, **of_it),
    )
    path = saved(tmp_path / "odd.jsonl", *rows)
    assert main(["read", path]) == 3
    text = " ".join(capsys.readouterr().out.split())
    assert "CANNOT TELL" in text
    assert (
        "The evidence contradicts itself: connection 1 was both answered and closed in the RDP negotiation."
    ) in text
    assert "CONFIRMED" not in text
    assert "LIKELY" not in text
    assert main(["read", path, "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(report)
    assert report["verdict"]["status"] == "unknown"
    assert report["verdict"]["stage"] is None


HUGE = "\u20ac\x1b" * 2**19
BULKY = [
    row("tls.certificate", Stage.TLS, attempt=1, position=0, common_name=HUGE, issuer=HUGE, names=[HUGE] * 3),
    row("tls.certificate", Stage.TLS, attempt=1, position=0, names=["a.b"] * 200_000),
    row("dns.resolved", Stage.DNS, name=HUGE, addresses=[HUGE], via=HUGE),
    row("x224.malformed", Stage.X224, attempt=1, role="walk", detail=HUGE, looks_like=HUGE, sample=HUGE),
    row("nla.challenged", Stage.NLA, attempt=1, role="walk", computer=HUGE, dns_computer=HUGE, version=6),
    row("code.shown", Stage.HOST, text=HUGE, reason=1),
    row(HUGE, Stage.HOST, **{HUGE: HUGE}),
]


@pytest.mark.parametrize("form", [[], ["-v"], ["--json"]])
@pytest.mark.parametrize("bulky", BULKY, ids=lambda each: each.tag[:20].encode("unicode_escape").decode())
def test_a_journal_with_a_megabyte_in_one_place(
    bulky: Observation, form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connected = row("tcp.connected", Stage.TCP, address="192.0.2.1", port=3389, rtt_ms=1.0)
    assert main(["read", saved(tmp_path / "bulky.jsonl", RESOLVED, connected, bulky), *form]) in (0, 1, 3)
    out, err = capsys.readouterr()
    assert err == ""
    if form == ["--json"]:
        VALIDATOR.validate(json.loads(out))
    else:
        assert len(out) < 100_000
