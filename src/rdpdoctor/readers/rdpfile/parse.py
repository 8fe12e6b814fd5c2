"""Lines of `name:type:value`, type `s` (text), `i` (number) or `b` (bytes in hex).

UTF-16 with a byte order mark as mstsc saves them, UTF-8 as other tools do, or a code page of Windows as old
ones did. Unknown names are kept. Where a name stands twice the last one counts, as it does for mstsc. Secrets
are not kept: only that they are there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST = 1 << 20  # bytes; a real one has a few kilobytes
_LINES, _LONGEST = 5000, 32_768
_END = re.compile(r"\r\n|\r|\n")
#: Saved passwords and tokens, whoever writes them: `password 51`, `gatewayaccesstoken`, `endpointfedauth` …
_SECRET = re.compile(r"passw|token|secret|fedauth")
#: What stands at the end of some files, and is nothing.
_BLANK = "\0\t\x1a "
_NO_TEXT = "\N{REPLACEMENT CHARACTER}"
TYPES = ("s", "i", "b")


class RdpFileError(ValueError):
    """The file is no `.rdp` file."""


@dataclass(frozen=True, slots=True)
class RdpSettings:
    """values: name in lower case → (type letter, value as written); a secret's value is left empty.

    twice: (name, earlier value) of what stands more than once with different values. lost: what could not be
    used, a phrase each. lines: as they stand in the file, by name, for the signature; no secrets.
    """

    values: Mapping[str, tuple[str, str]]
    encoding: str = "utf-8"
    twice: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str | None:
        kind, value = self.values.get(name, ("", ""))
        return value.strip() or None if kind == "s" else None

    def number(self, name: str) -> int | None:
        kind, value = self.values.get(name, ("", ""))
        try:
            return int(value) if kind == "i" and value.isascii() and len(value) <= 20 else None
        except ValueError:
            return None

    @property
    def user(self) -> str | None:
        """The account's name."""
        return self.text("username")

    @property
    def gateway(self) -> str | None:
        """The RD Gateway that a client would use; None where it goes straight (usage method 0 or 4)."""
        used = self.number("gatewayusagemethod")
        return self.text("gatewayhostname") if used in (1, 2, 3) else None


def sniff(data: bytes) -> bool:
    """Whether the beginning of a file looks like one of these."""
    head, _ = _decoded(data[:4096])
    found = [_LINE.match(line) for line in _END.split(head)[:40] if line.strip(_BLANK)]
    return bool(found) and sum(match is not None for match in found) > len(found) / 2


_LINE = re.compile(r"\s*[A-Za-z][\w -]{0,60}:[sibSIB]:")


def read_rdp_file(path: Path) -> RdpSettings:
    """Raise OSError, or RdpFileError where the content is something else."""
    with path.open("rb") as file:
        return parse_rdp_file(file.read(LARGEST + 1))


def parse_rdp_file(data: bytes) -> RdpSettings:
    if len(data) > LARGEST:
        raise RdpFileError("larger than any .rdp file")
    text, encoding = _decoded(data)
    values: dict[str, tuple[str, str]] = {}
    twice: dict[str, str] = {}
    secrets: dict[str, None] = {}
    signable: dict[str, str] = {}
    lost = ["characters that are not text"] if _NO_TEXT in text else []
    lines = _END.split(text)
    if len(lines) > _LINES:
        lost.append(f"all after the first {_LINES} lines")
    strange = cut = 0
    for line in lines[:_LINES]:
        if len(line) > _LONGEST and not line[:40].lower().startswith("signature:"):
            line, cut = line[:_LONGEST], cut + 1
        name, colon, rest = line.partition(":")
        kind, second, value = rest.partition(":")
        name, kind = " ".join(name.lower().split()), kind.strip().lower()
        if not (colon and second and name and kind in TYPES):
            strange += bool(line.strip(_BLANK))
            continue
        if kind != "i" and _SECRET.search(name):
            if value.strip():
                secrets[name] = None
            value = line = ""
        if name in values and values[name] != (kind, value):
            twice.setdefault(name, values[name][1])
        values[name] = kind, value
        signable[name] = line
    if not values:
        raise RdpFileError("holds no line of the form name:type:value")
    if strange:
        lost.append(f"{_lines(strange)} without a setting")
    if cut:
        lost.append(f"the end of {_lines(cut)}, longer than any setting has")
    return RdpSettings(values, encoding, tuple(twice.items()), tuple(secrets), tuple(lost), signable)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"


def _decoded(data: bytes) -> tuple[str, str]:
    """Text and encoding. What cannot be text becomes U+FFFD."""
    if data.startswith(b"\xff\xfe") or (data[1:2] == b"\0" and data[:1] != b"\0"):
        return data.decode("utf-16-le", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), "utf-16-le"
    if data.startswith(b"\xfe\xff") or (data[:1] == b"\0" and data[1:2] != b"\0"):
        return data.decode("utf-16-be", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), "utf-16-be"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "ansi"
