"""Several connections kept open, where a client showed a failure and the walk did not: is there a limit?"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.probes import foretell
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import (
    TCP_TAGS,
    TLS_TAGS,
    X224_TAGS,
    Experiment,
    Phase,
    Probe,
    walk_failed_at,
)

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_SIZE = 4


async def _crowd(context: Context) -> None:
    async with AsyncExitStack() as crowd:
        for _ in range(_SIZE):
            attempt = Attempt(context, "repeat", cookie=context.cookie)
            await crowd.enter_async_context(attempt)
            # All the way through TLS: there are servers (weston) that serve nobody else before that.
            await attempt.proceed()


def offers(context: Context) -> tuple[Experiment, ...]:
    first = foretell.alike(context, [0], "repeat", "ordinary")
    others = foretell.alike(context, range(1, _SIZE), "repeat", "ordinary", at_once=_SIZE)
    full = foretell.dropped(context, range(1, _SIZE), "repeat", "ordinary", at_once=_SIZE)
    return (
        Experiment(
            id="crowd",
            seconds=_SIZE * context.another(),
            connections=_SIZE,
            outcomes={
                "same": (*first, *others),
                "some-fail": (*first, *full),
            },
            run=partial(_crowd, context),
            concerns=lambda row: row.args.get("role") == "repeat",
            judge=partial(foretell.fared, context),
        ),
    )


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if walk_failed_at(context) is None else ""


PROBE = Probe(
    id="crowd",
    title="Keep several connections open",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS),
    connections=_SIZE,
    due=due,
    offers=offers,
)
