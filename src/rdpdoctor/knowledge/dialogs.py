"""Dialogs of clients in English: recognised by pieces of their text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from rdpdoctor.facts import Stage
from rdpdoctor.knowledge.codes import KINDS, by_number
from rdpdoctor.knowledge.sourced import Point, Row
from rdpdoctor.knowledge.store import FOLDER, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rdpdoctor.knowledge.codes import Code

FILE = "dialogs.toml"
_KEYS = ("words", "says", "code", "stages", "points", "note", "last", "source")
#: What copying and typography change.
_STRAIGHT = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u2010": "-", "\u2011": "-"}
)


@dataclass(frozen=True, slots=True)
class Dialog:
    """words: pieces of its text, folded. code: what the client has behind it; None: not known.

    last: its words are so common that they count only where nothing else was found.
    """

    id: str
    words: tuple[str, ...]
    says: str
    code: Code | None
    stages: tuple[str, ...]
    points: tuple[Point, ...]
    note: str | None
    last: bool
    source: str


@cache
def dialogs(folder: Path = FOLDER) -> Mapping[str, Dialog]:
    """By id, in the file's order. Raises KnowledgeError."""
    table = read_toml(FILE, folder)
    named = table.pop("sources", None)
    sources = Row(FILE, "sources", named, named if isinstance(named, dict) else ())
    return MappingProxyType({name: _dialog(name, value, sources) for name, value in table.items()})


def _dialog(name: str, value: Any, sources: Row) -> Dialog:
    row = Row(FILE, name, value, _KEYS)
    words = row.texts("words")
    for one in words:
        if one != folded(one) or len(one) < 10:
            raise row.wrong(
                "words", f"write {one!r} in lower case, with single blanks, and 10 letters or more"
            )
    if not words:
        raise row.wrong("words", "give at least one")
    stages = row.texts("stages")
    for stage in stages:
        if stage not in tuple(Stage):
            raise row.wrong("stages", f"use some of {', '.join(Stage)}")
    return Dialog(
        id=name,
        words=words,
        says=row.text("says"),
        code=_code(row),
        stages=stages,
        points=row.points(),
        note=row.text_or_none("note"),
        last=row.flag("last"),
        source=sources.text(row.one_of("source", sources.value)),
    )


def _code(row: Row) -> Code | None:
    if "code" not in row.value:
        return None
    about = Row(FILE, f"{row.key}.code", row.value["code"], ("kind", "number"))
    kind, number = about.one_of("kind", KINDS), about.number("number")
    for code in by_number(number):
        if code.kind == kind:
            return code
    raise about.wrong("number", f"no code of {kind} is 0x{number:X}")


def folded(text: str) -> str:
    """As texts are compared: lower case, straight quotes, single blanks."""
    return " ".join(text.translate(_STRAIGHT).lower().split())


class Said(NamedTuple):
    """words: those by which it was recognised."""

    dialog: Dialog
    words: str


def said_in(text: str) -> tuple[Said, ...]:
    """The dialogs that a text holds, in the order of their words in it; the general ones last, and only
    where nothing else is there.
    """
    plain = folded(text)
    found = []
    for dialog in dialogs().values():
        places = [(at, words) for words in dialog.words if (at := plain.find(words)) >= 0]
        if places:
            at, words = min(places)
            found.append((at, Said(dialog, words)))
    found.sort(key=lambda pair: pair[0])
    special = tuple(said for _, said in found if not said.dialog.last)
    return special or tuple(said for _, said in found)
