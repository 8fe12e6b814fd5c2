"""The same again, one at a time: does it always end like this, and does it matter that several were open at
once?
"""

from __future__ import annotations

from rdpdoctor.probes.attempt import COMPARE_WAIT, ORDINARY, Attempt
from rdpdoctor.probes.base import (
    NLA_ENDINGS,
    TCP_TAGS,
    TLS_TAGS,
    X224_ENDINGS,
    X224_TAGS,
    Phase,
    Probe,
    walk_ending,
)
from rdpdoctor.probes.context import TOTAL_UNHEALTHY, Context

_TIMES = 6
_TIMES_SLOW = 2  # where each one costs its whole patience
_SLOW = ("silent", "stalled")


def _odd(context: Context) -> bool:
    """An ordinary request of the matrix died although the walk passed that stage."""
    ordinary = (1, 3, ORDINARY)
    return any(
        row.args.get("role") != "walk" and row.args.get("requested") in ordinary
        for row in context.journal.tagged(*X224_ENDINGS)
    ) or any(row.args.get("role") == "repeat" for row in context.journal.tagged("tcp.refused", "tcp.silent"))


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if walk_ending(context) or _odd(context) else ""


async def run(context: Context) -> None:
    context.allow(TOTAL_UNHEALTHY)
    slow = walk_ending(context) in _SLOW
    for _ in range(_TIMES_SLOW if slow else _TIMES):
        async with Attempt(context, "repeat", variant="alone", cookie=context.cookie) as attempt:
            if not attempt.connected or not await attempt.initiate(COMPARE_WAIT) or not attempt.over_tls:
                continue
            if await attempt.handshake(COMPARE_WAIT) and attempt.wants_credssp:
                await attempt.credssp(COMPARE_WAIT)


PROBE = Probe(
    id="repeat",
    title="Try the same again, alone",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS, "nla.challenged", "nla.answered", *NLA_ENDINGS),
    connections=_TIMES,
    due=due,
    run=run,
)
