"""Sentences about the check as a whole: what the shown codes say, and what was not done and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdpdoctor.knowledge.codes import shown_in

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation
    from rdpdoctor.report.model import Report


#: A saved journal may hold any number.
_MOST = 5


def remarks(report: Report) -> list[str]:
    made: list[str] = []
    for row in report.observations:
        if row.tag == "code.shown":
            made.append(code_sentence(row))
        elif row.tag == "check.interrupted":
            made.append("Interrupted: this is what was known by then.")
        elif row.tag == "check.out-of-time":
            made.append(f"The time was up before all was tried; --timeout gives more{_left(row)}.")
        elif row.tag == "probe.crashed":
            made.append(f"A fault of rdpdoctor itself in {row.args.get('probe')}: {row.args.get('error')}")
    if report.verdict.status == "degraded" and any(row.tag == "code.shown" for row in report.observations):
        made.append("The failure did not recur just now. The warning need not be its cause.")
    return made[:_MOST]


def code_sentence(row: Observation) -> str:
    """What a shown code means in a few words, and whether it can tell why at all."""
    text = "/".join(str(row.args.get("text", "")).split())
    known = [
        code
        for kind in ("reason", "extended")
        if isinstance(number := row.args.get(kind), int) and (code := shown_in(kind, number))
    ]
    if not known:
        return f"{text} is not among the client codes known here."
    means = "/".join(code.says for code in known)
    if all(code.where_not_why for code in known):
        return f"{text} ({means}) says where it ended, not why."
    return f"{text}: {means}."


def _left(row: Observation) -> str:
    left = row.args.get("left")
    if not isinstance(left, Sequence) or isinstance(left, str) or not left:
        return ""
    return " (left: " + ", ".join(str(name) for name in left) + ")"
