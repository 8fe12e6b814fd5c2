"""Does a name belong to a certificate? Names are compared as DNS does: without case and without the final
dot.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

#: Characters of a name (RFC 1035 2.3.4). What is longer is none.
LONGEST = 253


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    address = address_of(host)
    if address is not None:
        return address.is_loopback
    bare = normal(host)
    return bare in ("localhost", "localhost.localdomain", "ip6-localhost") or bare.endswith(".localhost")


@lru_cache(maxsize=1024)
def normal(name: str) -> str:
    """Case folded, no final dot, labels in their ASCII form where they have one."""
    bare = name.strip().rstrip(".").casefold()
    if bare.isascii() or len(bare) > LONGEST:  # converting takes a second for each half megabyte
        return bare
    try:
        return bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare


def first_label(name: str) -> str:
    return normal(name).partition(".")[0]


def covers(pattern: str, name: str) -> bool:
    """RFC 6125 6.4.3: a wildcard stands for the whole first label only."""
    pattern, name = normal(pattern), normal(name)
    if pattern == name:
        return True
    head, _, rest = pattern.partition(".")
    return head == "*" and "." in rest and name.partition(".")[2] == rest and "." in name


def same_computer(one: str, other: str) -> bool:
    """`SRV01` and `srv01.corp.example` are the same machine; two full names must be equal."""
    one, other = normal(one), normal(other)
    if not one or not other:
        return False
    if "." in one and "." in other:
        return one == other
    # A NetBIOS name is the first 15 characters of the host name.
    return first_label(one)[:15] == first_label(other)[:15]
