"""RDP negotiation inside the X.224 connection packets (MS-RDPBCGR 2.2.1.1 and 2.2.1.2). Little-endian."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.wire import tpkt, x224
from rdpdoctor.wire.cursor import Cursor

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data

TYPE_REQUEST, TYPE_RESPONSE, TYPE_FAILURE, TYPE_CORRELATION = 0x01, 0x02, 0x03, 0x06
COOKIE_PREFIX = "Cookie: mstshash="
ROUTING_PREFIXES = ("Cookie: msts=", "tsv://", "mth://")
_CRLF = b"\r\n"
_LAYER = "nego"


class Protocol(IntFlag):
    """requestedProtocols and selectedProtocol (MS-RDPBCGR 2.2.1.1.1, 2.2.1.2.1)."""

    RDP = 0x00
    SSL = 0x01
    HYBRID = 0x02
    RDSTLS = 0x04
    HYBRID_EX = 0x08
    RDSAAD = 0x10


class RequestFlags(IntFlag):
    """flags of RDP_NEG_REQ (MS-RDPBCGR 2.2.1.1.1). Unknown bits are kept."""

    RESTRICTED_ADMIN_MODE_REQUIRED = 0x01
    REDIRECTED_AUTHENTICATION_MODE_REQUIRED = 0x02
    CORRELATION_INFO_PRESENT = 0x08


class ResponseFlags(IntFlag):
    """flags of RDP_NEG_RSP (MS-RDPBCGR 2.2.1.2.1). Unknown bits are kept."""

    EXTENDED_CLIENT_DATA_SUPPORTED = 0x01
    DYNVC_GFX_PROTOCOL_SUPPORTED = 0x02
    NEGRSP_FLAG_RESERVED = 0x04
    RESTRICTED_ADMIN_MODE_SUPPORTED = 0x08
    REDIRECTED_AUTHENTICATION_MODE_SUPPORTED = 0x10


class FailureCode(IntEnum):
    """failureCode of RDP_NEG_FAILURE (MS-RDPBCGR 2.2.1.2.2)."""

    SSL_REQUIRED_BY_SERVER = 1
    SSL_NOT_ALLOWED_BY_SERVER = 2
    SSL_CERT_NOT_ON_SERVER = 3
    INCONSISTENT_FLAGS = 4
    HYBRID_REQUIRED_BY_SERVER = 5
    SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER = 6


def failure_name(code: int) -> str:
    """The specification's name of a failure code, or `UNKNOWN_0x…`."""
    try:
        return FailureCode(code).name
    except ValueError:
        return f"UNKNOWN_{code:#x}"


def protocol_names(protocols: int) -> tuple[str, ...]:
    """The single bits by name, lowest first; `("RDP",)` for 0, unknown bits as hex."""
    if not protocols:
        return ("RDP",)
    known = tuple(flag for flag in Protocol if protocols & flag)
    unknown = protocols & ~sum(known)
    return tuple(flag.name or "" for flag in known) + ((f"{unknown:#x}",) if unknown else ())


@dataclass(frozen=True, slots=True)
class NegotiationRequest:
    """RDP_NEG_REQ (MS-RDPBCGR 2.2.1.1.1)."""

    protocols: int
    flags: int = 0

    def encode(self) -> bytes:
        return _block(TYPE_REQUEST, self.flags, self.protocols.to_bytes(4, "little"))


@dataclass(frozen=True, slots=True)
class NegotiationResponse:
    """RDP_NEG_RSP (MS-RDPBCGR 2.2.1.2.1). `trailing` should be empty."""

    selected: int
    flags: int = 0
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _block(TYPE_RESPONSE, self.flags, self.selected.to_bytes(4, "little")) + self.trailing


@dataclass(frozen=True, slots=True)
class NegotiationFailure:
    """RDP_NEG_FAILURE (MS-RDPBCGR 2.2.1.2.2). `flags` are to be 0; `trailing` should be empty."""

    code: int
    flags: int = 0
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _block(TYPE_FAILURE, self.flags, self.code.to_bytes(4, "little")) + self.trailing

    @property
    def name(self) -> str:
        return failure_name(self.code)


@dataclass(frozen=True, slots=True)
class CorrelationInfo:
    """RDP_NEG_CORRELATION_INFO (MS-RDPBCGR 2.2.1.1.2): two fields of 16 bytes.

    The first byte of `id` should be neither 0x00 nor 0xF4, and no byte of it 0x0D.
    """

    id: bytes
    reserved: bytes = bytes(16)
    flags: int = 0

    def encode(self) -> bytes:
        if len(self.id) != 16 or len(self.reserved) != 16:
            raise ValueError("correlation id and reserved are 16 bytes each")
        return _block(TYPE_CORRELATION, self.flags, self.id + self.reserved)


@dataclass(frozen=True, slots=True)
class UnknownNegotiation:
    """A block of a type that no specification names. `data` is what its length covers after the header."""

    type: int
    flags: int
    data: bytes
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _block(self.type, self.flags, self.data) + self.trailing


@dataclass(frozen=True, slots=True)
class Cookie:
    """cookie (MS-RDPBCGR 2.2.1.1): `Cookie: mstshash=NAME`, as Latin-1. Windows cuts it to 9 characters."""

    name: str

    def encode(self) -> bytes:
        return _line(COOKIE_PREFIX + self.name)


