"""How the name's addresses fared on TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, View, derived, text
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Best first: an address that connected once counts as connected.
OUTCOMES = ("connected", "refused", "rejected", "silent", "failed")


def outcomes(view: View) -> dict[str, str]:
    """address → the best that any attempt to it came to, in order of first appearance."""
    found: dict[str, str] = {}
    order: dict[str, None] = {}
    for outcome in OUTCOMES:
        for row in view.all(f"tcp.{outcome}"):
            address = text(row, "address")
            if address is not None:
                found.setdefault(address, outcome)
    for row in view.all("dns.resolved"):
        listed = row.args.get("addresses")
        order.update((one, None) for one in listed if isinstance(one, str)) if isinstance(
            listed, list | tuple
        ) else None
    return {address: found[address] for address in (*order, *found) if address in found}


def derive(view: View) -> Iterator[Observation]:
    found = outcomes(view)
    if not found:
        return
    args: Args = {outcome: sum(1 for each in found.values() if each == outcome) for outcome in OUTCOMES}
    rows = list(view.all(*(f"tcp.{outcome}" for outcome in OUTCOMES)))
    yield derived("addresses", Stage.TCP, {"tried": len(found), **args}, rows)
