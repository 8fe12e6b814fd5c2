"""Values of the registry as consoles show them: `reg query`, `Get-ItemProperty`, and an export pasted among
other text.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.readers.host import regfile
from rdpdoctor.readers.host.model import LONGEST, MOST, Setting
from rdpdoctor.readers.host.text import number

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_EXPORT = re.compile(r"^[ \t]*(?:Windows Registry Editor Version 5\.00|REGEDIT4)[ \t]*$", re.MULTILINE)
_LINE = re.compile(
    r"^(?:[ \t]{0,16}(HKEY_[A-Z_]{5,20}\\[^\n]{1,400}?)[ \t]{0,9}$"
    r"|[ \t]{1,20}(\S[^\n]{0,100}?)[ \t]{2,9}(REG_[A-Z_]{2,20})[ \t]{0,9}([^\n]*)$)",
    re.MULTILINE,
)
_PATH = re.compile(r"^(?:.{0,60}::)?(HK[A-Z_]{2,20}:?\\.{1,400})$")


def read(text: str, raw: Raw) -> None:
    begin = _EXPORT.search(text)
    if begin is not None:
        regfile.read(text[begin.start() :], raw)
    found = _queried(text if begin is None else text[: begin.start()])
    for row in raw.rows:
        path = _PATH.match(row.get("pspath", ""))
        if path is not None:
            found += [
                Setting(path[1], name, value if (told := number(value, 0, 2**63)) is None else told)
                for name, value in row.items()
                if not name.startswith("ps") and regfile.worth(path[1], name)
            ]
    raw.settings += found[:MOST]
    if found or begin is not None:
        raw.kinds.append("registry")


def _queried(text: str) -> list[Setting]:
    """A key, and below it, to the right, name, type and value."""
    found: list[Setting] = []
    key = None
    for line in islice(_LINE.finditer(text), 200_000):
        if line[1] is not None:
            key = line[1]
        elif key is not None and regfile.worth(key, line[2]) and len(found) < MOST:
            value = _value(line[3], line[4].strip())
            if value is not None:
                found.append(Setting(key, line[2], value))
    return found


def _value(kind: str, text: str) -> int | str | None:
    if kind in ("REG_DWORD", "REG_QWORD"):
        return int(text, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", text) else None
    if kind == "REG_MULTI_SZ":
        text = text.replace("\\0", "\n").strip("\n")
    return (text.lower() if kind == "REG_BINARY" else text)[:LONGEST]
