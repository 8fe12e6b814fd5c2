"""Event logs of Windows: `.evtx` files, and their exports as XML, CSV, JSON, CLIXML and text."""

from __future__ import annotations

from rdpdoctor.readers.eventlog.attempts import Attempt
from rdpdoctor.readers.eventlog.event import Event, EventLogError
from rdpdoctor.readers.eventlog.formats import format_of
from rdpdoctor.readers.eventlog.journal import (
    MOST_PAIRS,
    Collected,
    EventLog,
    Shown,
    journals,
    machine,
    read_events,
    shown,
)

__all__ = [
    "MOST_PAIRS",
    "Attempt",
    "Collected",
    "Event",
    "EventLog",
    "EventLogError",
    "Shown",
    "format_of",
    "journals",
    "machine",
    "read_events",
    "shown",
]
