"""Facts of a machine, from whatever an administrator can send: the collector's bundle, exports of the
registry and of policies, and what console tools print, pasted or saved.

A text may hold the output of several tools one after the other; each is looked for. What is read is told as
it stands, each value with what the knowledge says of it; which of two values counts, and what all of it
amounts to, the diagnosis concludes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.readers.host import (
    adapters,
    bundle,
    certutil,
    clock,
    firewall,
    gpresult,
    netstat,
    pol,
    queried,
    regfile,
    resultant,
    rights,
    services,
    sessions,
    tested,
)
from rdpdoctor.readers.host.model import HostError, Raw
from rdpdoctor.readers.host.objects import objects
from rdpdoctor.readers.host.observe import observe
from rdpdoctor.readers.host.text import LARGEST, bounded, decoded, number, unpacked

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation

__all__ = ["HostError", "HostFacts", "read_host", "sniff"]

#: In this order: lists of PowerShell's are told apart by their properties.
_CONSOLE = (
    sessions,
    netstat,
    services,
    tested,
    firewall,
    certutil,
    clock,
    adapters,
    resultant,
    queried,
    rights,
)
#: Characters of what a console printed.
_LONGEST_TEXT = 8 * 2**20
#: The mark of qwinsta, which stands before a name at once, is no quote's.
_QUOTED = re.compile(r"^[ \t]{0,16}(?:>{1,9}[ \t])+|^[ \t]{0,16}>{1,9}$", re.MULTILINE)
_JOINED = re.compile(r"\S[ \t]*+\n[ \t]*+\S")
#: A prompt with the command, and the machine's name below it.
_HOSTNAME = re.compile(
    r"^[ \t]{0,16}(?:PS )?[A-Za-z]:\\[^\n>]{0,200}>[ \t]?hostname(?:\.exe)?[ \t]*\n"
    r"\s{0,9}?([\w.-]{1,63})[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_MARGIN = 4
#: More empty lines than one part nothing, and eight megabytes of them took half a minute.
_EMPTY = re.compile(r"\n[ \t]*+\n(?:[ \t]*+\n)++")


@dataclass(frozen=True, slots=True)
class HostFacts:
    """kind: bundle, registry, registry.pol, policies, or console. lost: what could not be read, a sentence
    each. collected: when, ISO 8601 in UTC, where the file tells. computer, port: of the server that is told
    of, for whoever has no other target: the machine itself and where it listens by its registry, or what a
    client tested.
    """

    observations: tuple[Observation, ...]
    kind: str
    computer: str | None
    collected: str | None
    port: int | None
    lost: tuple[str, ...]


def sniff(head: bytes) -> str | None:
    """The kind of a file by its beginning (64 KiB are enough); None where it tells of no machine."""
    if pol.sniff(head):
        return "registry.pol"
    text = decoded(head)
    if bundle.sniff(text):
        return "bundle"
    if regfile.sniff(text):
        return "registry"
    if gpresult.sniff(text):
        return "policies"
    return "console" if _console(text[:_LONGEST_TEXT], Raw()) else None


def read_host(source: Path | str | bytes, role: str | None = None) -> HostFacts:
    """source: a path, or what is in a file. role: "server" or "client", the machine's side of the connection;
    without it a bundle may say so itself. Raise OSError, or HostError.
    """
    if isinstance(source, bytes):
        data = bounded(source)
    else:
        with Path(source).open("rb") as file:
            data = bounded(file.read(LARGEST + 1))
    if data.startswith(b"\x1f\x8b"):
        data = unpacked(data)
    kind = sniff(data[: 1 << 16]) or sniff(data)
    raw = Raw()
    if kind is None:
        raise HostError("tells nothing of a machine that is known here")
    if kind != "console":
        raw.kinds.append(kind)
    if kind == "registry.pol":
        pol.read(data, raw)
    elif kind == "bundle":
        bundle.read(decoded(data), raw)
    elif kind == "registry":
        regfile.read(decoded(data), raw)
    elif kind == "policies":
        gpresult.read(decoded(data), raw)
    else:
        text = decoded(data)
        if len(text) > _LONGEST_TEXT:
            raw.lose(f"what follows the first {_LONGEST_TEXT:,} characters")
        _console(text[:_LONGEST_TEXT], raw)
    rows = observe(raw, kind, role or raw.role)
    ports = [number(one.value, 1, 65_535) for one in raw.settings if one.name == "PortNumber"]
    port, computer = ports[-1] if ports else None, raw.computer
    if raw.tested and not raw.tells_of_server:
        port, computer = raw.tested[0].port, raw.tested[0].host or raw.tested[0].address or computer
    return HostFacts(tuple(rows), kind, computer, raw.collected, port, tuple(raw.lost))


def _console(text: str, raw: Raw) -> bool:
    """Whether anything was found."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    if _JOINED.search(text) is None:  # what doubles every end of a line
        text = text.replace("\n\n", "\n")
    plain = _dedented(_unquoted(_EMPTY.sub("\n\n", text)))
    raw.rows = objects(plain)
    for reader in _CONSOLE:
        reader.read(plain, raw)
    raw.rows = []
    named = {one.upper() for one in _HOSTNAME.findall(plain)}
    if len(named) == 1:
        raw.computer = raw.computer or named.pop()
    return bool(raw.kinds)


def _unquoted(text: str) -> str:
    """Without the marks of a quoted mail, where many lines have them: whoever answers writes lines without,
    and what wraps long ones leaves their ends without. qwinsta marks one line of its own.
    """
    lines = [line for line in text[:100_000].split("\n") if line.strip()]
    quoted = sum(_QUOTED.match(line) is not None for line in lines)
    if quoted < 4 or quoted * 3 < len(lines):
        return text
    return _QUOTED.sub("", text)


def _dedented(text: str) -> str:
    """Without the margin that makes text code in a ticket. Tools indent by less, or not every line."""
    margins = [len(line) - len(line.lstrip(" ")) for line in text.split("\n") if line.strip()]
    size = min(margins, default=0) // _MARGIN * _MARGIN
    return re.sub(rf"^ {{{size}}}", "", text, flags=re.MULTILINE) if size else text
