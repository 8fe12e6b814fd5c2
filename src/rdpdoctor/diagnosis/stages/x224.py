"""The negotiation (MS-RDPBCGR 1.3.1.1, connection initiation), judged by what an ordinary client asks for.

Standard RDP security is a warning, not a failure: clients still fall back to it, and it protects badly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import server
from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged, crowded, elapsed_of, ended, mixed
from rdpdoctor.diagnosis.view import Step, View, text, whole
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rdpdoctor.diagnosis.conclusions import Conclusions

SSL_NOT_ALLOWED = 2


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    leading = view.leading(Stage.X224)
    if leading is None:
        return None
    refused = leading.row.tag == "x224.failure"
    shaky = mixed(Stage.X224, conclusions, Step(leading.row, "declined") if refused else leading)
    if shaky is not None:
        return shaky
    if not leading.passed:
        return _died(view, conclusions, leading)
    if refused:
        return _refused(view, leading)
    return _confirmed(conclusions, leading)


def rdp_only(view: View) -> bool:
    """Whether the walk ended up with standard RDP security, chosen or by fallback."""
    leading = view.leading(Stage.X224)
    if leading is None or not leading.passed:
        return False
    if leading.row.tag == "x224.failure":
        selected, _, _ = server.answers(view)
        return whole(leading.row, "code") == SSL_NOT_ALLOWED and selected.get(server.RDP) == server.RDP
    return leading.row.tag == "x224.plain" or whole(leading.row, "selected") == server.RDP


def _confirmed(conclusions: Conclusions, leading: Step) -> Judged:
    row, elapsed = leading.row, elapsed_of(leading.row)
    if row.tag == "x224.plain":
        return Judged(Status.WARNING, "x224.rdp-only", row.args, elapsed)
    selected, requested = whole(row, "selected"), whole(row, "requested")
    if selected is None or (requested is not None and not server.offered(requested, selected)):
        return Judged(Status.FAILED, "x224.never-offered", row.args, elapsed)
    if selected == server.RDP:
        return Judged(Status.WARNING, "x224.rdp-only", row.args, elapsed)
    for variant in conclusions.each("variant"):
        if variant["at"] == Stage.X224 and not variant["better"] and "cookie" in variant["variant"]:
            return Judged(Status.WARNING, "x224.cookie", row.args, elapsed)
    crowding = conclusions.the("crowding")
    if crowding is not None and _limited(crowding, conclusions):
        key = "x224.crowded-some" if crowding["answered_above"] or not crowding["ended"] else "x224.crowded"
        return Judged(Status.WARNING, key, crowding, elapsed)
    if (shut := conclusions.at("shut-out", Stage.X224)) is not None:
        return Judged(Status.WARNING, "x224.shut-out", shut, elapsed)
    return crowded(Stage.X224, conclusions, leading) or Judged(Status.OK, "x224.selected", row.args, elapsed)


def _limited(crowding: Mapping[str, Any], conclusions: Conclusions) -> bool:
    """One dropped request beside others may be an accident, unless it never happens alone."""
    repeats = conclusions.at("repeats", Stage.X224)
    steady = repeats is not None and repeats["alone_passed"] > 1 and repeats["alone_failed"] == 0
    return bool(crowding["dropped"] > 1 or steady)


def _refused(view: View, leading: Step) -> Judged:
    elapsed = elapsed_of(leading.row)
    if rdp_only(view):
        return Judged(Status.WARNING, "x224.rdp-only", leading.row.args, elapsed)
    selected, _, _ = server.answers(view)
    if selected.get(server.RDSAAD) == server.RDSAAD:
        return Judged(Status.FAILED, "x224.entra", leading.row.args, elapsed)
    return Judged(Status.FAILED, "x224.failure", leading.row.args, elapsed)


def _died(view: View, conclusions: Conclusions, leading: Step) -> Judged:
    known = view.first("service.identified")
    protocol = text(known, "protocol") if known is not None else text(leading.row, "looks_like")
    if protocol:
        return Judged(Status.FAILED, "x224.other-protocol", {"protocol": protocol}, elapsed_of(leading.row))
    return ended(Stage.X224, conclusions, leading)
