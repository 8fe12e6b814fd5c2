"""What mends a cause, step by step, and what each mend costs. Nothing here is done by this tool."""

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

FILE = "remedies.toml"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A test that costs security or quality for a while. restores: how the old state comes back unasked.
    causes: what it is for.
    """

    minutes: int
    restores: str
    warning: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remedy:
    """steps, verify, undo: in order, their commands in backticks (Windows PowerShell 5.1 on Windows).

    where: server, client, network, cloud. risk: low, medium, high; breaks: what it costs. needs: a restart of
    what, whose approval; may be empty. diagnostic: None for a remedy. A remedy never lowers security.
    """

    id: str
    title: str
    where: str
    risk: str
    breaks: str
    needs: tuple[str, ...]
    steps: tuple[str, ...]
    verify: tuple[str, ...]
    undo: tuple[str, ...]
    lowers_security: bool
    diagnostic: Diagnostic | None
    sources: tuple[str, ...]


def diagnostics_for(cause: str) -> tuple[Remedy, ...]:
    """Tests that may be due for that cause; causes themselves name only what mends them."""
    return tuple(one for one in remedies().values() if one.diagnostic and cause in one.diagnostic.causes)


@cache
def remedies(folder: Path = FOLDER) -> Mapping[str, Remedy]:
    """By id, in the file's order. Raises KnowledgeError."""
    known = cause_ids(folder)
    found: dict[str, Remedy] = {}
    for name, row in read_toml(FILE, folder).items():
        check_prose.remedy(FILE, name, row)
        check_prose.named(FILE, f"{name}.causes", row.get("causes", []), known, "cause")
        timed = (
            Diagnostic(row["minutes"], row["restores"], row["warning"], tuple(row["causes"]))
            if row.get("kind", "remedy") == "diagnostic"
            else None
        )
        found[name] = Remedy(
            id=name,
            title=row["title"],
            where=row["where"],
            risk=row["risk"],
            breaks=row["breaks"],
            needs=tuple(row["needs"]),
            steps=tuple(row["steps"]),
            verify=tuple(row["verify"]),
            undo=tuple(row["undo"]),
            lowers_security=row["lowers_security"],
            diagnostic=timed,
            sources=tuple(row["sources"]),
        )
    return MappingProxyType(found)
