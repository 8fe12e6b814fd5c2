"""How a hostile case is written down, and what all cases of a stage must not be called.

Expectations are as wide as the truth is: where two verdicts would both be honest both are allowed, and what
would send a person to the wrong place is forbidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.command import Expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kit import Kit
    from .peers import Behave

MEGABYTE = bytes(1 << 20)

#: Nothing a peer says on an open port can mean these.
NETWORK = ("listener.absent", "path.filtered", "path.rejected", "name.not-found", "name.lookup-failed")
BEFORE_TLS = (
    "certificate.key-unusable", "certificate.expired", "tls.version-mismatch", "tls.cipher-mismatch",
    "tls.broken",
    "path.tls-cut", "nla.required", "security-layer.rdp-only",
)  # fmt: skip
NOT_THE_TALK = (
    "port.not-rdp",
    "service.hung",
    "server.closes-early",
    "security-layer.rdp-only",
    "cookie.filtered",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` builds the behaviour when the test runs. `timeout`: the check's, in seconds."""

    make: Callable[[Kit], Behave]
    expect: Expect
    timeout: float = 10.0


def x224(*causes: str, status: tuple[str, ...] = ("failing",), never: tuple[str, ...] = ()) -> Expect:
    return Expect(status, ("x224",), causes, never=NETWORK + BEFORE_TLS + never)


#: A server may hang at any point, and silence in TLS may come from the path.
SILENCE = ("service.hung", "path.tls-cut", "path.mtu-black-hole")


def tls(
    *causes: str,
    status: tuple[str, ...] = ("failing",),
    also: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
) -> Expect:
    return Expect(status, ("tls",), causes, also, _but(causes, *NETWORK, *NOT_THE_TALK, *never))


def nla(
    *causes: str, status: tuple[str, ...] = ("failing", "unknown"), never: tuple[str, ...] = ()
) -> Expect:
    more = ("certificate.key-unusable", "tls.version-mismatch", "tls.cipher-mismatch", "tls.broken")
    # Where names and tokens are odd but readable the stage may be as well as passed.
    stages = ("nla",) if "healthy" not in status else (None, "nla")
    return Expect(status, stages, causes, never=_but(causes, *NETWORK, *NOT_THE_TALK, *more, *never))


def _but(allowed: tuple[str, ...], *never: str) -> tuple[str, ...]:
    return tuple(cause for cause in never if cause not in allowed)


FINE = Expect(("healthy",), (None,), nothing_else=True)


STATUS_ANY = ("healthy", "degraded", "failing", "unknown")
