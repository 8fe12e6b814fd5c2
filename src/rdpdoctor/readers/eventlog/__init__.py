"""Event logs of Windows: `.evtx` files, and their exports as XML, CSV, JSON, CLIXML and text."""

from __future__ import annotations

from rdpdoctor.readers.eventlog.attempts import Attempt
from rdpdoctor.readers.eventlog.event import Event, EventLogError
from rdpdoctor.readers.eventlog.formats import format_of
from rdpdoctor.readers.eventlog.journal import EventLog, journals, read_events

__all__ = ["Attempt", "Event", "EventLog", "EventLogError", "format_of", "journals", "read_events"]
