"""What is joined, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdpdoctor.readers.joined.names import Machine
from rdpdoctor.readers.joined.times import seconds

if TYPE_CHECKING:
    from rdpdoctor.facts import Journal, Observation
    from rdpdoctor.readers.capture import Capture
    from rdpdoctor.readers.joined import logs


@dataclass(frozen=True, slots=True)
class Reading:
    """One file. kind: as it is spoken of. capture, journal: what it is; rows: what it says of a machine, for
    all other kinds but event logs, which are read as one. host: that machine, where the file names it.
    modified: when the file was written, seconds since 1970. summary: how much there was, in words.
    """

    name: str
    kind: str
    capture: Capture | None = None
    journal: Journal | None = None
    rows: tuple[Observation, ...] = ()
    host: str | None = None
    port: int | None = None
    modified: float = 0.0
    lost: tuple[str, ...] = ()
    summary: str = ""

    @property
    def of_client(self) -> bool:
        """Whether it was collected on the client, and its name is the client's."""
        return any(row.tag == "host.read" and row.args.get("role") == "client" for row in self.rows)


@dataclass(slots=True)
class Joined:
    """assumed: what was taken to be the same machine without proof, or left out, a sentence each. spans: of
    the recorded connections of the latest try, if there is a recording.
    """

    journal: Journal
    server: Machine
    client: Machine = field(default_factory=Machine)
    assumed: list[str] = field(default_factory=list)
    spans: list[logs.Span] = field(default_factory=list)

    @property
    def since(self) -> float:
        return seconds(self.journal.started)
