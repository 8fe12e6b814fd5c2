"""No test reaches beyond this machine: a connection to anywhere but loopback is an error, not a time-out.

Tests marked `real` are free: they have network namespaces of their own.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_guarded = False


def _text(host: object) -> str | None:
    if isinstance(host, bytes):
        return host.decode(errors="replace")
    return host if isinstance(host, str) else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    return _address(host) is None and host not in ("", "localhost")


def _outside(host: str) -> bool:
    address = _address(host)
    return _is_name(host) if address is None else not address.is_loopback


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """CPython's audit events come before the call, whichever library makes it."""
    if not _guarded:
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        # Unix sockets have paths as addresses, and a connected socket's sendto has none.
        host = _text(arguments[1][0]) if isinstance(arguments[1], tuple) and arguments[1] else None
        if arguments[0].family in (socket.AF_INET, socket.AF_INET6) and host is not None and _outside(host):
            raise RuntimeError(f"a test must not reach beyond this machine: {event} {arguments[1]}")
    elif event == "socket.getaddrinfo":
        host = _text(arguments[0])
        if host is not None and _is_name(host):
            raise RuntimeError(f"a test must not ask the real resolver: {host!r}")


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    global _guarded
    _guarded = request.node.get_closest_marker("real") is None
    yield
    _guarded = False
