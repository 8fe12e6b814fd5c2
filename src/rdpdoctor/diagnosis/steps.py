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
from rdpdoctor.facts import Source, Stage
from rdpdoctor.knowledge.codes import shown_in, stages_of
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.questions import UNKNOWN
from rdpdoctor.knowledge.templates import fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rdpdoctor.facts import Value
    from rdpdoctor.knowledge import Knowledge, Tell

SHOWN = 3
#: People paste these into a shell, and a saved journal may hold any text as its host. 120: longer ones would
#: be cut where they fill a hole.
_HARMLESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,119}")
#: The name a client sends ahead. With a domain before it, it is quoted: bash would eat the backslash.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")
_DOMAIN_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,31}\\[A-Za-z0-9_][A-Za-z0-9._-]{0,31}")
#: A code or an answer as it was typed.
_WORD = re.compile(r"-?[0-9]{1,10}|[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BETWEEN_CODES = re.compile(r"[/,;+\s]+")
_NAMED = 120  # characters of what a check by name needs: longer ones would be cut where they fill a hole
#: Of codes, words of a code, and answers: a saved journal may hold any number.
_REPEATED = 5
#: What a check sends ahead that was given no name.
_NEUTRAL = "rdpdoctor"
_CHECK = "rdpdoctor check "
#: WinRM finds a computer by its name; an address needs settings that nobody has.
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
#: Of the sign-in only its beginning is tried: no answer to it is ever seen.
_UNTRIED = frozenset(
    (Stage.NLA, Stage.SECURITY, Stage.LICENSING, Stage.CAPABILITIES, Stage.FINALIZATION, Stage.GATEWAY)
)
#: A command that reads events, and the ids it asks for; 4625 says nothing without a status.
_EVENTS, _IDS, _REFUSAL = "Get-WinEvent ", re.compile(r"\bId=([0-9,]+)"), 4625
#: What shows that files of the server were given; what rules make of them; what only its Security log has.
_FILES = ("event.log", "host.read")
_SETTLES = ("event.logged", "derived.host")
_AUDIT = "sign-in.refused"
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
    files = writer.files()
    if files is None:
        return tuple(chosen.values())
    return (*list(chosen.values())[: SHOWN - 1], files)


class _Writer:
    def __init__(self, found: Diagnosis, view: View, knowledge: Knowledge, leading: Sequence[str]) -> None:
        self._found, self._view, self._knowledge, self._leading = found, view, knowledge, leading
        self._done = {attempt.variant for attempt in view.attempts}
        self._foreign = not_windows(view)
        address = next((attempt.address for attempt in view.attempts if attempt.address), view.target.host)
        user = _user(view)
        self._given = _given(view)
        self._read = {
            str(row.args.get("id"))
            for row in view.all("event.logged")
            if row.args.get("stands") and (row.args.get("status") or row.args.get("id") != _REFUSAL)
        }
        self._user = f"--user {user}" if user else ""
        self._args: dict[str, Value] = {
            "host": _to_paste(view.target.host, "HOST"),
            "port": view.target.port,
            "address": _to_paste(address, "ADDRESS"),
        }
        if not user or _ADDRESS.fullmatch(view.target.host):
            by_name = self._by_name(user)
            self._args["by_name"] = by_name if len(by_name) <= _NAMED else ""

    def all(self) -> Iterator[NextStep]:
        """Best first; ids may come again."""
        status, view = self._found.verdict.status, self._view
        if status in _WORKS and "code.shown" in view:
            yield from self._common("beyond" if _beyond(view) else "healthy")
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

    def files(self) -> NextStep | None:
        """Files of the server that would settle what is likely, where none was given."""
        first = next(iter(self._found.causes), None)
        if first is None or first.confidence is not Confidence.LIKELY or self._foreign:
            return None
        if self._found.verdict.status in _WORKS or any(tag in self._view for tag in _FILES):
            return None
        asked = [
            matcher
            for rule in self._knowledge.causes[first.id].confirms
            for matcher in (*rule.any, *rule.all)
            if matcher.tag in _SETTLES
        ]
        if not asked:
            return None
        key = "files.facts"
        if any(matcher.tag == "event.logged" for matcher in asked):
            audit = any(
                _AUDIT in test[2] for matcher in asked for test in matcher.tests if test[0] == "means"
            )
            key = "files.security" if audit else "files.system"
        return next(self._common(key), None)

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
        if sentence is None or self._known(sentence):
            return None
        reach = self._reach(sentence) if tell.on == "server" else ""
        return NextStep(tell.kind, tell.id, self._as_before(sentence), separates, reach)

    def _known(self, sentence: str) -> bool:
        """Whether it asks for nothing but events, and a log has told one of them already."""
        commands = [piece.text for piece in pieces(sentence) if piece.command]
        asked = {number for ids in _IDS.findall(sentence) for number in ids.split(",")}
        return bool(asked & self._read) and all(one.startswith(_EVENTS) for one in commands)

    def _by_name(self, user: str) -> str:
        """The target as a client names it, with the user's name in front: capitals where we know neither."""
        host = "NAME" if _ADDRESS.fullmatch(self._view.target.host) else "{host:literal}"
        return f"--user {user or 'USER'} {fill(host, self._args)}:{self._args['port']}"

    def _as_before(self, sentence: str) -> str:
        """The sentence, its checks with what was given for this one, without which the verdict is another."""
        parts = sentence.split("`")
        for place in range(1, len(parts), 2):
            if parts[place].startswith(_CHECK):
                parts[place] = self._repeated(parts[place])
        return "`".join(parts)

    def _repeated(self, command: str) -> str:
        user = "" if "--user " in command else self._user
        return " ".join(filter(None, (command, user, self._given)))

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
        if self._view.live:
            again = "Check again"
            command = self._repeated(fill("rdpdoctor check {host:literal}:{port}", self._args) or "")
        else:  # the files alone speak; only whoever gave them knows their names
            again = "Read the files again"
            command = " ".join(filter(None, ("rdpdoctor read FILE...", self._given)))
        say = (
            f"{question.text} {decides(asking, self._knowledge)} {again} with one of "
            f"{', '.join(question.telling)} as the VALUE: `{command} --answer {question.key}=VALUE`"
        )
        return NextStep("question", question.key, say, asking.moves)


def _beyond(view: View) -> bool:
    """Whether the shown codes come from stages that nobody without an account reaches."""
    codes = (
        shown_in(place, number)
        for row in view.all("code.shown")
        for place in ("reason", "extended")
        if isinstance(number := row.args.get(place), int)
    )
    narrow = [stages_of(code) for code in codes if code and not code.where_not_why]
    told = [stages for stages in narrow if stages]
    return bool(told) and all(map(_UNTRIED.issuperset, told))


def _decided(odds: Mapping[str, float], name: str, others: Sequence[str]) -> float:
    group = odds[name] + sum(odds[other] for other in others)
    share = odds[name] / group
    entropy = -sum(part * log2(part) for part in (share, 1.0 - share) if part > 0.0)
    return entropy * group / sum(odds.values())


def _to_paste(text: str, otherwise: str) -> str:
    return text if _HARMLESS.fullmatch(text) else otherwise


def _user(view: View) -> str:
    """The name that the walk sent ahead, fit to be pasted; empty where it was ours."""
    cookie = view.walk.cookie if view.walk is not None and view.walk.role == "walk" else None
    if not cookie or cookie == _NEUTRAL:
        return ""
    if _DOMAIN_USER.fullmatch(cookie):
        return f'"{cookie}"'
    return cookie if _USER.fullmatch(cookie) else "USER"


def _given(view: View) -> str:
    """The codes and answers that the user gave, as options, in their order."""
    options = []
    for row in [row for row in view.all("code.shown") if row.source is Source.CODE][:_REPEATED]:
        words = [word for word in _BETWEEN_CODES.split(text(row, "text") or "") if word]
        if 0 < len(words) <= _REPEATED and all(map(_WORD.fullmatch, words)):
            options.append(f"--code {' '.join(words)}")
    for row in [row for row in view.all(TAG) if row.source is Source.ANSWER][:_REPEATED]:
        answer = [text(row, "question") or "", text(row, "answer") or ""]
        if all(map(_WORD.fullmatch, answer)):
            options.append(f"--answer {'='.join(answer)}")
    return " ".join(options)
