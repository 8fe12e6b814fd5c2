"""Codes as data, one file a family, and their one loader. A family is read when somebody asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True)
class Code:
    """One meaning of one number. kind: its family. number: unsigned, 32 bits; None for a name without one.

    says: a few words. official: whether whoever makes the code documents it; False where only others do.
    where_not_why: it tells where the connection ended, and nothing about why. stages: where it appears, if
    that is narrower than its family.
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
def family(kind: str) -> Family:
    """One of KINDS. ValueError where its file contradicts itself."""
    text = Path(__file__).with_name(f"{kind}.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    about, sources = table["family"], table["sources"]
    codes = []
    seen: set[tuple[int | None, str | None]] = set()
    for row in table["codes"]:
        code = Code(
            **{
                **row,
                "kind": kind,
                "source": sources[row["source"]],
                "stages": tuple(row.get("stages", ())),
            }
        )
        # One number has several names in Azure's tables, and nowhere else.
        key = (code.number, code.symbol if kind == "avd" else None)
        if key in seen:
            raise ValueError(f"{kind}.json: {code.number} {code.symbol} stands twice")
        seen.add(key)
        codes.append(code)
    return Family(
        kind,
        about["title"],
        about["what"],
        about["not_proof"],
        tuple(about["stages"]),
        about["shown_as"],
        tuple(codes),
    )


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


def by_symbol(text: str) -> Code | None:
    """The code of that documented name, in any case; the client's own where several bear it."""
    return next(iter(all_by_symbol(text)), None)


def all_by_symbol(text: str) -> tuple[Code, ...]:
    return _by_symbol().get(text.lower(), ())


def symbols() -> tuple[str, ...]:
    """Every name, as documented."""
    return tuple(codes[0].symbol or "" for codes in _by_symbol().values())
