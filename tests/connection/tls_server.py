"""A TLS server of the standard library in memory, and a chain of as many certificates as a test wants."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@dataclass(frozen=True, slots=True)
class Identity:
    pem: bytes  # key, then the chain
    chain: tuple[bytes, ...]  # DER


NAME = "srv01.corp.example"


def identity(count: int = 1, subject: str = NAME, kind: str = "ec") -> Identity:
    """`count` certificates of one key: enough for a server that nobody verifies. kind: "ec" or "rsa-BITS"."""
    return _identity(count, subject, kind)


@cache
def _identity(count: int, subject: str, kind: str) -> Identity:
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, int(kind.partition("-")[2]))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made: list[x509.Certificate] = []
    for number in range(count):
        text = subject if not number else f"issuer {number}"
        # A common name holds 64 characters; a long subject needs many.
        parts = [text[at : at + 64] for at in range(0, len(text), 64)]
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, part) for part in parts])
        builder = x509.CertificateBuilder(name, name, key.public_key(), number + 1)
        builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=3650))
        made.append(builder.sign(key, hashes.SHA256()))
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    pem += b"".join(each.public_bytes(serialization.Encoding.PEM) for each in made)
    return Identity(pem, tuple(each.public_bytes(serialization.Encoding.DER) for each in made))


@cache
def server_context(
    lowest: ssl.TLSVersion = TLS12,
    highest: ssl.TLSVersion = TLS13,
    count: int = 1,
    subject: str = NAME,
    kind: str = "ec",
    ciphers: str = "ALL:@SECLEVEL=0",
    curve: str = "",
) -> ssl.SSLContext:
    """curve: the only one the server takes; one that clients do not guess makes it ask again (TLS 1.3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    if curve:
        context.set_ecdh_curve(curve)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what some tests are about
        context.minimum_version, context.maximum_version = lowest, highest
    with TemporaryDirectory() as directory:
        path = Path(directory, "identity.pem")
        path.write_bytes(identity(count, subject, kind).pem)
        context.load_cert_chain(path)
    return context


class TlsServer:
    """`answer` takes what a client sent and gives what the server says to it. error: why its handshake
    failed.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.done = False
        self.error: str | None = None

    def answer(self, data: bytes) -> bytes:
        self._incoming.write(data)
        if not self.done and self.error is None:
            try:
                self.tls.do_handshake()
                self.done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                self.error = error.reason
        return self._outgoing.read()

    def say(self, plain: bytes) -> bytes:
        self.tls.write(plain)
        return self._outgoing.read()

    def hear(self) -> bytes:
        """What the client has said inside TLS so far."""
        heard = b""
        while True:
            try:
                heard += self.tls.read(65536)
            except ssl.SSLWantReadError:
                return heard

    def goodbye(self) -> bytes:
        with contextlib.suppress(ssl.SSLError):  # it would wait for the client's
            self.tls.unwrap()
        return self._outgoing.read()


def records(data: bytes) -> Iterator[bytes]:
    """TLS records, split by their length fields alone: no parser of ours is trusted here."""
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        yield data[:end]
        data = data[end:]
