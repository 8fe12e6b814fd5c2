"""The same again, one at a time: does it always end like this, and does it matter that several were open?"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.probes import foretell
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import (
    NLA_ENDINGS,
    TCP_TAGS,
    TLS_TAGS,
    X224_TAGS,
    Experiment,
    Phase,
    Probe,
    known_otherwise,
    walk_ending,
    walk_failed_at,
)

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_TIMES = 10
_APART = 0.05  # seconds
_LEAST = 2  # one alone says nothing about sameness
_SPARE = 5  # connections left for a crowd, and one to wait on
# An ending that costs its whole patience each time, or that a server has to mean, is repeated less; silence
# not at all: the comparisons have waited for it often enough.
_FEWER = {"silent": 0, "stalled": 1, "alerted": 2, "malformed": 2, "declined": 2, "error": 1}


async def _repeat(context: Context, times: int) -> None:
    for number in range(times):
        # What counts connections, or serves one at a time, has to see that the last one is closed.
        await asyncio.sleep(_APART if number else 0.0)
        async with Attempt(context, "repeat", variant="alone", cookie=context.cookie) as attempt:
            await attempt.proceed(credssp=True)


def offers(context: Context) -> tuple[Experiment, ...]:
    spare = _SPARE if walk_failed_at(context) is None else 0
    room = context.gate.total - context.gate.made - spare
    wanted = _FEWER.get(walk_ending(context) or "", _TIMES)
    times = min(wanted, room)
    if times < max(1, min(wanted, _LEAST)):
        return ()
    half = times // 2
    as_before = foretell.alike(context, range(half), "repeat", "alone")
    if walk_failed_at(context) is None:
        outcomes = {
            "same": foretell.alike(context, range(times), "repeat", "alone"),
            "some-fail": (*as_before, *foretell.dropped(context, range(half, times), "repeat", "alone")),
        }
    else:
        outcomes = {
            "same": foretell.alike(context, range(times), "repeat", "alone"),
            "some-pass": (*as_before, *foretell.passing(context, range(half, times), "repeat", "alone")),
            "passes": foretell.passing(context, range(times), "repeat", "alone"),
        }
    return (
        Experiment(
            id="repeat",
            seconds=times * context.another(),
            connections=times,
            outcomes=outcomes,
            run=partial(_repeat, context, times),
            concerns=lambda row: row.args.get("variant") == "alone",
            judge=partial(foretell.fared, context),
            alone=True,
        ),
    )


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if known_otherwise(context) is None else ""


PROBE = Probe(
    id="repeat",
    title="Try the same again, alone",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS, "nla.challenged", "nla.answered", *NLA_ENDINGS),
    connections=_TIMES,
    due=due,
    offers=offers,
)
