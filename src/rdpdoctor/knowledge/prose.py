"""What is told of a cause beyond what ranking needs: how it shows on each side, and what to check.

It stands in the cause's own file and is read one file at a time, only where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from rdpdoctor.knowledge import check_prose
from rdpdoctor.knowledge.store import FOLDER, cause_ids, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Side:
    """sure: "measured" (by this project's tests, or in a capture of a real machine), "documented",
    "inferred" (nobody documents it). sources: what that rests on.
    """

    says: str
    sure: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """shows: wire, client, server, in this order. check: steps, their commands in backticks."""

    id: str
    shows: Mapping[str, Side]
    check: tuple[str, ...]


@cache
def prose(identity: str, folder: Path = FOLDER) -> Prose:
    """Of the cause of that id. KeyError where there is none, KnowledgeError where its file is wrong."""
    name = f"causes/{identity}.toml"
    if identity not in cause_ids(folder):
        raise KeyError(identity)
    row = read_toml(name, folder)
    check_prose.cause(name, row)
    shows = {
        side: Side(
            row["shows"][side]["says"], row["shows"][side]["sure"], tuple(row["shows"][side]["sources"])
        )
        for side in check_prose.SIDES
        if "shows" in row
    }
    return Prose(identity, MappingProxyType(shows), tuple(row.get("check", ())))
