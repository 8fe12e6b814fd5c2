"""The certificate that the listener uses, by the machine's own stores: is it there, has it its key, may the
service read that, and is it fit. Judged at the time when the file was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import certificate
from rdpdoctor.diagnosis.derive.finding import Finding
from rdpdoctor.diagnosis.view import View, flag, text, words
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.facts import Observation

OWN_STORE = "Remote Desktop"
BOUND_STORE = "My"


def find(view: View) -> Iterator[Finding]:
    rows = list(view.all("host.certificate"))
    tables = list(view.all("host.certificates"))
    bound = next((one for row in tables if (one := text(row, "bound"))), None)
    stores = {store for row in tables for store in words(row, "stores")}
    if bound is not None:
        used = next((row for row in rows if text(row, "thumbprint") == bound), None)
        if used is None and {OWN_STORE, BOUND_STORE} <= stores:
            yield Finding("certificate.bound-missing", "breaks", Stage.TLS, tables, value=bound)
    else:
        own = [row for row in rows if text(row, "store") == OWN_STORE]
        used = max(own, key=lambda row: text(row, "not_after") or "", default=None)
        if used is None and OWN_STORE in stores:
            yield Finding("certificate.none", "warns", Stage.TLS, tables)
    if used is not None:
        yield from _judged(view, used)


def _judged(view: View, row: Observation) -> Iterator[Finding]:
    which = "bound" if flag(row, "bound") else "own"

    def found(means: str, weight: str, value: str | None = None) -> Finding:
        return Finding(f"certificate.{means}", weight, Stage.TLS, [row], value=value, other=which)

    if flag(row, "has_key") is False:
        yield found("no-key", "breaks")
    elif flag(row, "opened") is False and flag(row, "readable") is not True:
        yield found("key-not-opened", "warns")
    elif flag(row, "readable") is False:
        yield found("key-denied", "breaks")
    elif flag(row, "has_key"):
        yield found("key-fine", "good")
    collected = next((at for each in view.all("host.read") if (at := text(each, "collected"))), None)
    now = certificate.moment(collected) or certificate.moment(view.started)
    validity = certificate.validity(now, row)
    if validity in ("expired", "expiring"):
        yield found(validity, "warns", value=(text(row, "not_after") or "")[:10])
    elif validity == "not-yet-valid":
        yield found(validity, "warns", value=(text(row, "not_before") or "")[:10])
    if certificate.usage(row) == "wrong":
        yield found("wrong-usage", "warns")
    weak = certificate.weaknesses(row)
    if weak:
        yield found("weak", "warns", value=", ".join(weak))
