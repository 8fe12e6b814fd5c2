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
#: By less than this a log's entry may follow its connection.
_NOTABLE_MS = 2000.0


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
        elif row.tag == "event.during" and row.args.get("by") == "attempts":
            made += _clock(row)
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


def _clock(row: Observation) -> list[str]:
    """How far the clock is off behind a log in which the check's connections were found again."""
    skew, zone = row.args.get("skew_ms"), row.args.get("zone_ms")
    made = []
    if isinstance(zone, int | float) and zone:
        hours = f"{abs(zone) / 3_600_000:g} h"
        made.append(
            f"The log's times have no zone; they fit {hours} {'east' if zone > 0 else 'west'} of UTC."
        )
    if isinstance(skew, int | float) and abs(skew) >= _NOTABLE_MS:
        span = f"{abs(skew) / 1000:.0f} s"
        made.append(f"The server's clock is {span} {'ahead of' if skew > 0 else 'behind'} ours, by its log.")
    return made


def _left(row: Observation) -> str:
    left = row.args.get("left")
    if not isinstance(left, Sequence) or isinstance(left, str) or not left:
        return ""
    return " (left: " + ", ".join(str(name) for name in left) + ")"
