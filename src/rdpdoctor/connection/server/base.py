"""What the server's machines have in common: one message awaited, one deadline, one outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.facts import Stage


class ServerMachine(ABC):
    """A `machine.Machine` that waits for the client. `timeout` in seconds bounds the whole stage."""

    stage: ClassVar[Stage]

    def __init__(self, timeout: float, after: str) -> None:
        self.deadline: float | None = None
        self.leftover = b""
        self._timeout = timeout
        self._after = after
        self._began = 0.0
        self._sent = 0
        self._received = 0
        self._output = bytearray()
        self._outcome: object | None = None

    @property
    def outcome(self) -> object | None:
        return self._outcome

    def begin(self, now: float) -> None:
        self._began = now
        self.deadline = now + self._timeout

    def take_output(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        self._sent += len(output)
        return output

    def receive(self, data: bytes, now: float) -> None:
        if self._outcome is not None:
            self.leftover += data
            return
        self._received += len(data)
        try:
            self._advance(data, now)
        except Malformed as error:
            self._end(How.MALFORMED, now, detail=str(error), sample=error.sample)

    def eof(self, now: float) -> None:
        if self._outcome is None:
            self._end(How.CLOSED, now)

    def reset(self, now: float) -> None:
        if self._outcome is None:
            self._end(How.RESET, now)

    def wake(self, now: float) -> None:
        if self._outcome is None and self.deadline is not None and now >= self.deadline:
            self._end(How.STALLED if self._received else How.SILENT, now)

    @abstractmethod
    def _advance(self, data: bytes, now: float) -> None: ...

    def _finish(self, outcome: object) -> None:
        self._outcome = outcome
        self.deadline = None

    def _end(
        self, how: How, now: float, *, code: int | None = None, detail: str = "", sample: bytes = b""
    ) -> None:
        sent = self._sent + len(self._output)
        elapsed = now - self._began
        self._finish(
            Ended(self.stage, how, self._after, sent, self._received, elapsed, code, detail, sample[:64])
        )
