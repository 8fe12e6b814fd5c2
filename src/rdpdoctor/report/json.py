"""The report as the contract's JSON (`schema/report-1.json`)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rdpdoctor.report.behind import behind
from rdpdoctor.report.model import SCHEMA, Report
from rdpdoctor.report.trace import trace_json
from rdpdoctor.report.words import prior_word, weight_word

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.model import Weighed
    from rdpdoctor.facts import Observation

#: Deeper than anything we write. A saved journal may hold anything.
_DEPTH = 16


def to_json(report: Report) -> dict[str, Any]:
    """Plain JSON values in the contract's order of keys."""
    return {
        "schema": SCHEMA,
        "target": {
            "input": _text(report.target.input),
            "host": _text(report.target.host),
            "port": report.target.port,
            "address": None if report.address is None else _text(report.address),
        },
        "started": _text(report.started),
        "elapsed_ms": _ms(report.elapsed_ms) or 0.0,
        "verdict": {
            "status": str(report.verdict.status),
            "stage": None if report.verdict.stage is None else str(report.verdict.stage),
            "summary": _text(report.verdict.summary),
        },
        "stages": [
            {
                "id": str(stage.id),
                "status": str(stage.status),
                "elapsed_ms": _ms(stage.elapsed_ms),
                "summary": _text(stage.summary),
                "reason": None if stage.reason is None else _text(stage.reason),
            }
            for stage in report.stages
        ],
        "observations": [_observation(row) for row in report.observations],
        "causes": [_cause(report, place) for place in range(len(report.causes))],
        "next": [
            {
                "kind": str(step.kind),
                "id": _text(step.id),
                "text": _text(step.text),
                "separates": [_text(cause) for cause in step.separates],
                "reach": _text(step.reach) or None,
            }
            for step in report.next
        ],
        "experiments": _value(trace_json(report), _DEPTH),
    }


def dumps(report: Report) -> str:
    """One report on one line, in ASCII: no control byte and no bidirectional override is ever raw."""
    return _dump(to_json(report), None)


def dumps_pretty(report: Report) -> str:
    """One report, indented for people; ASCII too."""
    return _dump(to_json(report), 2)


def dumps_array(reports: Iterable[Report]) -> str:
    """Several reports as one array, indented."""
    return _dump([to_json(report) for report in reports], 2)


def _dump(value: object, indent: int | None) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=indent)


def _observation(row: Observation) -> dict[str, Any]:
    return {
        "tag": _text(row.tag),
        "args": _value(row.args, _DEPTH),
        "stage": row.stage.value,
        "source": row.source.value,
        "at_ms": _ms(row.at_ms),
    }


def _cause(report: Report, place: int) -> dict[str, Any]:
    """The contract's keys, then what makes it stand where it stands."""
    cause = report.causes[place]
    reason = behind(report.causes, place)
    return {
        "id": cause.id,
        "confidence": str(cause.confidence),
        "title": _text(cause.title),
        "why": _text(cause.why),
        "supporting": list(cause.supporting),
        "opposing": list(cause.opposing),
        "remedies": _texts(cause.remedies),
        "sources": _texts(cause.sources),
        "behind": None if reason is None else _text(reason),
        "prior": prior_word(cause.prior),
        "weights": [_weighed(rule) for rule in cause.weights],
        "limits": list(cause.limits),
    }


def _weighed(rule: Weighed) -> dict[str, Any]:
    return {
        "rule": rule.kind,
        "weight": weight_word(rule) or None,
        "says": None if rule.says is None else _text(rule.says),
        "observations": list(rule.evidence),
        "absent": rule.absent,
    }


def _texts(values: Iterable[str]) -> list[str]:
    return [_text(value) for value in values]


def _ms(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _value(value: object, depth: int) -> Any:
    """JSON has no NaN and no infinity: null. What is nested too deeply is null as well."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _text(value)
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {_text(str(key)): _value(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_value(inner, depth - 1) for inner in value]
    return _text(str(value))


def _text(text: str) -> str:
    """Data as it came, but for lone surrogates: strict readers refuse a whole document that holds one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
