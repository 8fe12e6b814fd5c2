"""The next thing to look at: the file, probe or question that separates the standing causes best, then what
concerns the first, then the stage.
"""

from __future__ import annotations

import re
from math import log2
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.foresee import standing
from rdpdoctor.diagnosis.maker import not_windows
from rdpdoctor.diagnosis.model import Confidence, Diagnosis, Health, NextStep
from rdpdoctor.diagnosis.questions import TAG, Asking, askings, decides
from rdpdoctor.diagnosis.view import View, text
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.questions import UNKNOWN
from rdpdoctor.knowledge.templates import fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rdpdoctor.knowledge import Knowledge, Tell

SHOWN = 3
#: People paste these into a shell, and a saved journal may hold any text as its host. 120: longer ones would
#: be cut where they fill a hole.
_HARMLESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,119}")
#: WinRM finds a computer by its name; an address needs settings that nobody has.
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
_WORKS = (Health.HEALTHY, Health.DEGRADED)


def steps(found: Diagnosis, view: View, knowledge: Knowledge) -> tuple[NextStep, ...]:
    leading = [cause.id for cause in found.causes if cause.confidence is not Confidence.RULED_OUT]
    if found.verdict.status is Health.HEALTHY and not leading and "code.shown" not in view:
        return ()
    writer = _Writer(found, view, knowledge, leading)
    chosen: dict[str, NextStep] = {}
    for step in writer.all():
        chosen.setdefault(step.id, step)
        if len(chosen) == SHOWN:
            break
    return tuple(chosen.values())


class _Writer:
    def __init__(self, found: Diagnosis, view: View, knowledge: Knowledge, leading: Sequence[str]) -> None:
        self._found, self._view, self._knowledge, self._leading = found, view, knowledge, leading
        self._done = {attempt.variant for attempt in view.attempts}
        self._foreign = not_windows(view)
        address = next((attempt.address for attempt in view.attempts if attempt.address), view.target.host)
        self._args = {
            "host": _to_paste(view.target.host, "HOST"),
            "port": view.target.port,
            "address": _to_paste(address, "ADDRESS"),
        }

    def all(self) -> Iterator[NextStep]:
        """Best first; ids may come again."""
        status, view = self._found.verdict.status, self._view
        if status is Health.HEALTHY and "code.shown" in view:
            yield from self._common("healthy")
        if "check.out-of-time" in view and status not in _WORKS:
            yield from self._common("out-of-time")
        ranked = [
            (asking.bits, self._question(asking)) for asking in askings(self._found, view, self._knowledge)
        ]
        ranked += self._separating()
        for _, step in sorted(ranked, key=lambda pair: -pair[0]):
            yield step
        if self._foreign and self._leading and status not in _WORKS:
            yield from self._common(f"{self._found.verdict.stage}.not-windows")
            yield from self._common("not-windows")
        own = [
            told
            for name in self._leading[:3]
            for tell in self._knowledge.causes[name].tell
            if (told := self._told(tell, (name,))) is not None
        ]
        yield from own
        if not own and not ranked:
            for key in (self._found.verdict.stage, status):
                yield from self._common(key or "")

    def _separating(self) -> list[tuple[float, NextStep]]:
        """What tells standing causes apart, with the bits it would be worth if it decided between them."""
        odds = {name: 2.0**bits for name, bits in standing(self._found, self._knowledge).items()}
        found = []
        for name in odds:
            for tell in self._knowledge.causes[name].tell:
                others = tuple(other for other in self._leading if other in tell.separates and other in odds)
                step = self._told(tell, (name, *others)) if others else None
                if step is not None:
                    found.append((_decided(odds, name, others), step))
        return found

    def _told(self, tell: Tell, separates: tuple[str, ...]) -> NextStep | None:
        """None for what was done already, and for what is Windows' on a server that is not."""
        if tell.kind == "question" or (tell.kind == "probe" and tell.id in self._done):
            return None
        if tell.on == "server" and self._foreign:
            return None
        sentence = fill(tell.text, self._args)
        if sentence is None:
            return None
        reach = self._reach(sentence) if tell.on == "server" else ""
        return NextStep(tell.kind, tell.id, sentence, separates, reach)

    def _reach(self, sentence: str) -> str:
        lines = [piece.text for piece in pieces(sentence) if piece.command]
        if self._found.verdict.status in _WORKS or not lines:
            return ""
        given = [text(row, "answer") for row in self._view.all(TAG) if text(row, "question") == "machine"]
        way = self._knowledge.reach.get((given or [None])[-1] or UNKNOWN, self._knowledge.reach[UNKNOWN])
        host = str(self._args["host"])
        return way.told(lines, "SERVER" if _ADDRESS.fullmatch(host) else host)

    def _common(self, key: str) -> Iterator[NextStep]:
        for tell in self._knowledge.steps.get(key, ()):
            if (step := self._told(tell, tuple(self._leading[:2]))) is not None:
                yield step

    def _question(self, asking: Asking) -> NextStep:
        question = asking.question
        command = fill("rdpdoctor check {host:literal}:{port}", self._args)
        say = (
            f"{question.text} {decides(asking, self._knowledge)} Check again with one of "
            f"{', '.join(question.telling)} as the VALUE: `{command} --answer {question.key}=VALUE`"
        )
        return NextStep("question", question.key, say, asking.moves)


def _decided(odds: Mapping[str, float], name: str, others: Sequence[str]) -> float:
    group = odds[name] + sum(odds[other] for other in others)
    share = odds[name] / group
    entropy = -sum(part * log2(part) for part in (share, 1.0 - share) if part > 0.0)
    return entropy * group / sum(odds.values())


def _to_paste(text: str, otherwise: str) -> str:
    return text if _HARMLESS.fullmatch(text) else otherwise
