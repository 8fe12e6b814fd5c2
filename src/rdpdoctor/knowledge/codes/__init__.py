"""Codes as data, one file a family, and their one loader. A family is read when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage
from rdpdoctor.knowledge.sourced import Point, Row, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Every family, in the order in which a number without any context is likeliest meant.
KINDS = (
    *("reason", "extended", "errinfo", "ntstatus", "sspi", "gateway", "gateway_hresult", "freerdp_connect"),
    *("neg_failure", "tls_alert", "rdstls", "early_user_auth", "logon_error", "remoteapp", "avd"),
    *("fatal_error", "protocol_bit"),
)
#: What Windows' own client shows: the first number, and the second.
CLIENT = ("reason", "extended")
FOLDER = Path(__file__).parent

_ABOUT = ("title", "what", "not_proof", "stages", "shown_as")
_KEYS = (*("number", "symbol", "says", "source", "official", "where_not_why", "note", "stages", "points"),)


@dataclass(frozen=True, slots=True)
class Code:
    """One meaning of one number. kind: its family. number: unsigned, 32 bits; None for a name without one.

    says: a few words. official: whether whoever makes the code documents it; False where only others do.
    where_not_why: it tells where the connection ended, and nothing about why. stages: where it appears, if
    that is narrower than its family. points: causes that it speaks for by its own words, where no rule of a
    cause names it; what the rules say is in `links`.
    """

    kind: str
    number: int | None
    says: str
    source: str
    symbol: str | None = None
    official: bool = True
    where_not_why: bool = False
    note: str | None = None
    stages: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """shown_as: the place that a client gives such a number ("reason", "extended"); None: clients show none.

    stages: where its codes appear; empty: anywhere.
    """

    kind: str
    title: str
    what: str
    not_proof: str
    stages: tuple[str, ...]
    shown_as: str | None
    codes: tuple[Code, ...]


@cache
def family(kind: str, folder: Path = FOLDER) -> Family:
    """One of KINDS. Raises KnowledgeError where its file is wrong."""
    file = f"codes/{kind}.json"
    table = Row(file, "", read_json(folder / f"{kind}.json", file), ("family", "sources", "codes"))
    about, sources = Row(file, "family", table.value.get("family"), _ABOUT), table.texts("sources")
    rows = table.value.get("codes")
    if not isinstance(rows, list):
        raise table.wrong("codes", "write a list")
    codes = []
    seen: set[tuple[int | None, str | None]] = set()
    for place, value in enumerate(rows):
        row = Row(file, f"codes[{place}]", value, _KEYS)
        code = _code(kind, row, sources)
        # One number has several names in Azure's tables, and nowhere else.
        key = (code.number, code.symbol if kind == "avd" else None)
        if key in seen:
            raise row.wrong("", f"{code.number} {code.symbol} stands twice")
        seen.add(key)
        codes.append(code)
    shown_as = about.text_or_none("shown_as")
    return Family(
        kind,
        about.text("title"),
        about.text("what"),
        about.text("not_proof"),
        _stages(about),
        shown_as,
        tuple(codes),
    )


def _code(kind: str, row: Row, sources: tuple[str, ...]) -> Code:
    number = None if row.value.get("number") is None else row.number("number")
    symbol = row.text_or_none("symbol")
    if number is None and symbol is None:
        raise row.wrong("number", "give a number, or a symbol")
    if row.number("source") >= len(sources):
        raise row.wrong("source", f"write a place from 0 to {len(sources) - 1}")
    return Code(
        kind=kind,
        number=number,
        says=row.text("says"),
        source=sources[row.number("source")],
        symbol=symbol,
        official=row.flag("official", absent=True),
        where_not_why=row.flag("where_not_why"),
        note=row.text_or_none("note"),
        stages=_stages(row),
        points=row.points(),
    )


def _stages(row: Row) -> tuple[str, ...]:
    stages = row.texts("stages")
    for stage in stages:
        if stage not in tuple(Stage):
            raise row.wrong("stages", f"use some of {', '.join(Stage)}")
    return stages


def every_code() -> Iterator[Code]:
    for kind in KINDS:
        yield from family(kind).codes


@cache
def client_codes() -> dict[tuple[str, int], Code]:
    """What Windows' own client shows, by kind and number."""
    return {
        (kind, code.number): code for kind in CLIENT for code in family(kind).codes if code.number is not None
    }


@cache
def _by_number() -> dict[int, tuple[Code, ...]]:
    found: dict[int, list[Code]] = {}
    for code in every_code():
        if code.number is not None:
            found.setdefault(code.number, []).append(code)
    return {number: tuple(codes) for number, codes in found.items()}


@cache
def _by_symbol() -> dict[str, tuple[Code, ...]]:
    found: dict[str, list[Code]] = {}
    for code in every_code():
        if code.symbol:
            found.setdefault(code.symbol.lower(), []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}


def by_number(number: int) -> tuple[Code, ...]:
    """Every meaning of that number, in the order of KINDS."""
    return _by_number().get(number, ())


def shown_in(place: str, number: int) -> Code | None:
    """What it most likely means where a client shows it in that place, "reason" or "extended"."""
    if code := client_codes().get((place, number)):
        return code
    found = by_number(number)
    return next((code for code in found if family(code.kind).shown_as == place), next(iter(found), None))


def stages_of(code: Code) -> tuple[str, ...]:
    """Where it appears; empty: anywhere."""
    return code.stages or family(code.kind).stages


def by_symbol(text: str) -> Code | None:
    """The code of that documented name, in any case; the client's own where several bear it."""
    return next(iter(all_by_symbol(text)), None)


def all_by_symbol(text: str) -> tuple[Code, ...]:
    return _by_symbol().get(text.lower(), ())


def symbols() -> tuple[str, ...]:
    """Every name, as documented."""
    return tuple(codes[0].symbol or "" for codes in _by_symbol().values())
