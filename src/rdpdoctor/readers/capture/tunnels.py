"""Packets inside packets: what a mirror port, a cloud's own network or a provider wraps around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import ip
from rdpdoctor.readers.capture.link import ethernet

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.ip import Packet

_IPIP, _SIX, GRE = 4, 41, 47
_VXLAN = b"\x12\xb5"  # port 4789
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _VERSION = 0x80, 0x40, 0x20, 0x10, 0x07
_IP = (b"\x08\x00", b"\x86\xdd")
_BRIDGED, _ERSPAN, _ERSPAN3 = b"\x65\x58", b"\x88\xbe", b"\x22\xeb"


def inside(packet: Packet, data: bytes) -> int:
    """Where the packet of IP begins that this one carries, or -1."""
    at, end = packet.at, packet.end
    if packet.protocol in (_IPIP, _SIX):
        return at if at < end else -1
    if packet.protocol == GRE:
        return _gre(data, at, end)
    if packet.protocol == ip.UDP and data[at + 2 : at + 4] == _VXLAN:
        # RFC 7348: its flags say only that there is a number of a network, then 3 bytes of zero.
        known = at + 16 <= end and data[at + 8 : at + 12] == b"\x08\0\0\0"
        return ethernet(data, at + 16, end) if known else -1
    return -1


def _gre(data: bytes, at: int, end: int) -> int:
    """RFC 2784, 2890; ERSPAN as in draft-foschiano-erspan: type II has a sequence number, type I has none."""
    if at + 4 > end or data[at + 1] & _VERSION or data[at] & _ROUTING:
        return -1
    flags, kind = data[at], data[at + 2 : at + 4]
    at += 4 + 4 * sum(bool(flags & each) for each in (_CHECKSUM, _KEY, _SEQUENCE))
    if kind in _IP:
        return at if at < end else -1
    if kind == _ERSPAN:
        at += 8 if flags & _SEQUENCE else 0
    elif kind == _ERSPAN3:
        if at + 12 > end:
            return -1
        at += 20 if data[at + 11] & 1 else 12  # with a subheader of the platform
    elif kind != _BRIDGED:
        return -1
    return ethernet(data, at, end)
