"""Certificates that a disk, a middlebox or somebody's own code broke: Malformed, and nothing else."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import certificate
from rdpdoctor.wire.errors import Malformed

_VERSION = bytes.fromhex("a003020102")  # [0] EXPLICIT INTEGER 2: version 3 (RFC 5280 4.1.2.1)


def _made() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "srv")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("srv")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


DER = _made()


def test_a_good_one() -> None:
    value = certificate.parse(DER)
    assert (value.common_name, value.names, value.self_signed) == ("srv", ("srv",), True)


@pytest.mark.parametrize("version", [3, 6, 255])
def test_versions_that_do_not_exist(version: int) -> None:
    """Once a crash: the library has an error of its own for this, which is no ValueError."""
    assert _VERSION in DER
    with pytest.raises(Malformed):
        certificate.parse(DER.replace(_VERSION, _VERSION[:4] + bytes((version,))))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("0603551d11", "0603551d25"),  # subjectAltName becomes a second extended key usage
        ("8203737276", "8303737276"),  # dNSName becomes x400Address, which the library does not know
    ],
)
def test_an_extension_that_cannot_be_read_hides_nothing_else(good: str, bad: str) -> None:
    """Once a crash, too."""
    assert bytes.fromhex(good) in DER
    value = certificate.parse(DER.replace(bytes.fromhex(good), bytes.fromhex(bad)))
    assert (value.common_name, value.names) == ("srv", ())


@given(st.integers(0, len(DER) - 1), st.integers(1, 255))
def test_any_byte_changed(at: int, by: int) -> None:
    broken = bytearray(DER)
    broken[at] ^= by
    with contextlib.suppress(Malformed):
        certificate.parse(bytes(broken))


@pytest.mark.parametrize("at", range(len(DER)))
def test_cut_at_every_index(at: int) -> None:
    with pytest.raises(Malformed):
        certificate.parse(DER[:at])
