"""NTLM NEGOTIATE and CHALLENGE (MS-NLMP 2.2.1.1, 2.2.1.2) with all AV pairs (2.2.2.1). Little-endian."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.wire.cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.wire.errors import Data

SIGNATURE = b"NTLMSSP\x00"
TYPE_NEGOTIATE, TYPE_CHALLENGE, TYPE_AUTHENTICATE = 1, 2, 3
_LAYER = "ntlm"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)

#: major, minor, build, NTLM revision (MS-NLMP 2.2.2.10).
OsVersion: TypeAlias = tuple[int, int, int, int]


class NtlmFlags(IntFlag):
    """NegotiateFlags (MS-NLMP 2.2.2.5). Unknown bits are kept."""

    UNICODE = 0x00000001
    OEM = 0x00000002
    REQUEST_TARGET = 0x00000004
    SIGN = 0x00000010
    SEAL = 0x00000020
    DATAGRAM = 0x00000040
    LM_KEY = 0x00000080
    NTLM = 0x00000200
    ANONYMOUS = 0x00000800
    OEM_DOMAIN_SUPPLIED = 0x00001000
    OEM_WORKSTATION_SUPPLIED = 0x00002000
    ALWAYS_SIGN = 0x00008000
    TARGET_TYPE_DOMAIN = 0x00010000
    TARGET_TYPE_SERVER = 0x00020000
    EXTENDED_SESSION_SECURITY = 0x00080000
    IDENTIFY = 0x00100000
    NON_NT_SESSION_KEY = 0x00400000
    TARGET_INFO = 0x00800000
    VERSION = 0x02000000
    KEY_128 = 0x20000000
    KEY_EXCHANGE = 0x40000000
    KEY_56 = 0x80000000


#: What the client of Windows 11 22H2 sends in its NEGOTIATE inside CredSSP.
CLIENT_FLAGS = NtlmFlags(0xE20882B7)


class AvId(IntEnum):
    """AvId (MS-NLMP 2.2.2.1)."""

    EOL = 0
    NB_COMPUTER_NAME = 1
    NB_DOMAIN_NAME = 2
    DNS_COMPUTER_NAME = 3
    DNS_DOMAIN_NAME = 4
    DNS_TREE_NAME = 5
    FLAGS = 6
    TIMESTAMP = 7
    SINGLE_HOST = 8
    TARGET_NAME = 9
    CHANNEL_BINDINGS = 10


@dataclass(frozen=True, slots=True)
class AvPair:
    """AV_PAIR (MS-NLMP 2.2.2.1). Ids that the specification does not name are kept."""

    id: int
    value: bytes

    @property
    def name(self) -> str:
        """`NB_COMPUTER_NAME` and the like; `AV_n` for an unknown id."""
        try:
            return AvId(self.id).name
        except ValueError:
            return f"AV_{self.id}"

    @property
    def text(self) -> str:
        """The value as UTF-16LE, ill-formed parts replaced. Only names are text."""
        return self.value.decode("utf-16-le", "replace")

    def encode(self) -> bytes:
        return self.id.to_bytes(2, "little") + len(self.value).to_bytes(2, "little") + self.value


@dataclass(frozen=True, slots=True)
class Negotiate:
    """NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1). `domain` and `workstation` travel as OEM text (here Latin-1).

    The flags are written as they are: OEM_DOMAIN_SUPPLIED and the like are the caller's. `version` is None
    where the message has none, where it is zero, or where the VERSION flag says that it means nothing.
    """

    flags: int = CLIENT_FLAGS
    domain: str = ""
    workstation: str = ""
    version: OsVersion | None = None

    def encode(self) -> bytes:
        payload = _Payload(40)
        # Windows writes an absent field as zeros, offset too.
        names = (self.domain.encode("latin-1"), self.workstation.encode("latin-1"))
        domain, workstation = (payload.add(name) if name else bytes(8) for name in names)
        head = _head(TYPE_NEGOTIATE) + self.flags.to_bytes(4, "little")
        return head + domain + workstation + _write_version(self.version) + payload.data

    @staticmethod
    def parse(data: Data) -> Negotiate:
        """Also of the short messages of old clients: 16 bytes are enough, fields beyond the end are empty."""
        cursor = _begin(data, TYPE_NEGOTIATE)
        flags = cursor.uint(4, "flags", "little")
        domain = workstation = b""
        version = None
        if cursor.left >= 16:
            domain, _ = _field(cursor, data, "domain", wanted=bool(flags & NtlmFlags.OEM_DOMAIN_SUPPLIED))
            supplied = bool(flags & NtlmFlags.OEM_WORKSTATION_SUPPLIED)
            workstation, _ = _field(cursor, data, "workstation", wanted=supplied)
            if flags & NtlmFlags.VERSION and cursor.left >= 8:
                version = _read_version(cursor)
        return Negotiate(flags, domain.decode("latin-1"), workstation.decode("latin-1"), version)


@dataclass(frozen=True, slots=True)
class Challenge:
    """CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2): what a server says of itself before anybody signs in.

    `av_pairs` come without the MsvAvEOL that ends them. The helpers give None where a pair is absent.
    """

    target_name: str
    flags: int
    server_challenge: bytes
    av_pairs: tuple[AvPair, ...] = ()
    version: OsVersion | None = None
    reserved: bytes = bytes(8)

    def encode(self) -> bytes:
        if len(self.server_challenge) != 8 or len(self.reserved) != 8:
            raise ValueError("challenge and reserved have 8 bytes each")
        informed = self.av_pairs or self.flags & NtlmFlags.TARGET_INFO
        payload = _Payload(56)
        target = payload.add(_encode_text(self.target_name, self.flags))
        info = payload.add(_write_pairs(self.av_pairs) if informed else b"")
        head = _head(TYPE_CHALLENGE) + target + self.flags.to_bytes(4, "little")
        version = _write_version(self.version)
        return head + self.server_challenge + self.reserved + info + version + payload.data

    @staticmethod
    def parse(data: Data) -> Challenge:
        """Raise Malformed for a field that reaches beyond the message or an AV pair that is cut off."""
        cursor = _begin(data, TYPE_CHALLENGE)
        target, start = _field(cursor, data, "target name")
        flags = cursor.uint(4, "flags", "little")
        server_challenge = cursor.take(8, "server challenge")
        reserved, info, version = bytes(8), b"", None
        info_start = len(data)
        # Servers older than NTLMv2 put the payload where these fields are now.
        end = start if target else len(data)
        if min(end, len(data)) >= 48:
            reserved = cursor.take(8, "reserved")
            info, info_start = _field(cursor, data, "target info")
            end = min(end, info_start) if info else end
        if flags & NtlmFlags.VERSION and cursor.offset == 48 and min(end, len(data)) >= 56:
            version = _read_version(cursor)
        pairs = _read_pairs(info, info_start)
        return Challenge(_decode_text(target, flags), flags, server_challenge, pairs, version, reserved)

    def pair(self, av_id: int) -> AvPair | None:
        """The first pair of this id."""
        return next((pair for pair in self.av_pairs if pair.id == av_id), None)

    @property
    def computer_name(self) -> str | None:
        """NetBIOS computer name."""
        return self._text(AvId.NB_COMPUTER_NAME)

    @property
    def domain_name(self) -> str | None:
        """NetBIOS domain name; the computer name outside a domain."""
        return self._text(AvId.NB_DOMAIN_NAME)

    @property
    def dns_computer(self) -> str | None:
        return self._text(AvId.DNS_COMPUTER_NAME)

    @property
    def dns_domain(self) -> str | None:
        return self._text(AvId.DNS_DOMAIN_NAME)

    @property
    def dns_tree(self) -> str | None:
        """DNS name of the forest; absent outside a domain."""
        return self._text(AvId.DNS_TREE_NAME)

    @property
    def av_flags(self) -> int | None:
        """MsvAvFlags: 1 constrained authentication, 2 MIC present, 4 untrusted SPN source."""
        pair = self.pair(AvId.FLAGS)
        return int.from_bytes(pair.value, "little") if pair and len(pair.value) == 4 else None

    @property
    def timestamp(self) -> datetime | None:
        """The server's clock (MsvAvTimestamp, UTC); None where it is absent, 0 or beyond the year 9999."""
        pair = self.pair(AvId.TIMESTAMP)
        return filetime(int.from_bytes(pair.value, "little")) if pair and len(pair.value) == 8 else None

    @property
    def single_host(self) -> bytes | None:
        """Single_Host_Data (MS-NLMP 2.2.2.2), as it came."""
        pair = self.pair(AvId.SINGLE_HOST)
        return pair.value if pair else None

    @property
    def spn(self) -> str | None:
        """MsvAvTargetName: the service principal name. Servers do not send it; clients do."""
        return self._text(AvId.TARGET_NAME)

    @property
    def channel_bindings(self) -> bytes | None:
        """MD5 of the channel bindings. Servers do not send it; clients do."""
        pair = self.pair(AvId.CHANNEL_BINDINGS)
        return pair.value if pair else None

    def _text(self, av_id: AvId) -> str | None:
        pair = self.pair(av_id)
        return pair.text if pair else None


