"""What a story is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.diagnosis.story import Story

TLS_FAULTS = ("certificate.key-unusable", "tls.version-mismatch", "tls.cipher-mismatch", "tls.broken")
CLOSERS = ("server.closes-early", "cookie.filtered", "limits.connections")
HEALTHY_MATRIX: Mapping[int, str | int | tuple[str, int]] = {
    0x03: 2,
    0x01: ("failure", 5),
    0x00: ("failure", 5),
    0x10: ("failure", 1),
    0x04: ("failure", 1),
}


@dataclass(frozen=True, slots=True)
class Case:
    """top: the cause that comes first, with its confidence; None: none may be left standing.

    never: causes that resemble the true one and must not be left standing (possible, likely or confirmed).
    """

    tell: Callable[[], Story]
    status: str
    stage: str | None
    top: tuple[str, str] | None
    never: tuple[str, ...] = ()
