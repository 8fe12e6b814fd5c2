"""What the server selects for each other requestedProtocols, one connection each. From it: its security
layer, and NLA.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import (
    TCP_TAGS,
    TLS_TAGS,
    X224_TAGS,
    Phase,
    Probe,
    known_otherwise,
    walk_failed_at,
)
from rdpdoctor.probes.hellos import Hellos
from rdpdoctor.wire.nego import Protocol

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

# 0x0B is the walk's. One goes without a cookie, so that a filter on cookies shows even where the walk passes.
_SSL_HYBRID = int(Protocol.SSL | Protocol.HYBRID)
_REQUESTS = (_SSL_HYBRID, int(Protocol.SSL), int(Protocol.RDP), int(Protocol.RDSAAD), int(Protocol.RDSTLS))


async def run(context: Context) -> None:
    """Where TLS is selected, a connection takes one of our ClientHellos along before it is closed."""
    if context.walk is not None and context.walk.over_tls:
        completed = context.journal.first("tls.completed")
        context.hellos = Hellos.plan(None if completed is None else str(completed.args["version"]))

    async def one(requested: int) -> None:
        bare = requested == _SSL_HYBRID
        variant, cookie = ("no-cookie", None) if bare else ("ordinary", context.cookie)
        attempt = Attempt(context, "matrix", variant=variant, requested=requested, cookie=cookie)
        async with attempt:
            if not attempt.connected or not await attempt.initiate() or not attempt.over_tls:
                return
            if bare and walk_failed_at(context) == "x224":
                await attempt.handshake()  # what the walk did not come to see lies open here
            else:
                await context.hellos.ask_next(attempt)

    async with asyncio.TaskGroup() as group:
        for requested in _REQUESTS:
            group.create_task(one(requested))


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if known_otherwise(context) is None else "another protocol answered"


PROBE = Probe(
    id="x224-matrix",
    title="Ask for each protocol by itself",
    phase=Phase.COMPARE,
    emits=(*X224_TAGS, *TCP_TAGS, *TLS_TAGS, "tls.answered"),
    connections=len(_REQUESTS),
    due=due,
    run=run,
)
