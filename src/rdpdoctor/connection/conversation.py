"""What the client machines share: counting, the deadline, and telling the endings apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rdpdoctor.connection.machine import Ended, How

if TYPE_CHECKING:
    from rdpdoctor.facts import Stage

Outcome = TypeVar("Outcome")
SAMPLE = 64
#: Between the first byte and the rest of a split first flight: long enough to go out as a segment of its own.
SPLIT_PAUSE = 0.03


class Conversation(Generic[Outcome]):
    """One stage as `machine.Machine` wants it. A subclass writes to `_output`, reads in `_process`, and ends
    with `_finish` or `_end`.

    The deadline counts from `begin`, whatever drips in meanwhile. `after`: the last message exchanged whole.
    """

    stage: ClassVar[Stage]
    #: Bytes a peer may send without bringing the stage to its end.
    limit: ClassVar[int]

    def __init__(self, timeout: float, *, split_first: bool = False) -> None:
        self.deadline: float | None = None
        self.leftover = b""
        self.after = ""
        self.sent = 0
        self.received = 0
        self._timeout = timeout
        self._began = self._ends = 0.0
        self._output = bytearray()
        self._first = b""  # the first bytes that came
        self._outcome: Outcome | Ended | None = None
        self._holding = split_first

    @property
    def outcome(self) -> Outcome | Ended | None:
        return self._outcome

    def begin(self, now: float) -> None:
        if self.deadline is not None:
            raise RuntimeError("a machine begins once")
        self._began, self._ends = now, now + self._timeout
        self.deadline = min(now + SPLIT_PAUSE, self._ends) if self._holding else self._ends
        self._start(now)

    def take_output(self) -> bytes:
        """What is to be sent now. A split first flight: its first byte, and the rest after `wake`."""
        held = self._holding and self._outcome is None
        count = min(1 - self.sent, len(self._output)) if held else len(self._output)
        output = bytes(self._output[:count])
        del self._output[:count]
        self.sent += count
        if output and not self._output:
            self._went_out()
        return output

    def receive(self, data: bytes, now: float) -> None:
        if self._outcome is not None:
            self.leftover += data
            return
        self.received += len(data)
        self._first += data[: SAMPLE - len(self._first)]
        self._process(data, now)
        if self._outcome is not None:
            return
        if self.received > self.limit:
            self._end(How.MALFORMED, now, detail=f"over {self.limit} bytes and no end")
        elif now >= self._ends:
            self._expire(now)

    def eof(self, now: float) -> None:
        if self._outcome is None:
            self._end(How.CLOSED, now, detail=self._last_words())

    def reset(self, now: float) -> None:
        if self._outcome is None:
            self._end(How.RESET, now, detail=self._last_words())

    def wake(self, now: float) -> None:
        if self._outcome is not None or self.deadline is None or now < self.deadline:
            return
        self._holding = False
        self.deadline = self._ends
        if now >= self._ends:
            self._expire(now)

    # ---- for subclasses

    def _start(self, now: float) -> None:
        raise NotImplementedError

    def _process(self, data: bytes, now: float) -> None:
        raise NotImplementedError

    def _went_out(self) -> None:
        """All output has been taken."""

    def _last_words(self) -> str:
        """What the peer said before it left, where that is no ending by itself."""
        return ""

    def _has_begun(self) -> bool:
        """Whether the peer's part of this stage has begun: stalled, then, and not silent."""
        return self.received > 0

    def _elapsed(self, now: float) -> float:
        return now - self._began

    def _finish(self, outcome: Outcome | Ended, leftover: bytes = b"") -> None:
        self._outcome, self.leftover = outcome, leftover

    def _expire(self, now: float) -> None:
        self._end(How.STALLED if self._has_begun() else How.SILENT, now, detail=self._last_words())

    def _end(
        self, how: How, now: float, *, code: int | None = None, detail: str = "", sample: bytes = b""
    ) -> None:
        self._finish(
            Ended(
                stage=self.stage,
                how=how,
                after=self.after,
                sent=self.sent,
                received=self.received,
                elapsed=self._elapsed(now),
                code=code,
                detail=detail,
                sample=(sample or self._first)[:SAMPLE] if how is How.MALFORMED else b"",
            )
        )
