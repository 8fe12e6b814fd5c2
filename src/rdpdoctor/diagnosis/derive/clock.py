"""The server's clock against ours, from the stamp in its NTLM challenge, or from when its log has our
connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import View, derived, number, text
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kerberos' default tolerance (RFC 4120 1.6 and Windows' "Maximum tolerance for computer clock
#: synchronization").
LIMIT_S = 300.0
#: An entry follows its connection by so much at most, and a CSV has whole seconds.
_LOGGED_MS = 2000.0


def derive(view: View) -> Iterator[Observation]:
    readings = [
        (uncertainty if (uncertainty := number(row, "uncertainty_ms")) is not None else 0.0, skew, row)
        for row in view.all("nla.challenged")
        if (skew := number(row, "skew_ms")) is not None
    ]
    if not readings:
        readings = [
            (_LOGGED_MS, skew, row)
            for row in view.all("event.during")
            if text(row, "by") == "attempts" and (skew := number(row, "skew_ms")) is not None
        ]
    if not readings:
        return
    uncertainty, skew, row = min(readings, key=lambda reading: reading[0])
    off_s = round(skew / 1000, 3) + 0.0  # never -0.0
    beyond = abs(off_s) - uncertainty / 1000 > LIMIT_S
    direction = "ahead of" if off_s > 0 else "behind"
    yield derived("clock", Stage.NLA, {"off_s": off_s, "beyond_limit": beyond, "direction": direction}, [row])
