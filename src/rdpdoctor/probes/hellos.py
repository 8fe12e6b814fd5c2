"""The ClientHellos that are still to be asked in a check, and what was answered: each on a connection of
its own.

Any attempt whose server has just selected TLS can take the next one along. It must do so at once: there are
servers
(weston) that wait for a ClientHello with everybody else standing in line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdpdoctor.wire.tls_record import Version, version_name
from rdpdoctor.wire.tls_suites import LEGACY, MODERN, for_version

if TYPE_CHECKING:
    from rdpdoctor.connection.hello import HelloAnswered
    from rdpdoctor.connection.machine import Ended
    from rdpdoctor.probes.attempt import Attempt

VERSIONS = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10, Version.SSL30)
ASKED = MODERN + LEGACY


@dataclass(eq=False, slots=True)
class Question:
    """One hello. answer None: it has not come to that."""

    version: Version
    suites: tuple[int, ...]
    answer: HelloAnswered | Ended | None = None


@dataclass(slots=True)
class Hellos:
    """`completed`: the version of the walk's own handshake, None where that failed."""

    completed: str | None
    questions: list[Question] = field(default_factory=list)
    _next: int = 0

    @staticmethod
    def plan(completed: str | None) -> Hellos:
        """The walk's own handshake has already told about its version, and about any newer one.

        A server takes the newest version that it has and that is no newer than the hello's (RFC 5246 E.1),
        so one
        hello for TLS 1.1 that is refused speaks for all older ones too. Where the walk failed each is asked
        by itself:
        that it is the same with all of them is evidence.
        """
        if completed is None:
            return Hellos(None, [Question(version, for_version(ASKED, version)) for version in VERSIONS])
        older = [version for version in (Version.TLS12, Version.TLS11) if version_name(version) != completed]
        return Hellos(completed, [Question(version, for_version(ASKED, version)) for version in older])

    @property
    def left(self) -> int:
        return len(self.questions) - self._next

    async def ask_next(self, attempt: Attempt) -> bool:
        """Take the next question along on an attempt on which TLS was selected. False where none is left."""
        if not self.left:
            return False
        question = self.questions[self._next]
        self._next += 1
        attempt.role = "versions"
        question.answer = await attempt.hello(question.version, question.suites)
        self._follow_up(question)
        return True

    def _follow_up(self, question: Question) -> None:
        """An old version that is spoken leaves open whether an older one is, too."""
        answered = getattr(question.answer, "version", None)
        asked = {question.version for question in self.questions}
        below = [version for version in VERSIONS if answered is not None and version < answered]
        if question.version < Version.TLS12 and below and below[0] not in asked:
            self.questions.append(Question(below[0], for_version(ASKED, below[0])))

    def skip_next(self) -> None:
        """The next question finds no connection to be asked on."""
        self._next += 1
