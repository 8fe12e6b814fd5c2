"""The journal, sorted once for everything that reads it: by tag, and as attempts with what became of them
at each stage.

Journals come from outside too: an argument that is missing or of the wrong type reads as None, and never
raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.diagnosis import shutout
from rdpdoctor.facts import Journal, Observation, Source, Stage, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Arguments of an observation.
Args: TypeAlias = Mapping[str, Value]

PASSED = "passed"
CLIENT_HELLO = "client"

#: Variants that change nothing the server can see.
UNCHANGED = frozenset({"", "ordinary", "alone"})

_DIED = ("closed", "reset", "silent", "stalled", "malformed")
#: Tag → the stage whose step it is, and how that went. Tags of newer versions are not among them.
STEPS: Mapping[str, tuple[Stage, str]] = {
    f"{stage}.{word}": (stage, PASSED if word in passes else word)
    for stage, passes, others in (
        (Stage.X224, ("selected", "plain", "failure"), ("declined",)),
        (Stage.TLS, ("completed", "answered"), ("alerted", "rejected")),
        (Stage.NLA, ("challenged", "answered"), ("alerted", "error", "denied")),
    )
    for word in (*passes, *_DIED, *others)
}
_LEAF = "tls.certificate"
_REFUSAL = "x224.failure"
#: Of one argument's list. A saved journal may hold any number.
MOST_WORDS = 200


def text(row: Observation, name: str) -> str | None:
    value = row.args.get(name)
    return value if isinstance(value, str) else None


def number(row: Observation, name: str) -> float | None:
    value = row.args.get(name)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def whole(row: Observation, name: str) -> int | None:
    value = row.args.get(name)
    return None if isinstance(value, bool) or not isinstance(value, int) else value


def flag(row: Observation, name: str) -> bool | None:
    value = row.args.get(name)
    return value if isinstance(value, bool) else None


def words(row: Observation, name: str) -> list[str]:
    value = row.args.get(name)
    if not isinstance(value, list | tuple):
        return []
    return [word for word in value[:MOST_WORDS] if isinstance(word, str)]


@dataclass(frozen=True, slots=True)
class Step:
    """How one attempt fared at one stage. outcome: PASSED, or the word for how it ended."""

    row: Observation
    outcome: str

    @property
    def passed(self) -> bool:
        return self.outcome == PASSED


@dataclass(slots=True)
class Attempt:
    """One connection of ours. hellos: by what its ClientHello was ("client", "TLS 1.2" …)."""

    number: int | None
    address: str
    role: str
    variant: str
    at_once: int
    requested: int | None = None
    cookie: str | None = None
    x224: Step | None = None
    hellos: dict[str, Step] = field(default_factory=dict)
    nla: Step | None = None
    certificate: str | None = None  # SHA-256 of the server's own
    computer: str | None = None

    def at(self, stage: Stage) -> Step | None:
        """The step at a stage; at `tls` that of the handshake a client would make."""
        if stage is Stage.TLS:
            return self.hellos.get(CLIENT_HELLO)
        return self.x224 if stage is Stage.X224 else self.nla

    @property
    def unchanged(self) -> bool:
        return self.variant in UNCHANGED


class View:
    """Built in one pass over the journal. `attempts` in order of first appearance. live: a check saw some of
    it, and not files alone.
    """

    def __init__(self, journal: Journal) -> None:
        self.target = journal.target
        self.started = journal.started
        self.by_tag: dict[str, list[Observation]] = {}
        self.attempts: list[Attempt] = []
        self._ordinary: dict[Stage, list[Attempt]] = {}
        numbered: dict[int, Attempt] = {}
        self.live = False
        for row in journal:
            self.live = self.live or row.source is Source.PROBE
            self.by_tag.setdefault(row.tag, []).append(row)
            if row.tag in STEPS or row.tag == _LEAF:
                self._file(row, numbered)
        self.shutout = shutout.find(self.attempts, self.by_tag)
        walks = [attempt for attempt in self.attempts if attempt.role == "walk"]
        self.walk: Attempt | None = walks[0] if walks else next(iter(self.attempts), None)

    def __contains__(self, tag: str) -> bool:
        return tag in self.by_tag

    def all(self, *tags: str) -> Iterator[Observation]:
        """All observations of these tags: tag by tag as named here, each in journal order."""
        for tag in tags:
            yield from self.by_tag.get(tag, ())

    def first(self, *tags: str) -> Observation | None:
        return next(self.all(*tags), None)

    def ordinary(self, stage: Stage) -> list[Attempt]:
        """The attempts that reached a stage and asked for it as the walk did: identical for the server."""
        if (known := self._ordinary.get(stage)) is None:
            known = self._ordinary[stage] = self._find_ordinary(stage)
        return known

    def fates(self, stage: Stage) -> list[tuple[Attempt, Step]]:
        """How the ordinary attempts fared, each with its step.

        A failure in answer to a request is an answer like any other, but where the same request is granted to
        others it is a way to die.
        """
        steps = [(one, step) for one in self.ordinary(stage) if (step := one.at(stage)) is not None]
        refused = [step.row.tag == _REFUSAL for _, step in steps]
        granted = any(step.passed and not no for (_, step), no in zip(steps, refused, strict=True))
        if not granted or not any(refused):
            return steps
        return [
            (one, Step(step.row, "declined") if no else step)
            for (one, step), no in zip(steps, refused, strict=True)
        ]

    def _find_ordinary(self, stage: Stage) -> list[Attempt]:
        walk = self.walk
        found = [attempt for attempt in self.heard if attempt.unchanged and attempt.at(stage) is not None]
        if stage is Stage.X224 and walk is not None:
            return [one for one in found if one.requested == walk.requested and one.cookie == walk.cookie]
        return found

    @property
    def heard(self) -> list[Attempt]:
        """The attempts without those that came after we had been shut out."""
        if self.shutout is None:
            return self.attempts
        return [attempt for attempt in self.attempts if attempt.number not in self.shutout.numbers]

    def leading(self, stage: Stage) -> Step | None:
        """The step that stands for a stage: the walk's where it came so far, else the first ordinary one."""
        if self.walk is not None and (step := self.walk.at(stage)) is not None:
            return step
        return next(
            (step for attempt in self.ordinary(stage) if (step := attempt.at(stage)) is not None), None
        )

    def hello_steps(self) -> Iterator[tuple[str, Step]]:
        for attempt in self.attempts:
            yield from attempt.hellos.items()

    def _file(self, row: Observation, numbered: dict[int, Attempt]) -> None:
        key = whole(row, "attempt")
        attempt = numbered.get(key) if key is not None else None
        if attempt is None:
            attempt = Attempt(
                key,
                text(row, "address") or "",
                text(row, "role") or "",
                text(row, "variant") or "",
                whole(row, "at_once") or 1,
            )
            self.attempts.append(attempt)
            if key is not None:
                numbered[key] = attempt
        if row.tag == _LEAF:
            if whole(row, "position") == 0 and attempt.certificate is None:
                attempt.certificate = text(row, "sha256")
            return
        stage, outcome = STEPS[row.tag]
        step = Step(row, outcome)
        if stage is Stage.X224:
            attempt.x224 = attempt.x224 or step
            attempt.requested, attempt.cookie = whole(row, "requested"), text(row, "cookie")
        elif stage is Stage.TLS:
            attempt.hellos.setdefault(text(row, "hello") or CLIENT_HELLO, step)
        else:
            # A recording goes on after the challenge: what came of it counts.
            if attempt.nla is None or (attempt.nla.passed and not step.passed):
                attempt.nla = step
            attempt.computer = text(row, "dns_computer") or text(row, "computer") or attempt.computer


def source_of(rows: Iterable[Observation]) -> Source:
    """Whose word a conclusion is: that of the first row it rests on."""
    return next((row.source for row in rows), Source.PROBE)


def derived(tag: str, stage: Stage, args: Mapping[str, Value], rows: Iterable[Observation]) -> Observation:
    """A conclusion from `rows`. It has no time of its own."""
    return Observation(f"derived.{tag}", args, stage, source_of(rows), None)
