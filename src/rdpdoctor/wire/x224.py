"""X.224 class 0 packets: connection request and confirm, disconnect request, data (ITU-T X.224 section 13).

LI, the first byte, counts the header after itself. What lies beyond LI is user data in a data packet; in the
others nothing should be there, and what is there is kept as `trailing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data as Bytes

CR, CC, DR, DT = 0xE0, 0xD0, 0x80, 0xF0
MAX_LI = 254  # 255 is reserved (X.224 13.2.1)
MAX_VARIABLE = MAX_LI - 6
_EOT = 0x80


@dataclass(frozen=True, slots=True)
class ConnectionRequest:
    """CR TPDU (X.224 13.3; x224Crq in MS-RDPBCGR 2.2.1.1). `variable` holds the RDP negotiation."""

    variable: bytes = b""
    dst_ref: int = 0
    src_ref: int = 0
    class_options: int = 0
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _connection(CR, self.dst_ref, self.src_ref, self.class_options, self.variable) + self.trailing


@dataclass(frozen=True, slots=True)
class ConnectionConfirm:
    """CC TPDU (X.224 13.4; x224Ccf in MS-RDPBCGR 2.2.1.2)."""

    variable: bytes = b""
    dst_ref: int = 0
    src_ref: int = 0
    class_options: int = 0
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _connection(CC, self.dst_ref, self.src_ref, self.class_options, self.variable) + self.trailing


@dataclass(frozen=True, slots=True)
class DisconnectRequest:
    """DR TPDU (X.224 13.5). `reason` 0 is "not specified"."""

    reason: int
    dst_ref: int = 0
    src_ref: int = 0
    variable: bytes = b""
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _connection(DR, self.dst_ref, self.src_ref, self.reason, self.variable) + self.trailing


@dataclass(frozen=True, slots=True)
class Data:
    """DT TPDU of class 0 (X.224 13.7; MS-RDPBCGR 2.2.1.3 x224Data). `number` is always 0 in class 0."""

    payload: bytes
    eot: bool = True
    number: int = 0

    def encode(self) -> bytes:
        return bytes((2, DT, (_EOT if self.eot else 0) | self.number & 0x7F)) + self.payload


@dataclass(frozen=True, slots=True)
class Unknown:
    """Any other TPDU, such as ER (0x70). `body` is the header after `code`."""

    code: int
    body: bytes = b""
    trailing: bytes = b""

    def encode(self) -> bytes:
        return _li(1 + len(self.body)) + bytes((self.code,)) + self.body + self.trailing


Tpdu: TypeAlias = ConnectionRequest | ConnectionConfirm | DisconnectRequest | Data | Unknown


def parse(payload: Bytes) -> Tpdu:
    """The TPDU that one TPKT carries. Raise Malformed where LI does not fit it."""
    raw = bytes(payload)
    if len(raw) < 2:
        raise Malformed.at("x224", raw, 0, f"a TPDU needs 2 bytes, not {len(raw)}")
    li, code = raw[0], raw[1]
    if not 1 <= li <= MAX_LI:
        raise Malformed.at("x224", raw, 0, f"length indicator {li} is not allowed")
    if li + 1 > len(raw):
        raise Malformed.at("x224", raw, 0, f"length indicator {li} does not fit {len(raw)} bytes")
    body, trailing = raw[2 : li + 1], raw[li + 1 :]
    if code == DT:
        if len(body) != 1:
            raise Malformed.at("x224", raw, 0, f"a data TPDU has length indicator 2, not {li}")
        return Data(trailing, bool(body[0] & _EOT), body[0] & 0x7F)
    if code not in (CR, CC, DR):
        return Unknown(code, body, trailing)
    if len(body) < 5:
        raise Malformed.at("x224", raw, 0, f"TPDU {code:#04x} needs length indicator 6, not {li}")
    dst, src = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    last, variable = body[4], body[5:]
    if code == DR:
        return DisconnectRequest(last, dst, src, variable, trailing)
    kind = ConnectionRequest if code == CR else ConnectionConfirm
    return kind(variable, dst, src, last, trailing)


def _li(length: int) -> bytes:
    if length > MAX_LI:
        raise ValueError(f"an X.224 header holds at most {MAX_LI} bytes, not {length}")
    return bytes((length,))


def _connection(code: int, dst_ref: int, src_ref: int, last: int, variable: bytes) -> bytes:
    fixed = dst_ref.to_bytes(2, "big") + src_ref.to_bytes(2, "big") + bytes((last,))
    return _li(1 + len(fixed) + len(variable)) + bytes((code,)) + fixed + variable
