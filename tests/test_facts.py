"""Observations and the journal: written down and read again without loss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.facts import WALK, Journal, Observation, Source, Stage, Target

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_observations = st.builds(
    Observation,
    tag=st.text(min_size=1),
    args=st.dictionaries(st.text(), _values, max_size=4),
    stage=st.sampled_from(Stage),
    source=st.sampled_from(Source),
    at_ms=st.none() | st.floats(0, 1e9),
)


def _journal(rows: list[Observation]) -> Journal:
    journal = Journal(Target("srv01:3390", "srv01", 3390), "2026-11-22T10:00:00.000Z", 812.4)
    journal.extend(rows)
    return journal


@given(st.lists(_observations, max_size=6))
def test_a_journal_survives_being_saved(rows: list[Observation]) -> None:
    lines = list(_journal(rows).to_lines())
    assert all("\n" not in line and line.isascii() for line in lines)
    again = Journal.from_lines(lines)
    assert list(again.to_lines()) == lines
    assert [row.to_json() for row in again] == [row.to_json() for row in rows]
    assert (again.target, again.started, again.elapsed_ms) == (
        Target("srv01:3390", "srv01", 3390),
        "2026-11-22T10:00:00.000Z",
        812.4,
    )


def test_arguments_cannot_be_changed() -> None:
    mine: dict[str, Any] = {"a": 1}
    row = Observation("tcp.silent", mine, Stage.TCP)
    mine["a"] = 2
    assert row.args["a"] == 1
    with pytest.raises(TypeError):
        row.args["a"] = 3  # type: ignore[index]


def test_the_walk_is_in_the_contracts_order() -> None:
    assert [stage.value for stage in WALK] == [
        "dns", "tcp", "x224", "tls", "nla", "mcs", "security", "licensing", "capabilities", "finalization",
    ]  # fmt: skip


_HEADER = next(iter(_journal([]).to_lines()))
_ROW: dict[str, Any] = {"tag": "tcp.silent", "args": {}, "stage": "tcp", "source": "probe", "at_ms": 1.0}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["", "  "],
        ["not json"],
        ["[]"],
        ["{}"],
        [json.dumps({"schema": "rdpdoctor.journal/2"})],
        [json.dumps({**json.loads(_HEADER), "target": {"host": "a"}})],
        [json.dumps({**json.loads(_HEADER), "target": {"host": 5, "port": 3389}})],
        [_HEADER, "5"],
        [_HEADER, json.dumps({**_ROW, "stage": "moon"})],
        [_HEADER, json.dumps({**_ROW, "source": "rumour"})],
        [_HEADER, json.dumps({**_ROW, "args": []})],
        [_HEADER, json.dumps({**_ROW, "tag": 5})],
        [_HEADER, json.dumps({**_ROW, "at_ms": "soon"})],
        [_HEADER, json.dumps({**_ROW, "at_ms": True})],
        [_HEADER, "[" * 100_000],
    ],
)
def test_what_is_no_journal_is_refused_with_its_line(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^line \d+: "):
        Journal.from_lines(lines)


def test_unknown_tags_are_kept() -> None:
    row = {**_ROW, "tag": "moon.rises"}
    assert Journal.from_lines([_HEADER, json.dumps(row)])[0].tag == "moon.rises"
