"""No test reaches beyond this machine: a connection to anywhere but loopback is an error, not a time-out.

Tests marked `real` are free: they have network namespaces of their own.
"""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell starts background jobs with Ctrl-C ignored, and children inherit that; the tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_guarded = False
_ask_the_resolver = socket.getaddrinfo


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
    return host not in ("", "localhost") and _address(host) is None


def _outside(host: str) -> bool:
    address = _address(host)
    return _is_name(host) if address is None else not address.is_loopback


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """CPython's audit events come before the call, whichever library makes it."""
    if not _guarded or event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    own, where = arguments[0], arguments[1]
    if own.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(where, tuple):
        return
    if event == "socket.connect" and own.type == socket.SOCK_DGRAM:
        return  # sends nothing; asks this machine for its route
    host = _text(where[0])
    if host is not None and _outside(host):
        raise RuntimeError(f"a test must not reach beyond this machine: {event} {where}")


def _getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    flags = options.get("flags", arguments[4] if len(arguments) > 4 else 0)
    if _guarded and _is_name(_text(host) or "") and not flags & socket.AI_NUMERICHOST:
        raise RuntimeError(f"a test must not ask the real resolver: {host!r}")
    return _ask_the_resolver(host, *arguments, **options)


sys.addaudithook(_audit)
socket.getaddrinfo = _getaddrinfo


@pytest.fixture(autouse=True)
def _stay_on_this_machine(request: pytest.FixtureRequest) -> Iterator[None]:
    global _guarded
    _guarded = request.node.get_closest_marker("real") is None
    yield
    _guarded = False
