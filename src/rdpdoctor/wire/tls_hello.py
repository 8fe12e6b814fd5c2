"""ClientHello, ServerHello and Certificate (RFC 8446 section 4.1, RFC 5246 section 7.4).

The hello that a probe sends needs no keys: it only finds out what the server would choose.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.wire.cursor import Cursor
from rdpdoctor.wire.tls_record import HandshakeType, Version, handshake_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.wire.errors import Data

MAX_CERTIFICATES = 32

EXT_SERVER_NAME = 0  # RFC 6066
EXT_SUPPORTED_GROUPS = 10  # RFC 8422
EXT_EC_POINT_FORMATS = 11  # RFC 8422
EXT_SIGNATURE_ALGORITHMS = 13  # RFC 8446 4.2.3
EXT_EXTENDED_MASTER_SECRET = 23  # RFC 7627
EXT_SUPPORTED_VERSIONS = 43  # RFC 8446 4.2.1
EXT_KEY_SHARE = 51  # RFC 8446 4.2.8
EXT_RENEGOTIATION_INFO = 0xFF01  # RFC 5746

#: ServerHello.random of a HelloRetryRequest (RFC 8446 4.1.3).
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()

#: x25519, secp256r1, secp384r1, secp521r1, x448, ffdhe2048, ffdhe3072, then curves of old servers only.
GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x001E, 0x0100, 0x0101, 0x0016, 0x0015, 0x0013)

#: ECDSA, EdDSA, RSA-PSS and RSA with SHA-2 first; SHA-1 and DSA last, for servers that have nothing else.
SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808),
    *(0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B),
    *(0x0401, 0x0501, 0x0601),
    *(0x0203, 0x0201, 0x0402, 0x0202),
)

Extensions: TypeAlias = tuple[tuple[int, bytes], ...]

_LAYER = "tls"


@dataclass(frozen=True, slots=True)
class ClientHello:
    """ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2). `version` is legacy_version: 0x0303 for TLS 1.3 too.

    An extension block without extensions is the same value as none, and is written as none.
    """

    version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    compression: bytes = b"\x00"
    extensions: Extensions = ()

    def encode(self) -> bytes:
        """The body, without the handshake header."""
        if len(self.random) != 32:
            raise ValueError(f"random has 32 bytes, not {len(self.random)}")
        suites = b"".join(number.to_bytes(2, "big") for number in self.cipher_suites)
        head = self.version.to_bytes(2, "big") + self.random + _vector(1, self.session_id)
        return head + _vector(2, suites) + _vector(1, self.compression) + _write_extensions(self.extensions)

    def records(self) -> bytes:
        """What goes on the wire: the message in records of version 1.0, or 3.0 in SSL 3.0 (RFC 8446 D.5)."""
        version = min(self.version, Version.TLS10)
        return handshake_records(HandshakeType.CLIENT_HELLO, self.encode(), version)

    @staticmethod
    def parse(body: Data) -> ClientHello:
        cursor = Cursor(_LAYER, body)
        version, random = cursor.uint(2, "version"), cursor.take(32, "random")
        session_id, suites = cursor.vector(1, "session id"), cursor.vector(2, "cipher suites")
        if len(suites) % 2:
            raise cursor.error("cipher suites have an odd length")
        numbers = tuple(int.from_bytes(suites[at : at + 2], "big") for at in range(0, len(suites), 2))
        compression = cursor.vector(1, "compression methods")
        extensions = _read_extensions(cursor, "ClientHello")
        return ClientHello(version, random, session_id, numbers, compression, extensions)

    def extension(self, number: int) -> bytes | None:
        return _find(self.extensions, number)

    @property
    def server_name(self) -> str | None:
        """The host name of SNI (RFC 6066 3), as Latin-1; None where it is absent or unreadable."""
        data = self.extension(EXT_SERVER_NAME)
        if data is None or len(data) < 5 or data[2] != 0:
            return None
        return data[5 : 5 + int.from_bytes(data[3:5], "big")].decode("latin-1")

    @property
    def offered_versions(self) -> tuple[int, ...]:
        """supported_versions as sent, else the one legacy version."""
        data = self.extension(EXT_SUPPORTED_VERSIONS)
        if not data or len(data) != 1 + data[0] or data[0] % 2:
            return (self.version,)
        return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(1, len(data), 2))


@dataclass(frozen=True, slots=True)
class ServerHello:
    """ServerHello, and HelloRetryRequest which looks like one (RFC 8446 4.1.3, 4.1.4; RFC 5246 7.4.1.3)."""

    version: int
    random: bytes
    session_id: bytes
    cipher_suite: int
    compression: int = 0
    extensions: Extensions = ()

    def encode(self) -> bytes:
        """The body, without the handshake header."""
        if len(self.random) != 32:
            raise ValueError(f"random has 32 bytes, not {len(self.random)}")
        head = self.version.to_bytes(2, "big") + self.random + _vector(1, self.session_id)
        chosen = self.cipher_suite.to_bytes(2, "big") + bytes((self.compression,))
        return head + chosen + _write_extensions(self.extensions)

    @staticmethod
    def parse(body: Data) -> ServerHello:
        cursor = Cursor(_LAYER, body)
        version, random = cursor.uint(2, "version"), cursor.take(32, "random")
        session_id = cursor.vector(1, "session id")
        if len(session_id) > 32:
            raise cursor.error(f"session id of {len(session_id)} bytes", 34)
        suite, compression = cursor.uint(2, "cipher suite"), cursor.uint(1, "compression method")
        return ServerHello(
            version, random, session_id, suite, compression, _read_extensions(cursor, "ServerHello")
        )

    def extension(self, number: int) -> bytes | None:
        return _find(self.extensions, number)

    @property
    def selected_version(self) -> int:
        """The version that was chosen: supported_versions if present (RFC 8446 4.2.1), else `version`."""
        data = self.extension(EXT_SUPPORTED_VERSIONS)
        return int.from_bytes(data, "big") if data is not None and len(data) == 2 else self.version

    @property
    def is_retry_request(self) -> bool:
        return self.random == RETRY_RANDOM


@dataclass(frozen=True, slots=True)
class Certificate:
    """Certificate up to TLS 1.2 (RFC 5246 7.4.2): DER certificates, the server's own first.

    At most 32 are kept; `count` is how many were sent.
    """

    chain: tuple[bytes, ...]
    count: int

    def encode(self) -> bytes:
        """The body with the certificates that were kept."""
        return _vector(3, b"".join(_vector(3, der) for der in self.chain))

    @staticmethod
    def parse(body: Data) -> Certificate:
        cursor = Cursor(_LAYER, body)
        entries = cursor.part(3, "certificate list")
        cursor.end("Certificate")
        chain: list[bytes] = []
        count = 0
        while entries.left:
            der = entries.vector(3, "certificate")
            if not der:
                raise entries.error("empty certificate")
            count += 1
            if count <= MAX_CERTIFICATES:
                chain.append(der)
        return Certificate(tuple(chain), count)


def client_hello(
    max_version: int,
    suites: Sequence[int],
    server_name: str | None,
    random: bytes,
    session_id: bytes = b"",
    versions: Sequence[int] | None = None,
) -> ClientHello:
    """A hello that offers `max_version`, SSL 3.0 to TLS 1.3, and `suites` as they are.

    `versions` is what supported_versions says, best first; without it TLS 1.3 is offered alone, and older
    versions are offered the old way, where the server may also choose a lower one. `random` has 32 bytes.
    With TLS 1.3 the list of key shares is empty, so that the server answers HelloRetryRequest: its version
    and suite without a key (RFC 8446 4.2.8). IP addresses as `server_name` are not sent (RFC 6066 3).
    """
    offered = (
        tuple(versions) if versions is not None else ((max_version,) if max_version >= Version.TLS13 else ())
    )
    legacy = min(max_version, Version.TLS12)
    extensions = _extensions(legacy, offered, server_name) if legacy > Version.SSL30 else ()
    return ClientHello(legacy, random, session_id, tuple(suites), b"\x00", extensions)


def is_host_name(name: str) -> bool:
    """Whether SNI may carry it: a DNS name, not an address in any spelling (`127.1` is one too)."""
    bare = name.rstrip(".")
    last = bare.rpartition(".")[2]
    try:
        ipaddress.ip_address(bare.partition("%")[0].strip("[]"))
    except ValueError:
        return bool(bare) and not (last.isdigit() or last[:2].lower() == "0x")
    return False


def _extensions(legacy: int, offered: tuple[int, ...], server_name: str | None) -> Extensions:
    groups = b"".join(group.to_bytes(2, "big") for group in GROUPS)
    result: list[tuple[int, bytes]] = []
    if server_name is not None and is_host_name(server_name):
        # No trailing dot (RFC 6066 3). A name that is not ASCII is the caller's mistake: UnicodeEncodeError.
        name = server_name.rstrip(".").encode("ascii")
        result.append((EXT_SERVER_NAME, _vector(2, b"\x00" + _vector(2, name))))
    if not offered or min(offered) < Version.TLS13:
        # Never last: some old servers refuse a hello whose last extension is empty.
        result.append((EXT_EXTENDED_MASTER_SECRET, b""))
        result.append((EXT_RENEGOTIATION_INFO, _vector(1, b"")))
        result.append((EXT_EC_POINT_FORMATS, _vector(1, b"\x00")))
    result.append((EXT_SUPPORTED_GROUPS, _vector(2, groups)))
    if legacy >= Version.TLS12:
        # Not before 1.2 (RFC 5246 7.4.1.4.1: a client MUST NOT).
        result.append(
            (EXT_SIGNATURE_ALGORITHMS, _vector(2, b"".join(s.to_bytes(2, "big") for s in SIGNATURES)))
        )
    if offered:
        result.append((EXT_SUPPORTED_VERSIONS, _vector(1, b"".join(v.to_bytes(2, "big") for v in offered))))
    if Version.TLS13 in offered:
        result.append((EXT_KEY_SHARE, _vector(2, b"")))
    return tuple(result)


def _read_extensions(cursor: Cursor, what: str) -> Extensions:
    if not cursor.left:
        return ()
    block = cursor.part(2, "extensions")
    cursor.end(what)
    result: list[tuple[int, bytes]] = []
    while block.left:
        number = block.uint(2, "extension type")
        result.append((number, block.vector(2, "extension")))
    return tuple(result)


def _write_extensions(extensions: Extensions) -> bytes:
    if not extensions:
        return b""
    return _vector(2, b"".join(number.to_bytes(2, "big") + _vector(2, data) for number, data in extensions))


def _find(extensions: Extensions, number: int) -> bytes | None:
    return next((data for found, data in extensions if found == number), None)


def _vector(prefix: int, content: bytes) -> bytes:
    if len(content) >= 1 << 8 * prefix:
        raise ValueError(f"{len(content)} bytes do not fit a vector with a length of {prefix} bytes")
    return len(content).to_bytes(prefix, "big") + content
