"""target → plan → probes → journal: the story of one check. The diagnosis then reads the journal, and
nothing else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, Observation, Source, Target
from rdpdoctor.net.clock import iso, monotonic, ms, utc_now
from rdpdoctor.net.gate import Gate
from rdpdoctor.planner import SLOW, Planner
from rdpdoctor.probes import PROBES, Phase, Probe
from rdpdoctor.probes.base import walk_failed_at
from rdpdoctor.probes.context import (
    AT_ONCE,
    TOTAL_HEALTHY,
    TOTAL_UNHEALTHY,
    Context,
    Settings,
    ShownCode,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Settings", "ShownCode", "check"]

#: Kept back from the time-out for the diagnosis and the report; seconds, and at most this share of a short
#: one.
_RESERVE, _RESERVE_SHARE = 0.5, 0.1
_TOTAL_UNBOUNDED = 400
_GRACE = 1.0


async def check(
    target: Target, settings: Settings, on_observation: Callable[[Observation], None] = lambda _: None
) -> Journal:
    """Walk the connection sequence of `target` and look around where it dies. Never raises on what a peer
    does.

    When it is cancelled, it returns what is known by then, and `check.interrupted` says so.
    """
    began = monotonic()
    journal = Journal(target, iso(utc_now()))
    usable = settings.timeout - min(_RESERVE, settings.timeout * _RESERVE_SHARE)
    total = _TOTAL_UNBOUNDED if settings.all_suites or settings.everything else TOTAL_HEALTHY
    gate = Gate(AT_ONCE, total)
    context = Context(settings, journal, began, began + usable, gate, on_observation)
    _tell_given(context)
    left = list(PROBES)
    try:
        async with asyncio.timeout(context.left()):
            await _run_probes(context, left)
            await _wait_for_slow_addresses(context)
    except TimeoutError:
        context.emit("check.out-of-time", left=[probe.id for probe in left])
    except asyncio.CancelledError:
        context.emit("check.interrupted")
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
    finally:
        await context.close()
    context.emit("check.connections", made=gate.made, at_once=gate.peak)
    journal.elapsed_ms = ms(monotonic() - began)
    return journal


async def _run_probes(context: Context, left: list[Probe]) -> None:
    """Run what is due; `left` loses each probe when it is done."""
    planner = Planner(context)
    for probe in _of(Phase.WALK):
        await _run_if_due(context, probe, left)
    if context.walk is not None:
        await context.walk.close()  # one connection less on the server before others are opened
    if walk_failed_at(context) is not None:
        context.allow(TOTAL_UNHEALTHY)
    plans = context.settings.experiments
    async with asyncio.TaskGroup() as group:
        # What died slowly takes its whole patience each time, so the first experiments run beside the rest.
        if plans and context.another() >= SLOW and not context.one_at_a_time:
            group.create_task(_guarded(context, "planner", planner.run_beside()))
        for probe in _of(Phase.COMPARE):
            await _run_if_due(context, probe, left)
    if plans:
        await _guarded(context, "planner", planner.run())
    for probe in _of(Phase.EXPERIMENT):
        reason = probe.due(context) if plans else "experiments are turned off"
        if reason:
            context.emit("probe.skipped", probe=probe.id, reason=reason)
        left.remove(probe)


def _of(phase: Phase) -> list[Probe]:
    return [probe for probe in PROBES if probe.phase is phase]


async def _guarded(context: Context, what: str, work: Awaitable[None]) -> None:
    """The tool's own fault in one part, whatever it is, is a result."""
    try:
        await work
    except Exception as error:
        context.crashed(what, error)


async def _run_if_due(context: Context, probe: Probe, left: list[Probe]) -> None:
    if (reason := probe.due(context)) is None:
        await _guarded(context, probe.id, probe.run(context))
    elif reason:
        context.emit("probe.skipped", probe=probe.id, reason=reason)
    left.remove(probe)


async def _wait_for_slow_addresses(context: Context) -> None:
    """A walk that went well waits only a little for addresses that have not answered; else they are the
    evidence.
    """
    if context.background:
        grace = _GRACE if context.walk is not None else context.left()
        await asyncio.wait(context.background, timeout=grace)


def _tell_given(context: Context) -> None:
    """What the user brought along is evidence like any other."""
    for row in context.journal.target.evidence:
        context.journal.add(row)
        context.on_observation(row)
    for code in context.settings.codes:
        context.emit("code.shown", Source.CODE, reason=code.reason, extended=code.extended, text=code.text)
    for question, answer in context.settings.answers.items():
        context.emit("answer.given", Source.ANSWER, question=question, answer=answer)
