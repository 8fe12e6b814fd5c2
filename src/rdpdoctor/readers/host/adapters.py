"""`ipconfig`, with `/all` or without, and `netsh interface ipv4 show subinterfaces`, for what changes packets
on their way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import Adapter

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_DESCRIPTION = re.compile(r"^\s+(?:Des\w{4,12}|Beschreibung|説明)(?:[ .]*\.)+ ?: (\S.{0,100})$")
#: `Ethernet adapter Ethernet:`, which `/all` describes below.
_HEADING = re.compile(r"^(\S[^:]{2,100}):\s*$")
_ADDRESS = re.compile(r"^\s+(?:Adresse |Direcci\S{1,3}n )?IPv4[^:]{0,60}: (\d{1,3}(?:\.\d{1,3}){3})")
_NAME = re.compile(
    r"^[ \t]+(?:Host Name|Hostname|Nom de l.h\S+?|Nombre de host|ホスト名)[ .]*: (\S{1,63})\s*$", re.MULTILINE
)
_MTU = re.compile(r"^[ \t]*(\d{3,10})\s+\d\s+\d+\s+\d+\s+(\S.{0,80})$", re.MULTILINE)
_VPN = re.compile(
    r"VPN|TAP-|Tunnel|WireGuard|AnyConnect|Fortinet|PANGP|Juniper|PPP adapter|Wintun", re.IGNORECASE
)


def is_vpn(name: str) -> bool:
    return _VPN.search(name) is not None


def read(text: str, raw: Raw) -> None:
    found: list[Adapter] = []
    if re.search(r"^Windows.IP|^[^\n]{0,60}IP[^\n]{0,20}Windows", text, re.MULTILINE):
        heading: str | None = None
        for line in text.splitlines():
            described, address = _DESCRIPTION.match(line[:200]), _ADDRESS.match(line[:200])
            if (named := _HEADING.match(line[:200])) is not None:
                heading = named[1].strip()
            elif described is not None:
                name, heading = described[1].strip(), None
                found.append(Adapter(name, vpn=is_vpn(name)))
            elif address is not None and (heading is not None or found):
                if heading is not None:
                    found.append(Adapter(heading, vpn=is_vpn(heading)))
                    heading = None
                last = found[-1]
                found[-1] = Adapter(last.name, None, last.vpn, (*last.addresses, address[1])[:20])
        host = _NAME.search(text)
        if host is not None and found:
            raw.computer = raw.computer or host[1]
    for size, name in _MTU.findall(text)[:100]:
        if "MTU" in text and int(size) < 65_536:
            found.append(Adapter(name.strip(), int(size), is_vpn(name)))
    if found:
        raw.adapters += found[:200]
        raw.kinds.append("adapters")
