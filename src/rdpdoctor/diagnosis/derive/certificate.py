"""The server's own certificate, judged at the time of the check (not of the diagnosis).

Several servers may answer to one name, by address or by turns: the worst certificate of all
that were shown is judged, since whoever meets it is warned, or stopped.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import names
from rdpdoctor.diagnosis.view import CLIENT_HELLO, View, derived, flag, text, whole, words
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRES_SOON_DAYS = 30.0
RSA_LEAST_BITS = 2048
SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"
REMOTE_DESKTOP = "1.3.6.1.4.1.311.54.1.2"
ANY_USAGE = "2.5.29.37.0"
#: Different ones. A farm has a handful, a made-up journal any number.
MOST_JUDGED = 100
_CURRENT = (CLIENT_HELLO, "TLS 1.2", "TLS 1.3")


def derive(view: View) -> Iterator[Observation]:
    row = shown(view)
    if row is None:
        return
    now, ends = moment(view.started), moment(text(row, "not_after"))
    issuers, seen = _issuers(view), len(_own(view))
    yield derived(
        "certificate",
        Stage.TLS,
        {
            "validity": validity(now, row),
            "usage": usage(row),
            "strength": "weak" if weaknesses(row) else "ok",
            "name": name_fits(view.target.host, row),
            "days_left": 0.0
            if now is None or ends is None
            else round((ends - now).total_seconds() / 86400, 2),
            "weaknesses": weaknesses(row),
            "self_signed": flag(row, "self_signed") is True,
            "differs_between_attempts": _differs(view),
            "issuers": issuers,
            "issuers_differ": len(issuers) > 1,
            "not_before": text(row, "not_before"),
            "not_after": text(row, "not_after"),
            "usages": None if row.args.get("usages") is None else words(row, "usages"),
            "one_of": seen,
        },
        [row],
    )


def shown(view: View) -> Observation | None:
    """The worst of the servers' own certificates; of equals, the first that was seen."""
    return min(_own(view)[:MOST_JUDGED], key=lambda row: _rank(view, row), default=None)


def _own(view: View) -> list[Observation]:
    """Each that a current client would be shown, once, else all: to an old ClientHello, or one that names
    nobody, a server may well show another one.
    """
    rows = [row for row in view.all("tls.certificate") if whole(row, "position") == 0]
    usual = [row for row in rows if text(row, "variant") != "no-sni" and text(row, "hello") in _CURRENT]
    return list({text(row, "sha256"): row for row in reversed(usual or rows)}.values())[::-1]


def _rank(view: View, row: Observation) -> int:
    """Less is worse."""
    held = validity(moment(view.started), row)
    faults = (
        held not in ("valid", "expiring"),
        usage(row) == "wrong",
        name_fits(view.target.host, row) == "differs",
        bool(weaknesses(row)),
        held == "expiring",
    )
    return next((rank for rank, found in enumerate(faults) if found), len(faults))


def moment(stamp: str | None) -> datetime | None:
    """ISO 8601, read as UTC where it names no zone. None where it is no time."""
    try:
        when = datetime.fromisoformat(stamp or "")
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def validity(now: datetime | None, row: Observation) -> str:
    begins, ends = moment(text(row, "not_before")), moment(text(row, "not_after"))
    if now is None:
        return "valid"
    if begins is not None and now < begins:
        return "not-yet-valid"
    if ends is None:
        return "valid"
    if now > ends:
        return "expired"
    return "expiring" if (ends - now).total_seconds() < EXPIRES_SOON_DAYS * 86400 else "valid"


def usage(row: Observation) -> str:
    if row.args.get("usages") is None:
        return "ok"
    usages = words(row, "usages")
    return (
        "ok" if any(one in usages for one in (SERVER_AUTHENTICATION, REMOTE_DESKTOP, ANY_USAGE)) else "wrong"
    )


def weaknesses(row: Observation) -> list[str]:
    found = []
    key, bits = (text(row, "key") or "").casefold(), whole(row, "key_bits")
    if "rsa" in key and bits is not None and bits < RSA_LEAST_BITS:
        found.append(f"RSA key of {bits} bits")
    signature = (text(row, "signature") or "").casefold().replace("-", "")
    for digest, name in (("md5", "MD5"), ("sha1", "SHA-1"), ("md2", "MD2"), ("md4", "MD4")):
        if digest in signature:
            found.append(f"{name} signature")
            break
    return found


def name_fits(host: str, row: Observation) -> str:
    """matches, differs or not-judged.

    Clients warn about names, so this judges as they do, with two mercies. An address is no name that the
    certificate a Windows host makes for itself could hold, and that certificate (CN=COMPUTERNAME,
    self-signed) fits whatever domain the target's first label is asked under.
    """
    if names.is_loopback(host):
        return "not-judged"
    listed, common = words(row, "names"), text(row, "common_name")
    self_signed = flag(row, "self_signed") is True
    address = names.address_of(host)
    if address is not None:
        if self_signed:
            return "not-judged"
        held = (names.address_of(name) for name in listed)
        return "matches" if any(one == address for one in held if one is not None) else "differs"
    candidates = listed or ([common] if common else [])
    if any(names.covers(name, host) for name in candidates):
        return "matches"
    if common and self_signed and names.same_computer(common, host):
        return "matches"
    return "differs" if candidates or common else "not-judged"


def _differs(view: View) -> bool:
    """Whether one address showed different certificates to handshakes that asked alike."""
    seen: dict[str, str] = {}
    for attempt in view.attempts:
        if attempt.certificate is None or "client" not in attempt.hellos or attempt.variant == "no-sni":
            continue
        if seen.setdefault(attempt.address, attempt.certificate) != attempt.certificate:
            return True
    return False


def _issuers(view: View) -> list[str]:
    """Who issued the certificates that one address showed for one and the same name. Usually one."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in view.all("tls.certificate"):
        name, issuer = text(row, "common_name"), text(row, "issuer")
        if whole(row, "position") == 0 and name and issuer and text(row, "variant") != "no-sni":
            found.setdefault((text(row, "address") or "", name), {})[issuer] = None
    return max((list(issuers) for issuers in found.values()), key=len, default=[])
