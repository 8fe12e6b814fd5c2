"""One story for each thing that can be wrong: what is seen, and what must and must not be concluded."""

from __future__ import annotations

from tests.diagnosis.stories import (
    certificates,
    handshake,
    hearsay,
    names_and_ports,
    negotiation,
    path,
    sign_in,
)
from tests.diagnosis.stories.case import Case

__all__ = ["CASES", "Case"]

CASES: dict[str, Case] = {
    name: case
    for theme in (names_and_ports, negotiation, handshake, certificates, sign_in, path, hearsay)
    for name, case in theme.tell().items()
}
