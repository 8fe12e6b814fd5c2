"""From what a person typed to a host and a port: `HOST`, `HOST:PORT`, `[IPv6]:PORT`, or a path to a `.rdp`
file.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from rdpdoctor.facts import Target

DEFAULT_PORT = 3389
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
_FORM = "give HOST, HOST:PORT, [IPv6]:PORT or a .rdp file, such as srv01.corp.example:3389"


class TargetError(ValueError):
    """What was typed names no target. `hint` says what would."""

    def __init__(self, message: str, hint: str = _FORM) -> None:
        super().__init__(message)
        self.hint = hint


def parse_target(text: str) -> Target:
    """`text` as a target. Raise TargetError; nothing is looked up, and only a `.rdp` file is read."""
    if text.lower().endswith(".rdp"):
        return _from_rdp_file(text)
    host, port = split_host_port(text)
    return Target(text, host, DEFAULT_PORT if port is None else port)


def split_host_port(text: str) -> tuple[str, int | None]:
    """(host without brackets, in ASCII; port or None)."""
    stripped = text.strip()
    _refuse_lookalikes(stripped)
    if stripped.startswith("["):
        inside, bracket, rest = stripped[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise TargetError(f"`{_shown(text)}` has an unclosed or misplaced bracket")
        address = _address(inside)
        if address is None or ":" not in address:
            raise TargetError(f"`{_shown(inside)}` in brackets is not an IPv6 address")
        return address, _port(rest[1:], text) if rest else None
    if (address := _address(stripped)) is not None:
        return address, None
    host, colon, port = stripped.rpartition(":")
    if not colon:
        host, port = stripped, ""
    elif ":" in host:
        raise TargetError(
            f"`{_shown(text)}` has too many colons",
            "an IPv6 address with a port is written [2001:db8::5]:3389",
        )
    return _address(host) or _name(host), _port(port, text) if colon else None


def _refuse_lookalikes(text: str) -> None:
    if not text:
        raise TargetError("the target is empty")
    if "://" in text:
        raise TargetError(
            f"`{_shown(text)}` is a URL, not a host",
            f"leave out `{_shown(text.split('://')[0])}://` and any path",
        )
    if "@" in text:
        raise TargetError(
            f"`{_shown(text)}` holds a user name",
            "leave out what stands before the @; --user NAME gives a name",
        )
    if "/" in text or "\\" in text:
        raise TargetError(f"`{_shown(text)}` is neither a host nor a .rdp file")


def _port(text: str, whole: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 8:
        raise TargetError(
            f"`{_shown(whole)}` has no valid port after the colon", "a port is a number from 1 to 65535"
        )
    port = int(text)
    if not 1 <= port <= 65535:
        raise TargetError(
            f"port {port} is out of range", "a port is a number from 1 to 65535; Remote Desktop's own is 3389"
        )
    return port


def _address(text: str) -> str | None:
    """The canonical form of an address literal (an IPv6 zone is kept), or None."""
    try:
        return str(ipaddress.ip_address(text)) if text.isascii() and text.isprintable() else None
    except ValueError:
        return None


def _name(text: str) -> str:
    """A host name in ASCII (A-labels). Underscores pass: Windows computers have them."""
    name = text if text.isascii() else _to_ascii(text)
    labels = name.removesuffix(".").split(".")
    if "" in labels:
        raise TargetError(
            f"`{_shown(text)}` has an empty label", "a name has something on both sides of each dot"
        )
    for label in labels:
        if len(label) > 63:
            raise TargetError(f"`{_shown(label)}` is longer than the 63 characters a label may have")
        if not _LABEL.match(label):
            raise TargetError(f"`{_shown(text)}` is not a valid host name")
        if label.lower().startswith("xn--"):
            _check_a_label(label, text)
    if len(name) > 253:
        raise TargetError("the name is longer than the 253 characters a name may have")
    if labels[-1].isdigit():
        raise TargetError(
            f"`{_shown(text)}` is not a valid address", "an IPv4 address is four numbers from 0 to 255"
        )
    return name


def _to_ascii(text: str) -> str:
    import idna  # only non-ASCII names need it

    if ".." in text or text.startswith("."):
        raise TargetError(
            f"`{_shown(text)}` has an empty label", "a name has something on both sides of each dot"
        )
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise TargetError(
            f"`{_shown(text)}` is not a valid internationalised name", f"{_shown(str(error), 100)}"
        ) from error


def _check_a_label(label: str, text: str) -> None:
    import idna

    try:
        idna.decode(label)
    except idna.IDNAError as error:
        raise TargetError(
            f"`{_shown(text)}` is not a valid internationalised name", f"{_shown(str(error), 100)}"
        ) from error


def _from_rdp_file(text: str) -> Target:
    from rdpdoctor.readers.rdpfile import RdpFileError, read_rdp

    try:
        file = read_rdp(Path(text))
    except OSError as error:
        raise TargetError(
            f"cannot read `{_shown(text)}`: {error.strerror or error}",
            "give the path of a .rdp file, or a host name",
        ) from error
    except RdpFileError as error:
        raise TargetError(
            f"`{_shown(text)}`: {error}",
            "save it again from Remote Desktop Connection, or give the host itself",
        ) from error
    settings = file.settings
    address = settings.text("full address") or settings.text("alternate full address")
    if not address:
        raise TargetError(f"`{_shown(text)}` names no computer", "it needs a line `full address:s:HOST`")
    host, port = split_host_port(address)
    if port is None:
        port = settings.number("server port")
        if (port is None and "server port" in settings.values) or (
            port is not None and not 1 <= port <= 65535
        ):
            raise TargetError(
                f"the line `server port` in `{_shown(text)}` names no port",
                "a port is a number from 1 to 65535",
            )
    user = settings.user
    if user is not None and not (user.isascii() and user.isprintable()):
        user = None  # it would not fit into a cookie
    return Target(
        text, host, DEFAULT_PORT if port is None else port, user, settings.gateway, file.observations
    )


def _shown(text: str, limit: int = 60) -> str:
    """`text` for an error line: what is not plain is escaped, what is long is cut."""
    plain = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in text
    )
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
