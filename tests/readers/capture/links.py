"""Every way in which a recorder may wrap a packet of IP: its link type, and what makes the frame."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.readers.capture.craft import ethernet, ip

if TYPE_CHECKING:
    from collections.abc import Callable

SNAP = b"\xaa\xaa\x03\x00\x00\x00"
_OUTER = ("192.0.2.1", "192.0.2.2")
_OUTER6 = ("2001:db8:f::1", "2001:db8:f::2")


def kind(packet: bytes) -> bytes:
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def _family(packet: bytes, six: int) -> int:
    return 2 if packet[0] >> 4 == 4 else six


def _air(packet: bytes) -> bytes:
    return b"\x08\x01" + bytes(22) + SNAP + kind(packet) + packet


def _quality(packet: bytes) -> bytes:
    return b"\x88\x02" + bytes(22) + b"\x00\x00" + SNAP + kind(packet) + packet


def _aligned(packet: bytes) -> bytes:
    return b"\x88\x02" + bytes(22) + b"\x00\x00" + bytes(2) + SNAP + kind(packet) + packet


def several(*packets: bytes) -> bytes:
    """An A-MSDU in a frame with QoS."""
    frame = b"\x88\x02" + bytes(22) + b"\x80\x00"
    for packet in packets:
        body = SNAP + kind(packet) + packet
        frame += bytes(12) + len(body).to_bytes(2, "big") + body
        frame += bytes(-(14 + len(body)) % 4)
    return frame


def radiotap(frame: bytes) -> bytes:
    return b"\x00\x00\x0c\x00" + bytes(8) + frame


def _ppp(packet: bytes) -> bytes:
    return (b"\x00\x21" if packet[0] >> 4 == 4 else b"\x00\x57") + packet


def _session(packet: bytes) -> bytes:
    body = _ppp(packet)
    return b"\x11\x00\x00\x07" + len(body).to_bytes(2, "big") + body


def _gre(packet: bytes, head: bytes) -> bytes:
    return ethernet(ip(*_OUTER, head + packet, protocol=47))


def _vxlan(packet: bytes) -> bytes:
    inside = b"\x08\x00\x00\x00\x00\x00\x7b\x00" + ethernet(packet)
    return struct.pack("!HHHH", 55555, 4789, 8 + len(inside), 0) + inside


def _carried(packet: bytes) -> int:
    return 4 if packet[0] >> 4 == 4 else 41


LINKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "ethernet": (1, ethernet),
    "vlan": (1, lambda packet: bytes(12) + b"\x81\x00\x00\x05" + kind(packet) + packet),
    "qinq": (1, lambda packet: bytes(12) + b"\x88\xa8\x00\x07\x81\x00\x00\x05" + kind(packet) + packet),
    "802.3 and SNAP": (
        1,
        lambda packet: bytes(12) + (8 + len(packet)).to_bytes(2, "big") + SNAP + kind(packet) + packet,
    ),
    "mpls": (1, lambda packet: bytes(12) + b"\x88\x47" + b"\x00\x01\x00\x40\x00\x02\x01\x40" + packet),
    "pppoe": (1, lambda packet: bytes(12) + b"\x88\x64" + _session(packet)),
    "pppoe in vlan": (1, lambda packet: bytes(12) + b"\x81\x00\x00\x07\x88\x64" + _session(packet)),
    "pppoe alone": (51, _session),
    "ppp": (9, _ppp),
    "ppp, serial": (50, lambda packet: b"\xff\x03" + _ppp(packet)),
    "ppp with direction": (204, lambda packet: b"\x01" + _ppp(packet)),
    "cisco hdlc": (104, lambda packet: b"\x0f\x00" + kind(packet) + packet),
    "linux cooked": (113, lambda packet: bytes(14) + kind(packet) + packet),
    "linux cooked, vlan": (113, lambda packet: bytes(14) + b"\x81\x00\x00\x05" + kind(packet) + packet),
    "linux cooked 2": (276, lambda packet: kind(packet) + bytes(18) + packet),
    "linux cooked 2, vlan": (276, lambda packet: b"\x81\x00" + bytes(20) + kind(packet) + packet),
    "raw": (101, lambda packet: packet),
    "raw, by its old number": (12, lambda packet: packet),
    "null, little": (0, lambda packet: struct.pack("<I", _family(packet, 30)) + packet),
    "null, big": (0, lambda packet: struct.pack(">I", _family(packet, 24)) + packet),
    "loop": (108, lambda packet: struct.pack(">I", _family(packet, 28)) + packet),
    "802.11": (105, _air),
    "802.11, aligned": (105, _aligned),
    "802.11, A-MSDU": (105, several),
    "ppi": (192, lambda packet: b"\x00\x00\x08\x00\x69\x00\x00\x00" + _air(packet)),
    "radiotap": (127, lambda packet: radiotap(_air(packet))),
    "radiotap, QoS": (127, lambda packet: radiotap(_quality(packet))),
    "radiotap, A-MSDU": (127, lambda packet: radiotap(several(packet))),
    "ip in ip": (1, lambda packet: ethernet(ip(*_OUTER, packet, protocol=_carried(packet)))),
    "ip in ipv6": (1, lambda packet: ethernet(ip(*_OUTER6, packet, protocol=_carried(packet)))),
    "gre": (1, lambda packet: _gre(packet, b"\x00\x00" + kind(packet))),
    "gre with a key": (1, lambda packet: _gre(packet, b"\x20\x00" + kind(packet) + bytes(4))),
    "nvgre": (1, lambda packet: _gre(ethernet(packet), b"\x20\x00\x65\x58" + bytes(4))),
    "erspan 1": (1, lambda packet: _gre(ethernet(packet), b"\x00\x00\x88\xbe")),
    "erspan 2": (1, lambda packet: _gre(ethernet(packet), b"\x10\x00\x88\xbe" + bytes(12))),
    "erspan 3": (1, lambda packet: _gre(ethernet(packet), b"\x10\x00\x22\xeb" + bytes(16))),
    "vxlan": (1, lambda packet: ethernet(ip(*_OUTER, _vxlan(packet), protocol=17))),
    "vxlan in vlan": (
        1,
        lambda packet: bytes(12) + b"\x81\x00\x00\x05\x08\x00" + ip(*_OUTER, _vxlan(packet), protocol=17),
    ),
}
