"""The wall clock, for what is compared with other machines' clocks, and the monotonic one for durations."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rdpdoctor.connection.telling import iso, ms

__all__ = ["iso", "monotonic", "ms", "utc_now"]


def utc_now() -> datetime:
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds; the clock that asyncio's deadlines go by, too."""
    return time.monotonic()
