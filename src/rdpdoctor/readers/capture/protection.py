"""TLS records for one who knows the secret: keys out of secrets, plain bytes out of records.

Up to TLS 1.2: AES-GCM (RFC 5288), AES-CCM (RFC 6655), ChaCha20-Poly1305 (RFC 7905), AES-CBC with HMAC (RFC
5246 6.2.3.2, 4346, 2246; RFC 7366 encrypt-then-MAC). TLS 1.3: RFC 8446 5.2, 7.1 to 7.3. RC4 and 3DES are not
read.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from rdpdoctor.wire.tls_record import ContentType, Version
from rdpdoctor.wire.tls_suites import suite_name

_AEAD_TAG = {"GCM": 16, "CCM": 16, "CCM_8": 8, "CHACHA20": 16}
_SUITE = re.compile(
    r"(?:AES_(?P<bits>128|256)_(?P<mode>GCM|CCM_8|CCM|CBC)|(?P<chacha>CHACHA20)_POLY1305)(?:_SHA(?P<hash>\d*))?$"
)
_BLOCK = 16


class WrongKey(Exception):
    """The record was not made with this key."""


@dataclass(frozen=True, slots=True)
class Suite:
    """key, mac: bytes of each. prf: the hash of the key derivation from TLS 1.2 on. mac_hash: of CBC."""

    mode: str
    key: int
    mac: int
    mac_hash: str
    prf: str

    @staticmethod
    def of(number: int) -> Suite | None:
        """None for one that is not read here."""
        found = _SUITE.search(suite_name(number))
        if found is None:
            return None
        mode = "CHACHA20" if found["chacha"] else found["mode"]
        name = f"sha{found['hash'] or '1'}"
        prf = "sha384" if name == "sha384" else "sha256"
        size = {"sha1": 20, "sha256": 32, "sha384": 48}.get(name)
        if size is None:
            return None
        key = 32 if found["chacha"] else int(found["bits"]) // 8
        return Suite(mode, key, size if mode == "CBC" else 0, name, prf)


class Reader(Protocol):
    """One direction from one change of keys to the next; records must come in order."""

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """Content type and plain bytes. Raise WrongKey; the next record is then still the same number."""
        ...


def keys_of(
    suite: Suite, version: int, master: bytes, randoms: tuple[bytes, bytes], side: int, *, etm: bool
) -> Reader:
    """The reader of what `side` sends, up to TLS 1.2 (RFC 5246 6.3). randoms: the client's, the server's."""
    fixed = _BLOCK if suite.mode == "CBC" else 12 if suite.mode == "CHACHA20" else 4
    seed = b"key expansion" + randoms[1] + randoms[0]
    block = _prf(version, suite.prf, master, seed, 2 * (suite.mac + suite.key + fixed))
    parts = []
    for size in (suite.mac, suite.key, fixed):
        parts.append(block[side * size : (side + 1) * size])
        block = block[2 * size :]
    mac, key, iv = parts
    if suite.mode == "CBC":
        return _Cbc(suite, version, mac, key, iv, etm=etm)
    return _Aead(suite, version, key, iv)


def _prf(version: int, name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """PRF of TLS 1.2 (RFC 5246 5), or of TLS 1.0 and 1.1 (RFC 2246 5)."""
    if version >= Version.TLS12:
        return _expand(name, secret, seed, size)
    half = (len(secret) + 1) // 2
    one = _expand("md5", secret[:half], seed, size)
    two = _expand("sha1", secret[-half:], seed, size)
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


def _expand(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


def _aead(suite: Suite, key: bytes) -> AESGCM | AESCCM | ChaCha20Poly1305:
    match suite.mode:
        case "GCM":
            return AESGCM(key)
        case "CHACHA20":
            return ChaCha20Poly1305(key)
    return AESCCM(key, tag_length=_AEAD_TAG[suite.mode])


def _head(kind: int, version: int, size: int) -> bytes:
    return bytes((kind,)) + version.to_bytes(2, "big") + size.to_bytes(2, "big")


def _nonce(iv: bytes, number: int) -> bytes:
    return (int.from_bytes(iv, "big") ^ number).to_bytes(len(iv), "big")


class _Aead:
    def __init__(self, suite: Suite, version: int, key: bytes, iv: bytes) -> None:
        self._cipher = _aead(suite, key)
        self._version, self._iv = version, iv
        self._tag = _AEAD_TAG[suite.mode]
        self._explicit = 0 if suite.mode == "CHACHA20" else 8
        self._number = 0

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        size = len(fragment) - self._explicit - self._tag
        if size < 0:
            raise WrongKey
        explicit, sealed = fragment[: self._explicit], fragment[self._explicit :]
        nonce = self._iv + explicit if explicit else _nonce(self._iv, self._number)
        about = self._number.to_bytes(8, "big") + _head(kind, self._version, size)
        try:
            plain = self._cipher.decrypt(nonce, sealed, about)
        except InvalidTag:
            raise WrongKey from None
        self._number += 1
        return kind, plain


class _Cbc:
    def __init__(self, suite: Suite, version: int, mac: bytes, key: bytes, iv: bytes, *, etm: bool) -> None:
        self._hash, self._size = suite.mac_hash, suite.mac
        self._version, self._mac, self._etm = version, mac, etm
        self._cipher = algorithms.AES(key)
        self._iv = iv if version == Version.TLS10 else b""  # from TLS 1.1 on each record brings its own
        self._number = 0

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        body = self._checked(kind, fragment) if self._etm else fragment
        if self._iv:
            iv, sealed = self._iv, body
        else:
            iv, sealed = body[:_BLOCK], body[_BLOCK:]
        if not sealed or len(sealed) % _BLOCK:
            raise WrongKey
        decryptor = Cipher(self._cipher, modes.CBC(iv)).decryptor()
        plain = _unpad(decryptor.update(sealed) + decryptor.finalize())
        if not self._etm:
            plain = self._checked(kind, plain)
        if self._iv:
            self._iv = sealed[-_BLOCK:]
        self._number += 1
        return kind, plain

    def _checked(self, kind: int, data: bytes) -> bytes:
        """What stands before the MAC that ends `data`."""
        content, mac = data[: -self._size], data[-self._size :]
        about = self._number.to_bytes(8, "big") + _head(kind, self._version, len(content))
        if not hmac.compare_digest(hmac.digest(self._mac, about + content, self._hash), mac):
            raise WrongKey
        return content


def _unpad(plain: bytes) -> bytes:
    size = plain[-1] + 1
    if size > len(plain) or plain[-size:] != bytes((size - 1,)) * size:
        raise WrongKey
    return plain[:-size]


class Modern:
    """One direction of TLS 1.3 under one traffic secret (RFC 8446 7.3)."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self._suite, self._secret = suite, secret
        self._use()

    def _use(self) -> None:
        self._cipher = _aead(self._suite, self._label(b"key", self._suite.key))
        self._iv = self._label(b"iv", 12)
        self._number = 0

    def _label(self, label: bytes, size: int) -> bytes:
        """HKDF-Expand-Label without context, of at most one hash's length (RFC 8446 7.1, RFC 5869 2.3)."""
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes((len(label),)) + label + b"\x00" + b"\x01"
        return hmac.digest(self._secret, info, self._suite.prf)[:size]

    def update(self) -> None:
        """KeyUpdate (RFC 8446 4.6.3, 7.2)."""
        self._secret = self._label(b"traffic upd", len(self._secret))
        self._use()

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        if len(fragment) <= _AEAD_TAG[self._suite.mode]:
            raise WrongKey
        about = _head(ContentType.APPLICATION_DATA, Version.TLS12, len(fragment))
        try:
            plain = self._cipher.decrypt(_nonce(self._iv, self._number), fragment, about).rstrip(b"\x00")
        except InvalidTag:
            raise WrongKey from None
        self._number += 1
        return (plain[-1], plain[:-1]) if plain else (kind, b"")
