"""Link layers: where in a frame the IP packet begins (the registry of LINKTYPE_ values)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: (bytes, start of the frame, its end) → where IP begins, -1 or SEVERAL. What follows may still be cut off.
Finder: TypeAlias = "Callable[[bytes, int, int], int]"

#: A frame of the air that holds several packets (`subframes`).
SEVERAL: Final = -2

_IP = (b"\x08\x00", b"\x86\xdd")
_VLAN = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_MPLS = (b"\x88\x47", b"\x88\x48")
_PPPOE = b"\x88\x64"
_PPP = (b"\x00\x21", b"\x00\x57")  # the protocol numbers of IPv4 and IPv6
_DEEP = 4  # as many VLAN tags, or labels, as anybody nests
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"
_SUBFRAMES = 64


def behind_type(data: bytes, at: int, end: int) -> int:
    """`at` is where an EtherType stands, perhaps of a VLAN tag (IEEE 802.1Q), or the length of an 802.3
    frame.
    """
    for _ in range(_DEEP + 1):
        kind = data[at : at + 2]
        if kind in _IP:
            return at + 2 if at + 2 < end else -1
        if kind not in _VLAN:
            break
        at += 4
    if at + 10 > end:
        return -1
    if kind in _MPLS:
        return _behind_labels(data, at + 2, end)
    if kind == _PPPOE:
        return _behind_session(data, at + 2, end)
    if data[at + 2 : at + 8] == _SNAP and kind < b"\x06\x00":
        return behind_type(data, at + 8, end)
    return -1


def _behind_labels(data: bytes, at: int, end: int) -> int:
    """A stack of MPLS labels (RFC 3032): the last one says so, and none says what follows."""
    for _ in range(_DEEP):
        if at + 4 >= end:
            return -1
        at += 4
        if data[at - 2] & 1:
            return _raw(data, at, end)
    return -1


def _behind_session(data: bytes, at: int, end: int) -> int:
    """PPPoE (RFC 2516) from its version on."""
    return _ppp(data, at + 6, end)


def _ppp(data: bytes, at: int, end: int) -> int:
    """PPP (RFC 1661), with address and control (RFC 1662) or without."""
    if data[at : at + 2] in (b"\xff\x03", b"\x0f\x00"):
        at += 2
    return _raw(data, at + 2, end) if data[at : at + 2] in _PPP else -1


def _with_direction(data: bytes, at: int, end: int) -> int:
    return _ppp(data, at + 1, end)


def ethernet(data: bytes, at: int, end: int) -> int:
    if data.startswith(_IP, at + 12) and at + 14 < end:
        return at + 14
    return behind_type(data, at + 12, end)


def _cooked(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_LINUX_SLL: 16 bytes, the protocol last."""
    return behind_type(data, at + 14, end)


def _cooked2(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_LINUX_SLL2: 20 bytes, the protocol first."""
    kind = data[at : at + 2]
    if kind in _VLAN:
        return behind_type(data, at + 22, end)
    return at + 20 if kind in _IP and at + 20 < end else -1


def _cisco(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_C_HDLC: address and control, then an EtherType."""
    return behind_type(data, at + 2, end)


def _raw(data: bytes, at: int, end: int) -> int:
    return at if at < end and data[at] >> 4 in (4, 6) else -1


def _loopback(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_NULL and _LOOP: an address family of 4 bytes, in an order and with values of the recorder's
    system.
    """
    return _raw(data, at + 4, end)


# ---- the air


def _wireless(data: bytes, at: int, end: int) -> int:
    """An 802.11 data frame that is not encrypted (IEEE 802.11 9.3.2.1)."""
    body = _body(data, at, end)
    if body < 0:
        return -1
    if data[at] & 0x80 and data[body - _control(data, at)] & 0x80:
        return SEVERAL
    for at in (body, body + 2):  # some recorders align what follows to four bytes
        if data[at : at + 6] == _SNAP:
            return behind_type(data, at + 6, end)
    return -1


def _body(data: bytes, at: int, end: int) -> int:
    if not 0 <= at <= end - 24 or data[at] & 0x0C != 0x08:
        return -1
    if data[at] & 0x40 or data[at + 1] & 0x40:  # without data, or protected
        return -1
    body = at + (30 if data[at + 1] & 0x03 == 0x03 else 24) + _control(data, at)
    return body if body < end else -1


def _control(data: bytes, at: int) -> int:
    """Bytes of QoS control, and of HT control behind it."""
    return (6 if data[at + 1] & 0x80 else 2) if data[at] & 0x80 else 0


def subframes(data: bytes, at: int, end: int, finder: Finder) -> Iterator[tuple[int, int]]:
    """Of a frame of which its finder said SEVERAL (an A-MSDU, IEEE 802.11 9.3.2.2): where IP begins in each
    packet, and where it ends.
    """
    at = _air(data, at, finder)
    here = _body(data, at, end)
    for _ in range(_SUBFRAMES):
        if here + 14 > end:
            return
        length = data[here + 12] << 8 | data[here + 13]
        last = min(here + 14 + length, end)
        found = behind_type(data, here + 12, last) if length >= 8 else -1
        if found >= 0:
            yield found, last
        here += 14 + length + (-(14 + length) % 4)


def _air(data: bytes, at: int, finder: Finder) -> int:
    """Where the frame of the air begins behind what the recorder says of it."""
    if finder in (_radiotap, _packet_info):
        return at + int.from_bytes(data[at + 2 : at + 4], "little")
    return at


def _radiotap(data: bytes, at: int, end: int) -> int:
    return _wireless(data, _air(data, at, _radiotap), end) if at + 4 <= end else -1


def _packet_info(data: bytes, at: int, end: int) -> int:
    """LINKTYPE_PPI: like radiotap, but it says itself what link layer follows."""
    if at + 8 > end:
        return -1
    finder = FINDERS.get(int.from_bytes(data[at + 4 : at + 8], "little"), _packet_info)
    if finder in (_packet_info, _radiotap):
        return -1
    return finder(data, _air(data, at, _packet_info), end)


FINDERS: Mapping[int, Finder] = {
    0: _loopback,
    1: ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    51: _behind_session,
    101: _raw,
    104: _cisco,
    105: _wireless,
    108: _loopback,
    113: _cooked,
    127: _radiotap,
    192: _packet_info,
    204: _with_direction,
    228: _raw,
    229: _raw,
    276: _cooked2,
}

_NAMES = {
    119: "802.11 by Prism",
    147: "a private type",
    163: "802.11 by AVS",
    189: "USB",
    220: "USB",
    249: "USB",
    253: "netlink",
}


def unknown(linktype: int) -> str:
    name = f" ({_NAMES[linktype]})" if linktype in _NAMES else ""
    return f"link type {linktype}{name} is not known here; its packets were not read"
