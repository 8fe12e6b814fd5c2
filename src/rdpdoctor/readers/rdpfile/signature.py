"""The signature of a `.rdp` file: who signed, until when, and whether a signed line was changed since.

`signature` holds, in base64, three words of 32 bits (the last one a length) and a CMS SignedData (RFC 5652)
whose content is not inside it: the lines that `signscope` lists, in its order, then `signscope` itself, each
ended by CR LF, then a NUL, in UTF-16. Nobody documents it; two open signing tools agree on it.

Whether this signer is to be trusted is for each machine to say, and not looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rdpdoctor.wire import der
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rdpdoctor.wire.certificate import Certificate

#: unchanged: the lines are as they were signed. changed: one of them is not, or was added. broken: the
#: signature is not by the certificate beside it. unknown: by a way that is not known here. unreadable: none.
UNCHANGED, CHANGED, BROKEN, UNKNOWN, UNREADABLE = "unchanged", "changed", "broken", "unknown", "unreadable"

_LAYER = "signature"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_SET, _TAGGED = 0x31, 0xA0
#: Bytes; real ones have a few kilobytes. Certificates that are looked at.
_LARGEST, _MOST = 256 * 2**10, 20


@dataclass(frozen=True, slots=True)
class Signature:
    """state: as above. signer: the certificate that signed, where it is there."""

    state: str
    signer: Certificate | None = None


@dataclass(frozen=True, slots=True)
class _Signer:
    """serial: of the certificate, as DER has it. attributes: their DER, where there are any; then they are
    what is signed, and digest is what they say of the content.
    """

    serial: bytes
    hash: str
    value: bytes
    attributes: bytes | None
    digest: bytes | None


def look(value: str, scope: Iterable[str], lines: Mapping[str, str]) -> Signature:
    """value: the line's, in base64. scope: names of the signed lines, in order, in lower case. lines: by
    name, as they stand in the file.
    """
    try:
        certificates, signer = _opened(value)
    except (Malformed, binascii.Error, ValueError):
        return Signature(UNREADABLE)
    found = next((one for one in certificates if _serial(one) == signer.serial), None)
    if found is None:
        return Signature(UNKNOWN)
    from rdpdoctor.wire.certificate import parse

    try:
        about = parse(found)
    except Malformed:
        return Signature(UNREADABLE)
    return Signature(_state(found, signer, list(_contents(scope, lines))), about)


def _contents(scope: Iterable[str], lines: Mapping[str, str]) -> Iterator[bytes]:
    """What may have been signed: the lines as they stand, or without blanks at their ends."""
    found = [lines[name] for name in chain(scope, ["signscope"]) if name in lines]
    for each in (found, [line.strip() for line in found]):
        yield ("".join(f"{line}\r\n" for line in each) + "\0").encode("utf-16-le", "replace")


def _opened(value: str) -> tuple[list[bytes], _Signer]:
    if len(value) > 2 * _LARGEST:
        raise ValueError("longer than any signature")
    data = base64.b64decode("".join(value.split()), validate=True)
    if data[:1] != bytes((der.SEQUENCE,)):
        length = int.from_bytes(data[8:12], "little")
        data = data[12 : 12 + length]
    message = list(der.parse(data, _LAYER).expect(der.SEQUENCE).children())
    if len(message) != 2 or message[0].expect(der.OID).oid() != _SIGNED_DATA:
        raise ValueError("no signed data")
    parts = list(message[1].only(der.SEQUENCE).children())
    certificates = [
        der.tlv(one.tag, one.content)
        for part in parts
        if part.tag == _TAGGED
        for one in list(part.children())[:_MOST]
        if one.tag == der.SEQUENCE
    ]
    signers = list(parts[-1].expect(_SET).children())
    if len(parts) < 4 or not signers:
        raise ValueError("nobody signed")
    return certificates, _signer(signers[0])


def _signer(info: der.Element) -> _Signer:
    """SignerInfo (RFC 5652, 5.3)."""
    parts = list(info.expect(der.SEQUENCE).children())
    if len(parts) < 5:
        raise ValueError("a signer with parts missing")
    named = list(parts[1].expect(der.SEQUENCE).children())
    algorithm = list(parts[2].expect(der.SEQUENCE).children())
    attributes = parts[3] if parts[3].tag == _TAGGED else None
    value = parts[5 if attributes is not None and len(parts) > 5 else 4].expect(der.OCTET_STRING)
    return _Signer(
        serial=named[-1].expect(der.INTEGER).content if named else b"",
        hash=_HASHES.get(algorithm[0].expect(der.OID).oid(), "") if algorithm else "",
        value=value.content,
        # Signed as the SET that they are, not under the tag that stands for it here.
        attributes=der.tlv(_SET, attributes.content) if attributes is not None else None,
        digest=_digest(attributes) if attributes is not None else None,
    )


def _digest(attributes: der.Element) -> bytes | None:
    for one in attributes.children():
        parts = list(one.expect(der.SEQUENCE).children())
        if len(parts) == 2 and parts[0].expect(der.OID).oid() == _MESSAGE_DIGEST:
            return parts[1].expect(_SET).only(der.OCTET_STRING).content
    return None


def _serial(certificate: bytes) -> bytes:
    try:
        fields = list(next(der.parse(certificate, _LAYER).children()).children())
    except (Malformed, StopIteration):
        return b""
    return next((one.content for one in fields[:2] if one.tag == der.INTEGER), b"")


def _state(certificate: bytes, signer: _Signer, contents: list[bytes]) -> str:
    if not signer.hash:
        return UNKNOWN
    if signer.attributes is None:
        verdicts = {_signed(certificate, signer, content) for content in contents}
        if True in verdicts:
            return UNCHANGED
        return CHANGED if False in verdicts else UNKNOWN
    known = {hashlib.new(signer.hash, content, usedforsecurity=False).digest() for content in contents}
    if signer.digest not in known:
        return CHANGED
    verdict = _signed(certificate, signer, signer.attributes)
    return UNKNOWN if verdict is None else UNCHANGED if verdict else BROKEN


def _signed(certificate: bytes, signer: _Signer, content: bytes) -> bool | None:
    """Whether the certificate's key signed this; None where that is by a way that is not known here."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    made: dict[str, hashes.HashAlgorithm] = {
        "sha1": hashes.SHA1(),
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        match key:
            case rsa.RSAPublicKey():
                key.verify(signer.value, content, padding.PKCS1v15(), made[signer.hash])
            case ec.EllipticCurvePublicKey():
                key.verify(signer.value, content, ec.ECDSA(made[signer.hash]))
            case _:
                return None
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return True
