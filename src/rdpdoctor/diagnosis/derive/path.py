"""Path quality over all connections of the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, View, derived, number, text, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


#: A connection sequence takes some 12 round trips before the desktop, and clients give the whole about half
#: a minute. This is beyond a satellite's 600 ms. Thresholds are the project's own: no document gives one.
SLOW_MS = 800.0
#: Connections that lost something, of all, and how many segments there must be: one retransmission is an
#: accident.
LOSSY_SHARE, LOSSY_LEAST = 0.25, 3
#: Where packets were counted: segments sent again, of all; a smaller share tells where they are many.
_AGAIN_SHARE, _AGAIN_MANY, _AGAIN_SHARE_OF_MANY = 0.05, 20, 0.01


def median(values: list[float]) -> float:
    """Of at least one value. The library's own costs more to import than all of this."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def derive(view: View) -> Iterator[Observation]:
    connects = list(view.all("tcp.connected"))
    measured = list(view.all("tcp.measured"))
    if not connects and not measured:
        return
    trips = [trip for row in connects if (trip := number(row, "rtt_ms")) is not None]
    kernel = [trip for row in measured if (trip := number(row, "rtt_ms")) is not None]
    counts = [count for row in measured if (count := whole(row, "retransmits")) is not None]
    usual = trips or kernel
    connections, hit = max(len(connects), len(measured)), sum(1 for count in counts if count > 0)
    args: Args = {
        "rtt_ms": round(median(usual), 3) if usual else None,
        "worst_rtt_ms": max([*trips, *kernel], default=None),
        "retransmits": sum(counts),
        "connections": connections,
        "hit": hit,
        "lossy": sum(counts) >= LOSSY_LEAST
        and hit >= LOSSY_SHARE * connections
        and _often(view, sum(counts)),
        "slow": bool(usual) and median(usual) >= SLOW_MS,
    }
    yield derived("path", Stage.PATH, args, connects or measured)


def _often(view: View, again: int) -> bool:
    """Whether that is much among all packets, where a recording has counted them."""
    sides = ("client_packets", "server_packets")
    packets = sum(whole(row, side) or 0 for row in view.all("flow.packets") for side in sides)
    if again < _AGAIN_MANY and any(text(row, "outcome") == "works" for row in view.all("flow.attempt")):
        return False  # whoever got in has not noticed so few
    least = _AGAIN_SHARE_OF_MANY if again >= _AGAIN_MANY else _AGAIN_SHARE
    return again >= least * packets
