"""What facts of a machine add (the contract, "What recorded evidence gives"): a stage fails where one of them
lets no connection succeed; what is unsafe or about to break is a warning.

What was measured stands above them: a port that took a connection is open, whatever a file of another moment
says, and one that did not is shut in the way that was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.facts import WALK, Source, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from rdpdoctor.diagnosis.conclusions import Conclusions
    from rdpdoctor.diagnosis.view import View

READ = "host.read"
_MEASURED = frozenset({Source.PROBE, Source.CAPTURE})
_PASSED = (Status.OK, Status.WARNING)
#: Another client's test, which the machine's state does not decide alone.
_ELSEWHERE = "test.failed"


def add(view: View, conclusions: Conclusions, judged: MutableMapping[Stage, Judged | None]) -> None:
    """Judge the stages that facts of a machine tell of and nothing else does."""
    if READ not in view:
        return
    measured = any(row.source in _MEASURED for rows in view.by_tag.values() for row in rows)
    found = list(conclusions.each("host"))
    if not measured:
        for one in found:
            stage = Stage(one["at"])
            before = judged.get(stage)
            if (
                one["weight"] == "breaks"
                and stage in WALK
                and (before is None or before.status is not Status.FAILED)
            ):
                judged[stage] = _judged(Status.FAILED, one)
    for one in found:
        stage = Stage(one["at"])
        if one["means"] == "test.opened" and not measured and judged.get(stage) is None:
            judged[stage] = _judged(Status.OK, one)
        before = judged.get(stage)
        if one["weight"] == "breaks" and measured and one["means"] != _ELSEWHERE:
            if before is not None and before.status in _PASSED and judged.get(Stage.HOST) is None:
                key = "host.denied" if one["says"] is None else "host.denied-setting"
                judged[Stage.HOST] = Judged(Status.WARNING, key, one)
            continue
        if one["weight"] != "warns":
            continue
        if measured or stage not in WALK:
            stage = Stage.HOST
        before = judged.get(stage)
        if before is None or before.status is Status.OK:
            judged[stage] = _judged(Status.WARNING, one)


def _judged(status: Status, found: Mapping[str, Any]) -> Judged:
    if found["says"] is None:
        return Judged(status, f"host.{found['means']}", found)
    return Judged(status, "host.by-policy" if found["by"] == "policy" else "host.set", found)
