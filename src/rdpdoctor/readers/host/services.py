"""States of services: `sc query` and `sc qc`, `Get-Service` in any form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import Service
from rdpdoctor.readers.host.text import number

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
#: Of `sc queryex`.
_PID = re.compile(r"^\s+PID\s*:\s*([1-9]\d{0,9})\s*$")
_STATE_WORDS = ("STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "PAUSED")
_START_WORDS = {"AUTO_START": "auto", "DEMAND_START": "manual", "DISABLED": "disabled"}


def state_of(text: str) -> str | None:
    """Of a word, or of its number, as JSON has it."""
    low = text.strip().lower()
    return STATES.get(int(low)) if low in tuple("12347") else _NAMED.get(low)


def start_of(text: str) -> str | None:
    if text.strip() in tuple("234"):
        return STARTS[int(text)]
    return _STARTED.get(text.strip().lower().removesuffix("(delayed start)").split(" ")[0])


def read(text: str, raw: Raw) -> None:
    found = {one.name.lower(): one for one in _control(text)}
    for one in _lists(raw):
        found.setdefault(one.name.lower(), one)
    if found:
        raw.services += list(found.values())[:500]
        raw.kinds.append("services")


def _control(text: str) -> list[Service]:
    """Of sc.exe."""
    states: dict[str, str] = {}
    starts: dict[str, str] = {}
    pids: dict[str, int] = {}
    name: str | None = None
    for line in text.splitlines():
        line = line[:200]
        head = _SC.match(line)
        if head is not None and not line[:1].isspace():
            name = head[1]
            continue
        pid = _PID.match(line)
        if name is not None and pid is not None:
            pids[name] = int(pid[1])
        value = _STATE.match(line)
        if name is None or value is None:
            continue
        if value[2] in _STATE_WORDS:
            states[name] = STATES.get(int(value[1]), "paused")
        elif value[2] in _START_WORDS:
            starts[name] = _START_WORDS[value[2]]
    return [
        Service(name, states.get(name), starts.get(name), pids.get(name)) for name in {**states, **starts}
    ]


def _lists(raw: Raw) -> list[Service]:
    return [
        Service(
            row["name"],
            state,
            start_of(row.get("starttype") or row.get("startmode") or ""),
            number(row.get("processid"), 1),
        )
        for row in raw.rows
        if re.fullmatch(r"[\w.$-]{2,60}", row.get("name", ""))
        and (state := state_of(row.get("status") or row.get("state") or "")) is not None
    ]
