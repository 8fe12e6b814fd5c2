"""TPKT, the frame around every X.224 packet (RFC 1006 section 6, T.123 section 8; MS-RDPBCGR 2.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data

VERSION = 3
HEADER = 4
MAX_LENGTH = 0xFFFF


@dataclass(frozen=True, slots=True)
class Tpkt:
    """tpktHeader and what it frames (T.123 section 8). The length on the wire counts the header."""

    payload: bytes
    reserved: int = 0

    def encode(self) -> bytes:
        length = HEADER + len(self.payload)
        if length > MAX_LENGTH:
            raise ValueError(f"a TPKT holds at most {MAX_LENGTH - HEADER} bytes, not {len(self.payload)}")
        return bytes((VERSION, self.reserved)) + length.to_bytes(2, "big") + self.payload


def take(data: Data) -> tuple[Tpkt, int] | None:
    """The first frame of `data` and the bytes it used; None while it is incomplete.

    Raise Malformed as soon as the bytes cannot become a TPKT: at the first byte for another protocol.
    """
    if len(data) >= 1 and data[0] != VERSION:
        raise Malformed.at("tpkt", data, 0, f"version is {data[0]}, not 3")
    if len(data) < HEADER:
        return None
    length = int.from_bytes(data[2:4], "big")
    if length < HEADER:
        raise Malformed.at("tpkt", data, 2, f"length {length} is shorter than the header")
    if len(data) < length:
        return None
    return Tpkt(bytes(data[HEADER:length]), data[1]), length
