"""What the errors of the different systems mean for a connection, in one table.

POSIX numbers differ between Linux and macOS, hence the names; Windows has WSA numbers, and others again from
overlapped sockets (which asyncio uses there), hence numbers.
"""

from __future__ import annotations

import errno
import os
from enum import Enum


class Means(Enum):
    REFUSED = "refused"  # a RST, or Windows' conclusion after some of them
    UNREACHABLE = "unreachable"  # a router says so by ICMP, or this machine itself: not told apart here
    NO_NEIGHBOUR = "no-neighbour"  # BSD and macOS: the host is on our own link and does not answer ARP
    NO_ROUTE = "no-route"  # this machine knows no way there
    GAVE_UP = "gave-up"  # the system retransmitted until it was tired
    RESET = "reset"
    LOCAL = "local"  # anything else: not permitted, no such address family, no descriptors


_POSIX = {
    errno.ECONNREFUSED: Means.REFUSED,
    errno.EHOSTUNREACH: Means.UNREACHABLE,
    errno.ENETUNREACH: Means.NO_ROUTE,
    errno.ETIMEDOUT: Means.GAVE_UP,
    errno.ECONNRESET: Means.RESET,
    errno.ECONNABORTED: Means.RESET,
    errno.EPIPE: Means.RESET,
}
if hasattr(errno, "EHOSTDOWN"):  # Windows' errno has no such name
    _POSIX[errno.EHOSTDOWN] = Means.NO_NEIGHBOUR

_WINDOWS = {
    10061: Means.REFUSED,
    1225: Means.REFUSED,  # ERROR_CONNECTION_REFUSED
    10065: Means.UNREACHABLE,
    1232: Means.UNREACHABLE,  # ERROR_HOST_UNREACHABLE
    1233: Means.UNREACHABLE,  # ERROR_PROTOCOL_UNREACHABLE
    1234: Means.UNREACHABLE,  # ERROR_PORT_UNREACHABLE
    10051: Means.NO_ROUTE,
    1231: Means.NO_ROUTE,  # ERROR_NETWORK_UNREACHABLE
    10060: Means.GAVE_UP,
    121: Means.GAVE_UP,  # ERROR_SEM_TIMEOUT
    1460: Means.GAVE_UP,  # ERROR_TIMEOUT
    10053: Means.RESET,
    10054: Means.RESET,
    64: Means.RESET,  # ERROR_NETNAME_DELETED
    1236: Means.RESET,  # ERROR_CONNECTION_ABORTED
    995: Means.LOCAL,  # ERROR_OPERATION_ABORTED: cancelled by us
}


def meaning(error: OSError) -> Means:
    number = getattr(error, "winerror", None)
    if isinstance(number, int) and number in _WINDOWS:
        return _WINDOWS[number]
    if error.errno in _POSIX:
        return _POSIX[error.errno]
    if isinstance(error, ConnectionRefusedError):
        return Means.REFUSED
    if isinstance(error, ConnectionError):
        return Means.RESET
    return Means.LOCAL


def words(error: OSError) -> str:
    """The system's own sentence. asyncio puts its own, with the address, in its place."""
    said = error.strerror or str(error) or type(error).__name__
    if said.startswith("Connect call failed") and error.errno is not None:
        said = os.strerror(error.errno)
    return said[:200]
