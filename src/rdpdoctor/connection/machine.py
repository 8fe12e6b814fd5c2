"""What every machine of this room is: bytes and moments in, bytes and one outcome out. No I/O, no clock.

A machine does one stage of a connection. The driver calls `begin` once, then sends whatever `take_output`
gives, hands over what arrives (`receive`), and what befalls the socket (`eof`, `reset`); when `deadline`
passes it calls `wake`. As soon as `outcome` is set the machine is done: either the stage's own result, or
`Ended`. Bytes that came after the stage's last message are in `leftover` and belong to the next machine.

Times are seconds of any one monotonic clock. No message is trusted to come in one piece, nor to end at all:
every machine bounds what it keeps (`Ended.how` is MALFORMED beyond that) and how long it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rdpdoctor.facts import Stage


#: What a stage comes to when it ends well.
Result = TypeVar("Result", covariant=True)


class How(StrEnum):
    """The ways a stage can die: seven facts that nobody can tell apart later."""

    CLOSED = "closed"  # FIN, or TLS close_notify
    RESET = "reset"  # RST
    SILENT = "silent"  # nothing came until the deadline
    STALLED = "stalled"  # something came, then nothing until the deadline
    MALFORMED = "malformed"  # what came breaks the protocol
    ALERTED = "alerted"  # TLS alert
    DECLINED = "declined"  # refused in the protocol itself, by a valid message
    REJECTED = "rejected"  # our own side could not go on with what came


@dataclass(frozen=True, slots=True)
class Ended:
    """A stage that died.

    after: the last message exchanged whole ("connection-request", "client-hello", "server-hello",
    "certificate" …). sent, received: bytes of this stage. elapsed: seconds since `begin`. code: alert,
    NTSTATUS or failure code.
    """

    stage: Stage
    how: How
    after: str
    sent: int
    received: int
    elapsed: float
    code: int | None = None
    detail: str = ""
    sample: bytes = b""  # the first bytes that did not fit, at most 64


class Machine(Protocol[Result]):
    @property
    def stage(self) -> Stage: ...
    @property
    def deadline(self) -> float | None: ...
    @property
    def leftover(self) -> bytes: ...
    @property
    def outcome(self) -> Result | Ended | None: ...
    def begin(self, now: float) -> None: ...
    def take_output(self) -> bytes: ...
    def receive(self, data: bytes, now: float) -> None: ...
    def eof(self, now: float) -> None: ...
    def reset(self, now: float) -> None: ...
    def wake(self, now: float) -> None: ...
