"""The other addresses of the name: do they go as far, and are they the same server?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import TCP_TAGS, TLS_TAGS, X224_TAGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_OTHERS = 3


def _others(context: Context) -> list[str]:
    """Addresses that have not been walked and have not failed on TCP."""
    failed = {
        row.args.get("address")
        for row in context.journal.tagged("tcp.refused", "tcp.rejected", "tcp.silent", "tcp.failed")
    }
    walked = context.walk.address if context.walk is not None else None
    return [address for address in context.addresses if address != walked and address not in failed][:_OTHERS]


async def run(context: Context) -> None:
    async def one(address: str) -> None:
        async with Attempt(
            context, "repeat", variant="ordinary", cookie=context.cookie, address=address
        ) as attempt:
            await attempt.proceed()

    async with asyncio.TaskGroup() as group:
        for address in _others(context):
            group.create_task(one(address))


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if _others(context) else "the name has one address that answers"


PROBE = Probe(
    id="addresses",
    title="Walk to the name's other addresses",
    phase=Phase.COMPARE,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS),
    connections=_OTHERS,
    due=due,
    run=run,
)
