"""All cases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from . import labs, networks, servers

if TYPE_CHECKING:
    from .case import Case


@cache
def cases() -> dict[str, Case]:
    """By name, the lab's first."""
    found = [*labs.cases(), *servers.cases(), *networks.cases()]
    return {case.name: case for case in found}


#: How every experiment fares against the planner is measured on these in `make test`, and on all in
#: `make scenarios`: every eighth, of each kind.
SAMPLE_EVERY = 8
#: For experiments that the planner finds no use for.
_TOO = ("cookie-of-alice-refused",)


def sample() -> list[str]:
    """The cases that are played a second time, with every experiment."""
    return list(dict.fromkeys([*list(cases())[::SAMPLE_EVERY], *_TOO]))
