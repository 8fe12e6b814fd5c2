"""The lab's certificates: made when first asked for, kept for the process. No key stays on disk."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.wire import der

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    from rdpdoctor.lab.scenario import Certificate, Tls

    Key: TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey"

_USAGES = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2", "rdp": "1.3.6.1.4.1.311.54.1.2"}
_SHA256_RSA, _SHA1_RSA = der.oid("1.2.840.113549.1.1.11"), der.oid("1.2.840.113549.1.1.5")
_UNIT = 1000  # bytes of one organisational unit: readers refuse much longer ones


@cache
def key(kind: str) -> Key:
    """One key of each kind, for all: making RSA keys takes its time, and nothing here needs to be secret."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if kind == "ec-p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa-")))


@cache
def chain(plan: Certificate) -> tuple[bytes, ...]:
    """DER, the server's own first, then what issued it: as many as the plan says."""
    from cryptography.hazmat.primitives.serialization import Encoding

    own = key(plan.key)
    if plan.issuer is None and plan.chain == 1:
        leaf = _build(plan, own, _subject(plan), own)
        return (_with_sha1(leaf) if plan.signature == "sha1" else leaf,)
    # Authorities share one key. The last one is signed by an authority that is not sent.
    names = [plan.issuer or "Lab Authority"]
    names += [f"{names[0]} {level}" for level in range(2, plan.chain + 1)]
    authorities = [_authority(name, issuer).public_bytes(Encoding.DER) for name, issuer in pairwise(names)]
    return (_build(plan, own, _name(names[0]), key("ec-p256")), *authorities)


@cache
def context(tls: Tls, plan: Certificate) -> ssl.SSLContext:
    """A server that shows this certificate. Raise ssl.SSLError where this OpenSSL cannot."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        # Old versions are deprecated, and here they are the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = ssl.TLSVersion(tls.versions[0])
        made.maximum_version = ssl.TLSVersion(tls.versions[1])
    weak = tls.versions[0] < ssl.TLSVersion.TLSv1_2 or plan.key == "rsa-1024" or plan.signature == "sha1"
    if tls.ciphers or weak:
        made.set_ciphers((tls.ciphers or "DEFAULT") + (":@SECLEVEL=0" if weak else ""))
    with tempfile.TemporaryDirectory(prefix="rdpdoctor-lab-") as folder:
        file = Path(folder) / "pair.pem"  # `ssl` reads keys from files only
        file.touch(0o600)
        file.write_bytes(_private_pem(plan.key) + b"".join(map(_pem, chain(plan))))
        made.load_cert_chain(file)
    return made


def _private_pem(kind: str) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pem(certificate: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(certificate).encode()


def _build(plan: Certificate, own: Key, issuer: x509.Name, signer: Key) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(plan))
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=plan.days[0]))
        .not_valid_after(now + timedelta(days=plan.days[1]))
    )
    if plan.names:
        names = x509.SubjectAlternativeName([_general(name) for name in plan.names])
        builder = builder.add_extension(names, critical=False)
    if plan.usages is not None:
        usages = x509.ExtendedKeyUsage([x509.ObjectIdentifier(_USAGES[name]) for name in plan.usages])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def _authority(name: str, issuer: str) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC).replace(microsecond=0)
    signer = key("ec-p256")
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(signer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=3000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _subject(plan: Certificate) -> x509.Name:
    from cryptography import x509

    units = [
        x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "U" * min(_UNIT, plan.padding - at))
        for at in range(0, plan.padding, _UNIT)
    ]
    return x509.Name([*units, *_name(plan.common_name)])


def _general(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _with_sha1(certificate: bytes) -> bytes:
    """The same certificate, of the RSA key, signed with SHA-1, which builders refuse (RFC 5280 4.1)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    body = next(iter(der.parse(certificate, "certificate").children()))
    signed = der.tlv(der.SEQUENCE, body.content).replace(_SHA256_RSA, _SHA1_RSA)
    signer = key("rsa-2048")
    assert isinstance(signer, rsa.RSAPrivateKey)
    signature = signer.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    algorithm = der.tlv(der.SEQUENCE, _SHA1_RSA, b"\x05\x00")
    return der.tlv(der.SEQUENCE, signed, algorithm, der.tlv(der.BIT_STRING, b"\x00" + signature))
