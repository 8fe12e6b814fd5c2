"""Certificates as text: `certutil -store`, and `Get-ChildItem Cert:\\…` in any form.

certutil speaks the language of Windows, so a certificate is read by its shape: the issuer, the two times, the
subject, the hash, then what is known of the key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.eventlog.event import known
from rdpdoctor.readers.eventlog.loose import time_of
from rdpdoctor.readers.host.model import Certificate

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_ONE = re.compile(r"^=+ [^\n=]{1,30} \d+ =+\s*$", re.MULTILINE)
_STORE = re.compile(r'^(My|Remote Desktop|Root|CA)(?: "[^"\n]{1,60}")?[ \t]*$', re.MULTILINE | re.IGNORECASE)
_HASH = re.compile(r"\(sha1\)\W{0,3}:[ \t]*((?:[0-9a-f]{2} ?){20})[ \t]*$", re.MULTILINE | re.IGNORECASE)
#: A label, a colon, a name of a directory; French puts a blank before the colon.
_NAME = re.compile(
    r"^[ \t]*[^\s:=][^\n:=]{1,40}:[ \t]*(?:\n[ \t]+)?"
    r"((?:CN|O|OU|C|DC|E|S|L|SERIALNUMBER)=\S[^\n]{0,400})$",
    re.MULTILINE,
)
_WHEN = re.compile(r"^ [^\n:]{3,30}:[ \t]*(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D[^\n]{4,25})$", re.MULTILINE)
#: The certificate knows of no key.
_NO_KEY = re.compile(
    r"Cannot find the certificate and private|No key provider|Aucune information sur le fournisseur de cl",
    re.IGNORECASE,
)
#: The key that it knows of could not be opened, for which one must be an administrator.
_SHUT = re.compile(r"Keyset does not exist|Missing stored keyset|0x80090016|NTE_BAD_KEYSET", re.IGNORECASE)
#: It was opened and tried, or may not leave.
_OPENED = re.compile(
    r"test passed|test wurde durchgef|Test de chiffrement r\S+ussi"
    r"|Private key is (?:NOT )?exportable",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"^[ \t]+\S[^\n=:]{2,40}[ \xa0\ufffd]?[=:][ \xa0]?(?:\S*[0-9a-f]{32}_[0-9a-f-]{36}|TSSecKeySet1)"
    r"|^\w+ test passed",
    re.MULTILINE,
)
_PURPOSES = re.compile(r"^[ \t]*(?:2\.5\.29\.37:|Enhanced Key Usage[ \t]*$)", re.MULTILINE)
_USAGES = re.compile(r"\((1(?:\.\d{1,9}){3,14})\)")
_LISTED = re.compile(r"Cert:\\LocalMachine\\(Remote Desktop|My)\b", re.IGNORECASE)
_MOST = 500


def read(text: str, raw: Raw) -> None:
    found = [*_certutil(text, raw), *_objects(text, raw)]
    if found:
        raw.certificates += found[:_MOST]
        raw.kinds.append("certificates")


def _certutil(text: str, raw: Raw) -> list[Certificate]:
    heads = list(_ONE.finditer(text))[:_MOST]
    elevated = _OPENED.search(text) is not None
    found = []
    for head, end in zip(heads, [*(one.start() for one in heads[1:]), len(text)], strict=False):
        part = text[head.end() : min(end, head.end() + 20_000)]
        # With -v, hashes of other things come before that of the whole.
        hashes = _HASH.findall(part)
        if not hashes:
            raw.lose("a certificate without its hash")
            continue
        stores = [one[1] for one in _STORE.finditer(text, 0, head.start())]
        store = stores[-1] if stores else None
        if store and store not in raw.stores:
            raw.stores.append(store)
        names, times = _NAME.findall(part), _WHEN.findall(part)
        # `certutil -v` only; without -v the usages are not told.
        usages = (
            tuple(dict.fromkeys(_USAGES.findall(part[at.end() : at.end() + 600])))
            if (at := _PURPOSES.search(part))
            else None
        )
        found.append(
            Certificate(
                store,
                hashes[-1].replace(" ", "").upper(),
                names[1] if len(names) > 1 else None,
                names[0] if names else None,
                _time(times[0] if times else None),
                _time(times[1] if len(times) > 1 else None),
                _has_key(part, elevated),
                usages=usages,
                opened=False if _SHUT.search(part) and not _NO_KEY.search(part) else None,
            )
        )
    return found


def _has_key(part: str, elevated: bool) -> bool | None:
    """elevated: keys of others were opened, so that one that is not is missing."""
    if _NO_KEY.search(part) or (elevated and _SHUT.search(part)):
        return False
    return True if _OPENED.search(part) or (_KEY.search(part) and not _SHUT.search(part)) else None


def _objects(text: str, raw: Raw) -> list[Certificate]:
    """Their store is that of the command before them, where the text has one such command."""
    stores = {one.lower(): one for one in _LISTED.findall(text)}
    store = next(iter(stores.values())) if len(stores) == 1 else None
    return [
        Certificate(
            store,
            row["thumbprint"].upper(),
            row.get("subject"),
            row.get("issuer"),
            _time(row.get("notbefore")),
            _time(row.get("notafter")),
            {"true": True, "false": False}.get(row.get("hasprivatekey", "").lower()),
        )
        for row in raw.rows
        if re.fullmatch(r"[0-9A-Fa-f]{40}", row.get("thumbprint", ""))
    ]


def _time(text: str | None) -> str | None:
    """Local time, of a zone that the text does not name: right to a day."""
    moment = time_of(text or "")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if known(moment) else None
