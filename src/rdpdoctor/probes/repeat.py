"""The same again, one at a time: does it always end like this, and does it matter that several were open at
once?
"""

from __future__ import annotations

from rdpdoctor.probes.attempt import ORDINARY, Attempt
from rdpdoctor.probes.base import (
    NLA_ENDINGS,
    TCP_TAGS,
    TLS_TAGS,
    X224_ENDINGS,
    X224_TAGS,
    Phase,
    Probe,
    known_otherwise,
    walk_ending,
)
from rdpdoctor.probes.context import TOTAL_UNHEALTHY, Context

_TIMES = 6
# An ending that costs its whole patience each time, or that a server has to mean, is repeated less.
_FEWER = {"silent": 0, "stalled": 1, "alerted": 2, "malformed": 2, "declined": 2, "error": 1}


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
    if known_otherwise(context) is not None:
        return ""
    return None if (walk_ending(context) and _times(context)) or _odd(context) else ""


def _times(context: Context) -> int:
    """Silence is not repeated: the matrix and the variants have waited for it often enough."""
    return _FEWER.get(walk_ending(context) or "", _TIMES)


async def run(context: Context) -> None:
    context.allow(TOTAL_UNHEALTHY)
    for _ in range(_times(context)):
        async with Attempt(context, "repeat", variant="alone", cookie=context.cookie) as attempt:
            if not attempt.connected or not await attempt.initiate() or not attempt.over_tls:
                continue
            if await attempt.handshake() and attempt.wants_credssp:
                await attempt.credssp()


PROBE = Probe(
    id="repeat",
    title="Try the same again, alone",
    phase=Phase.ALONE,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS, "nla.challenged", "nla.answered", *NLA_ENDINGS),
    connections=_TIMES,
    due=due,
    run=run,
)
