"""Before the basic settings are exchanged: this check sends none, and sees only whether the server waits for
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged, elapsed_of
from rdpdoctor.diagnosis.view import View, text

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.conclusions import Conclusions


_QUIET = ("mcs.silent", "mcs.stalled")  # only in recordings: a check does not begin with the settings


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    """None where the server waited, or where nobody looked."""
    rows = view.all("mcs.closed", "mcs.reset", *_QUIET)
    row = next((row for row in rows if text(row, "role") == "walk"), None)
    if row is None:
        return None
    if row.tag in _QUIET:
        return Judged(Status.FAILED, row.tag, row.args, elapsed_of(row))
    late = "-late" if text(row, "after") == "handshake" else ""
    return Judged(Status.FAILED, f"{row.tag}{late}", row.args, elapsed_of(row))
