"""Names to addresses, as the system does it."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rdpdoctor.net import background
from rdpdoctor.net.dns_servers import DnsSaid, ask_dns

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DnsSaid", "LookupFailed", "Resolved", "ask_dns", "resolve"]

_MOST = 16

#: No such name, or no address for it: EAI_NONAME, EAI_NODATA and EAI_ADDRFAMILY of glibc and of macOS,
#: WSAHOST_NOT_FOUND and WSANO_DATA of Windows. The three sets do not overlap.
_NOT_FOUND = frozenset({-2, -5, -9, 8, 7, 1, 11001, 11004})


@dataclass(frozen=True, slots=True)
class Resolved:
    """addresses: in the system's order, without repeats, at most 16. elapsed: seconds."""

    addresses: list[str]
    via: Literal["literal", "system"]
    elapsed: float


@dataclass(frozen=True, slots=True)
class LookupFailed:
    kind: Literal["not-found", "failed", "silent"]
    error: str
    elapsed: float


async def resolve(host: str, timeout: float) -> Resolved | LookupFailed:  # noqa: ASYNC109
    """`host` is ASCII or an address literal, IPv6 with or without a zone. timeout: seconds."""
    began = time.perf_counter()
    literal = _literal(host)
    if literal is not None:
        return Resolved([literal], "literal", time.perf_counter() - began)

    def look_up() -> tuple[list[str], float]:
        # Bytes: a str would go through Python's own IDNA codec, which refuses what DNS allows.
        rows = socket.getaddrinfo(host.encode(), None, type=socket.SOCK_STREAM)
        return _addresses(rows), time.perf_counter() - began

    try:
        addresses, elapsed = await background.call(look_up, timeout)
    except TimeoutError:
        return LookupFailed("silent", "timed out", time.perf_counter() - began)
    except socket.gaierror as error:
        return LookupFailed(kind_of(error), _words(error), time.perf_counter() - began)
    except (OSError, UnicodeError) as error:
        return LookupFailed("failed", str(error)[:200], time.perf_counter() - began)
    if not addresses:
        return LookupFailed("not-found", "no addresses", elapsed)
    return Resolved(addresses, "system", elapsed)


def kind_of(error: socket.gaierror) -> Literal["not-found", "failed"]:
    return "not-found" if error.errno in _NOT_FOUND else "failed"


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _addresses(rows: Iterable[tuple[int, int, int, str, tuple[object, ...]]]) -> list[str]:
    """The addresses of `getaddrinfo`; a scope that the text does not show comes back as a zone."""
    found: dict[str, None] = {}
    for family, _, _, _, where in rows:
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        address = str(where[0])
        if family == socket.AF_INET6 and len(where) == 4 and where[3] and "%" not in address:
            address = f"{address}%{where[3]}"
        found[address] = None
    return list(found)[:_MOST]


def _words(error: socket.gaierror) -> str:
    return (error.strerror or str(error))[:200]
