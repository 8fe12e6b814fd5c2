"""Lines that do not go together."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.rdpfile.parse import RdpSettings

#: kind (tags.toml, file.contradiction), name, what it does not go with.
Odd = tuple[str, str, str | None]
_FULL, _ALTERNATE = "full address", "alternate full address"


def split(address: str) -> tuple[str, int | None]:
    """(host without brackets, port or None) of an address as it stands in the file."""
    bare = address.strip()
    if bare.startswith("["):
        host, _, rest = bare[1:].partition("]")
        return host, _port(rest.removeprefix(":"))
    if "/" in bare:  # a link: its colon is none before a port
        return bare, None
    host, colon, port = bare.rpartition(":")
    return (host, _port(port)) if colon and ":" not in host else (bare, None)


def is_host(text: str) -> bool:
    """Whether it may be a name or an address; a link, a path or a sentence is none."""
    return 0 < len(text) <= 255 and text.isprintable() and not set(text) & set('/\\@ "<>|')


def _port(text: str) -> int | None:
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return port if 0 < port < 65536 else None


def contradictions(settings: RdpSettings) -> Iterator[Odd]:
    address = settings.text(_FULL)
    host, port = split(address) if address else ("", None)
    yield from _lines(settings)
    if address and not is_host(host):
        yield "no-host", _FULL, address
    line = settings.number("server port")
    if line is not None and not 0 < line < 65536:
        yield "no-number", "server port", None
    elif port is not None and line is not None and line != port:
        yield "port-twice", "server port", str(port)
    if settings.number("enablerdsaadauth") == 1 and _is_address(host):
        yield "entra-by-address", "enablerdsaadauth", host
    alternate = settings.text(_ALTERNATE)
    if host and alternate and split(alternate)[0].casefold() != host.casefold():
        yield "two-addresses", _FULL, alternate
    if settings.text("loadbalanceinfo") and settings.number("use redirection server name") == 0:
        yield "broker-name-unused", "loadbalanceinfo", "use redirection server name"
    if "password 51" in settings.secrets and settings.number("prompt for credentials") == 1:
        yield "password-unused", "password 51", "prompt for credentials"
    yield from _gateway(settings)
    yield from _signature(settings)


def _lines(settings: RdpSettings) -> Iterator[Odd]:
    from rdpdoctor.knowledge.settings.rdpfile import lines

    known = lines()
    for name, earlier in settings.twice:
        line = known.get(name)
        kept = name not in settings.secrets and not (line is not None and line.personal)
        yield "twice", name, earlier if kept else None
    for name, (kind, _) in settings.values.items():
        line = known.get(name)
        if line is not None and kind != line.type:
            yield "wrong-type", name, kind
        elif kind == "i" and settings.number(name) is None:
            yield "no-number", name, None


def _gateway(settings: RdpSettings) -> Iterator[Odd]:
    named = settings.text("gatewayhostname")
    used = settings.number("gatewayusagemethod") or 0
    profile = settings.number("gatewayprofileusagemethod")
    if used == 1 and profile == 1 and not named:
        yield "gateway-without-name", "gatewayusagemethod", "gatewayhostname"
    elif named and used in (0, 4):
        yield "gateway-not-used", "gatewayhostname", "gatewayusagemethod"
    elif named and used in (1, 2) and profile == 0:
        yield "gateway-settings-ignored", "gatewayhostname", "gatewayprofileusagemethod"


def signed_names(settings: RdpSettings) -> list[str]:
    """The lines that `signscope` lists, by their names in lower case."""
    names = (settings.text("signscope") or "").split(",")
    return [name for one in names if (name := " ".join(one.lower().split()))]


def _signature(settings: RdpSettings) -> Iterator[Odd]:
    """`signscope` lists the signed lines by their names; a signing tool lists those that are there."""
    names, signed = signed_names(settings), "signature" in settings.values
    scope = settings.text("signscope")
    if signed and not scope:
        yield "signature-without-scope", "signature", "signscope"
    if scope and not signed:
        yield "scope-without-signature", "signscope", "signature"
    if not scope or not signed:
        return
    for name in dict.fromkeys(names):
        if name not in settings.values:
            yield "signed-line-missing", "signscope", name
    for name in (_FULL, _ALTERNATE):
        if name in settings.values and name not in names:
            yield "address-not-signed", name, "signscope"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
