"""What the machines of `connection` end with, as tags and their arguments. Pure but for the wall clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.net.clock import iso, ms, utc_now
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import alert_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.connection.credssp import Answered, Challenged
    from rdpdoctor.connection.initiation import Confirmed
    from rdpdoctor.net.dial import DialFailed
    from rdpdoctor.wire.ntlm import Challenge

#: A tag, and its arguments without those that say which attempt it was.
Told: TypeAlias = tuple[str, dict[str, Any]]

_CERTIFICATES_SHOWN = 8
#: A clock without a battery says 1980 or later; what lies outside is no time at all.
_CLOCKS_FROM, _CLOCKS_TO = 1980, 2200
_FIRST_WORDS = (
    (b"SSH-", "ssh"),
    (b"HTTP/", "http"),
    (b"<", "http"),
    (b"RFB ", "vnc"),
    (b"220", "smtp or ftp"),
    (b"\xff\xfb", "telnet"),
    (b"\xff\xfd", "telnet"),
    (b"+OK", "pop3"),
    (b"* OK", "imap"),
    (b"AMQP", "amqp"),
)


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


def dial_failed(failed: DialFailed) -> Told:
    elapsed = ms(failed.elapsed)
    match failed.how:
        case "refused":
            return "tcp.refused", {"elapsed_ms": elapsed}
        case "rejected":
            args = {"icmp": failed.icmp or "unknown", "offender": failed.offender, "on_link": failed.on_link}
            return "tcp.rejected", {**args, "elapsed_ms": elapsed}
        case "silent":
            return "tcp.silent", {"waited_ms": elapsed}
    return "tcp.failed", {"error": failed.error, "elapsed_ms": elapsed}


def x224_outcome(outcome: Confirmed | Ended) -> Told:
    if isinstance(outcome, Ended):
        args = _ending(outcome)
        if outcome.how is How.MALFORMED:
            args |= {**_offence(outcome), "looks_like": looks_like(outcome.sample)}
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
    args = _ending(ended)
    if ended.how is How.MALFORMED:
        args |= _offence(ended)
    elif ended.how is How.ALERTED:
        args |= _alert(ended)
    elif ended.how is How.REJECTED:
        args["reason"] = ended.detail
    return f"tls.{ended.how.value}", args


def nla_outcome(outcome: Challenged | Answered | Ended) -> Told:
    if isinstance(outcome, Ended):
        return _nla_ended(outcome)
    args: dict[str, Any] = {"version": outcome.version, "elapsed_ms": ms(outcome.elapsed)}
    challenge = getattr(outcome, "challenge", None)
    if challenge is None:
        return "nla.answered", {**args, "detail": getattr(outcome, "detail", "")}
    return "nla.challenged", {**args, **_identity(challenge), **_clock(challenge, outcome.elapsed)}


def certificates(chain: tuple[bytes, ...]) -> Iterator[Told]:
    """Each certificate of a chain as it was sent, then the chain."""
    for position, der in enumerate(chain[:_CERTIFICATES_SHOWN]):
        yield _certificate(position, der)
    if chain:
        from rdpdoctor.net.trust import judge

        trusted, reason = judge(chain)
        yield "tls.chain", {"sent": len(chain), "trusted": trusted, "reason": reason}


def _certificate(position: int, der: bytes) -> Told:
    import hashlib

    from rdpdoctor.wire import certificate
    from rdpdoctor.wire.errors import Malformed

    try:
        value = certificate.parse(der)
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


def _nla_ended(ended: Ended) -> Told:
    args = _ending(ended)
    match ended.how:
        case How.MALFORMED | How.REJECTED:
            return "nla.malformed", {**args, **_offence(ended)}
        case How.ALERTED:
            return "nla.alerted", {**args, **_alert(ended)}
        case How.DECLINED:
            digits = "".join(filter(str.isdigit, ended.detail))[:9]
            return "nla.error", {**args, "version": int(digits or 0), "code": ended.code or 0}
    return f"nla.{ended.how.value}", args


def _ending(ended: Ended) -> dict[str, Any]:
    numbers = {"sent": ended.sent, "received": ended.received, "elapsed_ms": ms(ended.elapsed)}
    return {"after": ended.after, **numbers}


def _offence(ended: Ended) -> dict[str, Any]:
    return {"detail": ended.detail, "sample": ended.sample.hex()}


def _alert(ended: Ended) -> dict[str, Any]:
    return {"alert": ended.code or 0, "name": alert_name(ended.code or 0)}


def _identity(challenge: Challenge) -> dict[str, Any]:
    version = challenge.version
    return {
        "target_name": challenge.target_name or None,
        "computer": challenge.computer_name,
        "domain": challenge.domain_name,
        "dns_computer": challenge.dns_computer,
        "dns_domain": challenge.dns_domain,
        "dns_tree": challenge.dns_tree,
        "os_version": None if version is None else f"{version[0]}.{version[1]}.{version[2]}",
    }


def _clock(challenge: Challenge, elapsed: float) -> dict[str, Any]:
    """The server stamped its challenge somewhere within `elapsed`: half of it is the uncertainty."""
    stamp = challenge.timestamp
    if stamp is None or not _CLOCKS_FROM <= stamp.year <= _CLOCKS_TO:
        return {"server_time": None, "skew_ms": None, "uncertainty_ms": None}
    skew = (stamp - utc_now()).total_seconds() + elapsed / 2
    return {"server_time": iso(stamp), "skew_ms": ms(skew), "uncertainty_ms": ms(elapsed / 2)}
