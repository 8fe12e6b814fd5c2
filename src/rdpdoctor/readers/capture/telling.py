"""What a walked connection says, as tags: those of a live check, and `flow.*` beside them. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.wire import certificate, nego
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_record import alert_name, version_name
from rdpdoctor.wire.tls_suites import suite_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rdpdoctor.connection.initiation import Confirmed
    from rdpdoctor.readers.capture.tls import TlsWalk
    from rdpdoctor.wire.ntlm import Challenge
    from rdpdoctor.wire.tls_hello import ClientHello

#: A tag, and its arguments without those that say which stream it was.
Told: TypeAlias = tuple[str, dict[str, Any]]

_CERTIFICATES = 8
#: A clock without a battery says 1980 or later; what lies outside is no time at all.
_CLOCKS_FROM, _CLOCKS_TO = 1980, 2200
_TEXT = 256  # characters of what a client wrote
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


def request(data: nego.ConnectionRequestData, fault: str | None) -> dict[str, Any]:
    """flow.request: what the client asked for."""
    negotiation, token = data.negotiation, data.token
    routing: str | None = None
    match token:
        case nego.RoutingToken(text=text):
            routing = text[:_TEXT]
        case nego.UnknownToken(raw=raw):
            routing = raw.decode("latin-1")[:_TEXT]
    flags = negotiation.flags if negotiation is not None else 0
    return {**question(data), "flags": int(flags), "routing": routing, "fault": fault}


def question(data: nego.ConnectionRequestData) -> dict[str, Any]:
    """The group `asked`. Without a negotiation block a client can only mean standard RDP security."""
    cookie = data.token.name[:_TEXT] if isinstance(data.token, nego.Cookie) else None
    return {"requested": data.negotiation.protocols if data.negotiation else 0, "cookie": cookie}


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


def hello(value: ClientHello) -> dict[str, Any]:
    """flow.hello: what the client offered in TLS."""
    versions = [version_name(version) for version in value.offered_versions[:16]]
    name = value.server_name
    return {
        "versions": versions,
        "suites": len(value.cipher_suites),
        "server_name": name[:_TEXT] if name is not None else None,
        "resumes": bool(value.session_id),
    }


def tls_completed(walk: TlsWalk) -> Told:
    server = walk.server_hello
    version = version_name(server.selected_version) if server is not None else "unknown"
    suite = suite_name(server.cipher_suite) if server is not None else "unknown"
    elapsed = (walk.completed or walk.began) - walk.began
    return "tls.completed", {"version": version, "suite": suite, "elapsed_ms": ms(elapsed)}


def tls_ended(ended: Ended) -> Told:
    args = _ending(ended)
    match ended.how:
        case How.MALFORMED:
            args |= _offence(ended)
        case How.ALERTED:
            args |= {"alert": ended.code or 0, "name": alert_name(ended.code or 0)}
        case How.REJECTED:
            args["reason"] = ended.detail
    return f"tls.{ended.how.value}", args


def ended(value: Ended) -> Told:
    """CredSSP and what follows: encrypted, so only how it ended."""
    return f"{value.stage.value}.{value.how.value}", _ending(value)


def challenged(version: int, challenge: Challenge, elapsed: float, when: float) -> Told:
    """nla.challenged, as a live check tells it. when: of the challenge, seconds since 1970 by the recording's
    clock.
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
        skew = stamp.timestamp() - when + elapsed / 2
        args |= {"server_time": iso(stamp), "skew_ms": ms(skew), "uncertainty_ms": ms(elapsed / 2)}
    return "nla.challenged", args


def certificates(chain: tuple[bytes, ...]) -> Iterator[Told]:
    """Each certificate as it was sent, then the chain. Whose roots would count is not known here."""
    for position, der in enumerate(chain[:_CERTIFICATES]):
        yield _certificate(position, der)
    yield "tls.chain", {"sent": len(chain), "trusted": None, "reason": "recorded"}


def _certificate(position: int, der: bytes) -> Told:
    sha256 = hashlib.sha256(der).hexdigest()
    try:
        value = certificate.parse(der)
    except Malformed as error:
        args = {"position": position, "detail": error.detail, "size": len(der), "sha256": sha256}
        return "tls.certificate-unreadable", args
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
        "sha256": sha256,
        "self_signed": value.self_signed,
        "usages": None if value.usages is None else list(value.usages),
    }


def _ending(ended: Ended) -> dict[str, Any]:
    numbers = {"sent": ended.sent, "received": ended.received, "elapsed_ms": ms(ended.elapsed)}
    return {"after": ended.after, **numbers}


def _offence(ended: Ended) -> dict[str, Any]:
    return {"detail": ended.detail, "sample": ended.sample.hex()}
