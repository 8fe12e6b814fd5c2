"""The next thing to look at: what separates the two leading causes best, then what concerns the first, then
the stage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Confidence, Health, NextStep, RankedCause, Verdict
from rdpdoctor.diagnosis.view import View, text
from rdpdoctor.knowledge.templates import fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdpdoctor.knowledge import Knowledge, Tell

SHOWN = 3
#: People paste these into a shell, and a saved journal may hold any text as its host. 120: longer ones would
#: be cut where they fill a hole.
_HARMLESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,119}")


def steps(
    causes: Sequence[RankedCause], verdict: Verdict, view: View, knowledge: Knowledge
) -> tuple[NextStep, ...]:
    leading = [cause.id for cause in causes if cause.confidence is not Confidence.RULED_OUT]
    shown = verdict.status is Health.HEALTHY and "code.shown" in view
    if verdict.status is Health.HEALTHY and not leading and not shown:
        return ()
    done = {attempt.variant for attempt in view.attempts} | {
        text(row, "question") for row in view.all("answer.given")
    }
    address = next((attempt.address for attempt in view.attempts if attempt.address), view.target.host)
    args = {
        "host": _to_paste(view.target.host, "HOST"),
        "port": view.target.port,
        "address": _to_paste(address, "ADDRESS"),
    }
    found: dict[str, NextStep] = {}
    for tell, separates in _candidates(leading, verdict, view, knowledge):
        if tell.kind != "evidence" and tell.id in done:
            continue
        sentence = fill(tell.text, args)
        if sentence is not None and tell.id not in found:
            found[tell.id] = NextStep(tell.kind, tell.id, sentence, separates)
        if len(found) == SHOWN:
            break
    return tuple(found.values())


def _to_paste(text: str, otherwise: str) -> str:
    return text if _HARMLESS.fullmatch(text) else otherwise


def _candidates(
    leading: Sequence[str], verdict: Verdict, view: View, knowledge: Knowledge
) -> Iterator[tuple[Tell, tuple[str, ...]]]:
    if verdict.status is Health.HEALTHY and "code.shown" in view:
        for tell in knowledge.steps.get("healthy", ()):
            yield tell, tuple(leading[:2])
    causes = knowledge.causes
    if len(leading) > 1:
        pair = (leading[0], leading[1])
        for one, other in (pair, pair[::-1]):
            for tell in causes[one].tell:
                if other in tell.separates:
                    yield tell, pair
    for name in leading[:3]:
        for tell in causes[name].tell:
            yield tell, (name, *(other for other in tell.separates if other in leading))
    if not leading or not any(causes[name].tell for name in leading[:3]):
        for key in (verdict.stage, verdict.status):
            for tell in knowledge.steps.get(key or "", ()):
                yield tell, tuple(leading[:2])
