"""The shortest way to see the tool work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rdpdoctor.cli.main import main

if TYPE_CHECKING:
    import pytest


def test_demo_shows_the_fault_it_planted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert "FAILS at tls" in out.splitlines()[0]
    assert "0x904/0x7" in out
    assert "rdpdoctor 127.0.0.1:" in err


def test_demo_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"]["status"] == "failing"
    assert report["verdict"]["stage"] == "tls"
    assert report["causes"][0]["id"] == "certificate.key-unusable"


def test_demo_that_finds_nothing_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdpdoctor.cli.demo.SCENARIO", "healthy-without-nla")
    assert main(["demo"]) == 3
