"""Any bytes for a saved journal: a good error or a report, never a fault of ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdpdoctor.cli.main import main
from rdpdoctor.knowledge import load
from tests.cli.test_read import HEAD
from tests.command import VALIDATOR

if TYPE_CHECKING:
    from pathlib import Path

TAGS = sorted(load().tags)
ARGUMENTS = sorted({name for tag in load().tags.values() for name in tag.args})
STAGES = ["dns", "tcp", "x224", "tls", "nla", "mcs", "path", "host", "gateway"]
SOURCES = ["probe", "capture", "eventlog", "file", "bundle", "cloud", "answer", "code"]

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([10**30, -(10**299), 1e308, -0.0, 5e-324, 2**63])
    | st.sampled_from(
        ["walk", "client", "TLS 1.2", "10.0.4.21", "::1", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z"]
    )
    | st.text(max_size=5)
)
_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_rows = st.fixed_dictionaries(
    {
        "tag": st.sampled_from([*TAGS, "moon.rises"]),
        "args": st.dictionaries(st.sampled_from(ARGUMENTS), _values, max_size=8),
        "stage": st.sampled_from(STAGES),
        "source": st.sampled_from(SOURCES),
        "at_ms": st.none() | st.floats(-1e12, 1e12),
    }
)
_lines = st.lists(st.one_of(*[_rows.map(json.dumps)] * 8, _values.map(json.dumps)), max_size=12)
_spoilt = st.tuples(st.integers(0, 4000), st.integers(0, 20), st.binary(max_size=8))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "journal.jsonl"


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lines=_lines,
    spoilt=st.none() | _spoilt,
    form=st.sampled_from([[], ["-v"], ["--json"], ["--jsonl"]]),
    ending=st.sampled_from(["\n", "\r\n", ""]),
)
def test_any_bytes(
    lines: list[str],
    spoilt: tuple[int, int, bytes] | None,
    form: list[str],
    ending: str,
    path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RDPDOCTOR_DEBUG", "1")  # a fault of ours is raised
    data = ((ending or "\n").join([HEAD, *lines]) + ending).encode()
    if spoilt is not None:
        place, length, with_ = spoilt
        data = data[:place] + with_ + data[place + length :]
    path.write_bytes(data)
    code = main(["read", str(path), *form])
    out, err = capsys.readouterr()
    assert code in (0, 1, 2, 3)
    assert (code == 2) == err.startswith("error: ")
    if out and form and form[0].startswith("--json"):
        VALIDATOR.validate(json.loads(out))
    else:
        assert {character for character in out if not character.isprintable()} <= {"\n"}
