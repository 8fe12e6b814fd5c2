"""The negotiation."""

from __future__ import annotations

from tests.diagnosis.stories.case import CLOSERS, TLS_FAULTS, Case
from tests.diagnosis.story import Story


def tell() -> dict[str, Case]:
    return {
        "says nothing": Case(
            lambda: Story().walk("silent", elapsed_ms=8000.0).attempt("silent", variant="alone"),
            "failing",
            "x224",
            ("service.hung", "likely"),
            ("path.filtered", "port.not-rdp", *CLOSERS),
        ),
        "says nothing, and nobody waited": Case(
            lambda: (
                Story().walk("silent", elapsed_ms=900.0).attempt("silent", variant="alone", elapsed_ms=900.0)
            ),
            "failing",
            "x224",
            ("service.hung", "possible"),
            ("path.filtered", "port.not-rdp", *CLOSERS),
        ),
        "closes after choosing RDP": Case(
            lambda: Story().walk(0).see("mcs.closed", attempt=1, role="walk", after="connection-confirm"),
            "failing",
            "mcs",
            ("server.closes-early", "possible"),
            ("service.hung", "negotiation.inconsistent"),
        ),
        "resets after TLS without NLA": Case(
            lambda: Story().walk(1, "TLS 1.3").see("mcs.reset", attempt=1, role="walk", after="handshake"),
            "failing",
            "mcs",
            ("server.closes-early", "possible"),
            ("tls.broken", "certificate.key-unusable"),
        ),
        "stops in the answer": Case(
            lambda: Story().walk("stalled", received=5),
            "failing",
            "x224",
            ("service.hung", "possible"),
            ("port.not-rdp", *CLOSERS),
        ),
        "web server": Case(
            lambda: (
                Story()
                .walk("closed")
                .attempt("closed", variant="alone")
                .see("service.identified", protocol="http", banner="HTTP/1.1 400 Bad Request")
            ),
            "failing",
            "x224",
            ("port.not-rdp", "confirmed"),
            (*CLOSERS, "service.hung"),
        ),
        "ssh": Case(
            lambda: Story().walk("malformed", sample="5353482d322e30", looks_like="ssh"),
            "failing",
            "x224",
            ("port.not-rdp", "confirmed"),
            ("negotiation.inconsistent",),
        ),
        "unknown bytes": Case(
            lambda: Story().walk("malformed", sample="0a0b0c0d"),
            "failing",
            "x224",
            ("port.not-rdp", "likely"),
            CLOSERS,
        ),
        "broken frame": Case(
            lambda: Story().walk("malformed", sample="03000000", detail="TPKT length 0"),
            "failing",
            "x224",
            ("negotiation.inconsistent", "likely"),
            ("port.not-rdp",),
        ),
        "closes at once": Case(
            lambda: (
                Story()
                .walk("closed")
                .matrix(dict.fromkeys((3, 1, 0), "closed"))
                .attempt("closed", variant="no-cookie", cookie=None)
                .code(2308, 7)
            ),
            "failing",
            "x224",
            ("server.closes-early", "likely"),
            ("cookie.filtered", "limits.connections", "certificate.key-unusable", "service.hung"),
        ),
        "closes for a cookie": Case(
            lambda: (
                Story()
                .walk("reset")
                .matrix(dict.fromkeys((1, 0), "reset"))
                .attempt(8, variant="no-cookie", cookie=None, role="variant")
                .attempt("reset", variant="alone")
                .attempt("reset", variant="alone")
            ),
            "failing",
            "x224",
            ("cookie.filtered", "confirmed"),
            ("server.closes-early", "limits.connections", "path.intermittent"),
        ),
        "closes for a cookie, seen once": Case(
            lambda: Story().walk("reset").attempt(8, variant="neutral-cookie", cookie="other"),
            "failing",
            "x224",
            ("cookie.filtered", "likely"),
            ("limits.connections",),
        ),
        "closes for a name": Case(
            lambda: (
                Story()
                .walk("reset")
                .attempt(8, variant="no-cookie", cookie=None, role="variant")
                .attempt(8, variant="neutral-cookie", cookie="other", role="variant")
                .attempt("reset", variant="alone")
                .attempt("reset", variant="alone")
            ),
            "failing",
            "x224",
            ("cookie.filtered", "confirmed"),
            ("server.closes-early", "negotiation.inconsistent", "path.intermittent"),
        ),
        "slow beside others": Case(
            lambda: (
                Story()
                .healthy()
                .matrix(dict.fromkeys((3, 1, 0), "silent"), at_once=4)
                .attempt("silent", at_once=2)
                .attempt("silent", at_once=3)
                .attempt(8, variant="alone")
                .attempt(8, variant="alone")
                .attempt(8, variant="alone")
            ),
            "degraded",
            "x224",
            ("limits.connections", "possible"),
            ("server.closes-early", "path.intermittent", "service.hung"),
        ),
        "closes without a cookie": Case(
            lambda: (
                Story()
                .healthy()
                .attempt("closed", role="matrix", requested=3, variant="no-cookie", cookie=None)
                .matrix({1: 1, 0: 0})
            ),
            "degraded",
            "x224",
            ("cookie.filtered", "possible"),
            ("limits.connections", "server.closes-early"),
        ),
        "drops many": Case(
            lambda: (
                Story()
                .healthy()
                .attempt("reset", role="matrix", requested=3, variant="no-cookie", cookie=None, at_once=3)
                .matrix({1: "reset", 0: "reset"}, at_once=4)
                .attempt(8, variant="alone")
                .attempt(8, variant="alone")
                .attempt(8, variant="alone")
            ),
            "degraded",
            "x224",
            ("limits.connections", "likely"),
            ("cookie.filtered", "server.closes-early", "path.intermittent"),
        ),
        "refuses TLS": Case(
            lambda: Story().walk(("failure", 2)).matrix({3: ("failure", 2), 1: ("failure", 2), 0: 0}),
            "degraded",
            "x224",
            ("security-layer.rdp-only", "confirmed"),
            ("certificate.missing", "negotiation.inconsistent"),
        ),
        "refuses TLS and RDP": Case(
            lambda: Story().walk(("failure", 2)).matrix(dict.fromkeys((3, 1, 0), ("failure", 2))),
            "failing",
            "x224",
            ("security-layer.rdp-only", "likely"),
            ("certificate.missing",),
        ),
        "chooses RDP": Case(
            lambda: Story().walk(0).matrix({3: 0, 1: 0, 0: 0}),
            "degraded",
            "x224",
            ("security-layer.rdp-only", "confirmed"),
            ("negotiation.inconsistent", *TLS_FAULTS),
        ),
        "plain confirm": Case(
            lambda: Story().walk("plain"),
            "degraded",
            "x224",
            ("security-layer.rdp-only", "confirmed"),
            ("negotiation.inconsistent",),
        ),
        "weston refuses HYBRID alone": Case(
            lambda: Story().walk(1, "TLS 1.3").matrix({3: 1, 1: 1, 0: 0, 2: ("failure", 2)}),
            "healthy",
            None,
            None,
            ("security-layer.rdp-only",),
        ),
        "no certificate": Case(
            lambda: Story().walk(("failure", 3)).matrix(dict.fromkeys((3, 1, 0), ("failure", 3))),
            "failing",
            "x224",
            ("certificate.missing", "confirmed"),
            ("negotiation.inconsistent", "certificate.key-unusable"),
        ),
        "failure 5 to CredSSP": Case(
            lambda: Story().walk(("failure", 5)),
            "failing",
            "x224",
            ("negotiation.inconsistent", "likely"),
            ("nla.required",),
        ),
        "failure 6": Case(
            lambda: Story().walk(("failure", 6)),
            "failing",
            "x224",
            ("negotiation.inconsistent", "confirmed"),
            ("certificate.missing",),
        ),
        "chooses what was not offered": Case(
            lambda: Story().walk(0x10),
            "failing",
            "x224",
            ("negotiation.inconsistent", "confirmed"),
            ("entra.required",),
        ),
        "dislikes one request": Case(
            lambda: (
                Story()
                .walk("closed")
                .matrix({3: 2, 1: 1, 0: 0})
                .attempt(2, role="matrix", requested=3, variant="no-cookie", cookie=None)
                .attempt("closed", variant="alone")
                .attempt("closed", variant="alone")
            ),
            "failing",
            "x224",
            ("negotiation.inconsistent", "likely"),
            ("cookie.filtered", "limits.connections"),
        ),
        "Entra only": Case(
            lambda: Story().walk(("failure", 1)).matrix({3: ("failure", 1), 1: ("failure", 1), 0x10: 0x10}),
            "failing",
            "x224",
            ("entra.required", "confirmed"),
            ("negotiation.inconsistent", "certificate.missing"),
        ),
        "now and then reset": Case(
            lambda: (
                Story()
                .healthy()
                .attempt("reset", variant="alone")
                .attempt(8, variant="alone")
                .attempt(8, variant="alone")
            ),
            "degraded",
            "x224",
            ("path.intermittent", "confirmed"),
            ("cookie.filtered", "limits.connections"),
        ),
    }
