"""A wrong call: exit 2, nothing on stdout, one `error:` line and one `hint:` line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

WRONG: dict[str, list[str]] = {
    "nothing": [],
    "no target": ["check"],
    "only options": ["--json"],
    "unknown option": ["srv01", "--jsno"],
    "abbreviated option": ["srv01", "--time", "3"],
    "option without value": ["srv01", "--timeout"],
    "both formats": ["srv01", "--json", "--jsonl"],
    "time-out 0": ["srv01", "--timeout", "0"],
    "time-out below 0": ["srv01", "--timeout", "-1"],
    "time-out too long": ["srv01", "--timeout", "3601"],
    "time-out NaN": ["srv01", "--timeout", "nan"],
    "time-out infinite": ["srv01", "--timeout", "inf"],
    "time-out in words": ["srv01", "--timeout", "soon"],
    "port too high": ["srv01:65536"],
    "port 0": ["srv01:0"],
    "port in words": ["srv01:rdp"],
    "empty target": [""],
    "empty label": ["srv01..corp"],
    "label too long": ["a" * 64],
    "name IDNA refuses": ["xn--\u00e4"],
    "URL": ["rdp://srv01"],
    "bracket": ["[::1"],
    "second target wrong": ["srv01", "srv02:0"],
    "missing .rdp file": ["no-such-file.rdp"],
    "command that is to come": ["fix", "certificate.expired"],
    "explain nothing": ["explain"],
    "explain with an unknown option": ["explain", "0x904", "--wat"],
    "a code that no client shows": ["srv01", "--code", "SSL_CERT_NOT_ON_SERVER"],
    "command after an option": ["--json", "check", "srv01"],
    "code without number": ["srv01", "--code"],
    "code in words": ["srv01", "--code", "banana"],
    "code behind a code": ["srv01", "--code", "0x904", "banana"],
    "code too large": ["srv01", "--code", "0x1FFFFFFFF"],
    "code too small": ["srv01", "--code", "-2147483649"],
    "three codes": ["srv01", "--code", "1", "2", "3"],
    "two reasons": ["srv01", "--code", "disconnectReasonByServer", "disconnectReasonNoInfo"],
    "answer without value": ["srv01", "--answer", "via"],
    "answer to nothing": ["srv01", "--answer", "colour=blue"],
    "answer out of range": ["srv01", "--answer", "via=pigeon"],
    "two answers": ["srv01", "--answer", "via=vpn", "--answer", "via=direct"],
    "user with line end": ["srv01", "--user", "alice\r\nX"],
    "user empty": ["srv01", "--user", ""],
    "user not ASCII": ["srv01", "--user", "J\u00f6rg"],
    "save for several": ["srv01", "srv02", "--save", "x.jsonl"],
    "save into nowhere": ["srv01", "--save", "no/such/folder/x.jsonl"],
    "save with null": ["srv01", "--save", "a\0b"],
    "read nothing": ["read"],
    "read what is not there": ["read", "no-such-file.jsonl"],
    "read a folder": ["read", "docs"],
    "read with null": ["read", "a\0b"],
    "list nothing": ["list"],
    "list the unknown": ["list", "wishes"],
    "list two": ["list", "tags", "causes"],
    "lab without name": ["lab"],
    "lab of another name": ["lab", "helathy"],
    "lab on a wrong port": ["lab", "healthy", "--port", "65536"],
    "demo with a target": ["demo", "srv01"],
    "control characters": ["srv01", "--\x1b[31m\n\u202e"],
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_is_said_in_two_lines(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.split("\n")
    assert [line.partition(": ")[0] for line in lines] == ["error", "hint", ""]
    for line in lines[:2]:
        assert len(line) > 10
        assert line.isprintable()


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["explain", " "], "it was not said what to explain", "rdpdoctor explain 0x904 0x7"),
        (
            ["srv01", "--code", "SSL_CERT_NOT_ON_SERVER"],
            "`SSL_CERT_NOT_ON_SERVER` is not a code that a client shows",
            "rdpdoctor explain SSL_CERT_NOT_ON_SERVER",
        ),
        (["fix", "x"], "this version has no command `fix`", "changes nothing"),
        (["srv01", "--code", "nonsense"], "`nonsense` is not a code", "targets come before --code"),
        (
            ["srv01", "--answer", "via=pigeon"],
            "How do you connect?",
            "direct, vpn, gateway, bastion, unknown",
        ),
        (["srv01", "--timeout", "0"], "`0` is no time-out", "above 0"),
        (["lab", "helathy"], "there is no scenario `helathy`", "did you mean `healthy`?"),
        (["--json", "read", "x"], "`read` is a command", "rdpdoctor check read"),
        (["srv01", "--wat"], "unknown option: --wat", "rdpdoctor check --help"),
    ],
)
def test_it_says_what_is_wrong_and_what_would_be_right(
    words: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    first, second, _ = capsys.readouterr().err.split("\n")
    assert error in first
    assert hint in second


def test_a_wrong_call_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.jsonl"
    assert main(["srv01:0", "--save", str(file)]) == 2
    assert capsys.readouterr().out == ""
    assert not file.exists()


@pytest.mark.parametrize("words", ["--help", "-h", "check --help", "read -h", "list -h", "lab -h", "demo -h"])
def test_help_goes_to_stdout_and_fits_eighty_columns(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(words.split()) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("usage: rdpdoctor")
    assert max(map(len, said.out.splitlines())) <= 81


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("rdpdoctor ")


def test_a_fault_of_ours_is_exit_3_and_two_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(words: object, implied: bool = False) -> int:
        raise RuntimeError("planted\nfault")

    monkeypatch.setattr("rdpdoctor.cli.check.run", broken)
    monkeypatch.delenv("RDPDOCTOR_DEBUG", raising=False)
    assert main(["srv01"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        "error: RuntimeError: planted\\nfault\nhint: this is a fault of rdpdoctor itself"
    )
    assert said.err.count("\n") == 2
    monkeypatch.setenv("RDPDOCTOR_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["srv01"])


def test_a_slip_in_a_command_is_noticed_where_it_is_taken_for_a_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rdpdoctor.cli.check.run", lambda words, implied: 0)
    assert main(["chek", "srv01"]) == 0
    assert capsys.readouterr().err == "warning: `chek` is taken for a host; the command is `check`\n"
    assert main(["srv01", "srv02"]) == 0
    assert capsys.readouterr().err == ""
