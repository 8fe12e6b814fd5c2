"""`netstat -ano`, and `Get-NetTCPConnection`: who listens. The word for listening is one of the language, so
a listener is known by the other side, which is nobody.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import MOST, Listener

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_LINE = re.compile(
    r"^[ \t]*(TCP|UDP)\s+(\S{1,60}):(\d{1,5})\s+(?:(?:0\.0\.0\.0|\[::\]):0|\*:\*)\s+"
    r"(?:[^\d\n]{1,40}[ \t])?[ \t]*(\d{1,10})?[ \t]*$",
    re.MULTILINE,
)
_OBJECTS = re.compile(
    r"^(\S{2,45})\s+(\d{1,5})\s+(?:0\.0\.0\.0|::)\s+0\s+Listen\b(?:\s+\D\S*)?(?:\s+(\d{1,10}))?", re.MULTILINE
)
_ANY = re.compile(
    r"^[ \t]*TCP[ \t]+\S+:\d+[ \t]+\S+:\d+(?:[ \t]+[^\d\n]{1,40})?(?:[ \t]\d{1,10})?[ \t]*$", re.MULTILINE
)
_STARTED = re.compile(r"^[ \t]*TCP[ \t]+\S{0,60}:\d", re.MULTILINE)
_HEAD = re.compile(r"^LocalAddress\s+LocalPort\s+RemoteAddress", re.MULTILINE)


#: `netstat -anob` names the services of a process below its line.
_OWN = re.compile(r"^[ \t]*TCP[^\n]*[ \t](\d{1,10})[ \t]*\n[ \t]+TermService[ \t]*$", re.MULTILINE)
#: What is left of a line that its console was too narrow for.
_WRAPPED = re.compile(
    r"^([ \t]*(?:TCP|UDP)[ \t][^\n]{10,})\n(?![ \t]*(?:TCP|UDP)\b)([^\n\[\]:]{0,24}\d)[ \t]*$", re.MULTILINE
)
#: Every Windows listens on one of them; a listing without is part of one, found by `findstr`, say.
_ALWAYS = (135, 445)


def read(text: str, raw: Raw) -> None:
    found: list[Listener] = []
    if _ANY.search(text):
        text = _WRAPPED.sub(_rejoined, text)
        found += [
            Listener(one[1].lower(), one[2].strip("[]"), int(one[3]), int(one[4]) if one[4] else None)
            for one in islice(_LINE.finditer(text), MOST)
        ]
        owner = _OWN.search(text)
        raw.owner = int(owner[1]) if owner is not None else None
        raw.kinds.append("netstat")
    elif _HEAD.search(text):
        found += [
            Listener("tcp", one[1], int(one[2]), int(one[3]) if one[3] else None)
            for one in islice(_OBJECTS.finditer(text), MOST)
        ]
        raw.kinds.append("Get-NetTCPConnection")
    else:
        return
    raw.listeners = (raw.listeners or []) + [one for one in found if 0 < one.port < 65_536]
    broken = len(_STARTED.findall(text)) > len(_ANY.findall(text))
    raw.part = broken or not any(one.port in _ALWAYS for one in raw.listeners)
    if raw.part:
        raw.lose("listeners that the listing leaves out")


def _rejoined(match: re.Match[str]) -> str:
    """What wraps lines may take the blanks with it; words are followed by some, numbers go on."""
    between = " " if match[1].rstrip()[-1:].isalpha() else ""
    return f"{match[1]}{between}{match[2]}"
