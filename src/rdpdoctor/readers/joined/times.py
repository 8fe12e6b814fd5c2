"""Times of journals, whose rows count from their beginning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation


def iso(time: float) -> str:
    """time: seconds since 1970."""
    moment = datetime.fromtimestamp(min(max(time, 0.0), 253_402_300_799.0), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(stamp: str) -> float:
    """Since 1970; 0 for what is no time."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def shifted(row: Observation, by: float) -> Observation:
    """by: seconds."""
    return row if row.at_ms is None else replace(row, at_ms=round(row.at_ms + by * 1000, 3))
