"""Link layers: where in a frame the IP packet begins (the registry of LINKTYPE_ values)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: (bytes, start of the frame, its end) → where IP begins, or -1. What follows may still be cut off.
Finder: TypeAlias = "Callable[[bytes, int, int], int]"

_IP = (b"\x08\x00", b"\x86\xdd")
_VLAN = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_TAGS = 4  # as many VLAN tags as anybody nests
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"


def _behind_type(data: bytes, at: int, end: int) -> int:
    """`at` is where an EtherType stands, perhaps of a VLAN tag (IEEE 802.1Q)."""
    for _ in range(_TAGS + 1):
        kind = data[at : at + 2]
        if kind in _IP:
            return at + 2 if at + 2 < end else -1
        if kind not in _VLAN or at + 6 > end:
            return -1
        at += 4
    return -1


def _ethernet(data: bytes, at: int, end: int) -> int:
    return _behind_type(data, at + 12, end)


def _cooked(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_LINUX_SLL: 16 bytes, the protocol last."""
    return _behind_type(data, at + 14, end)


def _cooked2(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_LINUX_SLL2: 20 bytes, the protocol first."""
    return at + 20 if data[at : at + 2] in _IP and at + 20 < end else -1


def _raw(data: bytes, at: int, end: int) -> int:
    return at if at < end and data[at] >> 4 in (4, 6) else -1


def _loopback(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_NULL and _LOOP: an address family of 4 bytes, in an order and with values of the recorder's
    system.
    """
    return _raw(data, at + 4, end)


def _wireless(data: bytes, at: int, end: int) -> int:
    """An 802.11 data frame that is not encrypted (IEEE 802.11 9.3.2.1)."""
    if at + 24 > end or data[at] & 0x0C != 0x08:
        return -1
    subtype, flags = data[at] >> 4, data[at + 1]
    if subtype & 0x04 or flags & 0x40:  # without data, or protected
        return -1
    at += 30 if flags & 0x03 == 0x03 else 24
    if subtype & 0x08:
        if at + 2 > end or data[at] & 0x80:  # an A-MSDU holds several packets
            return -1
        at += 6 if flags & 0x80 else 2
    return _behind_type(data, at + 6, end) if data[at : at + 6] == _SNAP else -1


def _radiotap(data: bytes, at: int, end: int) -> int:
    if at + 4 > end:
        return -1
    return _wireless(data, at + int.from_bytes(data[at + 2 : at + 4], "little"), end)


FINDERS: Mapping[int, Finder] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    105: _wireless,
    108: _loopback,
    113: _cooked,
    127: _radiotap,
    228: _raw,
    229: _raw,
    276: _cooked2,
}

_NAMES = {9: "PPP", 147: "a private type", 189: "USB", 192: "PPI", 220: "USB", 249: "USB", 253: "netlink"}


def unknown(linktype: int) -> str:
    name = f" ({_NAMES[linktype]})" if linktype in _NAMES else ""
    return f"link type {linktype}{name} is not known here; its packets were not read"
