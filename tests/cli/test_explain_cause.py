"""`explain` of a cause's id tells all that is known of it."""

from __future__ import annotations

import json

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.remedies import diagnostics_for, remedies


@pytest.mark.parametrize("name", load().causes)
def test_every_cause_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name, "-v"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(name + "\n")
    for label in (
        "\non the wire ",
        "\non the client ",
        "\non the server ",
        "\ncheck",
        "\nmend ",
        "\nadvice ",
    ):
        assert label in out
    assert out.isprintable() or "\x1b" not in out
    assert "…\n" not in out, "nothing is cut"


@pytest.mark.parametrize("name", load().causes)
def test_the_gist_comes_first(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    gist = capsys.readouterr().out
    assert main(["explain", name, "-v"]) == 0
    assert len(gist) < len(capsys.readouterr().out)
    assert gist.startswith(name + "\n")
    for label in (
        "\non the wire ",
        "\non the client ",
        "\non the server ",
        "\ncheck",
        "\nmend ",
        "\nWhat is widely advised",
    ):
        assert label in gist
    assert "\nsource " not in gist
    assert gist.count("\nmend ") == gist.count("\nmore ") == 1
    plain = " ".join(gist.split())
    for remedy in load().causes[name].remedies:
        assert remedy in plain
    assert len(gist.splitlines()) <= 70


@pytest.mark.parametrize("name", load().causes)
def test_every_cause_as_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    cause = load().causes[name]
    assert told["schema"] == "rdpdoctor.cause/1"
    assert (told["id"], told["title"], told["what"]) == (name, cause.title, cause.what)
    assert [side["side"] for side in told["shows"]] == ["wire", "client", "server"]
    assert all(side["sure"] in ("measured", "documented", "inferred") for side in told["shows"])
    tests = [remedy.id for remedy in diagnostics_for(name)]
    assert [remedy["id"] for remedy in told["remedies"]] == [*cause.remedies, *tests]
    assert all(remedy["undo"] and remedy["verify"] for remedy in told["remedies"])
    assert told["advice"]


def test_a_test_that_lowers_security_says_so_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "credssp.oracle", "-v"]) == 0
    _, test = capsys.readouterr().out.split("\ntest ", 1)
    assert test.index("warning") < test.index("ends") < test.index("AllowEncryptionOracle")


def test_commands_are_not_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["explain", "certificate.key-unusable"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    own = (
        r"Get-ChildItem 'Cert:\LocalMachine\Remote Desktop' | "
        r"Where-Object { $_.Subject -eq $_.Issuer } | Remove-Item"
    )
    assert own in lines


@pytest.mark.parametrize("name", remedies())
def test_every_remedy_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for label in ("\nwhere ", "\ncosts ", "\ndo", "\nverify", "\nundo", "\nsource "):
        assert label in out
    assert main(["explain", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["id"]) == ("rdpdoctor.remedy/1", name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("certificate.key-unuseable", "certificate.key-unusable"),
        ("certificate.key-unusabel", "certificate.key-unusable"),
        ("something.else", None),
        ("keep-alife", "keep-alive"),
        ("certificate", "certificate.key-unusable"),
        ("No license", "licensing.none"),
        ("private key", "certificate.key-unusable"),
        ("hello", None),
    ],
)
def test_what_resembles_an_id(typed: str, meant: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", typed, "--json"])
    told = json.loads(capsys.readouterr().out)
    offered = [one["id"] for one in (*told["named"], *told["causes"])]
    assert (meant in offered) if meant else not offered
    assert main(["explain", typed]) == (0 if told["causes"] else 3)
    assert not meant or f" {meant}: " in capsys.readouterr().out
