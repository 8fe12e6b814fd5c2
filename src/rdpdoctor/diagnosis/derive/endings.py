"""How the attempts at each stage ended: all of them, the identical ones, and whether company made a
difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, Step, View, derived, text, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STAGES = (Stage.X224, Stage.TLS, Stage.NLA)
#: What any server must answer in some way. One that drops a request for RDSTLS or RDSAAD merely does not
#: know it.
PLAIN_REQUESTS = (0x00, 0x01, 0x03, 0x0B)


def derive(view: View) -> Iterator[Observation]:
    yield from _dials(view)
    for stage in STAGES:
        steps = _steps(view, stage)
        if steps:
            yield _endings(view, stage, steps)
        yield from _repeats(view, stage)
    yield from _crowding(view)
    yield from _shut_out(view)


def _dials(view: View) -> Iterator[Observation]:
    """Several tries to connect to one address of which some got through and some did not."""
    if view.shutout is not None and view.shutout.dialled:
        return
    by_address: dict[str, list[tuple[str, Observation]]] = {}
    for outcome in ("connected", "refused", "rejected", "silent"):
        for row in view.all(f"tcp.{outcome}"):
            by_address.setdefault(text(row, "address") or "", []).append((outcome, row))
    mixed = [each for each in by_address.values() if len({outcome == "connected" for outcome, _ in each}) > 1]
    if not mixed:
        return
    tries = [each for tries in mixed for each in tries]
    alone, beside = _company(view, tries)
    alone_failed, crowded = alone.count(False), beside.count(False)
    crowded_only = True in alone and not alone_failed and bool(crowded)
    failed = [] if crowded_only else [outcome for outcome, _ in tries if outcome != "connected"]
    attempts = len(alone) if crowded_only else len(tries)
    args: Args = {
        "at": Stage.TCP.value,
        "attempts": attempts,
        "passed": attempts - len(failed),
        "failed": len(failed),
        "ways": distinct(failed),
        "mixed": bool(failed),
        "alone_passed": alone.count(True),
        "alone_failed": alone_failed,
        "crowded_passed": beside.count(True),
        "crowded_failed": crowded,
        "crowded_only": crowded_only,
        "crowded_ways": distinct(outcome for outcome, _ in tries if outcome != "connected")
        if crowded
        else [],
        "ends_later": _ends_later(view, STAGES),
    }
    yield derived("repeats", Stage.PATH, args, [row for _, row in tries])


def _company(view: View, tries: list[tuple[str, Observation]]) -> tuple[list[bool], list[bool]]:
    """Whether each try got through, of those alone and of those beside others. What got through and then said
    nothing of its company is in neither.
    """
    fates = [(attempt.at_once, True) for attempt in view.attempts if attempt.x224 is not None]
    fates += [(whole(row, "at_once") or 1, False) for outcome, row in tries if outcome != "connected"]
    return [fate for count, fate in fates if count <= 1], [fate for count, fate in fates if count > 1]


def _steps(view: View, stage: Stage) -> list[Step]:
    if stage is Stage.TLS:
        return [step for _, step in view.hello_steps()]
    return [step for attempt in view.attempts if (step := attempt.at(stage)) is not None]


def _endings(view: View, stage: Stage, steps: list[Step]) -> Observation:
    failed = [step for step in steps if not step.passed]
    ways = distinct(step.outcome for step in failed)
    leading = view.leading(stage)
    args: Args = {
        "at": stage.value,
        "attempts": len(steps),
        "passed": len(steps) - len(failed),
        "failed": len(failed),
        "ways": ways,
        "every": len(failed) == len(steps) and len(ways) == 1,
        "walk": leading.outcome if leading is not None else None,
    }
    return derived("endings", Stage.PATH, args, [step.row for step in steps])


def _repeats(view: View, stage: Stage) -> Iterator[Observation]:
    """Attempts that were the same for the server. One alone says nothing about sameness.

    Where all that ran alone passed, those that ran beside others and failed did so for the company: they were
    not the same for the server, and only the lone ones count as attempts here.
    """
    pairs = view.fates(stage)
    if len(pairs) < 2:
        return
    alone = [step for attempt, step in pairs if attempt.at_once <= 1]
    beside = [step for attempt, step in pairs if attempt.at_once > 1]
    alone_failed = sum(1 for step in alone if not step.passed)
    crowded = [step for step in beside if not step.passed]
    crowded_only = bool(alone) and not alone_failed and bool(crowded)
    alike = alone if crowded_only else [step for _, step in pairs]
    failed = [step for step in alike if not step.passed]
    args: Args = {
        "at": stage.value,
        "attempts": len(alike),
        "passed": len(alike) - len(failed),
        "failed": len(failed),
        "ways": distinct(step.outcome for step in failed),
        "mixed": 0 < len(failed) < len(alike),
        "alone_passed": len(alone) - alone_failed,
        "alone_failed": alone_failed,
        "crowded_passed": len(beside) - len(crowded),
        "crowded_failed": len(crowded),
        "crowded_only": crowded_only,
        "crowded_ways": distinct(step.outcome for step in crowded),
        "ends_later": _ends_later(view, STAGES[STAGES.index(stage) + 1 :]),
    }
    yield derived("repeats", Stage.PATH, args, [step.row for _, step in pairs])


def _ends_later(view: View, later: Iterable[Stage]) -> bool:
    """Whether at one of these stages every attempt dies that comes so far: passing now and then before that
    does not help anybody.
    """
    for stage in later:
        steps = [step for attempt in view.ordinary(stage) if (step := attempt.at(stage)) is not None]
        if len(steps) > 1 and not any(step.passed for step in steps):
            return True
    return False


def _crowding(view: View) -> Iterator[Observation]:
    """Whether connection requests die for being many, whatever they ask for.

    `from_count`: the least number open at once among those that died, where all smaller numbers passed.
    """
    steps = [
        (attempt.at_once, attempt.x224)
        for attempt in view.heard
        if attempt.x224 is not None and attempt.requested in PLAIN_REQUESTS
    ]
    dropped = [(count, step) for count, step in steps if step.outcome in ("closed", "reset", "silent")]
    answered = [count for count, step in steps if step.passed]
    if not answered or not dropped or min(count for count, _ in dropped) <= 1:
        return
    least = min(count for count, _ in dropped)
    args: Args = {
        "answered": len(answered),
        "dropped": len(dropped),
        "ended": sum(1 for _, step in dropped if step.outcome != "silent"),
        "beside": len(dropped) + sum(1 for count in answered if count >= least),
        "from_count": least,
        "answered_below": sum(1 for count in answered if count < least),
        "answered_above": sum(1 for count in answered if count >= least),
        "ways": distinct(step.outcome for _, step in dropped),
    }
    yield derived("crowding", Stage.X224, args, [step.row for _, step in steps if step])


def _shut_out(view: View) -> Iterator[Observation]:
    found = view.shutout
    if found is not None:
        args: Args = {
            "at": (Stage.TCP if found.dialled else Stage.X224).value,
            "passed": found.passed,
            "failed": len(found.rows),
            "ways": list(found.ways),
        }
        yield derived("shut-out", Stage.PATH, args, found.rows)


def distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
