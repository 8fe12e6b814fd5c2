"""Certificates of every kind a server may show, as PEM files. RSA keys are made once per size and process."""

from __future__ import annotations

import ipaddress
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

if TYPE_CHECKING:
    from pathlib import Path

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

REMOTE_DESKTOP_AUTHENTICATION = ObjectIdentifier("1.3.6.1.4.1.311.54.1.2")


@dataclass(frozen=True, slots=True)
class Pair:
    """`certificate` may hold a chain, the server's own first. `key` is an unencrypted PKCS#8 file."""

    certificate: Path
    key: Path


@cache
def rsa_key(bits: int = 2048, _which: int = 0) -> rsa.RSAPrivateKey:
    """Another `_which` is another key of that size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def build(
    key: Key,
    *,
    subject: str = "rdp-under-test",
    names: tuple[str, ...] = ("rdp-under-test", "localhost", "127.0.0.1"),
    start: timedelta = timedelta(days=-30),
    end: timedelta = timedelta(days=300),
    usages: tuple[ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    issuer: tuple[x509.Name, Key] | None = None,
    authority: bool = False,
) -> x509.Certificate:
    """`start` and `end` count from now; without an `issuer` the certificate is self-signed."""
    now = datetime.now(UTC).replace(microsecond=0)
    own = name_of(subject)
    issuer_name, signer = issuer or (own, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), False
        )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    return builder.sign(signer, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write(directory: Path, label: str, key: Key, *chain: x509.Certificate) -> Pair:
    pair = Pair(directory / f"{label}.crt", directory / f"{label}.key")
    pair.certificate.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    pair.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    pair.key.chmod(0o600)
    return pair


def make(directory: Path, kind: str) -> Pair:
    """One of `KINDS`. Only `sha1` and `traditional` need the `openssl` command."""
    days = timedelta
    match kind:
        case "valid":
            return write(directory, kind, rsa_key(), build(rsa_key()))
        case "expired":
            return write(directory, kind, rsa_key(), build(rsa_key(), start=days(-400), end=days(-3)))
        case "expiring":
            return write(directory, kind, rsa_key(), build(rsa_key(), end=days(10)))
        case "not-yet-valid":
            return write(directory, kind, rsa_key(), build(rsa_key(), start=days(5)))
        case "rsa-1024":
            return write(directory, kind, rsa_key(1024), build(rsa_key(1024)))
        case "rsa-4096":
            return write(directory, kind, rsa_key(4096), build(rsa_key(4096)))
        case "ecdsa":
            return write(directory, kind, ec_key(), build(ec_key()))
        case "wrong-usage":
            usages = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)
            return write(directory, kind, rsa_key(), build(rsa_key(), usages=usages))
        case "rdp-usage":
            return write(
                directory, kind, rsa_key(), build(rsa_key(), usages=(REMOTE_DESKTOP_AUTHENTICATION,))
            )
        case "no-usage":
            return write(directory, kind, rsa_key(), build(rsa_key(), usages=()))
        case "other-name":
            cert = build(rsa_key(), subject="elsewhere", names=("elsewhere.example", "192.0.2.7"))
            return write(directory, kind, rsa_key(), cert)
        case "computer-name":
            # What Windows makes for itself: the computer's name and nothing else.
            return write(directory, kind, rsa_key(), build(rsa_key(), subject="WIN-TEST", names=()))
        case "chain" | "expired-chain":
            root, middle = rsa_key(2048, 1), rsa_key(2048, 2)
            top = build(root, subject="Test Root", names=(), usages=(), authority=True)
            issuing = build(
                middle,
                subject="Test Issuing",
                names=(),
                usages=(),
                issuer=(top.subject, root),
                authority=True,
            )
            ends = days(-3) if kind == "expired-chain" else days(300)
            leaf = build(rsa_key(), start=days(-400), end=ends, issuer=(issuing.subject, middle))
            return write(directory, kind, rsa_key(), leaf, issuing, top)
        case "mismatch":
            pair = write(directory, kind, rsa_key(2048, 1), build(rsa_key()))
            return pair
        case "sha1":
            return _sha1(directory)
        case "traditional":
            return _traditional(directory)
    raise ValueError(f"no certificate of kind {kind!r}")


KINDS = (
    "valid", "expired", "expiring", "not-yet-valid", "rsa-1024", "rsa-4096", "ecdsa", "wrong-usage",
    "rdp-usage", "no-usage", "other-name", "computer-name", "chain", "expired-chain",
    "mismatch", "sha1", "traditional",
)  # fmt: skip


def _sha1(directory: Path) -> Pair:
    # `cryptography` no longer signs with SHA-1; openssl does.
    pair = write(directory, "sha1", rsa_key())
    subprocess.run(
        [
            "openssl", "req", "-x509", "-sha1", "-key", str(pair.key), "-out", str(pair.certificate),
            "-days", "300", "-subj", "/CN=rdp-under-test",
            "-addext", "subjectAltName=DNS:rdp-under-test,DNS:localhost,IP:127.0.0.1",
            "-addext", "extendedKeyUsage=serverAuth",
        ],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return pair


def _traditional(directory: Path) -> Pair:
    """A PKCS#1 key, the only kind that weston's `--rdp4-key` reads."""
    pair = write(directory, "traditional", rsa_key(), build(rsa_key()))
    pair.key.write_bytes(
        rsa_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return pair


class Certificates:
    """Each kind is made once, when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[str, Pair] = {}

    def __getitem__(self, kind: str) -> Pair:
        if kind not in self._made:
            self._made[kind] = make(self._directory, kind)
        return self._made[kind]
