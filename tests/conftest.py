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


def _outside(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) and address else None
    if not isinstance(host, str | bytes):
        return False  # a Unix socket, or the unconnected sendto
    text = host.decode(errors="replace") if isinstance(host, bytes) else host
    try:
        return not ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return text not in ("", "localhost")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """CPython's audit events come before the call, whichever library makes it."""
    if not _guarded:
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if arguments[0].family in (socket.AF_INET, socket.AF_INET6) and _outside(arguments[1]):
            raise RuntimeError(f"a test must not reach beyond this machine: {event} {arguments[1]}")
    elif event == "socket.getaddrinfo" and _outside(arguments[:1]):
        raise RuntimeError(f"a test must not ask the real resolver: {arguments[0]!r}")


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    global _guarded
    _guarded = request.node.get_closest_marker("real") is None
    yield
    _guarded = False
