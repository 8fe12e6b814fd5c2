"""An explanation as JSON, schema `rdpdoctor.explain/1` (`report/schema/explain-1.json`).

{ "schema",
  "codes":  [{ "typed", "number": int|null, "hex": str|null, "known": bool, "group": str|null,
               "taken": str|null,
               "meanings":   [{ "family", "title", "number", "hex", "symbol": str|null, "says",
                                "official": bool, "note": str|null, "what", "not_proof", "stages": [],
                                "causes": [id], "source" }],
               "neighbours": [{ "family", "number", "hex", "symbol", "says" }] }],
  "topics": [{ "kind": "event"|"setting"|"line"|"dialog", "name", "is_a", "means": str|null, "known": bool,
               "details": [{ "label", "text" }], "not_proof", "stages": [],
               "causes": [{ "id", "how": "names"|"fits"|"follows" }], "note": str|null,
               "sure": "measured"|"documented"|"unverified", "sources": [] }],
  "stages": [], "causes": [{ "id", "title", "by": "code"|"stage", "stages": [] }],
  "next":   [{ "text", "command": str|null }],
  "claims": [{ "says", "judged", "because", "sources": [] }],
  "remedies": [{ "id", "advice", "right_when", "right_for": [id], "breaks", "instead", "sources": [] }],
  "left": [], "named": [{ "id", "title" }] }

Meanings and causes are ordered, likeliest first. Readers ignore unknown keys.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge.codes import family

if TYPE_CHECKING:
    from rdpdoctor.knowledge.codes import Code
    from rdpdoctor.report.explain.build import Explained, Explanation, Meaning
    from rdpdoctor.report.explain.topics import Topic

SCHEMA = "rdpdoctor.explain/1"
_TYPED = 200  # characters of what was typed


def dumps(explanation: Explanation) -> str:
    return json.dumps(to_json(explanation), indent=2)  # ASCII: no character of the input acts on a terminal


def to_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "codes": [_code(one) for one in explanation.codes],
        "topics": [_topic(topic) for topic in explanation.topics],
        "stages": list(explanation.stages),
        "causes": [
            {
                "id": link.cause.id,
                "title": link.cause.title,
                "by": "code" if link.strength else "stage",
                "stages": [str(stage) for stage in link.cause.stages],
            }
            for link in explanation.causes
        ],
        "next": [{"text": step.text, "command": step.command} for step in explanation.next],
        "claims": [asdict(claim) for claim in explanation.claims],
        "remedies": [asdict(advice) for advice in explanation.remedies],
        "left": [word[:_TYPED] for word in explanation.left],
        "named": [{"id": one.id, "title": one.title} for one in explanation.named],
    }


def _code(one: Explained) -> dict[str, Any]:
    number = one.asked.number
    return {
        "typed": one.asked.text[:_TYPED],
        "number": number,
        "hex": hexadecimal(number),
        "known": bool(one.meanings),
        "meanings": [_meaning(meaning) for meaning in one.meanings],
        "neighbours": [_short(code) for code in one.near],
        "group": one.group,
        "taken": one.taken,
    }


def _meaning(meaning: Meaning) -> dict[str, Any]:
    code, about = meaning.code, family(meaning.code.kind)
    return {
        **_short(code),
        "title": about.title,
        "official": code.official,
        "note": code.note,
        "what": about.what,
        "not_proof": about.not_proof,
        "stages": list(meaning.stages),
        "causes": list(meaning.causes),
        "source": code.source,
    }


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "kind": topic.kind,
        "name": topic.name,
        "is_a": topic.is_a,
        "means": topic.means,
        "known": topic.means is not None,
        "details": [{"label": detail.label, "text": detail.text} for detail in topic.details],
        "not_proof": topic.not_proof,
        "stages": list(topic.stages),
        "causes": [{"id": point.cause, "how": point.how} for point in topic.points],
        "note": topic.note,
        "sure": topic.sure,
        "sources": list(topic.sources),
    }


def _short(code: Code) -> dict[str, Any]:
    return {
        "family": code.kind,
        "number": code.number,
        "hex": hexadecimal(code.number),
        "symbol": code.symbol,
        "says": code.says,
    }


def hexadecimal(number: int | None) -> str | None:
    return None if number is None else f"0x{number:X}"
