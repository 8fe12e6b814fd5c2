"""`.reg` files: what `regedit /E` and `reg export` write (REGEDIT4 of old, and version 5.00).

`[Key]`, then lines of `"name"=value` with `@` for the value without a name. Values: `"text"` with `\\\\` and
`\\"` escaped, `dword:`, `hex:` and `hex(type):` in bytes split by commas and continued by a backslash at the
line's end, `-` for a value to delete. `[-Key]` deletes a key. In REGEDIT4 the bytes of texts are of a code
page, in version 5.00 of UTF-16.
"""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.knowledge.settings import registry
from rdpdoctor.readers.host.model import LONGEST, MOST, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.host.model import Raw

_HEAD = re.compile(r"\s*(Windows Registry Editor Version 5\.00|REGEDIT4)\b", re.IGNORECASE)
_VALUE = re.compile(r'\s*(?:@|"((?:[^"\\]|\\.)*)")\s*=\s*(.*)', re.DOTALL)
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:(.*)", re.IGNORECASE | re.DOTALL)
_TEXTS = {1: "sz", 2: "expand", 7: "multi"}
#: Characters of one value's line with its continuations.
_LONGEST_LINE = 1 << 20


def sniff(text: str) -> bool:
    return _HEAD.match(text[:200].lstrip("\ufeff")) is not None


def read(text: str, raw: Raw) -> None:
    wide = "regedit4" not in text[:100].lower()
    key: str | None = None
    gone: set[str] = set()
    held = _Held(raw.settings)
    for line in _lines(text, raw):
        if line.startswith("["):
            end = line.rfind("]")
            name = line[1:end] if end > 0 else ""
            if not name:
                raw.lose("a key whose name does not end")
                key = None
            elif name.startswith("-"):
                gone.add(registry.plain(name[1:]))
                held.forget(registry.plain(name[1:]))
                key = None
            else:
                key = name
            continue
        if key is None or not line.strip() or line.lstrip().startswith(";"):
            continue
        found = _VALUE.match(line)
        if found is None:
            raw.lose("lines that are no values")
            continue
        if len(raw.settings) >= MOST:
            raw.lose("values beyond those that are looked at")
            break
        name = re.sub(r"\\(.)", r"\1", found[1] or "")
        if not worth(key, name):
            continue
        deleted, value = _value(found[2].strip(), wide)
        if value is None and not deleted:
            raw.lose(f"the value {name}")
            continue
        held.add(Setting(key, name, value))
    if any(one.endswith(r"\winstations\rdp-tcp") for one in gone):
        raw.lose("the file deletes the listener's key where it is imported")


class _Held:
    """Where the values of each key stand in a list, so that a deleted key is found at once among many."""

    def __init__(self, settings: list[Setting]) -> None:
        self._settings = settings
        self._places: dict[str, list[int]] = {}
        self._above: set[str] = set()

    def add(self, setting: Setting) -> None:
        key = registry.plain(setting.key)
        if key not in self._places:
            parts = key.split("\\")
            self._above.update("\\".join(parts[:end]) for end in range(1, len(parts) + 1))
        self._places.setdefault(key, []).append(len(self._settings))
        self._settings.append(setting)

    def forget(self, gone: str) -> None:
        """What stood in a key, or below it, is deleted with it."""
        if gone not in self._above:
            return
        for key in [key for key in self._places if key == gone or key.startswith(gone + "\\")]:
            for place in self._places.pop(key):
                one = self._settings[place]
                self._settings[place] = Setting(one.key, one.name, None)
        self._above.discard(gone)


def worth(key: str, name: str) -> bool:
    """Whether anything is known of a value, or it says which machine it is."""
    low = key.lower()
    return registry.find(key, name) is not None or (
        name.lower() == "computername" and low.endswith("computername")
    )


def _lines(text: str, raw: Raw) -> Iterator[str]:
    """With continued ones joined. A line at a time: a list of all would take ten times the file."""
    held: list[str] = []
    size = 0
    for line in islice(io.StringIO(text, newline=None), 1, None):
        part = line.strip() if held else line.rstrip()
        size += len(part)
        if part.endswith("\\") and "hex" in (held[0] if held else part) and size < _LONGEST_LINE:
            held.append(part[:-1])
            continue
        yield "".join([*held, part])
        held, size = [], 0
    if held:
        raw.lose("the last value is cut off")


def _value(text: str, wide: bool) -> tuple[bool, int | str | None]:
    """(whether it is deleted, the value or None)."""
    if text == "-":
        return True, None
    if text.startswith('"'):
        end = text.rfind('"')
        return False, re.sub(r"\\(.)", r"\1", text[1:end])[:LONGEST] if end > 0 else None
    low = text.lower()
    if low.startswith("dword:"):
        digits = low[6:].strip()
        return False, int(digits, 16) if re.fullmatch(r"[0-9a-f]{1,8}", digits) else None
    found = _HEX.match(text)
    if found is None:
        return False, None
    digits = re.sub(r"[\s,]", "", found[2])
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", digits) is None:
        return False, None
    return False, of_bytes(int(found[1] or "3", 16), bytes.fromhex(digits), wide)


def of_bytes(kind: int, data: bytes, wide: bool = True) -> int | str | None:
    """A value by its type's number (winnt.h): 1 text, 2 text to expand, 4 number, 5 the same the other way
    round, 7 texts, 11 number of 64 bits; anything else in hexadecimal.
    """
    if kind in _TEXTS:
        text = data.decode("utf-16-le" if wide else "cp1252", "replace")
        parts = [part for part in text.split("\0") if part]
        return ("\n".join(parts) if kind == 7 else parts[0] if parts else "")[:LONGEST]
    if kind in (4, 11) and len(data) in (4, 8):
        return int.from_bytes(data, "little")
    if kind == 5 and len(data) == 4:
        return int.from_bytes(data, "big")
    if kind in (4, 5, 11):
        return None
    return data[:512].hex()
