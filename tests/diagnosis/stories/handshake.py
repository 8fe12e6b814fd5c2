"""The TLS handshake."""

from __future__ import annotations

from tests.diagnosis.stories.case import HEALTHY_MATRIX, TLS_FAULTS, Case
from tests.diagnosis.story import Story


def tell() -> dict[str, Case]:
    closed = ("closed", 0)
    return {
        "closes after the ClientHello": Case(
            lambda: Story().walk(8, closed).versions(closed).matrix(HEALTHY_MATRIX).code(2308, 7),
            "failing",
            "tls",
            ("certificate.key-unusable", "likely"),
            ("tls.version-mismatch", "path.mtu-black-hole", "listener.absent", "server.closes-early"),
        ),
        "closes, and versions were not asked": Case(
            lambda: Story().walk(8, closed),
            "failing",
            "tls",
            ("certificate.key-unusable", "possible"),
            ("path.mtu-black-hole", "tls.broken"),
        ),
        "resets after the ClientHello": Case(
            lambda: Story().walk(8, "reset").versions("reset"),
            "failing",
            "tls",
            ("certificate.key-unusable", "likely"),
            ("path.mtu-black-hole",),
        ),
        "reset unless split": Case(
            lambda: Story().walk(8, "reset").attempt(8, "TLS 1.3", variant="split-hello", role="variant"),
            "failing",
            "tls",
            ("path.tls-cut", "confirmed"),
            (*TLS_FAULTS, "path.mtu-black-hole"),
        ),
        "silent unless small": Case(
            lambda: Story().walk(8, "silent").attempt(8, "TLS 1.2", variant="small-segments", role="variant"),
            "failing",
            "tls",
            ("path.mtu-black-hole", "confirmed"),
            ("path.tls-cut", "service.hung", *TLS_FAULTS),
        ),
        "silent, and small is too": Case(
            lambda: (
                Story()
                .walk(8, "silent")
                .attempt(8, "silent", variant="small-segments", role="variant")
                .attempt(8, "silent", variant="alone")
            ),
            "failing",
            "tls",
            ("path.tls-cut", "possible"),
            ("path.mtu-black-hole", *TLS_FAULTS),
        ),
        "closes in the certificates": Case(
            lambda: Story().walk(8, ("closed", 1400)),
            "failing",
            "tls",
            ("tls.broken", "possible"),
            ("certificate.key-unusable", "path.mtu-black-hole"),
        ),
        "not TLS": Case(
            lambda: Story().walk(1, ("malformed", "03000009")).versions(("malformed", "03000009"), "TLS 1.2"),
            "failing",
            "tls",
            ("tls.broken", "confirmed"),
            ("tls.version-mismatch", "path.tls-cut", "path.mtu-black-hole"),
        ),
        "alert 80": Case(
            lambda: Story().walk(8, ("alerted", 80)),
            "failing",
            "tls",
            ("tls.broken", "likely"),
            ("tls.version-mismatch", "tls.cipher-mismatch", "path.tls-cut"),
        ),
        "alert 40": Case(
            lambda: (
                Story()
                .walk(8, ("alerted", 40))
                .attempt(8, "TLS 1.2", role="versions", hello="TLS 1.2", suite="TLS_RSA_WITH_RC4_128_SHA")
                .spoken("TLS 1.2")
            ),
            "failing",
            "tls",
            ("tls.cipher-mismatch", "confirmed"),
            ("tls.version-mismatch", "tls.broken", "certificate.key-unusable"),
        ),
        "alert 40 to one of two hellos": Case(
            lambda: Story().walk(8, ("alerted", 40)).versions("TLS 1.2", "TLS 1.2").spoken("TLS 1.2"),
            "failing",
            "tls",
            ("tls.broken", "possible"),
            ("tls.version-mismatch", "tls.cipher-mismatch", "certificate.key-unusable"),
        ),
        "wants a certificate of the client": Case(
            lambda: (
                Story()
                .walk(8, ("alerted", 40), after="client-finished")
                .versions("TLS 1.2", "TLS 1.2")
                .spoken("TLS 1.2")
            ),
            "failing",
            "tls",
            ("tls.broken", "likely"),
            ("tls.version-mismatch", "tls.cipher-mismatch", "certificate.key-unusable"),
        ),
        "closes where TLS 1.3 is offered": Case(
            lambda: (
                Story()
                .walk(8, closed)
                .versions(closed, "TLS 1.3")
                .versions("TLS 1.2", "TLS 1.2")
                .attempt(8, "TLS 1.2", variant="split-hello", role="variant")
            ),
            "failing",
            "tls",
            ("tls.broken", "possible"),
            ("tls.version-mismatch", "tls.cipher-mismatch", "certificate.key-unusable"),
        ),
        "closes where CredSSP was asked for": Case(
            lambda: (
                Story()
                .walk(8, closed)
                .versions(closed, "TLS 1.2")
                .attempt(1, "TLS 1.2", role="matrix", requested=1, hello="TLS 1.2")
            ),
            "failing",
            "tls",
            ("tls.broken", "possible"),
            ("tls.version-mismatch", "tls.cipher-mismatch", "certificate.key-unusable"),
        ),
        "handshakes fail in a crowd only": Case(
            lambda: Story().healthy().attempt(8, closed, at_once=2).attempt(8, closed, at_once=3),
            "degraded",
            "tls",
            ("limits.connections", "possible"),
            ("certificate.key-unusable", "path.intermittent", "tls.broken"),
        ),
        "alert 40 to everything": Case(
            lambda: Story().walk(8, ("alerted", 40)).versions(("alerted", 40)),
            "failing",
            "tls",
            ("tls.cipher-mismatch", "likely"),
            ("tls.version-mismatch", "tls.broken"),
        ),
        "alert 70": Case(
            lambda: Story().walk(8, ("alerted", 70)).versions(("alerted", 70), "TLS 1.2"),
            "failing",
            "tls",
            ("tls.version-mismatch", "likely"),
            ("tls.cipher-mismatch", "tls.broken"),
        ),
        "TLS 1.0 only": Case(
            lambda: Story().walk(8, ("alerted", 40)).versions("TLS 1.0", "TLS 1.0").spoken("TLS 1.0"),
            "failing",
            "tls",
            ("tls.version-mismatch", "confirmed"),
            ("tls.cipher-mismatch", "tls.broken", "certificate.key-unusable"),
        ),
        "one farm address fails": Case(
            lambda: (
                Story()
                .resolved("10.0.4.21", "10.0.4.22")
                .healthy()
                .attempt(8, closed, address="10.0.4.22")
                .attempt(8, closed, address="10.0.4.22", variant="alone")
                .attempt(8, "TLS 1.3", {}, variant="alone")
            ),
            "degraded",
            "tls",
            ("farm.bad-member", "confirmed"),
            ("certificate.key-unusable", "path.tls-cut", "path.intermittent"),
        ),
        "handshakes fail now and then": Case(
            lambda: (
                Story()
                .walk(8, closed)
                .attempt(8, "TLS 1.3", {}, variant="alone")
                .attempt(8, closed, variant="alone")
                .attempt(8, "TLS 1.3", {}, variant="alone")
            ),
            "failing",
            "tls",
            ("path.intermittent", "confirmed"),
            ("certificate.key-unusable", "farm.bad-member"),
        ),
    }
