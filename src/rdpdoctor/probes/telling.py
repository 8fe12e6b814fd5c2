"""What the machines of `connection` end with, as tags and their arguments. Pure but for the wall clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.telling import (
    CERTIFICATES,
    Told,
    alert,
    certificate,
    challenged,
    ending,
    looks_like,
    ms,
    offence,
    tls_ended,
    x224_outcome,
)
from rdpdoctor.net.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.connection.credssp import Answered, Challenged
    from rdpdoctor.net.dial import DialFailed

__all__ = ["Told", "certificates", "dial_failed", "looks_like", "nla_outcome", "tls_ended", "x224_outcome"]


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


def nla_outcome(outcome: Challenged | Answered | Ended) -> Told:
    if isinstance(outcome, Ended):
        return _nla_ended(outcome)
    challenge = getattr(outcome, "challenge", None)
    if challenge is not None:
        return challenged(outcome.version, challenge, outcome.elapsed, utc_now().timestamp())
    args: dict[str, Any] = {"version": outcome.version, "elapsed_ms": ms(outcome.elapsed)}
    return "nla.answered", {**args, "detail": getattr(outcome, "detail", "")}


def certificates(chain: tuple[bytes, ...]) -> Iterator[Told]:
    """Each certificate of a chain as it was sent, then the chain."""
    for position, der in enumerate(chain[:CERTIFICATES]):
        yield certificate(position, der)
    if chain:
        from rdpdoctor.net.trust import judge

        trusted, reason = judge(chain)
        yield "tls.chain", {"sent": len(chain), "trusted": trusted, "reason": reason}


def _nla_ended(ended: Ended) -> Told:
    args = ending(ended)
    match ended.how:
        case How.MALFORMED | How.REJECTED:
            return "nla.malformed", {**args, **offence(ended)}
        case How.ALERTED:
            return "nla.alerted", {**args, **alert(ended)}
        case How.DECLINED:
            digits = "".join(filter(str.isdigit, ended.detail))[:9]
            return "nla.error", {**args, "version": int(digits or 0), "code": ended.code or 0}
    return f"nla.{ended.how.value}", args
