"""Linux alone says which ICMP error ended a connect: through the socket's error queue (ip(7), IP_RECVERR).

Without it, RST and port-unreachable are both ECONNREFUSED, and four other rejections all EHOSTUNREACH.
"""

from __future__ import annotations

import ipaddress
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

# Not all in Python's socket module; the numbers are Linux's ABI.
_IPPROTO_IP, _IP_RECVERR = 0, 11
_IPPROTO_IPV6, _IPV6_RECVERR = 41, 25
_MSG_ERRQUEUE = 0x2000
_AF_INET, _AF_INET6 = 2, 10

_ORIGIN_LOCAL, _ORIGIN_ICMP, _ORIGIN_ICMP6 = 1, 2, 3
_HEADER = struct.Struct("=IBBBBII")  # struct sock_extended_err: errno, origin, type, code, pad, info, data

_UNREACHABLE4, _UNREACHABLE6 = 3, 1
#: RFC 792, RFC 1812 5.2.7.1
_CODES4 = {
    0: "net-unreachable",
    1: "host-unreachable",
    3: "port-unreachable",
    6: "net-unreachable",
    7: "host-unreachable",
    9: "net-prohibited",
    10: "host-prohibited",
    11: "net-unreachable",
    12: "host-unreachable",
    13: "admin-prohibited",
}
#: RFC 4443 3.1
_CODES6 = {
    0: "net-unreachable",
    1: "admin-prohibited",
    3: "host-unreachable",
    4: "port-unreachable",
    5: "admin-prohibited",
    6: "net-prohibited",
}


@dataclass(frozen=True, slots=True)
class IcmpError:
    """icmp: as in the tag `tcp.rejected`. offender: the address that sent it, where the kernel knows it."""

    icmp: str
    offender: str | None


def listen(sock: socket.socket, on: bool = True) -> None:
    """Have errors queued while connecting. Off once connected, or a stray ICMP error kills the connection."""
    if sys.platform != "linux":
        return
    level, option = (_IPPROTO_IPV6, _IPV6_RECVERR) if sock.family == _AF_INET6 else (_IPPROTO_IP, _IP_RECVERR)
    try:
        sock.setsockopt(level, option, int(on))
    except OSError:
        return


def read(sock: socket.socket) -> IcmpError | None:
    """The last ICMP error that was queued; None where there was none, as after a RST."""
    if sys.platform != "linux":
        return None
    found: IcmpError | None = None
    for _ in range(8):
        try:
            _, ancillary, _, _ = sock.recvmsg(64, 512, _MSG_ERRQUEUE)
        except OSError:  # EAGAIN: the queue is empty
            break
        for level, kind, data in ancillary:
            if (level, kind) in ((_IPPROTO_IP, _IP_RECVERR), (_IPPROTO_IPV6, _IPV6_RECVERR)):
                found = parse(data) or found
    return found


def parse(data: bytes) -> IcmpError | None:
    """`struct sock_extended_err` and the offender's sockaddr behind it. None where it is not ICMP."""
    if len(data) < _HEADER.size:
        return None
    _, origin, kind, code, _, _, _ = _HEADER.unpack_from(data)
    if origin == _ORIGIN_ICMP:
        icmp = _CODES4.get(code, "other") if kind == _UNREACHABLE4 else "other"
    elif origin == _ORIGIN_ICMP6:
        icmp = _CODES6.get(code, "other") if kind == _UNREACHABLE6 else "other"
    else:
        return None
    return IcmpError(icmp, _address(data[_HEADER.size :]))


def _address(raw: bytes) -> str | None:
    """A sockaddr_in or sockaddr_in6; AF_UNSPEC where the kernel knows no address."""
    if len(raw) < 2:
        return None
    (family,) = struct.unpack_from("=H", raw)
    if family == _AF_INET and len(raw) >= 8:
        return str(ipaddress.IPv4Address(raw[4:8]))
    if family == _AF_INET6 and len(raw) >= 24:
        address = ipaddress.IPv6Address(raw[8:24])
        return str(address.ipv4_mapped or address)
    return None
