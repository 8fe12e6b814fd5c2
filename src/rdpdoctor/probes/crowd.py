"""Several connections kept open, where a client showed a failure and the walk did not: is there a limit?"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import TCP_TAGS, TLS_TAGS, X224_TAGS, Phase, Probe, walk_failed_at

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_SIZE = 4


async def run(context: Context) -> None:
    async with AsyncExitStack() as crowd:
        for _ in range(_SIZE):
            attempt = Attempt(context, "repeat", cookie=context.cookie)
            await crowd.enter_async_context(attempt)
            # All the way through TLS: there are servers (weston) that serve nobody else before that.
            if attempt.connected and await attempt.initiate() and attempt.over_tls:
                await attempt.handshake()


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if context.settings.codes and walk_failed_at(context) is None else ""


PROBE = Probe(
    id="crowd",
    title="Keep several connections open",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS),
    connections=_SIZE,
    due=due,
    run=run,
)
