"""The name became addresses, or did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages.judged import Judged, elapsed_of
from rdpdoctor.diagnosis.view import View, text, words

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.conclusions import Conclusions


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    resolved = view.first("dns.resolved")
    if resolved is not None:
        key = "dns.literal" if text(resolved, "via") == "literal" else "dns.resolved"
        # Nothing was asked where the address was known before: 0 ms would look like a measurement.
        return Judged(Status.OK, key, resolved.args, elapsed_of(resolved) or None)
    failed = view.first("dns.not-found", "dns.failed", "dns.silent")
    if failed is None:
        return None
    said = next((found for row in view.all("dns.server-said") if (found := words(row, "addresses"))), None)
    args = {**failed.args, "said": said}
    if said:
        key = "dns.not-found-here" if failed.tag == "dns.not-found" else "dns.failed-here"
    else:
        key = failed.tag
    return Judged(Status.FAILED, key, args, elapsed_of(failed))
