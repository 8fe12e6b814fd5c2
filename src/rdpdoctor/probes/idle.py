"""How long a connection stays open on which nobody speaks, where the user says that it dies after a while."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.net.clock import monotonic, ms
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import TCP_TAGS, TLS_TAGS, X224_TAGS, Experiment, Phase, Probe, walk_failed_at

if TYPE_CHECKING:
    from rdpdoctor.facts import Value
    from rdpdoctor.probes.context import Context

#: Seconds: of the time that is left, so much is kept for the rest; shorter waits show nothing.
_KEPT, _LEAST = 2.0, 3.0


async def _wait(context: Context) -> None:
    async with Attempt(context, "repeat", variant="idle", cookie=context.cookie) as attempt:
        await attempt.proceed()
        if attempt.selected is None or not attempt.connected:
            return
        began = monotonic()
        how, _ = await attempt.listen(max(0.0, context.left() - _KEPT))
        context.emit("path.idle", ended=how, waited_ms=ms(monotonic() - began), address=attempt.address)


def offers(context: Context) -> tuple[Experiment, ...]:
    wait = context.left() - _KEPT
    if wait < _LEAST:
        return ()

    def imagined(ended: str) -> tuple[Observation, ...]:
        args: dict[str, Value] = {"ended": ended, "waited_ms": wait * 1000, "address": context.address}
        return (Observation("path.idle", args, Stage.PATH),)

    return (
        Experiment(
            id="idle",
            seconds=wait,
            connections=1,
            outcomes={"stays": imagined("stays"), "closes": imagined("closed")},
            run=partial(_wait, context),
            concerns=lambda row: row.tag == "path.idle",
            judge=lambda rows: (
                "unknown" if not rows else "stays" if rows[0].args["ended"] == "stays" else "closes"
            ),
        ),
    )


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    after_a_while = context.settings.answers.get("moment") == "after-a-while"
    return None if after_a_while and walk_failed_at(context) is None else ""


PROBE = Probe(
    id="idle",
    title="Wait on a connection on which nobody speaks",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS, "path.idle"),
    connections=1,
    due=due,
    offers=offers,
)
