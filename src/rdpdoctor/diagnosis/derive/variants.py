"""Whether changing one thing changed the outcome.

Only where the ordinary attempts agree among themselves: if the same thing passes one time and fails the
next, a variant that passes proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.endings import PLAIN_REQUESTS, STAGES
from rdpdoctor.diagnosis.view import UNCHANGED, Args, View, derived
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: "retry": of a recording, what its client tried beside the connection that decides.
_NOT_AN_EXPERIMENT = UNCHANGED | {"identify", "retry"}


def derive(view: View) -> Iterator[Observation]:
    for stage in STAGES:
        ordinary = [step for attempt in view.ordinary(stage) if (step := attempt.at(stage)) is not None]
        if not ordinary or len({step.passed for step in ordinary}) > 1:
            continue
        others = _other_fates(view) if stage is Stage.X224 else frozenset()
        for attempt in view.attempts:
            step = attempt.at(stage)
            if step is None or attempt.variant in _NOT_AN_EXPERIMENT or stage not in _reach(attempt.variant):
                continue
            args: Args = {"at": stage.value, "variant": attempt.variant, "outcome": step.outcome}
            rows = [step.row, ordinary[0].row]
            if step.passed is ordinary[0].passed:
                yield derived("same", Stage.PATH, args, rows)
            elif step.passed not in others:
                more: Args = {
                    "better": step.passed,
                    "ordinary": ordinary[0].outcome,
                    "repeated": len(ordinary),
                }
                yield derived("variant", Stage.PATH, {**args, **more}, rows)


def _reach(variant: str) -> tuple[Stage, ...]:
    """Where a change can be seen: a cookie in the connection request, all others from the ClientHello on."""
    return (Stage.X224,) if variant.endswith("cookie") else (Stage.TLS, Stage.NLA)


def _other_fates(view: View) -> frozenset[bool]:
    """How attempts fared that changed nothing, but asked for another protocol or ran beside others. What
    fares like these does so for their reason, and not for what a variant changes.
    """
    walk = view.walk
    if walk is None:
        return frozenset()
    return frozenset(
        attempt.x224.passed
        for attempt in view.attempts
        if attempt.x224 is not None
        and attempt.unchanged
        and attempt.requested in PLAIN_REQUESTS
        and attempt.requested != walk.requested
    )
