"""JSON from strangers, within bounds of memory and time."""

from __future__ import annotations

import json
from typing import Any

#: Values in one text. Python needs up to 30 times as much memory as JSON of empty objects has bytes.
MOST_VALUES = 1_000_000
#: Python refuses to read thousands of digits; no number that matters has twenty.
_DIGITS = 20


class BadJson(ValueError):
    """Says why, in words that follow a file's name."""


def loaded(text: str) -> Any:
    """Raise BadJson. Numbers that JSON does not have, and those of twenty digits and more, are None."""
    if text.count("{") + text.count("[") + text.count(",") > MOST_VALUES:
        raise BadJson(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(text, parse_int=_integer, parse_constant=lambda _: None)
    except RecursionError as error:
        raise BadJson("it is nested deeper than any export") from error
    except ValueError as error:
        raise BadJson("it is not JSON, or it is damaged or cut off") from error


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < _DIGITS else None
