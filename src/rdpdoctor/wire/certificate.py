"""X.509 certificates (RFC 5280) as plain values: what a Remote Desktop client would look at.

Parsing itself is `cryptography`'s; this module only reads out, and never lets one odd field hide the others.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

Extension = TypeVar("Extension", bound="x509.ExtensionType")

SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"
REMOTE_DESKTOP_AUTHENTICATION = "1.3.6.1.4.1.311.54.1.2"
ANY_USAGE = "2.5.29.37.0"

_NAMES_KEPT = 100
_TEXT_KEPT = 1024  # a subject may be 60 kB; nobody reads more than this


@dataclass(frozen=True, slots=True)
class Certificate:
    """Times are UTC. usages: extended key usage OIDs, None where the extension is absent (RFC 5280 4.2.1.12:
    any).
    """

    subject: str
    common_name: str | None
    issuer: str
    serial: str  # hex
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]  # DNS names and addresses of subjectAltName
    key: str  # "RSA", "EC secp256r1", "Ed25519", "unknown"
    key_bits: int | None
    signature: str  # hash and algorithm, "sha256WithRSAEncryption"; the OID where it has no name
    sha1: str  # thumbprint as Windows shows it, lower-case hex
    sha256: str
    self_signed: bool  # issued and signed by its own key
    usages: tuple[str, ...] | None


def parse(der: bytes) -> Certificate:
    """Raise Malformed where `der` is no certificate; fields that alone cannot be read come out as unknown."""
    with warnings.catch_warnings():
        # `cryptography` warns of what it will refuse one day; a peer's certificate is not ours to mend.
        warnings.simplefilter("ignore")
        return _read(der)


def _read(der: bytes) -> Certificate:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        serial = f"{certificate.serial_number:x}"
        subject, issuer = _name(certificate, "subject"), _name(certificate, "issuer")
    except (ValueError, TypeError, OverflowError, x509.InvalidVersion) as error:
        raise Malformed("certificate", 0, str(error)[:200], bytes(der[:32])) from error
    key, bits = _key(certificate)
    return Certificate(
        subject=subject,
        common_name=_common_name(certificate),
        issuer=issuer,
        serial=serial[:64],
        not_before=not_before,
        not_after=not_after,
        names=_subject_alternative_names(certificate),
        key=key,
        key_bits=bits,
        signature=_signature(certificate),
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(der).hexdigest(),
        self_signed=_is_self_signed(certificate),
        usages=_usages(certificate),
    )


def _name(certificate: x509.Certificate, which: str) -> str:
    name = certificate.subject if which == "subject" else certificate.issuer
    try:
        return name.rfc4514_string()[:_TEXT_KEPT]
    except (ValueError, TypeError):
        return "(unreadable)"


def _common_name(certificate: x509.Certificate) -> str | None:
    from cryptography.x509.oid import NameOID

    try:
        values = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(values[-1].value)[:_TEXT_KEPT] if values else None
    except ValueError:
        return None


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    try:
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "unknown", None
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 456
    return "unknown", None


def _signature(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    name = getattr(oid, "_name", "Unknown OID")
    return oid.dotted_string if name == "Unknown OID" else str(name)


def _is_self_signed(certificate: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if certificate.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(certificate)
    except UnsupportedAlgorithm:
        # MD5 signatures and the like cannot be verified any more; then the equal names have to do.
        return True
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _subject_alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    value = _extension(certificate, x509.SubjectAlternativeName)
    if value is None:
        return ()
    names = [str(name.value)[:253] for name in value if isinstance(name, x509.DNSName | x509.IPAddress)]
    return tuple(names[:_NAMES_KEPT])


def _usages(certificate: x509.Certificate) -> tuple[str, ...] | None:
    from cryptography import x509

    value = _extension(certificate, x509.ExtendedKeyUsage)
    return None if value is None else tuple(usage.dotted_string for usage in value)[:_NAMES_KEPT]


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    """None where it is absent, or where one that cannot be read hides them all: some of the library's errors
    are no ValueErrors.
    """
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    except (ValueError, TypeError):
        return None
