"""Whether RDP-UDP came about in a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, View, derived, number, text, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Requests to begin that one client port sent, or milliseconds it waited, before no answer means none.
ASKED, WAITED_MS = 2, 1000.0


def derive(view: View) -> Iterator[Observation]:
    flows = list(view.all("flow.udp"))
    if not flows:
        return
    answered = sum(1 for row in flows if (whole(row, "server_datagrams") or 0) > 0)
    silent = [row for row in flows if _unanswered(row)]
    args: Args = {
        "flows": len(flows),
        "answered": answered,
        "silent": len(silent),
        "asked": sum(whole(row, "syns") or 0 for row in silent),
        "blocked": bool(silent) and not answered,
        "beside_tcp": any(text(row, "outcome") == "works" for row in view.all("flow.attempt")),
        "address": next((text(row, "address") for row in flows), None),
        "port": next((whole(row, "port") for row in flows), None),
    }
    yield derived("udp", Stage.UDP, args, silent or flows)


def _unanswered(row: Observation) -> bool:
    asked, waited = whole(row, "syns") or 0, number(row, "waited_ms") or 0.0
    return not whole(row, "server_datagrams") and (asked >= ASKED or (asked > 0 and waited >= WAITED_MS))