@dataclass(frozen=True, slots=True)
class RoutingToken:
    """routingToken (MS-RDPBCGR 2.2.1.1), as Latin-1 and without its CR LF.

    `Cookie: msts=…`, or the loadbalanceinfo of an .rdp file: `tsv://MS Terminal Services Plugin.1.Farm`.
    """

    text: str

    def encode(self) -> bytes:
        return _line(self.text)


@dataclass(frozen=True, slots=True)
class UnknownToken:
    """Bytes where a token or cookie belongs that are neither, as they came: with CR LF if they had one."""

    raw: bytes

    def encode(self) -> bytes:
        return self.raw


Token: TypeAlias = Cookie | RoutingToken | UnknownToken
Confirm: TypeAlias = NegotiationResponse | NegotiationFailure | UnknownNegotiation


@dataclass(frozen=True, slots=True)
class ConnectionRequestData:
    """What a connection request carries after its X.224 header (MS-RDPBCGR 2.2.1.1).

    With `correlation`, the negotiation's flags need CORRELATION_INFO_PRESENT: encoding does not set it.
    """

    token: Token | None = None
    negotiation: NegotiationRequest | None = None
    correlation: CorrelationInfo | None = None
    trailing: bytes = b""

    def encode(self) -> bytes:
        parts = (self.token, self.negotiation, self.correlation)
        return b"".join(part.encode() for part in parts if part is not None) + self.trailing


def parse_request(variable: Data) -> ConnectionRequestData:
    """The variable part of a connection request. Raise Malformed for a block whose length is wrong."""
    raw = bytes(variable)
    token, used = _token(raw)
    cursor = Cursor(_LAYER, raw[used:], used)
    negotiation = correlation = None
    if cursor.peek() == TYPE_REQUEST:
        _, flags, data = _read_block(cursor, {TYPE_REQUEST: 8})
        negotiation = NegotiationRequest(int.from_bytes(data, "little"), flags)
    if cursor.peek() == TYPE_CORRELATION:
        _, flags, data = _read_block(cursor, {TYPE_CORRELATION: 36})
        correlation = CorrelationInfo(data[:16], data[16:], flags)
    return ConnectionRequestData(token, negotiation, correlation, cursor.rest())


def parse_confirm(variable: Data) -> Confirm | None:
    """The variable part of a connection confirm; None where there is no negotiation block (old servers)."""
    if not len(variable):
        return None
    cursor = Cursor(_LAYER, variable)
    kind, flags, data = _read_block(cursor, {TYPE_RESPONSE: 8, TYPE_FAILURE: 8})
    trailing = cursor.rest()
    if kind == TYPE_RESPONSE:
        return NegotiationResponse(int.from_bytes(data, "little"), flags, trailing)
    if kind == TYPE_FAILURE:
        return NegotiationFailure(int.from_bytes(data, "little"), flags, trailing)
    return UnknownNegotiation(kind, flags, data, trailing)


def request_packet(data: ConnectionRequestData) -> bytes:
    """X.224 Connection Request PDU, with its TPKT (MS-RDPBCGR 2.2.1.1)."""
    return tpkt.Tpkt(x224.ConnectionRequest(data.encode()).encode()).encode()


def confirm_packet(negotiation: Confirm | None, *, dst_ref: int = 0, src_ref: int = 0x1234) -> bytes:
    """X.224 Connection Confirm PDU, with its TPKT (MS-RDPBCGR 2.2.1.2, 3.3.5.3.2)."""
    variable = negotiation.encode() if negotiation is not None else b""
    return tpkt.Tpkt(x224.ConnectionConfirm(variable, dst_ref, src_ref).encode()).encode()


def _token(raw: bytes) -> tuple[Token | None, int]:
    if not raw or raw[0] in (TYPE_REQUEST, TYPE_CORRELATION):
        return None, 0
    end = raw.find(_CRLF)
    if end < 0:
        return UnknownToken(raw), len(raw)
    text = raw[:end].decode("latin-1")
    token: Token
    if text.startswith(COOKIE_PREFIX):
        token = Cookie(text[len(COOKIE_PREFIX) :])
    elif text.startswith(ROUTING_PREFIXES):
        token = RoutingToken(text)
    else:
        token = UnknownToken(raw[: end + 2])
    return token, end + 2


def _read_block(cursor: Cursor, sizes: dict[int, int]) -> tuple[int, int, bytes]:
    """type, flags and data of the next block. `sizes` gives the whole length that a known type must state."""
    start = cursor.offset
    kind, flags = cursor.uint(1, "type"), cursor.uint(1, "flags")
    length = cursor.uint(2, "length", "little")
    wanted = sizes.get(kind)
    if (wanted is not None and length != wanted) or length < 4:
        detail = f"block of type {kind:#04x} has length {length}, not {wanted or 'at least 4'}"
        raise cursor.error(detail, start + 2)
    return kind, flags, cursor.take(length - 4, "negotiation block")


def _block(kind: int, flags: int, data: bytes) -> bytes:
    return bytes((kind, flags)) + (4 + len(data)).to_bytes(2, "little") + data


def _line(text: str) -> bytes:
    if "\r\n" in text:
        raise ValueError("a cookie or routing token cannot contain a line end")
    return text.encode("latin-1") + _CRLF
