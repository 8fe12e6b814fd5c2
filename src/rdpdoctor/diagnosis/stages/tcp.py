"""The port takes connections, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged
from rdpdoctor.diagnosis.view import View, flag, number
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.conclusions import Conclusions


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    fates = conclusions.the("addresses")
    if fates is None:
        return None
    connected = view.first("tcp.connected")
    if connected is not None:
        trip = number(connected, "rtt_ms")
        members = conclusions.at("members", Stage.TCP)
        if members is not None:
            return Judged(Status.WARNING, "tcp.some-addresses", members, trip)
        repeats = conclusions.at("repeats", Stage.TCP)
        if repeats is not None and repeats["mixed"]:
            return Judged(Status.WARNING, "tcp.mixed", repeats, trip)
        if repeats is not None and repeats["crowded_only"]:
            return Judged(Status.WARNING, "tcp.crowded-alike", repeats, trip)
        if (shut := conclusions.at("shut-out", Stage.TCP)) is not None:
            return Judged(Status.WARNING, "tcp.shut-out", shut, trip)
        return Judged(Status.OK, "tcp.open", connected.args, trip)
    ways = [way for way in ("refused", "rejected", "silent", "failed") if fates[way]]
    if len(ways) > 1:
        return Judged(Status.FAILED, "tcp.various", fates)
    row = view.first(f"tcp.{ways[0]}")
    assert row is not None, "derived.addresses counts only what is in the journal"
    elapsed = number(row, "waited_ms" if ways[0] == "silent" else "elapsed_ms")
    key = "tcp.unreachable" if ways[0] == "rejected" and flag(row, "on_link") else f"tcp.{ways[0]}"
    return Judged(Status.FAILED, key, row.args, elapsed)
