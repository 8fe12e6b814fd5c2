"""Are the texts right that are read only where they are shown: a cause's prose, remedies, advice?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge import commands
from rdpdoctor.knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

SIDES = ("wire", "client", "server")
SURE = ("measured", "documented", "inferred")
PLACES = ("server", "client", "network", "cloud")
RISKS = ("low", "medium", "high")
KINDS = ("remedy", "diagnostic")
#: The keys of a cause file that ranking does without.
PROSE = frozenset({"shows", "check"})

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_REMEDY_TEXTS = ("title", "breaks")
_REMEDY_LISTS = ("steps", "verify", "undo", "sources")
_REMEDY_KEYS = {
    *_REMEDY_TEXTS,
    *_REMEDY_LISTS,
    "kind",
    "where",
    "risk",
    "needs",
    "lowers_security",
    "minutes",
    "restores",
    "warning",
    "causes",
}
_ADVICE_TEXTS = ("advice", "right_when", "breaks", "instead")
_ADVICE_KEYS = {*_ADVICE_TEXTS, "right_for", "given_for", "lowers_security", "sources"}


def cause(file: str, row: Mapping[str, Any]) -> None:
    """Raise KnowledgeError where the prose of a cause file is not whole."""
    shows = row.get("shows", {})
    _table(file, "shows", shows, set(SIDES))
    for side in SIDES if "shows" in row else ():
        key = f"shows.{side}"
        told = shows.get(side)
        if not isinstance(told, dict):
            raise KnowledgeError(file, key, f"write [{key}]; a side that shows nothing says so")
        _table(file, key, told, {"says", "sure", "sources"})
        _text(file, f"{key}.says", told.get("says"))
        if told.get("sure") not in SURE:
            raise KnowledgeError(file, f"{key}.sure", f"use one of {', '.join(SURE)}")
        _texts(file, f"{key}.sources", told.get("sources"), commands_in=False)
    if "check" in row:
        _texts(file, "check", row["check"])


def remedy(file: str, identity: str, row: Any) -> None:
    """Raise KnowledgeError where a remedy cannot be followed, verified and undone, or lowers security."""
    _name(file, identity)
    _table(file, identity, row, _REMEDY_KEYS)
    for name in _REMEDY_TEXTS:
        _text(file, f"{identity}.{name}", row.get(name))
    for name in _REMEDY_LISTS:
        _texts(file, f"{identity}.{name}", row.get(name), commands_in=name != "sources")
    for name, allowed in (("where", PLACES), ("risk", RISKS), ("kind", KINDS)):
        if row.get(name, "remedy" if name == "kind" else None) not in allowed:
            raise KnowledgeError(file, f"{identity}.{name}", f"use one of {', '.join(allowed)}")
    if row.get("needs") != []:
        _texts(file, f"{identity}.needs", row.get("needs"), commands_in=False)
    lowers = row.get("lowers_security")
    if not isinstance(lowers, bool):
        raise KnowledgeError(file, f"{identity}.lowers_security", "write true or false")
    if row.get("kind", "remedy") == "diagnostic":
        minutes = row.get("minutes")
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 60:
            raise KnowledgeError(file, f"{identity}.minutes", "say after how many minutes it ends, 1 to 60")
        for name in ("restores", "warning"):
            _text(file, f"{identity}.{name}", row.get(name))
        _texts(file, f"{identity}.causes", row.get("causes"), commands_in=False)
        return
    if lowers:
        raise KnowledgeError(
            file,
            f"{identity}.lowers_security",
            'a remedy never does; at most it is kind = "diagnostic", with minutes, restores, warning, causes',
        )
    for name in ("minutes", "restores", "warning", "causes"):
        if name in row:
            raise KnowledgeError(file, f"{identity}.{name}", 'only what is of kind = "diagnostic" has this')


def advice(file: str, identity: str, row: Any) -> None:
    """Raise KnowledgeError where a piece of advice is not judged whole."""
    _name(file, identity)
    _table(file, identity, row, _ADVICE_KEYS)
    for name in _ADVICE_TEXTS:
        _text(file, f"{identity}.{name}", row.get(name))
    _texts(file, f"{identity}.sources", row.get("sources"), commands_in=False)
    if row.get("right_for") != []:
        _texts(file, f"{identity}.right_for", row.get("right_for"), commands_in=False)
    if not isinstance(row.get("lowers_security"), bool):
        raise KnowledgeError(file, f"{identity}.lowers_security", "write true or false")
    given = row.get("given_for")
    _table(file, f"{identity}.given_for", given, {"causes", "codes"})
    assert isinstance(given, dict)
    if not given.get("causes") and not given.get("codes"):
        raise KnowledgeError(file, f"{identity}.given_for", "name causes or codes that it is given for")
    if given.get("causes"):
        _texts(file, f"{identity}.given_for.causes", given["causes"], commands_in=False)
    codes = given.get("codes", {})
    if not isinstance(codes, dict) or not all(
        isinstance(numbers, list) and all(isinstance(number, int) for number in numbers)
        for numbers in codes.values()
    ):
        raise KnowledgeError(file, f"{identity}.given_for.codes", "write { reason = [0x904] }")


def named(file: str, key: str, names: list[str], known: Container[str], what: str) -> None:
    """Raise KnowledgeError where one of `names` is not `known`."""
    for name in names:
        if name not in known:
            raise KnowledgeError(file, key, f"no {what} is called {name!r}")


def _name(file: str, identity: str) -> None:
    if not _ID.fullmatch(identity):
        raise KnowledgeError(file, identity, "an id is words of a to z and 0 to 9 with - between them")


def _table(file: str, key: str, row: Any, known: set[str]) -> None:
    if not isinstance(row, dict):
        raise KnowledgeError(file, key, f"write a table with {', '.join(sorted(known))}")
    for name in row:
        if name not in known:
            raise KnowledgeError(
                file, f"{key}.{name}", f"unknown key; the keys are {', '.join(sorted(known))}"
            )


def _text(file: str, key: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise KnowledgeError(file, key, "write a sentence")
    if (fault := commands.fault(value)) is not None:
        raise KnowledgeError(file, key, fault)


def _texts(file: str, key: str, values: Any, *, commands_in: bool = True) -> None:
    if not isinstance(values, list) or not values:
        raise KnowledgeError(file, key, "write a list of texts, at least one")
    for number, value in enumerate(values, 1):
        if not isinstance(value, str) or not value.strip():
            raise KnowledgeError(file, f"{key}[{number}]", "write a text")
        if commands_in and (fault := commands.fault(value)) is not None:
            raise KnowledgeError(file, f"{key}[{number}]", fault)
