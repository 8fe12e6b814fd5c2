"""What everything else is built on: observations, and the journal that holds them.

An observation is a tag with named arguments, seen at one stage, by one source, at one time. Probes, readers,
codes and answers all write observations; the diagnosis reads nothing else. Values are plain JSON, so that a
journal survives being written down and read again without loss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Value: TypeAlias = "str | int | float | bool | Sequence[Value] | Mapping[str, Value] | None"

JOURNAL_SCHEMA = "rdpdoctor.journal/1"


class Stage(StrEnum):
    """Where on the way into a session something was seen (the contract's stage ids)."""

    DNS = "dns"
    TCP = "tcp"
    X224 = "x224"
    TLS = "tls"
    NLA = "nla"
    MCS = "mcs"
    SECURITY = "security"
    LICENSING = "licensing"
    CAPABILITIES = "capabilities"
    FINALIZATION = "finalization"
    # Beside the walk:
    PATH = "path"
    UDP = "udp"
    GATEWAY = "gateway"
    HOST = "host"


#: The walk, in the order a connection takes (MS-RDPBCGR 1.3.1.1).
WALK: tuple[Stage, ...] = tuple(Stage)[:10]


class Source(StrEnum):
    """Who says so."""

    PROBE = "probe"
    CAPTURE = "capture"
    EVENTLOG = "eventlog"
    FILE = "file"
    BUNDLE = "bundle"
    CLOUD = "cloud"
    ANSWER = "answer"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was seen. `at_ms` counts from the start of the check; None where time means nothing."""

    tag: str
    args: Mapping[str, Value]
    stage: Stage
    source: Source = Source.PROBE
    at_ms: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.args, MappingProxyType):
            object.__setattr__(self, "args", MappingProxyType(dict(self.args)))

    def to_json(self) -> dict[str, Any]:
        return {
            "tag": self.tag,
            "args": dict(self.args),
            "stage": self.stage.value,
            "source": self.source.value,
            "at_ms": self.at_ms,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Observation:
        """Raise ValueError where a row is not an observation."""
        try:
            tag, args, at_ms = row["tag"], row["args"], row.get("at_ms")
            stage, source = Stage(row["stage"]), Source(row.get("source", "probe"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an observation: {error}") from error
        if not isinstance(tag, str) or not isinstance(args, dict):
            raise ValueError("not an observation: `tag` must be text and `args` an object")
        if at_ms is not None and (isinstance(at_ms, bool) or not isinstance(at_ms, int | float)):
            raise ValueError("not an observation: `at_ms` must be a number")
        return Observation(tag, args, stage, source, at_ms)


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asked for. `input` is what was typed; `host` has no brackets.

    user, gateway: what a `.rdp` file says beside the host. They are not part of a journal.
    """

    input: str
    host: str
    port: int = 3389
    user: str | None = None
    gateway: str | None = None


@dataclass(slots=True)
class Journal:
    """Append-only: everything known about one target's connection.

    `started` is UTC, ISO 8601 with milliseconds; `elapsed_ms` the length of the whole check, set once at
    its end.
    """

    target: Target
    started: str
    elapsed_ms: float = 0.0
    _rows: list[Observation] = field(default_factory=list)

    def add(self, observation: Observation) -> int:
        """Append and return the observation's index, which never changes."""
        self._rows.append(observation)
        return len(self._rows) - 1

    def extend(self, observations: Iterable[Observation]) -> None:
        self._rows.extend(observations)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Observation:
        return self._rows[index]

    def tagged(self, *tags: str) -> list[Observation]:
        """All observations of these tags, oldest first."""
        return [row for row in self._rows if row.tag in tags]

    def first(self, *tags: str) -> Observation | None:
        return next((row for row in self._rows if row.tag in tags), None)

    def to_lines(self) -> Iterator[str]:
        """JSON lines: a header, then one observation a line. Ends are `\\n`-free."""
        header = {
            "schema": JOURNAL_SCHEMA,
            "target": {"input": self.target.input, "host": self.target.host, "port": self.target.port},
            "started": self.started,
            "elapsed_ms": self.elapsed_ms,
        }
        yield json.dumps(header, ensure_ascii=True, allow_nan=False)
        for row in self._rows:
            yield json.dumps(row.to_json(), ensure_ascii=True, allow_nan=False)

    @staticmethod
    def from_lines(lines: Iterable[str]) -> Journal:
        """The inverse of `to_lines`. Unknown tags are kept. Raise ValueError that names the wrong line."""
        journal: Journal | None = None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("not an object")
                if journal is None:
                    journal = _header(row)
                else:
                    journal.add(Observation.from_json(row))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number}: {error}") from error
        if journal is None:
            raise ValueError("line 1: the journal is empty")
        return journal


def _header(row: Mapping[str, Any]) -> Journal:
    if row.get("schema") != JOURNAL_SCHEMA:
        raise ValueError(f"not a journal of {JOURNAL_SCHEMA}")
    target, started, elapsed = row.get("target"), row.get("started"), row.get("elapsed_ms", 0.0)
    if not isinstance(target, dict) or not isinstance(started, str) or not isinstance(elapsed, int | float):
        raise ValueError("the journal's header lacks target, started or elapsed_ms")
    host, port = target.get("host"), target.get("port")
    if not isinstance(host, str) or not isinstance(port, int) or isinstance(port, bool):
        raise ValueError("the journal's target lacks host or port")
    return Journal(Target(str(target.get("input", host)), host, port), started, float(elapsed))
