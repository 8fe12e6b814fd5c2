"""Which experiment is worth its time, from the same tables that judge its result; and what came of it.

    while causes that explain the failure are not separated
        run the experiment that is expected to tell most about them for each second it takes

Each one leaves its trace in the journal: what each cause predicted, what happened, what that ruled out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal
from rdpdoctor.probes import PROBES, Phase
from rdpdoctor.probes.base import X224_ENDINGS, walk_failed_at
from rdpdoctor.probes.context import TOTAL_UNHEALTHY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.diagnosis.foresee import Worth
    from rdpdoctor.facts import Observation
    from rdpdoctor.probes.base import Experiment
    from rdpdoctor.probes.context import Context

#: Bits below which an experiment is not worth a connection: it would change the odds by little.
ENOUGH = 0.06
#: Seconds an experiment takes from which on others run beside it.
SLOW = 1.0
#: What any server has to answer somehow: TLS, CredSSP or both.
_PLAIN_REQUESTS = frozenset({0x01, 0x03, 0x0B})
#: Seconds until a server, or what counts its connections, has seen that the last of ours are closed.
_SETTLING = 0.3
_CLIENT_HELLOS = frozenset({"client", "TLS 1.2", "TLS 1.3"})


class Planner:
    """The experiments of one check."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.done: set[str] = set()

    async def run(self) -> None:
        """One after the other, as long as one is worth it. Slow ones run side by side."""
        if self.context.settings.everything:
            for experiment in self._left():
                await self._one(experiment, None)
            return
        told = self.context.settings.codes or self.context.settings.answers
        if not self._failed() and not told:
            return
        if self._failed() or self.context.settings.codes:
            self.context.allow(TOTAL_UNHEALTHY)
        while chosen := self._choose():
            await self._all(chosen)

    async def run_beside(self) -> None:
        """A first round of those that need not be alone, while something else still runs."""
        if not self.context.settings.everything and self._failed():
            await self._all([pair for pair in self._choose() if not pair[0].alone])

    async def _all(self, chosen: list[tuple[Experiment, Worth]]) -> None:
        async with asyncio.TaskGroup() as group:
            for experiment, worth in chosen:
                group.create_task(self._one(experiment, worth))

    def _failed(self) -> bool:
        """The walk died, or what should go as the walk did not."""
        context = self.context
        if context.walk is None:
            return False
        asked = {row.args.get("requested") for row in context.journal.tagged(*X224_ENDINGS)}
        again = context.journal.tagged("tcp.refused", "tcp.silent")
        odd = asked & _PLAIN_REQUESTS or any(row.args.get("role") not in (None, "walk") for row in again)
        return bool(odd) or walk_failed_at(context) is not None or self._died_as_client()

    def _died_as_client(self) -> bool:
        """What clients do failed, though the walk passed: a handshake broke off with no word of versions
        or suites, or a request was refused that the walk's answer would have fitted.
        """
        journal = self.context.journal
        died = journal.tagged("tls.closed", "tls.reset", "tls.silent", "tls.stalled")
        refused = journal.tagged("x224.failure")
        got = {
            row.args.get("selected") for row in journal.tagged("x224.selected") if row.args["role"] == "walk"
        }
        if any(row.args.get("hello") in _CLIENT_HELLOS for row in died) or journal.first("tls.malformed"):
            return True
        return any(
            isinstance(one, int) and one and one & int(str(row.args["requested"])) == one
            for one in got
            for row in refused
        )

    def _left(self) -> Iterator[Experiment]:
        everything = self.context.settings.everything and self.context.walk is not None
        for probe in PROBES:
            if probe.phase is Phase.EXPERIMENT and (everything or probe.due(self.context) is None):
                for experiment in probe.offers(self.context):
                    if experiment.id not in self.done:
                        yield experiment

    def _choose(self) -> list[tuple[Experiment, Worth]]:
        """The best one; with it, where it is slow, the others that are worth their time."""
        from rdpdoctor.diagnosis.foresee import Option, Outcome, weigh
        from rdpdoctor.diagnosis.view import View
        from rdpdoctor.knowledge import load

        context = self.context
        if View(context.journal).shutout is not None:
            return []  # whoever counts our connections would answer instead of the server
        room = context.gate.total - context.gate.made
        offered = {
            one.id: one
            for one in self._left()
            if one.seconds < context.left() and (one.connections <= room or one.alone)
        }
        options = [
            Option(one.id, one.seconds, tuple(Outcome(name, rows) for name, rows in one.outcomes.items()))
            for one in offered.values()
        ]
        worth = [
            (offered[each.option.id], each)
            for each in weigh(context.journal, options, load())
            if each.bits >= ENOUGH
        ]
        if not worth or worth[0][0].alone:
            return worth[:1]
        slow = [pair for pair in worth if pair[0].seconds >= SLOW and not pair[0].alone]
        return slow if worth[0] in slow and not context.one_at_a_time else worth[:1]

    async def _one(self, experiment: Experiment, worth: Worth | None) -> None:
        context = self.context
        self.done.add(experiment.id)
        if experiment.alone:
            await asyncio.sleep(_SETTLING)
        context.emit(
            "experiment.begun",
            experiment=experiment.id,
            bits=None if worth is None else worth.bits,
            predictions={} if worth is None else dict(worth.predictions),
        )
        seen = len(context.journal)
        try:
            await experiment.run()
        except Exception as error:  # a fault of ours in one experiment does not end the others
            context.crashed(experiment.id, error)
        # Others may have run beside it.
        own = [row for row in list(context.journal)[seen:] if experiment.concerns(row)]
        fell, rose = ([], []) if worth is None else self._changes(own)
        context.emit(
            "experiment.ended",
            experiment=experiment.id,
            outcome=experiment.judge(own),
            ruled_out=fell,
            raised=rose,
        )

    def _changes(self, own: list[Observation]) -> tuple[list[str], list[str]]:
        """Which causes these observations rule out, and which stand only with them."""
        from rdpdoctor.diagnosis import diagnose
        from rdpdoctor.diagnosis.foresee import standing
        from rdpdoctor.knowledge import load

        journal, knowledge = self.context.journal, load()
        without = Journal(journal.target, journal.started)
        ids = set(map(id, own))
        without.extend(row for row in journal if id(row) not in ids)
        before, after = diagnose(without, knowledge), diagnose(journal, knowledge)
        stood, stand = standing(before, knowledge), standing(after, knowledge)
        old, new = (
            [cause.id for cause in each.causes if cause.confidence == "ruled-out"] for each in (before, after)
        )
        fell = [name for name in (*stood, *new) if name not in stand and name not in old]
        return list(dict.fromkeys(fell)), [name for name in stand if name not in stood]
