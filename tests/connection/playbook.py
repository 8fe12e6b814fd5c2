"""Conversations as lists of what happens to a machine, and what it must have said and concluded.

An event is bytes (they arrive, after a millisecond), EOF, RESET, or seconds that pass. Between events
everything the machine wants to send is taken, as the driver does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.connection.machine import Ended, How

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rdpdoctor.connection.machine import Machine

START = 1000.0
TIMEOUT = 8.0
TICK = 0.001


class Fate(Enum):
    EOF = auto()
    RESET = auto()


EOF, RESET = Fate.EOF, Fate.RESET
#: Past any deadline of these tests.
SILENCE = 100.0

Event: TypeAlias = "bytes | Fate | float"

#: How the machine must name an ending that befalls it before a byte of the answer came, and after one did.
FATES: dict[str, tuple[Event, How, How]] = {
    "eof": (EOF, How.CLOSED, How.CLOSED),
    "reset": (RESET, How.RESET, How.RESET),
    "silence": (SILENCE, How.SILENT, How.STALLED),
}


@dataclass
class Play:
    """One run of a machine; `sent` has one entry for each time that it had something to say."""

    machine: Machine[object]
    now: float = START
    sent: list[bytes] = field(default_factory=list)

    def begin(self) -> Play:
        self.machine.begin(self.now)
        self._take()
        return self

    def go(self, *events: Event) -> Play:
        for event in events:
            match event:
                case bytes():
                    self.now += TICK
                    self.machine.receive(event, self.now)
                case Fate.EOF:
                    self.machine.eof(self.now)
                case Fate.RESET:
                    self.machine.reset(self.now)
                case seconds:
                    self._wait(self.now + seconds)
            self._take()
        return self

    @property
    def outcome(self) -> object | None:
        return self.machine.outcome

    @property
    def ended(self) -> Ended:
        outcome = self.machine.outcome
        assert isinstance(outcome, Ended), outcome
        return outcome

    def _wait(self, until: float) -> None:
        """Let time pass as the driver does: `wake` at each deadline on the way."""
        while self.machine.outcome is None and (at := self.machine.deadline) is not None and at <= until:
            self.now = max(self.now, at)
            self.machine.wake(self.now)
            self._take()
        self.now = until

    def _take(self) -> None:
        if output := self.machine.take_output():
            self.sent.append(output)


def play(machine: Machine[object], *events: Event) -> Play:
    return Play(machine).begin().go(*events)


def told(ended: Ended, **expected: Any) -> None:
    """`ended` has these fields; the others are not looked at."""
    found = {name: getattr(ended, name) for name in expected}
    assert found == expected, ended


def single(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
