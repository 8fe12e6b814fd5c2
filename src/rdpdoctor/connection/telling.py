"""What a machine of this room ends with, as tags and their arguments, live or recorded alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import alert_name

if TYPE_CHECKING:
    from datetime import datetime

    from rdpdoctor.connection.initiation import Confirmed
    from rdpdoctor.wire.ntlm import Challenge

#: A tag, and its arguments without those that say which connection it was.
Told: TypeAlias = tuple[str, dict[str, Any]]

#: Certificates of one chain that are told.
CERTIFICATES = 8
#: A clock without a battery says 1980 or later; what lies outside is no time at all.
_CLOCKS_FROM, _CLOCKS_TO = 1980, 2200
_FIRST_WORDS = (
    (b"SSH-", "ssh"),
    (b"HTTP/", "http"),
    (b"GET ", "http"),
    (b"POST ", "http"),
    (b"OPTIONS ", "http"),
    (b"<", "http"),
    (b"RFB ", "vnc"),
    (b"220", "smtp or ftp"),
    (b"\xff\xfb", "telnet"),
    (b"\xff\xfd", "telnet"),
    (b"+OK", "pop3"),
    (b"* OK", "imap"),
    (b"AMQP", "amqp"),
)


def ms(seconds: float) -> float:
    """Milliseconds, to the microsecond."""
    return round(seconds * 1000, 3)


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds, as the report has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def looks_like(sample: bytes) -> str | None:
    """The protocol these first bytes resemble, or None."""
    for start, name in _FIRST_WORDS:
        if sample.startswith(start):
            return name
    if len(sample) >= 3 and sample[0] in (20, 21, 22, 23) and sample[1] == 3:
        return "tls"
    if len(sample) >= 4 and all(32 <= byte < 127 or byte in (9, 10, 13) for byte in sample):
        return "text"
    return None


def x224_outcome(outcome: Confirmed | Ended) -> Told:
    if isinstance(outcome, Ended):
        args = ending(outcome)
        if outcome.how is How.MALFORMED:
            args |= {**offence(outcome), "looks_like": looks_like(outcome.sample)}
        elif outcome.how is How.DECLINED:
            args["detail"] = outcome.detail
        return f"x224.{outcome.how.value}", args
    elapsed = {"elapsed_ms": ms(outcome.elapsed)}
    match outcome.answer:
        case nego.NegotiationResponse(selected=selected, flags=flags):
            return "x224.selected", {"selected": int(selected), "flags": int(flags), **elapsed}
        case nego.NegotiationFailure(code=code):
            return "x224.failure", {"code": int(code), **elapsed}
    return "x224.plain", elapsed


def tls_ended(ended: Ended) -> Told:
    args = ending(ended)
    if ended.how is How.MALFORMED:
        args |= offence(ended)
    elif ended.how is How.ALERTED:
        args |= alert(ended)
    elif ended.how is How.REJECTED:
        args["reason"] = ended.detail
    return f"tls.{ended.how.value}", args


def certificate(position: int, der: bytes) -> Told:
    import hashlib

    from rdpdoctor.wire.certificate import parse
    from rdpdoctor.wire.errors import Malformed

    try:
        value = parse(der)
    except Malformed as error:
        args = {"detail": error.detail, "size": len(der), "sha256": hashlib.sha256(der).hexdigest()}
        return "tls.certificate-unreadable", {"position": position, **args}
    return "tls.certificate", {
        "position": position,
        "subject": value.subject,
        "common_name": value.common_name,
        "issuer": value.issuer,
        "serial": value.serial,
        "not_before": iso(value.not_before),
        "not_after": iso(value.not_after),
        "names": list(value.names),
        "key": value.key,
        "key_bits": value.key_bits,
        "signature": value.signature,
        "sha1": value.sha1,
        "sha256": value.sha256,
        "self_signed": value.self_signed,
        "usages": None if value.usages is None else list(value.usages),
    }


def challenged(version: int, challenge: Challenge, elapsed: float, now: float) -> Told:
    """The server stamped its challenge within the `elapsed` seconds before `now` (seconds since 1970): half
    of them is the uncertainty.
    """
    system, stamp = challenge.version, challenge.timestamp
    args: dict[str, Any] = {
        "version": version,
        "elapsed_ms": ms(elapsed),
        "target_name": challenge.target_name or None,
        "computer": challenge.computer_name,
        "domain": challenge.domain_name,
        "dns_computer": challenge.dns_computer,
        "dns_domain": challenge.dns_domain,
        "dns_tree": challenge.dns_tree,
        "os_version": None if system is None else f"{system[0]}.{system[1]}.{system[2]}",
        "server_time": None,
        "skew_ms": None,
        "uncertainty_ms": None,
    }
    if stamp is not None and _CLOCKS_FROM <= stamp.year <= _CLOCKS_TO:
        skew = stamp.timestamp() - now + elapsed / 2
        args |= {"server_time": iso(stamp), "skew_ms": ms(skew), "uncertainty_ms": ms(elapsed / 2)}
    return "nla.challenged", args


def ending(ended: Ended) -> dict[str, Any]:
    numbers = {"sent": ended.sent, "received": ended.received, "elapsed_ms": ms(ended.elapsed)}
    return {"after": ended.after, **numbers}


def offence(ended: Ended) -> dict[str, Any]:
    return {"detail": ended.detail, "sample": ended.sample.hex()}


def alert(ended: Ended) -> dict[str, Any]:
    return {"alert": ended.code or 0, "name": alert_name(ended.code or 0)}
