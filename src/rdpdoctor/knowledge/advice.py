"""What is widely advised, each piece judged: when it is right, what it breaks, what to do instead."""

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

    from rdpdoctor.knowledge.codes import Code

FILE = "advice.toml"


@dataclass(frozen=True, slots=True)
class Advice:
    """right_for: ids of causes that it helps against; none: it helps against nothing.

    causes: what it is commonly given for. codes: kind and number of codes that it is given for.
    """

    id: str
    advice: str
    right_when: str
    right_for: tuple[str, ...]
    breaks: str
    instead: str
    lowers_security: bool
    causes: tuple[str, ...]
    codes: tuple[tuple[str, int], ...]
    sources: tuple[str, ...]


@cache
def advice(folder: Path = FOLDER) -> Mapping[str, Advice]:
    """By id, in the file's order. Raises KnowledgeError."""
    known = cause_ids(folder)
    found: dict[str, Advice] = {}
    for name, row in read_toml(FILE, folder).items():
        check_prose.advice(FILE, name, row)
        causes = row["given_for"].get("causes", [])
        check_prose.named(FILE, f"{name}.given_for.causes", causes, known, "cause")
        check_prose.named(FILE, f"{name}.right_for", row["right_for"], known, "cause")
        codes = row["given_for"].get("codes", {})
        found[name] = Advice(
            id=name,
            advice=row["advice"],
            right_when=row["right_when"],
            right_for=tuple(row["right_for"]),
            breaks=row["breaks"],
            instead=row["instead"],
            lowers_security=row["lowers_security"],
            causes=tuple(causes),
            codes=tuple((kind, number) for kind, numbers in codes.items() for number in numbers),
            sources=tuple(row["sources"]),
        )
    return MappingProxyType(found)


def for_cause(identity: str) -> tuple[Advice, ...]:
    """What is commonly advised for that cause, or helps against it."""
    return tuple(one for one in advice().values() if identity in one.causes or identity in one.right_for)


def for_code(code: Code) -> tuple[Advice, ...]:
    """What is commonly advised for that code."""
    return tuple(one for one in advice().values() if (code.kind, code.number) in one.codes)
