"""What PowerShell's Format-List shows: blocks of `Name : Value`, apart by an empty line, long values indented
below. Names are properties, and so the same in every language.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^([^\W\d_][\w .\-()/'’\ufffd]{0,60}?)\s*:(?:\s(.*))?$")
_BLOCKS, _FIELDS, _VALUE = 5_000, 80, 4_000


def blocks(text: str) -> list[dict[str, str]]:
    """Names in lower case, without blanks. Where one stands twice in a block, another block begins."""
    found: list[dict[str, str]] = []
    now: dict[str, str] = {}
    last: str | None = None
    for line in text.splitlines():
        if line.startswith("-----"):
            continue  # netsh underlines the names of rules
        match = _LINE.match(line[:_VALUE])
        if match is not None:
            name = match[1].lower().replace(" ", "")
            if name in now:
                found.append(now)
                now = {}
            if len(now) < _FIELDS:
                now[name] = (match[2] or "").strip()[:_VALUE]
            last = name
        elif line[:1].isspace() and line.strip() and last in now:
            if len(now[last]) < _VALUE:
                now[last] = f"{now[last]} {line.strip()}".strip()[:_VALUE]
        elif now:
            found.append(now)
            now, last = {}, None
        if len(found) >= _BLOCKS:
            return found
    return [*found, now] if now else found
