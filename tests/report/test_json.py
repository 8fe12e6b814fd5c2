"""The contract's JSON, and the schema that is committed for it."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.report.json import dumps, dumps_array, dumps_pretty, to_json
from tests.report import samples

if TYPE_CHECKING:
    from rdpdoctor.report.model import Report


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    text = resources.files("rdpdoctor.report.schema").joinpath("report-1.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", samples.ALL)
def test_every_report_fits_the_schema(name: str, validator: jsonschema.Draft202012Validator) -> None:
    report = samples.ALL[name]()
    if name == "hostile":  # its indices point nowhere on purpose
        report = replace(report, causes=())
    validator.validate(json.loads(dumps(report)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("next"),
        lambda report: report["verdict"].update(status="broken"),
        lambda report: report["verdict"].update(stage="handshake"),
        lambda report: report["stages"][4].update(reason=None),
        lambda report: report["stages"][0].update(id="DNS"),
        lambda report: report["causes"][0].update(confidence="certain"),
        lambda report: report["causes"][0].update(supporting=[-1]),
        lambda report: report["causes"][0].update(behind=1),
        lambda report: report["causes"][0].update(prior="often"),
        lambda report: report["causes"][0]["weights"][0].update(weight="3 bits"),
        lambda report: report["causes"][0]["weights"][0].update(rule="suggests"),
        lambda report: report["observations"][0].update(source="rumour"),
        lambda report: report["target"].update(port=0),
        lambda report: report.update(started="2026-11-22 10:00"),
        lambda report: report.update(schema="rdpdoctor.report/2"),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_allow(
    spoil: Any, validator: jsonschema.Draft202012Validator
) -> None:
    report = to_json(samples.key_unusable())
    validator.validate(report)
    spoil(report)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(report)


def test_unknown_keys_are_allowed(validator: jsonschema.Draft202012Validator) -> None:
    report = to_json(samples.key_unusable())
    report["later"] = report["verdict"]["later"] = report["causes"][0]["later"] = 1
    validator.validate(report)


def test_keys_stand_in_the_contract_s_order() -> None:
    report = to_json(samples.key_unusable())
    assert list(report) == [
        "schema", "target", "started", "elapsed_ms", "verdict", "stages", "observations", "causes", "next",
        "experiments",
    ]  # fmt: skip
    assert list(report["target"]) == ["input", "host", "port", "address"]
    assert list(report["verdict"]) == ["status", "stage", "summary"]
    assert list(report["stages"][0]) == ["id", "status", "elapsed_ms", "summary", "reason"]
    assert list(report["observations"][0]) == ["tag", "args", "stage", "source", "at_ms"]
    assert list(report["causes"][0]) == [
        "id", "confidence", "title", "why", "supporting", "opposing", "remedies", "sources",
        "behind", "prior", "weights", "limits",
    ]  # fmt: skip
    assert list(report["next"][0]) == ["kind", "id", "text", "separates", "reach"]


@pytest.mark.parametrize("write", [dumps, dumps_pretty, lambda report: dumps_array([report])])
def test_no_control_byte_and_no_bidirectional_override_is_raw(write: Any) -> None:
    text = write(samples.hostile())
    assert {character for character in text if not " " <= character <= "~"} <= {"\n"}
    assert json.loads(dumps(samples.hostile()))["target"]["host"] == samples.HOSTILE.replace(
        "\ud800", "\ufffd"
    )


def test_one_line_is_one_report() -> None:
    assert "\n" not in dumps(samples.hostile())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_argument_a_journal_can_hold_becomes_json(value: Any) -> None:
    report = replace(samples.healthy(), observations=(Observation("a.b", {"value": value}, Stage.TLS),))
    text = dumps(report)
    assert text.isascii()
    json.loads(text, parse_constant=pytest.fail)
    text.encode().decode("utf-8")
    "".join(json.loads(text)["observations"][0]["args"]).encode()  # no lone surrogate comes back


def test_a_journal_that_was_saved_gives_the_same_bytes() -> None:
    def report(journal: Journal) -> Report:
        return replace(samples.healthy(), observations=tuple(journal))

    journal = Journal(Target("h", "h"), samples.STARTED)
    journal.add(
        Observation("a.b", {"pair": "\ud83d\ude00", "lone": "\ud83d", "float": 0.1}, Stage.TLS, at_ms=1.23456)
    )
    again = Journal.from_lines(journal.to_lines())
    assert dumps(report(journal)) == dumps(report(again))
