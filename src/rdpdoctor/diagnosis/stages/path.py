"""Beside the walk: latency and loss (thresholds in `derive.path`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.conclusions import Conclusions


def judge(conclusions: Conclusions) -> Judged | None:
    found = conclusions.the("path")
    if found is None:
        return None
    # No time of its own: it is read off the other stages' connections.
    if found["slow"]:
        return Judged(Status.WARNING, "path.latency", found)
    if found["lossy"]:
        return Judged(Status.WARNING, "path.loss", found)
    if found["retransmits"]:
        return Judged(Status.OK, "path.some-loss", found)
    return Judged(Status.OK, "path.ok" if found["rtt_ms"] is not None else "path.unmeasured", found)
