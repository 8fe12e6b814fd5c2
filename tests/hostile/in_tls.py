"""Peers that misbehave in the TLS handshake, and odd certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.command import Expect

from .fault import FINE, MEGABYTE, NETWORK, NOT_THE_TALK, SILENCE, Fault, tls
from .kit import alert, client_hello, first_flight, record
from .peers import (
    HYBRID,
    Behave,
    confirm,
    healthy,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kit import Kit
    from .peers import Talk


def instead_of_hello(*parts: bytes, then: str = "close") -> Callable[[Kit], Behave]:
    """Bytes where the ServerHello should be."""

    def behave(talk: Talk) -> None:
        talk.choose()
        client_hello(talk)
        for part in parts:
            talk.send(part)
        if then == "hold":
            talk.hold()
        elif then == "reset":
            talk.wait(0.05)
            talk.reset()
        else:
            talk.close()

    return lambda kit: behave


def tls_flood(first: bytes) -> Callable[[Kit], Behave]:
    def behave(talk: Talk) -> None:
        talk.choose()
        client_hello(talk)
        talk.send(first)
        for _ in range(200):
            talk.send(MEGABYTE)
            talk.wait(0.02)

    return lambda kit: behave


def alert_after_hello(code: int) -> Callable[[Kit], Behave]:
    def make(kit: Kit) -> Behave:
        def behave(talk: Talk) -> None:
            talk.choose()
            talk.send(first_flight(kit.old, client_hello(talk))[0] + alert(code))
            talk.close()

        return behave

    return make


def flight_drip(kit: Kit) -> Behave:
    """The server's flight, a byte a second."""

    def behave(talk: Talk) -> None:
        talk.choose()
        for byte in b"".join(first_flight(kit.old, client_hello(talk))):
            talk.send(bytes([byte]))
            talk.wait(1.0)

    return behave


def flight_repeated(kit: Kit) -> Behave:
    """The flight's certificate message again and again: it never ends, and each part is valid."""

    def behave(talk: Talk) -> None:
        talk.choose()
        flight = first_flight(kit.old, client_hello(talk))
        talk.send(flight[0])
        for _ in range(3000):
            for one in flight[1:2]:
                talk.send(one)
            talk.wait(0.001)
        talk.hold()

    return behave


def _no_key(code: int) -> tuple[str, ...]:
    """Only alert 80, internal_error, may mean that the server cannot use its own key."""
    return () if code == 80 else ("certificate.key-unusable",)


CASES: dict[str, Fault] = {
    "healthy": Fault(lambda kit: healthy(kit.good), FINE),
    "healthy-tls-1.2": Fault(lambda kit: healthy(kit.old), FINE),
    "no-key": Fault(
        instead_of_hello(), tls("certificate.key-unusable", never=("tls.version-mismatch", "tls.broken"))
    ),
    "no-key-reset": Fault(
        instead_of_hello(then="reset"),
        tls(also=("certificate.key-unusable",), never=("tls.version-mismatch",)),
    ),
    "tls-silent": Fault(
        instead_of_hello(then="hold"),
        tls(*SILENCE, never=("certificate.key-unusable", "tls.version-mismatch")),
        5,
    ),
    "tls-garbage": Fault(instead_of_hello(b"\x00" * 64), tls("tls.broken")),
    "tls-again-x224": Fault(instead_of_hello(confirm(HYBRID)), tls("tls.broken")),
    "tls-http": Fault(instead_of_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), tls("tls.broken")),
    "tls-flood-zeros": Fault(tls_flood(b""), tls("tls.broken"), 6),
    "tls-flood-record": Fault(tls_flood(record(0x16, b"", length=0x4000)), tls("tls.broken"), 6),
    "tls-record-65535": Fault(instead_of_hello(record(0x16, b"\x02", length=0xFFFF)), tls("tls.broken")),
    "tls-message-16-mb": Fault(
        instead_of_hello(record(0x16, b"\x02\xff\xff\xff" + bytes(2000)), then="hold"),
        tls(never=("certificate.key-unusable",)),
        8,
    ),
    "tls-empty-records": Fault(
        instead_of_hello(*[record(0x16, b"") * 2000] * 5, then="hold"),
        tls(never=("certificate.key-unusable",)),
        8,
    ),
    "tls-flight-drip": Fault(
        flight_drip, tls(*SILENCE, never=("certificate.key-unusable", "tls.version-mismatch")), 5
    ),
    "tls-flight-repeated": Fault(flight_repeated, tls(never=("certificate.key-unusable",)), 8),
    **{
        f"tls-alert-{code}": Fault(
            instead_of_hello(alert(code)), tls(*causes, never=(*_no_key(code), "path.mtu-black-hole"))
        )
        for code, causes in (
            (0, ()),
            (10, ("tls.broken",)),
            (40, ("tls.cipher-mismatch", "tls.broken")),
            (47, ("tls.broken",)),
            (70, ("tls.version-mismatch",)),
            (71, ("tls.cipher-mismatch",)),
            (80, ("tls.broken",)),
            (255, ("tls.broken",)),
        )
    },
    "tls-warning-forever": Fault(
        instead_of_hello(alert(112, 1) * 50, then="hold"), tls(never=("certificate.key-unusable",)), 5
    ),
    **{
        f"tls-alert-{code}-after-hello": Fault(
            alert_after_hello(code), tls(never=(*_no_key(code), "tls.version-mismatch"))
        )
        for code in (40, 48, 80, 255)
    },
    "hundred-certificates": Fault(
        lambda kit: healthy(kit.chain(100)), Expect(("healthy", "degraded"), (None, "tls"))
    ),
    # 150 kB of certificates: more than OpenSSL, and so most clients, would take.
    "two-hundred-certificates": Fault(
        lambda kit: healthy(kit.chain(200)),
        Expect(("healthy", "degraded", "failing"), (None, "tls"), never=NETWORK + NOT_THE_TALK),
    ),
    "huge-subject": Fault(
        lambda kit: healthy(kit.huge_subject),
        Expect(("healthy", "degraded"), (None, "tls"), never=("tls.broken", "tls.inspected")),
    ),
    # Self-signed, it stands there twice: 120 kB in one message, again more than OpenSSL takes.
    "huge-subject-and-issuer": Fault(
        lambda kit: healthy(kit.huge_names),
        Expect(("healthy", "degraded", "failing"), (None, "tls"), never=NETWORK + NOT_THE_TALK),
    ),
    "nasty-certificate": Fault(
        lambda kit: healthy(kit.nasty),
        Expect(("healthy", "degraded"), (None, "tls"), never=("tls.broken", "tls.inspected")),
    ),
}
