"""What the answers to different requests amount to: which security the server has, and whether it insists
on NLA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, View, derived, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

RDP, SSL, HYBRID, RDSTLS, HYBRID_EX, RDSAAD = 0x00, 0x01, 0x02, 0x04, 0x08, 0x10
NAMES = {RDP: "rdp", SSL: "tls", HYBRID: "hybrid", HYBRID_EX: "hybrid-ex", RDSTLS: "rdstls", RDSAAD: "rdsaad"}
ORDINARY = SSL | HYBRID | HYBRID_EX
_CREDSSP = HYBRID | HYBRID_EX
HYBRID_REQUIRED = 5


def offered(requested: int, selected: int) -> bool:
    """Whether the selection is one that was asked for; standard RDP security may always be chosen."""
    return selected == RDP or (selected & requested == selected and selected in NAMES)


def answers(view: View) -> tuple[dict[int, int], dict[int, int], int | None]:
    """(requested → selected, requested → failure code, response flags). The first answer to each request
    counts.
    """
    selected: dict[int, int] = {}
    failed: dict[int, int] = {}
    flags: int | None = None
    for row in view.all("x224.selected", "x224.plain"):
        requested = whole(row, "requested")
        chosen = RDP if row.tag == "x224.plain" else whole(row, "selected")
        if requested is not None and chosen is not None:
            selected.setdefault(requested, chosen)
            flags = whole(row, "flags") if flags is None else flags
    for row in view.all("x224.failure"):
        requested, code = whole(row, "requested"), whole(row, "code")
        if requested is not None and code is not None:
            failed.setdefault(requested, code)
    return selected, failed, flags


def derive(view: View) -> Iterator[Observation]:
    selected, failed, flags = answers(view)
    if not selected and not failed:
        return
    accepted = {chosen for requested, chosen in selected.items() if offered(requested, chosen)}
    rows = list(view.all("x224.selected", "x224.plain", "x224.failure"))
    args: Args = {
        "nla": _nla(selected, failed),
        "layer": _layer(selected, failed),
        "accepts": [name for value, name in NAMES.items() if value in accepted],
        "failures": sorted(set(failed.values())),
        "flags": flags,
    }
    yield derived("server", Stage.X224, args, rows)


def _nla(selected: dict[int, int], failed: dict[int, int]) -> str:
    """`required` only where a request without CredSSP was refused for it; `offered` where CredSSP was
    chosen at all.
    """
    refused_for_it = any(
        code == HYBRID_REQUIRED and not requested & _CREDSSP for requested, code in failed.items()
    )
    without = any(
        chosen in (RDP, SSL) and offered(requested, chosen) for requested, chosen in selected.items()
    )
    with_it = any(chosen & _CREDSSP and offered(requested, chosen) for requested, chosen in selected.items())
    if refused_for_it and not without:
        return "required"
    if with_it:
        return "offered"
    asked = any(requested & _CREDSSP for requested in (*selected, *failed))
    return "absent" if asked and (without or failed) and not refused_for_it else "unknown"


def _layer(selected: dict[int, int], failed: dict[int, int]) -> str:
    """The best layer an ordinary client gets."""
    for requested in (ORDINARY, SSL | HYBRID, SSL, RDP):
        chosen = selected.get(requested)
        if chosen is not None and offered(requested, chosen):
            return "nla" if chosen & _CREDSSP else "tls" if chosen & SSL else "rdp"
    for requested, layer in ((RDSAAD, "entra"), (RDSTLS, "rdstls")):
        if selected.get(requested) == requested:
            return layer
    return "none" if ORDINARY in failed else "unknown"
