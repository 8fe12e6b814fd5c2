"""Whole calls against lab endpoints: formats, several targets, exit codes, saved journals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.report.text import SCREEN
from tests.command import VALIDATOR

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.facts import Journal

REFUSED = "127.0.0.1:1"


def reports(text: str) -> list[dict[str, object]]:
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def test_text(failing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([failing, "--code", "0x904", "0x7"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{failing} · FAILS at tls")
    assert len(lines) > SCREEN / 2  # into a pipe it goes whole; tests of the terminal hold it to a screen
    assert "0x904/0x7 (socket closed/server denied connection) says where it ended, not why." in lines
    assert any(line.startswith("LIKELY") for line in lines)
    assert "\x1b" not in said.out


def test_healthy_is_exit_0(healthy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([healthy]) == 0
    assert " · WORKS" in capsys.readouterr().out.splitlines()[0]


def test_one_target_as_json_is_one_object(failing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([failing, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(report)
    assert report["target"]["input"] == failing
    assert report["target"]["address"] == "127.0.0.1"


def test_several_targets_as_json_are_an_array_in_their_order(
    failing: str, healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [failing, REFUSED, healthy]
    assert main([*targets, "--json"]) == 1
    array = json.loads(capsys.readouterr().out)
    assert [report["target"]["input"] for report in array] == targets
    for report in array:
        VALIDATOR.validate(report)


def test_several_targets_as_lines_are_a_report_each(
    failing: str, healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [failing, REFUSED, healthy]
    assert main([*targets, "--jsonl"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(report["target"]["input"] for report in rows) == sorted(targets)


def test_several_targets_as_text_stand_in_their_order(
    failing: str, healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    targets = [failing, REFUSED, healthy]
    assert main(targets) == 1
    heads = [
        line.split(" · ")[0]
        for line in capsys.readouterr().out.splitlines()
        if any(word in line for word in (" · FAILS", " · UNREACHABLE", " · WORKS"))
    ]
    assert heads == targets


def test_more_targets_than_run_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdpdoctor.cli.runner.AT_ONCE", 3)
    targets = [f"127.0.0.1:{port}" for port in range(1, 9)]
    assert main([*targets, "--jsonl"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(report["target"]["input"] for report in rows) == targets


@pytest.mark.parametrize("form", [[], ["-v"], ["--json"], ["--jsonl"]])
def test_a_saved_check_reads_the_same(
    form: list[str], failing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved.jsonl"
    assert main([failing, "--code", "0x904", "0x7", "--save", str(file), *form]) == 1
    live = capsys.readouterr().out
    assert main(["read", str(file), *form]) == 1
    assert capsys.readouterr().out == live


def test_saving_replaces_what_was_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "saved.jsonl"
    file.write_text("something longer than nothing\n" * 1000)
    assert main([REFUSED, "--save", str(file)]) == 1
    assert main(["read", str(file)]) == 1
    assert "something" not in file.read_text()
    assert capsys.readouterr().err == ""


def test_a_check_that_breaks_is_its_target_s_result(
    healthy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdpdoctor.check import check

    async def broken(target: object, *arguments: object) -> object:
        if getattr(target, "input", "") == "broken":
            raise RuntimeError("planted")
        return await check(target, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("rdpdoctor.cli.runner.check", broken)
    assert main(["broken", healthy, "--json"]) == 3
    first, second = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(first)
    assert (first["verdict"]["status"], second["verdict"]["status"]) == ("unknown", "healthy")
    assert [row["args"]["error"] for row in first["observations"] if row["tag"] == "probe.crashed"] == [
        "RuntimeError: planted"
    ]


def test_a_diagnosis_that_breaks_is_exit_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdpdoctor.diagnosis import diagnose

    def broken(journal: Journal, *arguments: object) -> object:
        if journal.target.port == 2:
            raise RuntimeError("planted")
        return diagnose(journal, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("rdpdoctor.diagnosis.diagnose", broken)
    monkeypatch.delenv("RDPDOCTOR_DEBUG", raising=False)
    assert main(["127.0.0.1:2", REFUSED]) == 3
    out, err = capsys.readouterr()
    assert err.startswith("error: RuntimeError: planted\nhint: ")
    assert out.startswith(f"{REFUSED} · UNREACHABLE")
