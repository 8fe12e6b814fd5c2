"""What the kernel measured of one connection. Linux and macOS tell; on other systems there is no reading."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_IPPROTO_TCP = 6
_LINUX_TCP_INFO, _LINUX_SIZE = 11, 104
_MACOS_TCP_CONNECTION_INFO, _MACOS_SIZE = 0x106, 112


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """None where nothing was measured (which is not zero). mss: bytes of payload we put into a segment."""

    rtt_ms: float | None
    rtt_variation_ms: float | None
    retransmits: int | None
    mss: int | None


def read(sock: socket.socket) -> TcpInfo | None:
    try:
        if sys.platform == "linux":
            return parse_linux(sock.getsockopt(_IPPROTO_TCP, _LINUX_TCP_INFO, _LINUX_SIZE))
        if sys.platform == "darwin":
            return parse_macos(sock.getsockopt(_IPPROTO_TCP, _MACOS_TCP_CONNECTION_INFO, _MACOS_SIZE))
    except OSError:
        return None
    return None


def parse_linux(raw: bytes) -> TcpInfo | None:
    """`struct tcp_info` (include/uapi/linux/tcp.h): 8 single bytes, then 32-bit words; times in µs."""
    if len(raw) < _LINUX_SIZE:
        return None
    words = struct.unpack_from("=24I", raw, 8)
    send_mss, rtt, variation, retransmits = words[2], words[15], words[16], words[23]
    return _info(rtt / 1000, variation / 1000, retransmits, send_mss)


def parse_macos(raw: bytes) -> TcpInfo | None:
    """`struct tcp_connection_info` (bsd/netinet/tcp.h): 4 bytes, 12 words, 7 long words; times in ms."""
    if len(raw) < _MACOS_SIZE:
        return None
    words = struct.unpack_from("=12I", raw, 4)
    longs = struct.unpack_from("=7Q", raw, 56)
    return _info(float(words[10]), float(words[11]), longs[6], words[3])


def _info(rtt: float, variation: float, retransmits: int, mss: int) -> TcpInfo:
    measured = rtt > 0
    return TcpInfo(
        rtt_ms=round(rtt, 3) if measured else None,
        rtt_variation_ms=round(variation, 3) if measured else None,
        retransmits=retransmits,
        mss=mss or None,
    )
