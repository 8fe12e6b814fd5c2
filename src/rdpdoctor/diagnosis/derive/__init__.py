"""From what was seen to what it amounts to. Each function is pure and looks at one theme."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import (
    addresses,
    asked,
    certificate,
    clock,
    endings,
    handshakes,
    host,
    identity,
    members,
    path,
    rules,
    server,
    udp,
    variants,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rdpdoctor.diagnosis.view import View
    from rdpdoctor.facts import Observation

#: Conclusions of one theme. A check gives rise to a dozen, a made-up journal to any number.
MOST = 500

THEMES: tuple[Callable[[View], Iterable[Observation]], ...] = (
    addresses.derive,
    server.derive,
    endings.derive,
    variants.derive,
    handshakes.derive,
    certificate.derive,
    identity.derive,
    clock.derive,
    members.derive,
    path.derive,
    udp.derive,
    rules.derive,
    host.derive,
    asked.derive,
)


def everything(view: View) -> list[Observation]:
    """All conclusions, always in the same order."""
    return [observation for theme in THEMES for observation in islice(theme(view), MOST)]
