"""Data files whose rows name their sources: read, and complained of by file, key and mend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from rdpdoctor.facts import Stage
from rdpdoctor.knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: How a row speaks for a cause: it says so itself; it fits among others; it only follows from it.
HOW = ("names", "fits", "follows")
#: What a row rests on: a recording of a real machine; its maker's documents; nothing that could be checked.
SURE = ("measured", "documented", "unverified")


class Point(NamedTuple):
    """cause: its id. how: one of HOW."""

    cause: str
    how: str


def read_json(path: Path, name: str) -> dict[str, Any]:
    """The object in a file; `name` is what complaints call it."""
    try:
        value = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise KnowledgeError(name, "file", f"must be there: {error}") from error
    except ValueError as error:
        raise KnowledgeError(name, "JSON", str(error)) from error
    if not isinstance(value, dict):
        raise KnowledgeError(name, "file", "write an object")
    return value


class Row:
    """One object of a file, whose parts are asked for by type. Each complaint names the part."""

    def __init__(self, file: str, key: str, value: Any, known: Iterable[str]) -> None:
        self.file, self.key = file, key
        if not isinstance(value, dict):
            raise self.wrong("", "write an object")
        self.value: Mapping[str, Any] = value
        allowed = tuple(known)
        for name in value:
            if name not in allowed:
                raise self.wrong(name, f"unknown key; the keys are {', '.join(allowed)}")

    def wrong(self, name: str, mend: str) -> KnowledgeError:
        return KnowledgeError(self.file, ".".join(filter(None, (self.key, name))), mend)

    def text(self, name: str) -> str:
        value = self.value.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "write a text")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self.value.get(name) is None else self.text(name)

    def number(self, name: str) -> int:
        value = self.value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(name, "write a number from 0")
        return value

    def flag(self, name: str, absent: bool = False) -> bool:
        value = self.value.get(name, absent)
        if not isinstance(value, bool):
            raise self.wrong(name, "write true or false")
        return value

    def one_of(self, name: str, allowed: Iterable[str]) -> str:
        value, allowed = self.value.get(name), tuple(allowed)
        if value not in allowed:
            raise self.wrong(name, f"use one of {', '.join(allowed)}")
        return str(value)

    def stage(self, name: str = "stage") -> Stage | None:
        return None if name not in self.value else Stage(self.one_of(name, Stage))

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.value.get(name, [])
        if not isinstance(values, list) or not all(isinstance(one, str) and one.strip() for one in values):
            raise self.wrong(name, "write a list of texts")
        return tuple(values)

    def named(self, name: str) -> dict[str, str]:
        values = self.value.get(name, {})
        if not isinstance(values, dict) or not all(isinstance(one, str) and one for one in values.values()):
            raise self.wrong(name, "write an object of texts")
        return dict(values)

    def points(self, name: str = "points") -> tuple[Point, ...]:
        """Loudest first."""
        values = self.named(name)
        for cause, how in values.items():
            if how not in HOW:
                raise self.wrong(f"{name}.{cause}", f"use one of {', '.join(HOW)}")
        found = [Point(cause, how) for cause, how in values.items()]
        return tuple(sorted(found, key=lambda point: HOW.index(point.how)))

    def chosen(self, name: str, among: tuple[str, ...], least: int = 1) -> tuple[str, ...]:
        """Texts of a list of the file, by their places in it."""
        places = self.value.get(name, [])
        if (
            not isinstance(places, list)
            or len(places) < least
            or not all(isinstance(at, int) and 0 <= at < len(among) for at in places)
        ):
            raise self.wrong(name, f"write {least} or more places, each from 0 to {len(among) - 1}")
        return tuple(among[at] for at in places)
