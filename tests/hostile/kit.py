"""What hostile peers are made of besides `peers`: certificates out of the ordinary, and hand-made TLS."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.real.certificates import Certificates, Pair, build, name_of, rsa_key, write

from .peers import Over, server_context

if TYPE_CHECKING:
    from pathlib import Path

    from .peers import Talk

#: A reset of the terminal, a new window title, a colour, a line of its own, text turned around, a C1 control.
NASTY = "a\x1bc\x1b]0;owned\x07\x1b[31mred\r\n\x00\x7f\u202egnp.exe\u2028\u0085\x9b31m\u200fz"

ALERT_RECORD = 0x15


@dataclass
class Kit:
    """Built when first used, once a test run."""

    directory: Path

    @cached_property
    def certificates(self) -> Certificates:
        return Certificates(self.directory)

    @cached_property
    def good(self) -> ssl.SSLContext:
        return server_context(self.certificates["valid"])

    @cached_property
    def old(self) -> ssl.SSLContext:
        """TLS 1.2 at most: there the server's first flight is in the clear."""
        return server_context(self.certificates["valid"], ssl.TLSVersion.TLSv1_2)

    @cached_property
    def client_certificate(self) -> ssl.SSLContext:
        """In TLS 1.3 the client is told only after its handshake is done that it lacks a certificate."""
        context = server_context(self.certificates["valid"])
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.certificates["valid"].certificate)
        return context

    def chain(self, count: int) -> ssl.SSLContext:
        links = [build(rsa_key())]
        links += [build(rsa_key(), subject=f"Issuer {number}", names=()) for number in range(count - 1)]
        return server_context(write(self.directory, f"chain-{count}", rsa_key(), *links))

    @cached_property
    def huge_subject(self) -> ssl.SSLContext:
        issuer = name_of("Test Issuing")
        return server_context(self._odd("huge", "rdp-under-test", "O" * 60_000, "rdp-under-test", issuer))

    @cached_property
    def huge_names(self) -> ssl.SSLContext:
        return server_context(self._odd("huge-names", "rdp-under-test", "O" * 60_000, "rdp-under-test"))

    @cached_property
    def nasty(self) -> ssl.SSLContext:
        return server_context(self._odd("nasty", NASTY, NASTY * 20, "\x1b[2Jname\r\n\x07"))

    def _odd(
        self,
        label: str,
        common_name: str,
        organization: str,
        dns_name: str,
        issuer: x509.Name | None = None,
    ) -> Pair:
        """With names that no authority would sign; self-signed unless there is an `issuer`."""
        parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
        name = x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])
        now = datetime.now(UTC)
        alternative = x509.SubjectAlternativeName([x509.DNSName(dns_name), x509.DNSName("localhost")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer or name)
            .public_key(rsa_key().public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=300))
            .add_extension(alternative, critical=False)
            .sign(rsa_key(), hashes.SHA256())
        )
        return write(self.directory, label, rsa_key(), certificate)


def record(kind: int, body: bytes, version: int = 0x0303, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return bytes([kind]) + version.to_bytes(2, "big") + size.to_bytes(2, "big") + body


def alert(code: int, level: int = 2) -> bytes:
    return record(ALERT_RECORD, bytes([level, code]))


def client_hello(talk: Talk) -> bytes:
    """The first record from the client, whole."""
    head = talk.exactly(5)
    if head[0] != 0x16:
        raise Over
    return head + talk.exactly(int.from_bytes(head[3:5], "big"))


def first_flight(context: ssl.SSLContext, hello: bytes) -> list[bytes]:
    """What OpenSSL answers to a ClientHello, record by record."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    machine = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    # It wants more, or has refused: either way what it says is in `outgoing`.
    with contextlib.suppress(ssl.SSLError):
        machine.do_handshake()
    data, records = outgoing.read(), []
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        records.append(data[:size])
        data = data[size:]
    return records
