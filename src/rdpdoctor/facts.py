"""What everything else is built on: observations, and the journal that holds them.

An observation is a tag with named arguments, seen at one stage, by one source, at one time. Probes, readers,
codes and answers all write observations; the diagnosis reads nothing else. Values are plain JSON, so that a
journal survives being written down and read again without loss.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Value: TypeAlias = "str | int | float | bool | Sequence[Value] | Mapping[str, Value] | None"

JOURNAL_SCHEMA = "rdpdoctor.journal/1"
#: Of a saved line: objects and lists in each other, digits of a number (fewer fit a double), characters that
#: a complaint repeats.
_DEEPEST, _LONGEST_NUMBER, _SHOWN = 16, 300, 40
_STARTED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


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
        """Raise ValueError where a row is not an observation. Unknown keys are ignored."""
        tag, args, at_ms = row.get("tag"), row.get("args"), row.get("at_ms")
        if not isinstance(tag, str) or not tag or not isinstance(args, dict):
            raise ValueError("not an observation: `tag` must be text and `args` an object")
        if at_ms is not None and (isinstance(at_ms, bool) or not isinstance(at_ms, int | float)):
            raise ValueError("not an observation: `at_ms` must be a number")
        stage, source = row.get("stage"), row.get("source", Source.PROBE.value)
        if stage not in tuple(Stage):
            raise ValueError(f"not an observation: no stage is called {repr(stage)[:_SHOWN]}")
        if source not in tuple(Source):
            raise ValueError(f"not an observation: no source is called {repr(source)[:_SHOWN]}")
        return Observation(tag, args, Stage(stage), Source(source), at_ms)


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asked for. `input` is what was typed; `host` has no brackets.

    user, gateway: what a `.rdp` file says beside the host. They are not part of a journal. evidence: what its
    settings say; a check writes it into its journal.
    """

    input: str
    host: str
    port: int = 3389
    user: str | None = None
    gateway: str | None = None
    evidence: tuple[Observation, ...] = field(default=(), compare=False, repr=False)


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
                row = parsed(line)
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


def parsed(line: str) -> Any:
    """Strict JSON (RFC 8259): no NaN, no key twice, nothing beyond a double or nested beyond measure.

    Raise ValueError or RecursionError.
    """
    value = json.loads(
        line, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_float, parse_int=_int
    )
    if line.count("[") + line.count("{") > _DEEPEST and not _shallow(value, _DEEPEST):
        raise ValueError(f"nested more than {_DEEPEST} deep")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values for one key a reader takes is anybody's guess, so none is taken."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in made if keys.count(key) > 1)
        raise ValueError(f"the key `{twice[:_SHOWN]}` stands twice")
    return made


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _int(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("a number is too large")
    return int(digits)


def _shallow(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels > 0 and all(_shallow(inner, levels - 1) for inner in value.values())
    return not isinstance(value, list) or (levels > 0 and all(_shallow(inner, levels - 1) for inner in value))


def _header(row: Mapping[str, Any]) -> Journal:
    schema = row.get("schema")
    if schema != JOURNAL_SCHEMA:
        if isinstance(schema, str) and schema.startswith("rdpdoctor.journal/"):
            raise ValueError(f"{schema[:_SHOWN]} is of another version, and this one reads {JOURNAL_SCHEMA}")
        raise ValueError(f"not a journal of {JOURNAL_SCHEMA}")
    target, started, elapsed = row.get("target"), row.get("started"), row.get("elapsed_ms", 0.0)
    if not isinstance(target, dict):
        raise ValueError("the journal's header lacks a target")
    if not isinstance(started, str) or not _STARTED.fullmatch(started):
        raise ValueError("the journal's `started` must be a time such as 2026-11-22T10:00:00.000Z")
    if isinstance(elapsed, bool) or not isinstance(elapsed, int | float) or elapsed < 0:
        raise ValueError("the journal's `elapsed_ms` must be a number, and not negative")
    host, port, typed = target.get("host"), target.get("port"), target.get("input")
    if not isinstance(host, str) or not host:
        raise ValueError("the journal's target has no host")
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError("the journal's target has no port from 1 to 65535")
    return Journal(Target(typed if isinstance(typed, str) else host, host, port), started, float(elapsed))
