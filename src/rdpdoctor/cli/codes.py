"""What `--code` takes: the numbers or names that a client showed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.cli.usage import UsageError
from rdpdoctor.knowledge.codes import by_number, by_symbol, family, reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.probes.context import ShownCode

_HINT = "a code is a number such as 0x904, 2308 or -2147023170, or its name; targets come before --code"
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|-?[0-9]{1,10}", re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[/,;+\s]")


class _Code(NamedTuple):
    kind: str | None  # "reason" or "extended"; None: a number, which its place tells
    number: int


def shown_codes(
    groups: Sequence[Sequence[str]], may_end_in_targets: bool
) -> tuple[list[ShownCode], list[str]]:
    """One ShownCode for each `--code`, and the words behind codes that are none: targets, where that may be.

    Raise UsageError for anything else that is no code.
    """
    codes: list[ShownCode] = []
    rest: list[str] = []
    for group in groups:
        parsed: list[_Code] = []
        typed: list[str] = []
        for word in group:
            found = None if rest else _codes(word)
            if found is not None:
                parsed += found
                typed.append(word)
            elif parsed and may_end_in_targets:
                rest.append(word)
            else:
                raise UsageError(f"`{word}` is not a code", _HINT)
        codes.append(_shown(" ".join(typed), parsed))
    return codes, rest


def _codes(word: str) -> list[_Code] | None:
    """The codes in one word (`0x904`, `0x904/0x7`), or None where it is none."""
    found: list[_Code] = []
    for part in filter(None, _SEPARATORS.split(word)):
        if _is_number(part):
            number = reading.unsigned(part)
            if number is None:
                raise UsageError(f"the code `{part}` does not fit into 32 bits", _HINT)
            found.append(_Code(None, number))
        elif code := by_symbol(part):
            place = family(code.kind).shown_as
            if place is None or code.number is None:
                raise UsageError(
                    f"`{part}` is not a code that a client shows",
                    f"rdpdoctor explain {part} says what it means",
                )
            found.append(_Code(place, code.number))
        else:
            return None
    return found or None


def _is_number(part: str) -> bool:
    """Eight hexadecimal digits may also be a computer's name; they count where they are known."""
    if _NUMBER.fullmatch(part):
        return True
    return reading.is_number(part) and bool(by_number(reading.unsigned(part) or 0))


def _shown(text: str, codes: Sequence[_Code]) -> ShownCode:
    """A client shows a reason, and often an extended reason behind it."""
    from rdpdoctor.probes.context import ShownCode

    reason = extended = None
    for code in codes:
        if reason is None and extended is None and code.kind != "extended":
            reason = code.number
        elif extended is None and code.kind != "reason":
            extended = code.number
        else:
            raise UsageError(
                f"`{text}` is more than a reason and its extended reason",
                "one --code takes one pair, such as 0x904 0x7; repeat --code for another",
            )
    return ShownCode(text, reason, extended)
