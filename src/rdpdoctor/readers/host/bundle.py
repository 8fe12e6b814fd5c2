"""What `rdpdoctor collect`'s script writes: `rdpdoctor.bundle/1`, as JSON, or compressed on one line.

PowerShell writes a list of one as that one, an empty one as null, and Windows PowerShell some lists as
`{value, Count}`: all are taken as lists.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.boundedjson import BadJson, loaded
from rdpdoctor.readers.host import adapters, clock, firewall, services, sessions
from rdpdoctor.readers.host.events import observed
from rdpdoctor.readers.host.model import (
    LONGEST,
    MOST,
    Adapter,
    Certificate,
    HostError,
    Listener,
    Profile,
    Rule,
    Service,
    Setting,
)
from rdpdoctor.readers.host.regfile import worth
from rdpdoctor.readers.host.text import decoded, number, unpacked

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

SCHEMA = "rdpdoctor.bundle/1"
MARK = "RDPDOCTOR1:"
#: NETWORK SERVICE, and the groups that it is in.
_SERVICE = frozenset(
    {
        *("s-1-5-20", "s-1-1-0", "s-1-5-11", "s-1-5-6", "nt authority\\network service", "everyone"),
        *("nt authority\\networkservice", "nt authority\\authenticated users", "nt authority\\service"),
    }
)
#: NTE_BAD_KEYSET, NTE_NO_KEY and “file not found”: the key is not where it should be (winerror.h).
_NO_KEY = ("0x80090016", "0x8009000d", "0x80070002")
_PACKED = re.compile(MARK + r"(?=\s{0,9}[A-Za-z0-9+/=])")
#: The collector's script, which has the mark as well.
_SCRIPT = re.compile(r"^[ \t]*\[CmdletBinding\(", re.MULTILINE)
_GENERIC = {"268435456": True, "-2147483648": True, "2147483648": True, "-1610612736": True}
_BUILD = re.compile(r"^\d+\.\d+\.(\d{3,6})")


def sniff(text: str) -> bool:
    return MARK in text or (SCHEMA in text[:4000] and text.lstrip("\ufeff \r\n\t")[:1] == "{")


def read(text: str, raw: Raw) -> None:
    """Raise HostError where it is damaged as a whole."""
    packed = _PACKED.search(text)
    if packed is None and _SCRIPT.search(text[:20_000]):
        raise HostError("it is the script of `rdpdoctor collect` itself; run it on that machine first")
    top = _json(_unfolded(text[packed.end() :]) if packed is not None else text.lstrip("\ufeff"))
    if not isinstance(top, dict) or top.get("schema") != SCHEMA:
        raise HostError(f"no bundle of this version ({SCHEMA})")
    raw.collected, raw.port = _text(top.get("collected")), number(top.get("port"), 1, 65_535)
    raw.role = role if (role := _text(top.get("role"))) in ("server", "client") else None
    system = top.get("system")
    if isinstance(system, dict):
        raw.computer, raw.system = _text(system.get("computer")), _text(system.get("caption"))
        build = _BUILD.match(_text(system.get("version")) or "")
        raw.build = int(build[1]) if build else None
    _registry(top, raw)
    _services(top, raw)
    _listeners(top, raw)
    lines = "\n".join(one for one in _many(top.get("sessions")) if isinstance(one, str))
    kinds = list(raw.kinds)
    sessions.read(lines, raw)
    time = top.get("time")
    if isinstance(time, dict):
        clock.read("\n".join(one for one in _many(time.get("status")) if isinstance(one, str)), raw)
    raw.kinds = kinds
    _certificates(top, raw)
    _firewall(top, raw)
    for row in _rows(top, "network"):
        name = _text(row.get("name")) or ""
        addresses = tuple(one for one in _many(row.get("addresses")) if isinstance(one, str))[:20]
        vpn = row.get("vpn") is True or adapters.is_vpn(name)
        raw.adapters.append(Adapter(name, number(row.get("mtu"), 1, 2**32), vpn, addresses))
    licensing = top.get("licensing")
    if isinstance(licensing, dict):
        raw.licensing = licensing
        # 0: the one that the machine makes for itself (Win32_TSGeneralSetting).
        if licensing.get("certificate_kind") in (1, 2):
            raw.bound = _thumbprint(licensing.get("certificate"))
    updates = [(_text(row.get("id")) or "", _text(row.get("installed"))) for row in _rows(top, "updates")]
    raw.update = max(updates, key=lambda one: number(one[0][2:], 0) or 0) if updates else None
    raw.events = observed(_rows(top, "events"), raw)
    for row in _rows(top, "errors"):
        raw.lose(f"{_text(row.get('part')) or 'a part'}: {_text(row.get('error')) or 'not collected'}")


def _unfolded(body: str) -> str:
    """The line may have been broken where it came through, and other output may stand around it."""
    found = re.match(r"(?:[A-Za-z0-9+/=]|[\r\n\t ](?=[\s]*[A-Za-z0-9+/=]))*", body)
    letters = re.sub(r"\s", "", found[0] if found else "")
    end = letters.find("=")
    if end >= 0:
        letters = letters[: end + 2 if letters[end : end + 2] == "==" else end + 1]
    letters = letters[: len(letters) // 4 * 4]  # of one that is cut off
    try:
        packed = base64.b64decode(letters, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HostError("its compressed line is damaged") from error
    return decoded(unpacked(packed))


def _json(text: str) -> Any:
    try:
        return loaded(text)
    except BadJson as error:
        raise HostError(str(error)) from error


def _many(value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("value"), list) and "Count" in value:
        value = value["value"]
    if value is None:
        return []
    return value[:MOST] if isinstance(value, list) else [value]


def _rows(top: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return [row for row in _many(top.get(part)) if isinstance(row, dict)]


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return value[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def _thumbprint(value: Any) -> str | None:
    text = (_text(value) or "").replace(" ", "").upper()
    return text if re.fullmatch(r"[0-9A-F]{40}", text) and text.strip("0") else None


def _registry(top: dict[str, Any], raw: Raw) -> None:
    rows = _rows(top, "registry")
    for row in rows:
        key, name, value = _text(row.get("path")) or "", row.get("name"), row.get("value")
        if not isinstance(name, str) or not key:
            continue
        if "\\windowsfirewall\\" in key.lower() or "\\firewallpolicy\\" in key.lower():
            rule = firewall.of_registry(_text(value) or "")
            if rule is not None:
                raw.rules = raw.rules or []
                raw.rules.append(rule)
                continue
        if not worth(key, name):
            continue
        if isinstance(value, list):
            value = "\n".join(one for one in value if isinstance(one, str))
        told = number(value, -(2**63), 2**64) if not isinstance(value, str) else _text(value) or ""
        if isinstance(told, int) and told < 0:
            told %= 2**32 if told >= -(2**31) else 2**64  # PowerShell writes them with a sign
        raw.settings.append(Setting(key, name, told))
    if rows:
        raw.listener_key = any(str(row.get("path")).lower().endswith(r"\winstations\rdp-tcp") for row in rows)


def _services(top: dict[str, Any], raw: Raw) -> None:
    for row in _rows(top, "services"):
        name = _text(row.get("name"))
        if name:
            state = services.state_of(_text(row.get("state")) or "")
            start = services.start_of(_text(row.get("start")) or "")
            raw.services.append(
                Service(name, state, start, number(row.get("pid")), _text(row.get("account")))
            )


def _listeners(top: dict[str, Any], raw: Raw) -> None:
    if "listeners" not in top:
        return
    raw.listeners = [
        Listener(
            _text(row.get("protocol")) or "tcp",
            _text(row.get("address")) or "",
            port,
            number(row.get("pid")),
            _text(row.get("process")),
        )
        for row in _rows(top, "listeners")
        if (port := number(row.get("port"), 1, 65_535)) is not None
    ]


def _certificates(top: dict[str, Any], raw: Raw) -> None:
    if "certificates" in top:
        failed = {str(row.get("part")) for row in _rows(top, "errors")}
        raw.stores += [one for one in ("Remote Desktop", "My") if f"certificates {one}" not in failed]
    for row in _rows(top, "certificates"):
        thumbprint = _thumbprint(row.get("thumbprint"))
        if thumbprint is None:
            continue
        usages = row.get("usages")
        has_key = row.get("has_private_key") if isinstance(row.get("has_private_key"), bool) else None
        opened = None
        if (_text(row.get("key_code")) or "").lower() in _NO_KEY:
            # Whoever is no administrator is told the same of keys that are there.
            opened, has_key = False, has_key if top.get("elevated") is False else False
        raw.certificates.append(
            Certificate(
                _text(row.get("store")),
                thumbprint,
                _text(row.get("subject")),
                _text(row.get("issuer")),
                _text(row.get("not_before")),
                _text(row.get("not_after")),
                has_key,
                _readable(row.get("key_access")),
                _text(row.get("key")),
                number(row.get("key_bits"), 1, 2**20),
                _text(row.get("signature")),
                None if usages is None else tuple(one for one in _many(usages) if isinstance(one, str)),
                opened,
            )
        )


def _readable(access: Any) -> bool | None:
    """Whether NETWORK SERVICE may read the key, by its access list; None without a list.

    Denials come first in a list that is in order, so one that denies decides.
    """
    rows = [row for row in _many(access) if isinstance(row, dict)]
    if not rows:
        return None
    allowed = False
    for row in rows:
        rights = _text(row.get("rights")) or ""
        reads = _GENERIC.get(rights) or re.search(
            r"\b(FullControl|Modify|ReadAndExecute|Read|ReadData)\b", rights
        )
        if (_text(row.get("who")) or "").lower() in _SERVICE and reads:
            if (_text(row.get("kind")) or "").lower() == "deny":
                return False
            allowed = True
    return allowed


def _firewall(top: dict[str, Any], raw: Raw) -> None:
    wall = top.get("firewall")
    if not isinstance(wall, dict):
        return
    active = [str(one).lower() for one in _many(wall.get("active"))]
    for row in _rows(wall, "profiles"):
        name = (_text(row.get("name")) or "").lower()
        enabled, blocks_all = row.get("enabled"), row.get("blocks_all")
        default = _text(row.get("default"))
        raw.profiles.append(
            Profile(
                name,
                enabled if isinstance(enabled, bool) else None,
                blocks_all if isinstance(blocks_all, bool) else None,
                default if default in ("allow", "block") else None,
                name in active,
            )
        )
    rules = []
    for row in _rows(wall, "rules"):
        profiles = tuple(str(one).lower() for one in _many(row.get("profiles")))
        rules.append(
            Rule(
                (_text(row.get("name")) or "")[:200],
                row.get("enabled") is True,
                "block" if row.get("action") == "block" else "allow",
                _text(row.get("protocol")) or "any",
                firewall.words(_text(row.get("ports")) or ""),
                firewall.words(_text(row.get("remote")) or ""),
                tuple(one for one in profiles if one in firewall.PROFILES),
                (_text(row.get("group")) or "")[:200],
                (_text(row.get("program")) or "")[:300],
            )
        )
    raw.rules = [*(raw.rules or []), *rules]
