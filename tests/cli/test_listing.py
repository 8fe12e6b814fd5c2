"""What the tool says it knows."""

from __future__ import annotations

import json

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.remedies import remedies
from rdpdoctor.lab.load import names
from rdpdoctor.probes import PROBES


def known(what: str) -> set[str]:
    knowledge = load()
    return {
        "probes": {probe.id for probe in PROBES},
        "causes": set(knowledge.causes),
        "remedies": set(remedies()),
        "scenarios": set(names()),
        "tags": set(knowledge.tags),
    }[what]


@pytest.mark.parametrize("what", ["probes", "causes", "remedies", "scenarios", "tags"])
def test_an_id_and_a_line_each(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = [line.split(maxsplit=1) for line in out.splitlines()]
    assert {name for name, _ in rows} == known(what)
    assert len(rows) == len(known(what)) > 0


@pytest.mark.parametrize("what", ["probes", "causes", "remedies", "scenarios", "tags"])
def test_as_json(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == known(what)
    assert all(row["text"] for row in rows)
