"""`registry.pol`: what a policy writes into the registry (MS-GPREG 2.2.1).

`PReg`, version 1, then bodies `[key;value;type;size;data]`, brackets and semicolons as UTF-16 characters, key
and value ending in a zero. A value named `**del.NAME` deletes NAME; `**delvals.`, `**DeleteKeys` and their
like delete more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import MOST, Setting
from rdpdoctor.readers.host.regfile import of_bytes, worth

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

MAGIC = b"PReg"
_OPEN, _CLOSE, _SEMICOLON = "[".encode("utf-16-le"), "]".encode("utf-16-le"), ";".encode("utf-16-le")
#: Bytes: a key's name has 255 characters in each part, a value's 16,383.
_LONGEST_NAME = 2 * 17_000


def sniff(data: bytes) -> bool:
    return data.startswith(MAGIC)


def read(data: bytes, raw: Raw) -> None:
    """All of it is policy. Of the machine, unless the file's path says that it is a user's."""
    place, bodies = 8, 0
    while place < len(data):
        found = _body(data, place)
        if found is None:
            raw.lose(f"what follows byte {place} of the policy")
            return
        key, name, kind, value, place = found
        bodies += 1
        if bodies > MOST:
            raw.lose("values beyond those that are looked at")
            return
        # The file does not say whether it is the machine's or a user's; a known value is of one of them.
        path = next((path for hive in ("HKLM", "HKCU") if worth(path := f"{hive}\\{key}", name)), None)
        if path is None:
            continue
        told = of_bytes(kind, value)
        if told is None:
            raw.lose(f"the value {name}")
        else:
            raw.settings.append(Setting(path, name, told, by_policy=True))


def _body(data: bytes, place: int) -> tuple[str, str, int, bytes, int] | None:
    """key, value's name, type, data, and where the next begins; None where it breaks the form."""
    if data[place : place + 2] != _OPEN:
        return None
    key = _name(data, place + 2)
    name = _name(data, key[1]) if key is not None else None
    if key is None or name is None:
        return None
    at = name[1]
    head = data[at : at + 12]
    if len(head) < 12 or head[4:6] != _SEMICOLON or head[10:12] != _SEMICOLON:
        return None
    kind, size = int.from_bytes(head[:4], "little"), int.from_bytes(head[6:10], "little")
    end = at + 12 + size
    if end + 2 > len(data) or data[end : end + 2] != _CLOSE:
        return None
    return key[0], name[0], kind, data[at + 12 : end], end + 2


def _name(data: bytes, place: int) -> tuple[str, int] | None:
    """A text that ends in a zero and a semicolon."""
    end = place
    while True:
        end = data.find(b"\0\0" + _SEMICOLON, end, place + _LONGEST_NAME)
        if end < 0:
            return None
        if (end - place) % 2 == 0:
            return data[place:end].decode("utf-16-le", "replace"), end + 4
        end += 1
