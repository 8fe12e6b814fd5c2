"""The wall clock, for what is compared with other machines' clocks, and the monotonic one for durations."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds; the clock that asyncio's deadlines go by, too."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds, as the report has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def ms(seconds: float) -> float:
    """Milliseconds, to the microsecond."""
    return round(seconds * 1000, 3)
