"""CredSSP up to the server's NTLM challenge: no account is needed so far, and none is tried."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import server
from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages import x224
from rdpdoctor.diagnosis.stages.judged import Judged, crowded, elapsed_of, ended, mixed
from rdpdoctor.diagnosis.view import View, whole
from rdpdoctor.facts import Source, Stage

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.conclusions import Conclusions

#: Version 5 brought the repair of CVE-2018-0886 (MS-CSSP 2.2.1, 3.1.5).
REPAIRED = 5


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    leading = view.leading(Stage.NLA)
    if leading is None:
        return _not_reached(view)
    shaky = mixed(Stage.NLA, conclusions, leading)
    if shaky is not None:
        return shaky
    if not leading.passed:
        judged = ended(Stage.NLA, conclusions, leading)
        # A client goes on after the challenge, which a check does not; how far it went is encrypted.
        recorded = leading.row.source is Source.CAPTURE and judged.key in ("nla.closed", "nla.reset")
        return replace(judged, key=f"{judged.key}-recorded") if recorded else judged
    row, elapsed = leading.row, elapsed_of(leading.row)
    version = whole(row, "version")
    if version is not None and version < REPAIRED:
        return Judged(Status.WARNING, "nla.oracle", row.args, elapsed)
    clock = conclusions.the("clock")
    if clock is not None and clock["beyond_limit"]:
        return Judged(Status.WARNING, "nla.clock", {**row.args, **clock}, elapsed)
    return crowded(Stage.NLA, conclusions, leading) or Judged(Status.OK, row.tag, row.args, elapsed)


def _not_reached(view: View) -> Judged | None:
    chosen = view.leading(Stage.X224)
    if chosen is None or not chosen.passed:
        return None
    without = chosen.row.tag == "x224.selected" and whole(chosen.row, "selected") == server.SSL
    if without or x224.rdp_only(view):
        return Judged(Status.SKIPPED, "reason.not-tried", reason="no-nla")
    return None
