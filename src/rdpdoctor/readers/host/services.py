"""States of services: `sc query` and `sc qc`, `Get-Service` as a list or a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.blocks import blocks
from rdpdoctor.readers.host.model import Service

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

#: By their numbers, which are the same in every language (winsvc.h).
STATES = {1: "stopped", 2: "starting", 3: "stopping", 4: "running", 7: "paused"}
STARTS = {2: "auto", 3: "manual", 4: "disabled"}
_NAMED = {"running": "running", "stopped": "stopped", "startpending": "starting", "stoppending": "stopping"}
_NAMED |= {"paused": "paused", "start pending": "starting", "stop pending": "stopping"}
_STARTED = {"automatic": "auto", "auto": "auto", "manual": "manual", "disabled": "disabled"}
#: `SERVICE_NAME: TermService`, with the word of the language, then lines such as `STATE : 4 RUNNING`.
_SC = re.compile(r"^\s*(?:SERVICE_NAME|[^\W\d][\w ]{2,30})\s*:\s*(\w{2,60})\s*$")
_STATE = re.compile(r"^\s+\S[^:]{1,40}:\s*([1-7])\s+([A-Z_]{4,})")
_TABLE = re.compile(r"^(Running|Stopped|StartPending|StopPending|Paused)\s+(\w{2,60})(?:\s|$)", re.MULTILINE)
_STATE_WORDS = ("STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "PAUSED")
_START_WORDS = {"AUTO_START": "auto", "DEMAND_START": "manual", "DISABLED": "disabled"}


def state_of(text: str) -> str | None:
    return _NAMED.get(text.strip().lower())


def start_of(text: str) -> str | None:
    return _STARTED.get(text.strip().lower().removesuffix("(delayed start)").split(" ")[0])


def read(text: str, raw: Raw) -> None:
    found = {one.name.lower(): one for one in _control(text)}
    for one in (*_lists(text), *_tables(text)):
        found.setdefault(one.name.lower(), one)
    if found:
        raw.services += list(found.values())[:500]
        raw.kinds.append("services")


def _control(text: str) -> list[Service]:
    """Of sc.exe."""
    states: dict[str, str] = {}
    starts: dict[str, str] = {}
    name: str | None = None
    for line in text.splitlines():
        line = line[:200]
        head = _SC.match(line)
        if head is not None and not line[:1].isspace():
            name = head[1]
            continue
        value = _STATE.match(line)
        if name is None or value is None:
            continue
        if value[2] in _STATE_WORDS:
            states[name] = STATES.get(int(value[1]), "paused")
        elif value[2] in _START_WORDS:
            starts[name] = _START_WORDS[value[2]]
    return [Service(name, states.get(name), starts.get(name)) for name in {**states, **starts}]


def _lists(text: str) -> list[Service]:
    rows = (row for row in blocks(text) if row.get("name") and ("status" in row or "state" in row))
    return [
        Service(row["name"], state, start_of(row.get("starttype") or row.get("startmode") or ""))
        for row in rows
        if (state := state_of(row.get("status") or row.get("state") or "")) is not None
    ]


def _tables(text: str) -> list[Service]:
    if not re.search(r"^Status\s+Name\s+DisplayName", text, re.MULTILINE):
        return []
    return [Service(name, state_of(state)) for state, name in _TABLE.findall(text)[:500]]
