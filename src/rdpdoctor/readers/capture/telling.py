"""What a walked connection says, as tags: those of a live check, and `flow.*` beside them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.telling import (
    CERTIFICATES,
    Told,
    certificate,
    challenged,
    ending,
    iso,
    looks_like,
    ms,
    tls_ended,
    x224_outcome,
)
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import version_name
from rdpdoctor.wire.tls_suites import suite_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.connection.machine import Ended
    from rdpdoctor.readers.capture.tls import TlsWalk
    from rdpdoctor.wire.tls_hello import ClientHello

__all__ = [
    "Told",
    "certificates",
    "challenged",
    "ended",
    "hello",
    "iso",
    "looks_like",
    "ms",
    "question",
    "request",
    "tls_completed",
    "tls_ended",
    "x224_outcome",
]

_TEXT = 256  # characters of what a client wrote


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


def ended(value: Ended) -> Told:
    """CredSSP and what follows: encrypted, so only how it ended."""
    return f"{value.stage.value}.{value.how.value}", ending(value)


def certificates(chain: tuple[bytes, ...]) -> Iterator[Told]:
    """Each certificate as it was sent, then the chain. Whose roots would count is not known here."""
    for position, der in enumerate(chain[:CERTIFICATES]):
        yield certificate(position, der)
    yield "tls.chain", {"sent": len(chain), "trusted": None, "reason": "recorded"}
