"""Certificates as text: `certutil -store` (in English), and `Get-ChildItem Cert:\\… | Format-List`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.eventlog.event import known
from rdpdoctor.readers.eventlog.loose import time_of
from rdpdoctor.readers.host.blocks import blocks
from rdpdoctor.readers.host.model import Certificate

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_ONE = re.compile(r"^=+ \S+ \d+ =+\s*$", re.MULTILINE)
_STORE = re.compile(r'^(My|Remote Desktop|Root|CA) "[^"\n]{1,60}"\s*$', re.MULTILINE | re.IGNORECASE)
_HASH = re.compile(r"Cert Hash\(sha1\):\s*((?:[0-9a-f]{2} ?){20})\s*$", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(r"^[ \t]*(NotBefore|NotAfter|Subject|Issuer):\s*(\S.{0,400})$", re.MULTILINE)
_NO_KEY = re.compile(
    r"Keyset does not exist|Missing stored keyset|Cannot find the certificate and private|No key provider",
    re.IGNORECASE,
)
_KEY = re.compile(r"^[ \t]*(?:Key Container =|Unique container name:|\w+ test passed)", re.MULTILINE)
_PURPOSES = re.compile(r"^[ \t]*Enhanced Key Usage\s*$", re.MULTILINE)
_USAGES = re.compile(r"\((1(?:\.\d{1,9}){3,14})\)")
_MOST = 500


def read(text: str, raw: Raw) -> None:
    found = [*_certutil(text, raw), *_objects(text)]
    if found:
        raw.certificates += found[:_MOST]
        raw.kinds.append("certificates")


def _certutil(text: str, raw: Raw) -> list[Certificate]:
    heads = list(_ONE.finditer(text))[:_MOST]
    found = []
    for head, end in zip(heads, [*(one.start() for one in heads[1:]), len(text)], strict=False):
        part = text[head.end() : min(end, head.end() + 20_000)]
        thumbprint = _HASH.search(part)
        if thumbprint is None:
            raw.lose("a certificate without its hash")
            continue
        stores = [one[1] for one in _STORE.finditer(text, 0, head.start())]
        store = stores[-1] if stores else None
        if store and store not in raw.stores:
            raw.stores.append(store)
        fields = dict(_FIELD.findall(part))
        # `certutil -v` only; without -v the usages are not told.
        usages = (
            tuple(dict.fromkeys(_USAGES.findall(part[at.end() : at.end() + 600])))
            if (at := _PURPOSES.search(part))
            else None
        )
        found.append(
            Certificate(
                store,
                thumbprint[1].replace(" ", "").upper(),
                fields.get("Subject"),
                fields.get("Issuer"),
                _time(fields.get("NotBefore")),
                _time(fields.get("NotAfter")),
                False if _NO_KEY.search(part) else True if _KEY.search(part) else None,
                usages=usages,
            )
        )
    return found


def _objects(text: str) -> list[Certificate]:
    return [
        Certificate(
            None,
            row["thumbprint"].upper(),
            row.get("subject"),
            row.get("issuer"),
            _time(row.get("notbefore")),
            _time(row.get("notafter")),
            {"true": True, "false": False}.get(row.get("hasprivatekey", "").lower()),
        )
        for row in blocks(text)
        if re.fullmatch(r"[0-9A-Fa-f]{40}", row.get("thumbprint", ""))
    ]


def _time(text: str | None) -> str | None:
    """Local time, of a zone that the text does not name: right to a day."""
    moment = time_of(text or "")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if known(moment) else None
