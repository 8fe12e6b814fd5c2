"""Open a TCP connection, or say exactly how that failed; nobody can tell these apart later."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import sys
import time
from dataclasses import dataclass
from typing import Literal

from rdpdoctor.net import icmp_linux, oserrors
from rdpdoctor.net.connection import Connection
from rdpdoctor.net.oserrors import Means

__all__ = ["Connection", "DialFailed", "can_limit_segments", "dial"]


@dataclass(frozen=True, slots=True)
class DialFailed:
    """how: refused (RST), rejected (ICMP, or the system says unreachable), silent (until the deadline),
    failed (this machine could not even try). icmp and offender: where the system names them, else None.
    on_link: this machine itself found that no neighbour answers. elapsed: seconds.
    """

    how: Literal["refused", "rejected", "silent", "failed"]
    icmp: str | None
    offender: str | None
    on_link: bool
    error: str
    elapsed: float


def can_limit_segments() -> bool:
    """Whether `max_segment` works here: Windows has no such option."""
    return sys.platform in ("linux", "darwin") and hasattr(socket, "TCP_MAXSEG")


async def dial(
    address: str,
    port: int,
    timeout: float,  # noqa: ASYNC109
    *,
    max_segment: int | None = None,
) -> Connection | DialFailed:
    """Connect to a literal address. max_segment: bytes of payload in a segment, both ways; ValueError where
    `can_limit_segments` says no. timeout: seconds.
    """
    if max_segment is not None and not can_limit_segments():
        raise ValueError("this system cannot limit segments")
    began = time.perf_counter()
    try:
        family, where = _numeric(address, port)
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return _failed(error, began)
    kept = False
    try:
        result = await _connect(sock, address, port, where, timeout, max_segment, began)
        kept = isinstance(result, Connection)
        return result
    finally:
        if not kept:  # cancelled, too
            sock.close()


async def _connect(
    sock: socket.socket,
    address: str,
    port: int,
    where: tuple[str | int, ...],
    timeout: float,  # noqa: ASYNC109
    max_segment: int | None,
    began: float,
) -> Connection | DialFailed:
    loop = asyncio.get_running_loop()
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if max_segment is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, max_segment)
        icmp_linux.listen(sock)
        began = time.perf_counter()
        async with asyncio.timeout(timeout):
            await loop.sock_connect(sock, where)
        rtt = time.perf_counter() - began
        sock.getpeername()  # raises where an error was reported but not kept
    except OSError as error:
        if oserrors.meaning(error) is not Means.RESET and error.errno != errno.ENOTCONN:
            return _judge(error, sock, began)
        # SYN-ACK, and RST right behind it: it was open. The first word on the connection finds out.
        return Connection(sock, address, port, time.perf_counter() - began)
    icmp_linux.listen(sock, on=False)
    connection = Connection(sock, address, port, rtt)
    info = connection.tcp_info()
    if info is not None and info.rtt_ms is not None:
        # The kernel's own clock of the same SYN, without the time this process took to notice.
        connection.rtt = min(rtt, info.rtt_ms / 1000)
    return connection


def _numeric(address: str, port: int) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    """Family and sockaddr of a literal. Raise OSError where it is none, or names a zone that is not here."""
    try:
        literal = ipaddress.ip_address(address)
    except ValueError as error:
        raise OSError(str(error)) from error
    if isinstance(literal, ipaddress.IPv4Address):
        return socket.AF_INET, (address, port)
    host, _, zone = address.partition("%")
    index = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone) if zone else 0
    return socket.AF_INET6, (host, port, 0, index)


def _judge(error: OSError, sock: socket.socket, began: float) -> DialFailed:
    elapsed = time.perf_counter() - began
    icmp = icmp_linux.read(sock)
    said = oserrors.words(error)
    if icmp is not None:
        on_link = icmp.icmp == "host-unreachable" and icmp.offender is not None and is_own(icmp.offender)
        return DialFailed("rejected", icmp.icmp, icmp.offender, on_link, said, elapsed)
    if isinstance(error, TimeoutError):
        return DialFailed("silent", None, None, False, "timed out", elapsed)
    match oserrors.meaning(error):
        case Means.REFUSED | Means.RESET:
            return DialFailed("refused", None, None, False, said, elapsed)
        case Means.UNREACHABLE:
            return DialFailed("rejected", None, None, False, said, elapsed)
        case Means.NO_NEIGHBOUR:
            return DialFailed("rejected", "host-unreachable", None, True, said, elapsed)
        case Means.GAVE_UP:
            return DialFailed("silent", None, None, False, said, elapsed)
    return DialFailed("failed", None, None, False, said, elapsed)


def _failed(error: OSError, began: float) -> DialFailed:
    return DialFailed("failed", None, None, False, oserrors.words(error), time.perf_counter() - began)


def is_own(address: str) -> bool:
    """Whether `address` is this machine's: towards itself a machine uses that same address. Sends nothing."""
    try:
        family, where = _numeric(address, 9)
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0]).partition("%")[0] == where[0]
    except OSError:
        return False
