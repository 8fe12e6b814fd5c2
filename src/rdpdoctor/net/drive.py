"""Let a machine have its conversation over a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.connection.machine import Machine
    from rdpdoctor.net.connection import Connection

_READ = 65536
#: For a stage that has no deadline of its own; none of ours is without.
_PATIENCE = 30.0
#: For parting words, such as our own alert: no answer is expected any more.
_PARTING = 0.5


async def drive(connection: Connection, machine: Machine) -> object:
    """The machine's outcome, whatever the peer does. Only cancellation and our own faults raise."""
    loop = asyncio.get_running_loop()
    machine.begin(loop.time())
    last = loop.time() + _PATIENCE
    broken = False  # writing failed: what had arrived before is still to be read
    while machine.outcome is None:
        deadline = last if machine.deadline is None else machine.deadline
        if loop.time() >= deadline:
            machine.wake(max(loop.time(), deadline))
            if machine.outcome is None and loop.time() >= last:
                raise RuntimeError("the machine has neither outcome nor deadline")
            continue
        output = b"" if broken else machine.take_output()
        try:
            if output:
                await connection.send(output, deadline)
        except TimeoutError:
            machine.wake(max(loop.time(), deadline))
            continue
        except ConnectionResetError:
            broken = True
        await _receive(connection, machine, deadline, broken)
    parting = b"" if broken else machine.take_output()
    if parting:
        try:
            await connection.send(parting, loop.time() + _PARTING)
        except (TimeoutError, ConnectionResetError):
            return machine.outcome
    return machine.outcome


async def _receive(connection: Connection, machine: Machine, deadline: float, broken: bool) -> None:
    loop = asyncio.get_running_loop()
    try:
        data = await connection.receive(_READ, deadline)
    except ConnectionResetError:
        machine.reset(loop.time())
    except TimeoutError:
        machine.wake(max(loop.time(), deadline))
    else:
        if data:
            machine.receive(data, loop.time())
        elif broken:
            machine.reset(loop.time())
        else:
            machine.eof(loop.time())
