"""Let a machine have its conversation over a connection."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.connection.machine import Ended, Machine, Result
    from rdpdoctor.net.connection import Connection

_READ = 65536
#: For a stage that has no deadline of its own; none of ours is without.
_PATIENCE = 30.0
#: For parting words, such as our own alert: no answer is expected any more.
_PARTING = 0.5


async def drive(connection: Connection, machine: Machine[Result]) -> Result | Ended:
    """The machine's outcome, whatever the peer does. Only cancellation and our own faults raise.

    What came after the stage's last message is there for the next machine.
    """
    now = _clock()
    machine.begin(now())
    last = now() + _PATIENCE
    broken = False  # writing failed: what had arrived before is still to be read
    while machine.outcome is None:
        deadline = last if machine.deadline is None else machine.deadline
        if now() >= deadline:
            machine.wake(now())
            if machine.outcome is None and now() >= last:
                raise RuntimeError("the machine has neither outcome nor deadline")
            continue
        output = b"" if broken else machine.take_output()
        try:
            if output:
                await connection.send(output, deadline)
        except TimeoutError:
            machine.wake(max(now(), deadline))
            continue
        except ConnectionResetError:
            broken = True
        await _receive(connection, machine, now, deadline, broken)
    parting = b"" if broken else machine.take_output()
    if parting:
        with suppress(TimeoutError, ConnectionResetError):
            await connection.send(parting, now() + _PARTING)
    connection.unread(machine.leftover)
    return machine.outcome


async def _receive(
    connection: Connection, machine: Machine[object], now: Callable[[], float], deadline: float, broken: bool
) -> None:
    try:
        data = await connection.receive(_READ, deadline)
    except ConnectionResetError:
        machine.reset(now())
    except TimeoutError:
        machine.wake(max(now(), deadline))
    else:
        if data:
            machine.receive(data, now())
        elif broken:
            machine.reset(now())
        else:
            machine.eof(now())


def _clock() -> Callable[[], float]:
    """The loop's clock, which the deadlines go by, but finer: on Windows that one has steps of 16 ms."""
    offset = asyncio.get_running_loop().time() - time.perf_counter()
    return lambda: time.perf_counter() + offset
