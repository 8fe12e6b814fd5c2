"""TLS records, alerts and the handshake messages inside records (RFC 8446 sections 5, 6; RFC 5246 section 6).

Unencrypted records only: as much as a probe needs that writes its own ClientHello and reads what comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.wire.errors import Data

HEADER = 5
MAX_PLAINTEXT = 1 << 14
MAX_FRAGMENT = MAX_PLAINTEXT + 2048  # TLSCiphertext (RFC 5246 6.2.3)
MAX_HANDSHAKE = 256 * 1024


class ContentType(IntEnum):
    """ContentType (RFC 8446 B.1; 24 from RFC 6520)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24


class Version(IntEnum):
    """ProtocolVersion (RFC 6101, 2246, 4346, 5246, 8446)."""

    SSL30 = 0x0300
    TLS10 = 0x0301
    TLS11 = 0x0302
    TLS12 = 0x0303
    TLS13 = 0x0304


class HandshakeType(IntEnum):
    """HandshakeType, as far as it is seen in the clear (RFC 8446 B.3, RFC 5246 7.4)."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    CERTIFICATE = 11
    SERVER_KEY_EXCHANGE = 12
    CERTIFICATE_REQUEST = 13
    SERVER_HELLO_DONE = 14
    CERTIFICATE_VERIFY = 15
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20
    CERTIFICATE_STATUS = 22


_VERSION_NAMES = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}

_ALERT_NAMES = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}


def version_name(version: int) -> str:
    """`TLS 1.2`; the number in hex for a version that has no name."""
    return _VERSION_NAMES.get(version, f"{version:#06x}")


def alert_name(description: int) -> str:
    """The registered name of an alert description (RFC 8446 6, IANA TLS Alerts), or `alert N`."""
    return _ALERT_NAMES.get(description, f"alert {description}")


@dataclass(frozen=True, slots=True)
class Record:
    """TLSPlaintext (RFC 8446 5.1). `version` is what the record header says, not what was negotiated."""

    content_type: int
    version: int
    fragment: bytes

    def encode(self) -> bytes:
        if len(self.fragment) > MAX_FRAGMENT:
            raise ValueError(f"a TLS record holds at most {MAX_FRAGMENT} bytes, not {len(self.fragment)}")
        size = len(self.fragment).to_bytes(2, "big")
        return bytes((self.content_type,)) + self.version.to_bytes(2, "big") + size + self.fragment


def take(data: Data) -> tuple[Record, int] | None:
    """The first record of `data` and the bytes it used; None while it is incomplete.

    Raise Malformed at the first byte that shows another protocol: unknown type, major version other than 3,
    a length no record has, an empty handshake or alert record (RFC 8446 5.1).
    """
    if len(data) >= 1 and not ContentType.CHANGE_CIPHER_SPEC <= data[0] <= ContentType.HEARTBEAT:
        raise Malformed.at("tls", data, 0, f"{data[0]} is no record type")
    if len(data) >= 2 and data[1] != 3:
        raise Malformed.at("tls", data, 1, f"record version begins with {data[1]}, not 3")
    if len(data) < HEADER:
        return None
    length = int.from_bytes(data[3:5], "big")
    if length > MAX_FRAGMENT:
        raise Malformed.at("tls", data, 3, f"record length {length} is over {MAX_FRAGMENT}")
    if not length and data[0] != ContentType.APPLICATION_DATA:
        raise Malformed.at("tls", data, 3, "empty record")
    if len(data) < HEADER + length:
        return None
    version = int.from_bytes(data[1:3], "big")
    return Record(data[0], version, bytes(data[HEADER : HEADER + length])), HEADER + length


@dataclass(frozen=True, slots=True)
class Alert:
    """Alert (RFC 8446 6): level 1 warning, 2 fatal."""

    level: int
    description: int

    def encode(self) -> bytes:
        return bytes((self.level, self.description))

    @staticmethod
    def parse(fragment: Data) -> Alert:
        """Raise Malformed unless it is 2 bytes: a longer one is encrypted."""
        if len(fragment) != 2:
            raise Malformed.at("tls", fragment, 0, f"an alert has 2 bytes, not {len(fragment)}")
        return Alert(fragment[0], fragment[1])

    @property
    def fatal(self) -> bool:
        return self.level == 2

    @property
    def name(self) -> str:
        return alert_name(self.description)


def handshake_message(kind: int, body: bytes) -> bytes:
    """Handshake (RFC 8446 4): type, length of 3 bytes, body."""
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def handshake_records(kind: int, body: bytes, version: int) -> bytes:
    """One handshake message in as many records as it needs."""
    message = handshake_message(kind, body)
    pieces = (message[at : at + MAX_PLAINTEXT] for at in range(0, len(message), MAX_PLAINTEXT))
    return b"".join(Record(ContentType.HANDSHAKE, version, piece).encode() for piece in pieces)


class HandshakeReader:
    """Handshake messages out of the fragments of handshake records, in any split (RFC 8446 5.1).

    Takes at most 256 KiB in all, then raises Malformed: no server's first flight is as long.
    """

    __slots__ = ("_buffer", "_offset", "_overflow", "total")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's start, in all that was fed
        self._overflow = False
        self.total = 0

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete yet (or not yet iterated)."""
        return len(self._buffer)

    def feed(self, fragment: Data) -> Iterator[tuple[int, bytes]]:
        """Take a fragment at once; iterate the messages (type, body) it completes.

        Malformed comes from the iteration, after the messages before the offence. What is not iterated comes
        with the next call.
        """
        room = MAX_HANDSHAKE - self.total
        self._buffer += fragment[:room]
        self.total += min(room, len(fragment))
        self._overflow = self._overflow or len(fragment) > room
        return self._messages()

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[1:4], "big")
            if self._offset + 4 + length > MAX_HANDSHAKE:
                raise self._error(f"handshake message of {length} bytes is over the limit of {MAX_HANDSHAKE}")
            if len(self._buffer) < 4 + length:
                break
            message = self._buffer[0], bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            self._offset += 4 + length
            yield message
        if self._overflow:
            raise self._error(f"more than {MAX_HANDSHAKE} bytes of handshake")

    def _error(self, detail: str) -> Malformed:
        return Malformed("tls", self._offset, detail, bytes(self._buffer[:32]))
