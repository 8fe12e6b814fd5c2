"""One event, whatever file it came from."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Records of damaged disks bear a zero FILETIME (1601): they happened, nobody knows when.
NO_TIME = datetime(1601, 1, 1, tzinfo=UTC)
#: Characters of one field that are kept.
LONGEST = 2000

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(
    r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f]..|fff[ef])|0*(?:[0-8]|1[124-9]|2\d|3[01]));", re.IGNORECASE
)


class EventLogError(ValueError):
    """The file as a whole cannot be read as an event log; says why."""


class Event(NamedTuple):
    """data: the values of EventData by name, or by position ("#1", "#2" …) where they have none, with
    "Binary" in hexadecimal; or the innermost elements of UserData. record, activity: None where the format
    does not tell. level: 1 critical, 2 error, 3 warning, 4 information, 0 always.
    """

    provider: str
    id: int
    time: datetime
    channel: str
    computer: str
    record: int | None
    activity: str | None
    level: int
    data: Mapping[str, str]


def moment(text: str) -> datetime:
    """From ISO 8601; without an offset it is UTC. NO_TIME where it is no time."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return NO_TIME
    if found.tzinfo is UTC:
        return found
    try:
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return NO_TIME


def known(time: datetime) -> bool:
    return time.year > 1980


def clean(text: str) -> str:
    """Bounded: no file has the last word on how long a field is."""
    return text if len(text) <= LONGEST else text[:LONGEST]


def tidy(text: str) -> str:
    """Without the characters that XML forbids, written out or as references: Windows writes both."""
    return _REFERENCE.sub("", _ILLEGAL.sub("", text))


def number(text: str | None) -> int | None:
    """A decimal or 0x number as 32 bits without a sign. None for anything else."""
    if text is None or not 0 < len(text := text.strip()) <= 12:
        return None
    try:
        found = int(text, 16 if text[:2].lower() == "0x" else 10)
    except ValueError:
        return None
    return found % 2**32 if -(2**31) <= found < 2**32 else None


@lru_cache(4096)  # the events of a connection stand close together
def activity_of(text: str | None) -> str | None:
    """Upper case without braces; None for the zero one."""
    found = (text or "").strip().strip("{}").upper()
    return found if found.strip("0-") else None
