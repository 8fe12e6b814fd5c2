"""The handshake and the certificate, judged by the handshake a client makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.derive import certificate
from rdpdoctor.diagnosis.derive.handshakes import ACCEPTABLE
from rdpdoctor.diagnosis.model import Status
from rdpdoctor.diagnosis.stages import x224
from rdpdoctor.diagnosis.stages.judged import Judged, crowded, elapsed_of, ended, mixed, plainly
from rdpdoctor.diagnosis.view import Step, View, text, whole
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.diagnosis.conclusions import Conclusions
#: Alerts by which a client refuses the server's certificate (RFC 8446 6.2).
_OF_CERTIFICATES = (
    *("bad_certificate", "unsupported_certificate", "certificate_revoked", "certificate_expired"),
    *("certificate_unknown", "unknown_ca"),
)


def judge(view: View, conclusions: Conclusions) -> Judged | None:
    leading = view.leading(Stage.TLS)
    if leading is None:
        return Judged(Status.SKIPPED, "reason.not-tried", reason="no-tls") if x224.rdp_only(view) else None
    versions = conclusions.the("versions")
    if versions is not None and versions["acceptable"] is False:
        return Judged(Status.FAILED, "tls.old", versions, elapsed_of(leading.row))
    shaky = mixed(Stage.TLS, conclusions, leading)
    if shaky is not None:
        return shaky
    if not leading.passed:
        return _died(conclusions, leading)
    completed = _completed(view, conclusions, leading)
    beside = crowded(Stage.TLS, conclusions, leading)
    return beside if beside is not None and completed.status is Status.OK else completed


def _completed(view: View, conclusions: Conclusions, leading: Step) -> Judged:
    elapsed, version = elapsed_of(leading.row), text(leading.row, "version")
    if version is not None and version not in ACCEPTABLE:
        return Judged(Status.FAILED, "tls.old", {"newest": version}, elapsed)
    own = certificate.shown(view)
    args: dict[str, Any] = {**(own.args if own is not None else {}), **leading.row.args}
    judged = conclusions.the("certificate")
    if judged is None:
        unreadable = "tls.certificate-unreadable" in view
        return Judged(
            Status.WARNING if unreadable else Status.OK,
            "tls.unreadable" if unreadable else "tls.completed",
            args,
            elapsed,
        )
    identity = conclusions.the("identity") or {}
    args |= {**judged, "host": view.target.host, "certificate_names": identity.get("certificate_names")}
    fault = _fault(judged)
    if fault is not None:
        return Judged(Status.WARNING, fault, args, elapsed)
    return Judged(Status.OK, "tls.completed", args, elapsed)


def _fault(judged: Mapping[str, Any]) -> str | None:
    """The first thing wrong with it, the most pressing first. Self-signed is how RDP certificates are: no
    fault.
    """
    if judged["validity"] != "valid" and judged["validity"] != "expiring":
        return f"tls.{judged['validity']}"
    if judged["usage"] == "wrong":
        return "tls.wrong-usage"
    if judged["name"] == "differs":
        return "tls.name"
    if judged["issuers_differ"]:
        return "tls.issuers"
    if judged["strength"] == "weak":
        return "tls.weak"
    return "tls.expiring" if judged["validity"] == "expiring" else None


def _died(conclusions: Conclusions, leading: Step) -> Judged:
    judged = ended(Stage.TLS, conclusions, leading)
    hellos = conclusions.the("handshakes") or {}
    if hellos.get("one_piece") and judged.args.get("variant") != "small-segments":
        # What passes as other clients send it needs no odd way of sending.
        judged = plainly(Stage.TLS, conclusions, leading)
        for key in ("plain_only", "older_only"):
            if hellos.get(key) and leading.outcome in ("closed", "reset", "silent"):
                way = key.replace("_", "-")
                return Judged(judged.status, f"tls.{way}", {**judged.args, **hellos}, judged.elapsed_ms)
    if leading.outcome == "alerted" and text(leading.row, "after") not in ("client-hello", None):
        return Judged(judged.status, "tls.alerted-late", judged.args, judged.elapsed_ms)
    if (text(leading.row, "reason") or "").startswith("the client "):
        refuses = any(f"alert {name}" in (text(leading.row, "reason") or "") for name in _OF_CERTIFICATES)
        key = "tls.left-certificate" if refuses else "tls.left"
        return Judged(judged.status, key, judged.args, judged.elapsed_ms)
    if leading.outcome not in ("closed", "reset") or judged.key == "tls.only-variant":
        return judged
    if (whole(leading.row, "received") or 0) > 0:
        return Judged(judged.status, f"{judged.key}-late", judged.args, judged.elapsed_ms)
    alike = hellos.get("alike") and hellos.get("versions") and not hellos.get("bytes")
    args = {**judged.args, "versions": hellos["versions"]} if alike else judged.args
    return Judged(judged.status, judged.key, args, judged.elapsed_ms)
