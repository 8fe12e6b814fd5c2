"""Codes as data, and their one loader: what Windows clients show when a connection ends."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class ClientCode:
    """One code. kind: "reason" (the first number) or "extended" (the second). says: a few words."""

    kind: str
    number: int
    says: str
    source: str
    symbol: str | None = None
    where_not_why: bool = False


@cache
def client_codes() -> dict[tuple[str, int], ClientCode]:
    """All of them, by kind and number."""
    text = resources.files(__name__).joinpath("client.toml").read_text("utf-8")
    table = tomllib.loads(text)
    made: dict[tuple[str, int], ClientCode] = {}
    for kind, source in table["sources"].items():
        for row in table[kind]:
            code = ClientCode(kind=kind, **{"source": source, **row})
            if (kind, code.number) in made:
                raise ValueError(f"client.toml: {kind} 0x{code.number:X} stands twice")
            made[kind, code.number] = code
    return made


def by_symbol(text: str) -> ClientCode | None:
    """The code of that documented name, in any case."""
    wanted = text.lower()
    return next(
        (code for code in client_codes().values() if code.symbol and code.symbol.lower() == wanted), None
    )
