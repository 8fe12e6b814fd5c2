"""`w32tm /query /status`, and the offsets of `w32tm /stripchart` and `/monitor`."""

from __future__ import annotations

import re
from statistics import median_low
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import Clock

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

#: Leap indicator and stratum, one line each; the words are of the language.
_STRATUM = re.compile(
    r"^[^\n:]{3,40}:[ \t]*[0-3] ?\([^\n]{1,99}\n[^\n:]{2,40}:[ \t]*(\d{1,3})\b", re.MULTILINE
)
#: The line before that of the interval, `10 (1024s)`.
_SOURCE = re.compile(
    r"^[^\n:]{2,40}:[ \t]*(\S[^\n]{0,99}?)[ \t]*\n[^\n:]{2,50}:[ \t]*\d{1,2} \(\d{1,6}s\)", re.MULTILINE
)
_OWN = ("local cmos clock", "free-running system clock", "vm ic time synchronization provider")
#: A line of the strip chart; `/dataonly` leaves out what is before the offset.
_OFFSET = re.compile(
    r"^[ \t]{0,16}\d\d:\d\d:\d\d(?:,[ \t]{1,4}|,?[ \t](?:d:[+-]{0,2}[\d.,]{1,20}s[ \t])?o:)"
    r"([+-]\d{1,9}[.,]\d{1,9})s",
    re.MULTILINE,
)
_MONITOR = re.compile(r"\bNTP: ([+-]\d{1,9}[.,]\d{1,9})s offset from")


def read(text: str, raw: Raw) -> None:
    stratum, source = _STRATUM.search(text), _SOURCE.search(text)
    samples, monitored = _OFFSET.findall(text)[-20:], _MONITOR.findall(text)[-20:]
    if stratum is None and not samples and not monitored:
        return
    named = source[1].strip() if source is not None and stratum is not None else None
    level = int(stratum[1]) if stratum is not None else None
    synced: bool | None = None
    if level is not None:
        # Stratum 0 is none; 1 with its own clock is what a machine says that follows nobody (RFC 5905 7.3).
        synced = level != 0 and not (named or "").lower().startswith(_OWN[:2])
    # Of one clock asked some times, one answer may be late; of several clocks the worst counts.
    if samples:
        offset: float | None = median_low(map(_seconds, samples))
    else:
        offset = max(map(_seconds, monitored), key=abs, default=None)
    raw.clock = Clock(named, level, synced, offset)
    raw.kinds.append("w32tm")


def _seconds(text: str) -> float:
    return float(text.replace(",", "."))