def filetime(ticks: int) -> datetime | None:
    """A FILETIME (100 ns since 1601, UTC) as a datetime; None for 0 and beyond the year 9999."""
    if ticks <= 0:
        return None
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def to_filetime(moment: datetime) -> int:
    """The inverse, for an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def message_type(data: Data) -> int | None:
    """1, 2 or 3 and so on for an NTLM message; None for anything else."""
    if len(data) < 12 or bytes(data[:8]) != SIGNATURE:
        return None
    return int.from_bytes(data[8:12], "little")


class _Payload:
    """Collects variable fields and gives each its length, maximum length and offset."""

    __slots__ = ("_start", "data")

    def __init__(self, start: int) -> None:
        self._start = start
        self.data = b""

    def add(self, content: bytes) -> bytes:
        length = len(content).to_bytes(2, "little")
        offset = self._start + len(self.data)
        self.data += content
        return length + length + offset.to_bytes(4, "little")


def _head(kind: int) -> bytes:
    return SIGNATURE + kind.to_bytes(4, "little")


def _begin(data: Data, kind: int) -> Cursor:
    cursor = Cursor(_LAYER, data)
    if cursor.take(8, "signature") != SIGNATURE:
        raise cursor.error("no NTLMSSP signature", 0)
    found = cursor.uint(4, "message type", "little")
    if found != kind:
        raise cursor.error(f"message type is {found}, not {kind}", 8)
    return cursor


def _field(cursor: Cursor, data: Data, what: str, *, wanted: bool = True) -> tuple[bytes, int]:
    """What a (length, maximum, offset) triple points at, and its offset. Not `wanted`: do not look."""
    length = cursor.uint(2, what, "little")
    cursor.uint(2, what, "little")
    offset = cursor.uint(4, what, "little")
    if not wanted or not length:
        return b"", offset
    if offset + length > len(data):
        raise cursor.error(f"{what} of {length} bytes at {offset} is outside the message", cursor.offset - 8)
    return bytes(data[offset : offset + length]), offset


def _read_version(cursor: Cursor) -> OsVersion | None:
    raw = cursor.take(8, "version")
    version = raw[0], raw[1], int.from_bytes(raw[2:4], "little"), raw[7]
    return version if any(version) else None


def _write_version(version: OsVersion | None) -> bytes:
    if version is None:
        return bytes(8)
    major, minor, build, revision = version
    return bytes((major, minor)) + build.to_bytes(2, "little") + bytes((0, 0, 0, revision))


def _read_pairs(info: bytes, start: int) -> tuple[AvPair, ...]:
    """Up to MsvAvEOL, or the end of the field where a server forgets it."""
    cursor = Cursor(_LAYER, info, start)
    pairs: list[AvPair] = []
    while cursor.left:
        kind = cursor.uint(2, "AvId", "little")
        value = cursor.take(cursor.uint(2, "AvLen", "little"), "AV pair")
        if kind == AvId.EOL:
            break
        pairs.append(AvPair(kind, value))
    return tuple(pairs)


def _write_pairs(pairs: Iterable[AvPair]) -> bytes:
    return b"".join(pair.encode() for pair in (*pairs, AvPair(AvId.EOL, b"")))


def _decode_text(raw: bytes, flags: int) -> str:
    return raw.decode("utf-16-le" if flags & NtlmFlags.UNICODE else "latin-1", "replace")


def _encode_text(text: str, flags: int) -> bytes:
    return text.encode("utf-16-le" if flags & NtlmFlags.UNICODE else "latin-1", "replace")
