"""`.rdp` files: lines of `name:type:value`, type `s` (text), `i` (number) or `b` (bytes in hex).

UTF-16 with a byte order mark as mstsc saves them, or UTF-8 as other tools do. Unknown names are kept. Where
a name
stands twice the last one counts, as it does for mstsc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIMIT = 1 << 20  # a real one has a few kilobytes


class RdpFileError(ValueError):
    """The file is no `.rdp` file."""


@dataclass(frozen=True, slots=True)
class RdpSettings:
    """name in lower case → (type letter, value as written)."""

    values: Mapping[str, tuple[str, str]]

    def text(self, name: str) -> str | None:
        kind, value = self.values.get(name, ("", ""))
        return value.strip() or None if kind == "s" else None

    @property
    def user(self) -> str | None:
        """The account's name, without what a client would not put into its cookie."""
        return self.text("username")

    @property
    def gateway(self) -> str | None:
        """The RD Gateway that a client would use; None where it goes straight (usage method 0 or 4)."""
        used = self.number("gatewayusagemethod")
        return self.text("gatewayhostname") if used in (1, 2, 3) else None

    def number(self, name: str) -> int | None:
        kind, value = self.values.get(name, ("", ""))
        try:
            return int(value) if kind == "i" and len(value) <= 20 else None
        except ValueError:
            return None


def read_rdp_file(path: Path) -> RdpSettings:
    """Raise OSError, or RdpFileError where the content is something else."""
    with path.open("rb") as file:
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise RdpFileError("larger than any .rdp file")
    return parse_rdp_file(data)


def parse_rdp_file(data: bytes) -> RdpSettings:
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RdpFileError("neither UTF-16 nor UTF-8 text") from error
    values: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        kind, second, value = rest.partition(":")
        if colon and second and len(kind) == 1:
            values[name.strip().lower()] = (kind.lower(), value)
    if not values:
        raise RdpFileError("holds no line of the form name:type:value")
    return RdpSettings(values)
