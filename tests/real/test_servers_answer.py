"""What the real servers answer, measured with a bare socket: the ground the verdict tests stand on.

Nothing of the product is used, so when a verdict is wrong this file says whether the server or we changed.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from .certificates import REMOTE_DESKTOP_AUTHENTICATION
from .processes import Server

Serve = Callable[[str], Server]

RDP, SSL, HYBRID = "RDP", "SSL", "HYBRID"
SELECTED = {0: RDP, 1: SSL, 2: HYBRID, 8: "HYBRID_EX"}


def negotiate(connection: socket.socket, protocols: int) -> str:
    """What one connection request is answered with: a protocol's name, `failure N`, or how it ended."""
    connection.sendall(bytes.fromhex("030000130ee0000000000001000800") + protocols.to_bytes(4, "little"))
    answer = b""
    try:
        while len(answer) < 4 or len(answer) < int.from_bytes(answer[2:4]):
            received = connection.recv(512)
            if not received:
                return f"closed after {len(answer)} bytes"
            answer += received
            if not answer.startswith(b"\x03"):
                return f"not RDP: {answer[:8]!r}"
    except TimeoutError:
        return f"silent after {len(answer)} bytes"
    except ConnectionResetError:
        return "reset"
    if len(answer) == 11:
        return RDP
    kind, value = answer[11], int.from_bytes(answer[15:19], "little")
    return SELECTED[value] if kind == 2 else f"failure {value}"


def ask(server: Server, protocols: int, timeout: float = 5.0) -> str:
    with socket.create_connection((server.host, server.port), timeout) as connection:
        return negotiate(connection, protocols)


def handshake(
    server: Server, newest: ssl.TLSVersion, timeout: float = 5.0
) -> tuple[str, x509.Certificate | str]:
    """TLS up to `newest` behind a negotiation of SSL: (version, certificate), or ("", how it failed)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
        context.maximum_version = newest
    with socket.create_connection((server.host, server.port), timeout) as connection:
        assert negotiate(connection, 1) == SSL
        try:
            with context.wrap_socket(connection) as secure:
                der = secure.getpeercert(binary_form=True)
                assert der is not None
                return secure.version() or "", x509.load_der_x509_certificate(der)
        except OSError as error:
            return "", getattr(error, "reason", None) or type(error).__name__


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("xrdp-rdp", (RDP, RDP, RDP, RDP)),
        ("xrdp-tls", ("failure 1", SSL, "failure 1", SSL)),
        ("xrdp-negotiate", (RDP, SSL, RDP, SSL)),
        ("xrdp-no-certificate", ("failure 3",) * 4),
        ("xrdp-key-mismatch", ("failure 1", SSL, "failure 1", SSL)),
        ("shadow-nla", ("failure 5", "failure 5", HYBRID, HYBRID)),
        ("shadow-tls", ("failure 1", SSL, "failure 1", SSL)),
        ("shadow-rdp", (RDP, "failure 2", "failure 2", "failure 2")),
        ("shadow-all", (RDP, SSL, HYBRID, HYBRID)),
        ("weston-tls", (RDP, SSL, "failure 2", SSL)),
        ("weston-rdp", (RDP, "failure 2", "failure 2", "failure 2")),
    ],
)
def test_selects(serve: Serve, name: str, answers: tuple[str, ...]) -> None:
    server = serve(name)
    assert tuple(ask(server, protocols) for protocols in (0, 1, 2, 3)) == answers


V1_0, V1_1, V1_2, V1_3 = (
    ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("xrdp-tls", ("", "", "TLSv1.2", "TLSv1.3")),
        ("xrdp-tls-1.0-1.1", ("TLSv1", "TLSv1.1", "", "")),
        ("xrdp-tls-1.3", ("", "", "", "TLSv1.3")),
        ("xrdp-key-mismatch", ("", "", "", "")),
        ("xrdp-rsa-1024", ("", "", "", "")),
    ],
)
def test_tls_versions(serve: Serve, name: str, versions: tuple[str, ...]) -> None:
    """Up to each version alone (for 1.3: up to it), from 1.0 on."""
    server = serve(name)
    assert tuple(handshake(server, newest)[0] for newest in (V1_0, V1_1, V1_2, V1_3)) == versions


@pytest.mark.parametrize("name", ["xrdp-key-mismatch", "xrdp-rsa-1024"])
def test_answers_the_hello_with_what_is_not_tls(serve: Serve, name: str) -> None:
    assert handshake(serve(name), V1_3) == ("", "WRONG_VERSION_NUMBER")


def _days(name: str, certificate: x509.Certificate) -> bool:
    now = datetime.now(UTC)
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {
        "expired": end < now,
        "expiring": now < end < now + timedelta(days=10, minutes=1),
        "not-yet-valid": now < start,
    }[name]


def _usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def _rsa_bits(certificate: x509.Certificate) -> int:
    key = certificate.public_key()
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


CERTIFICATES: dict[str, Callable[[x509.Certificate], bool]] = {
    "xrdp-expired": lambda c: _days("expired", c),
    "shadow-expired": lambda c: _days("expired", c),
    "xrdp-expiring": lambda c: _days("expiring", c),
    "xrdp-not-yet-valid": lambda c: _days("not-yet-valid", c),
    "xrdp-sha1": lambda c: c.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSA_WITH_SHA1,
    "xrdp-rsa-1024-allowed": lambda c: _rsa_bits(c) == 1024,
    "xrdp-rsa-4096": lambda c: _rsa_bits(c) == 4096,
    "xrdp-ecdsa": lambda c: isinstance(c.public_key(), ec.EllipticCurvePublicKey),
    "xrdp-wrong-usage": lambda c: ExtendedKeyUsageOID.SERVER_AUTH not in _usages(c),
    "xrdp-rdp-usage": lambda c: _usages(c) == {REMOTE_DESKTOP_AUTHENTICATION},
    "xrdp-other-name": lambda c: "elsewhere" in c.subject.rfc4514_string(),
    "xrdp-chain": lambda c: c.issuer != c.subject,
    "weston-tls": lambda c: _rsa_bits(c) == 2048,
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_shows_its_certificate(serve: Serve, name: str) -> None:
    version, certificate = handshake(serve(name), V1_3)
    assert isinstance(certificate, x509.Certificate), certificate
    assert version in ("TLSv1.2", "TLSv1.3")
    assert CERTIFICATES[name](certificate)


def test_tls_server_only_closes(serve: Serve) -> None:
    """OpenSSL sends no alert for a first record that is not TLS: a request alone does not show what it is."""
    server = serve("openssl")
    assert ask(server, 3) == "closed after 0 bytes"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((server.host, server.port), 5) as connection,
        context.wrap_socket(connection) as secure,
    ):
        assert secure.version() == "TLSv1.3"


def test_web_server_waits_for_a_line(serve: Serve) -> None:
    """A request without a cookie holds no line end: Python's server stays silent until one comes."""
    server = serve("http")
    assert ask(server, 3, timeout=1.0) == "silent after 0 bytes"
    with socket.create_connection((server.host, server.port), 5) as connection:
        connection.sendall(b"\x03\x00\x00\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=someone\r\n")
        assert connection.recv(64).startswith(b"<!DOCTYPE")
