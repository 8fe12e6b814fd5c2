"""TCP to every address of the name as a client does: in order, the next one when one is slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.net.clock import monotonic, ms
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import TCP_TAGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_ADDRESSES = 8
_STAGGER = 0.3  # RFC 8305 section 5 allows 100 ms to 2 s


async def run(context: Context) -> None:
    """Leaves the first connection in `context.walk`; slower addresses go on in the background."""
    won = asyncio.Event()

    async def one(address: str) -> None:
        attempt = Attempt(context, "walk", address=address, cookie=context.cookie)
        began = monotonic()
        try:
            if not await attempt.open():
                return
        except asyncio.CancelledError:
            # The check is over before this address has answered; the others need not wait for it any longer.
            context.emit("tcp.silent", address=address, port=context.port, waited_ms=ms(monotonic() - began))
            raise
        if context.walk is None:
            context.walk = attempt
            won.set()
        else:
            await attempt.close()

    tasks = []
    for address in context.addresses[:_ADDRESSES]:
        tasks.append(asyncio.create_task(one(address)))
        context.background.append(tasks[-1])
        waiting = [asyncio.create_task(won.wait()), tasks[-1]]
        await asyncio.wait(waiting, timeout=_STAGGER, return_when=asyncio.FIRST_COMPLETED)
        waiting[0].cancel()
        if won.is_set():
            return
    pending = set(tasks)
    while pending and not won.is_set():
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)


PROBE = Probe(
    id="tcp",
    title="Connect to the port",
    phase=Phase.WALK,
    emits=TCP_TAGS,
    connections=1,
    due=lambda context: None if context.addresses else "the name has no address",
    run=run,
)
