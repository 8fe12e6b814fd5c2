"""Windows' own firewall: `netsh advfirewall` (in English), `Get-NetFirewallRule`, `Get-NetFirewallProfile`,
`Get-NetConnectionProfile`, and its rules as the registry holds them (MS-FASP 2.2.37.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.blocks import blocks
from rdpdoctor.readers.host.model import MOST, Profile, Rule

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

PROFILES = ("domain", "private", "public")
_NUMBERS = {"6": "tcp", "17": "udp", "256": "any", "any": "any", "tcp": "tcp", "udp": "udp", "*": "any"}
_ANY = ("", "any", "*", "alle", "beliebig")
_CATEGORY = {"public": "public", "private": "private", "domainauthenticated": "domain", "domain": "domain"}
#: The rules that Windows brings: by their names, which are the same in every language.
_BUILT_IN = re.compile(r"^RemoteDesktop-(UserMode|Shadow)-In-(TCP|UDP)", re.IGNORECASE)
_HEADS = re.compile(r"^(Domain|Private|Public) Profile Settings:", re.MULTILINE)
_STATE = re.compile(r"^State\s+(ON|OFF)\s*$", re.MULTILINE)
_POLICY = re.compile(r"^Firewall Policy\s+(\w+?)Inbound(Always)?\b", re.MULTILINE)


def words(text: str) -> tuple[str, ...]:
    """Of a list in one text; empty for any."""
    found = [one.strip() for one in re.split(r"[,{}\s]+", text) if one.strip()]
    return tuple(one for one in found if one.lower() not in _ANY)[:200]


def read(text: str, raw: Raw) -> None:
    before = len(raw.profiles) + len(raw.rules or [])
    rows = blocks(text)
    for row in rows:
        rule = _netsh(row) if "rulename" in row else _object(row)
        if rule is not None:
            raw.rules = raw.rules or []
            if len(raw.rules) < MOST:
                raw.rules.append(rule)
        elif "defaultinboundaction" in row and row.get("name", "").lower() in PROFILES:
            default = {"allow": "allow", "block": "block", "notconfigured": "block"}
            raw.profiles.append(
                Profile(
                    row["name"].lower(),
                    {"true": True, "false": False}.get(row.get("enabled", "").lower()),
                    default=default.get(row["defaultinboundaction"].lower()),
                    blocks_all=True if row.get("allowinboundrules", "").lower() == "false" else None,
                )
            )
        elif (category := _CATEGORY.get(row.get("networkcategory", "").lower())) is not None:
            raw.profiles.append(Profile(category, active=True))
    heads = list(_HEADS.finditer(text))
    for head, end in zip(heads, [*(one.start() for one in heads[1:]), len(text)], strict=False):
        part = text[head.end() : min(end, head.end() + 2_000)]
        state, policy = _STATE.search(part), _POLICY.search(part)
        raw.profiles.append(
            Profile(
                head[1].lower(),
                state[1] == "ON" if state else None,
                blocks_all=bool(policy[2]) if policy else None,
                default=policy[1].lower() if policy and policy[1].lower() in ("block", "allow") else None,
                active=True if len(heads) == 1 else None,
            )
        )
    if len(raw.profiles) + len(raw.rules or []) > before:
        raw.kinds.append("firewall")


def _netsh(row: dict[str, str]) -> Rule | None:
    if row.get("direction", "").lower() != "in" or row.get("action", "").lower() not in (
        "allow",
        "block",
        "bypass",
    ):
        return None
    protocol = _NUMBERS.get(row.get("protocol", "any").lower())
    if protocol is None:
        return None
    return Rule(
        row["rulename"][:200],
        row.get("enabled", "").lower() == "yes",
        "block" if row["action"].lower() == "block" else "allow",
        protocol,
        words(row.get("localport", "")),
        words(row.get("remoteip", "")),
        tuple(one for one in (part.lower() for part in words(row.get("profiles", ""))) if one in PROFILES),
        row.get("grouping", "")[:200],
        row.get("program", "")[:300],
    )


def _object(row: dict[str, str]) -> Rule | None:
    """Of Get-NetFirewallRule, which tells no ports; those of the rules that Windows brings are known."""
    if row.get("direction", "").lower() != "inbound" or "action" not in row or "enabled" not in row:
        return None
    built_in = _BUILT_IN.match(row.get("name") or row.get("instanceid") or "")
    if built_in is not None and built_in[1].lower() == "shadow":
        return None
    ports = row.get("localport")
    named = _NUMBERS.get(row.get("protocol", "").lower())
    return Rule(
        (row.get("displayname") or row.get("name") or "")[:200],
        row["enabled"].lower() in ("true", "1"),
        "block" if row["action"].lower() == "block" else "allow",
        named or (built_in[2].lower() if built_in is not None else "any"),
        words(ports) if ports is not None else ("3389",) if built_in is not None else None,
        words(row.get("remoteaddress", "")),
        tuple(one for one in (part.lower() for part in words(row.get("profile", ""))) if one in PROFILES),
        (row.get("displaygroup") or row.get("group") or "")[:200],
    )


def of_registry(text: str) -> Rule | None:
    """`v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort=3389|RA4=LocalSubnet|Name=…|`"""
    if not re.match(r"v\d\.\d+\|", text):
        return None
    fields: dict[str, list[str]] = {}
    for part in text.split("|")[1:200]:
        name, equals, value = part.partition("=")
        if equals:
            fields.setdefault(name.lower(), []).append(value)
    one = {name: values[0] for name, values in fields.items()}
    protocol = _NUMBERS.get(one.get("protocol", "any").lower())
    if one.get("dir", "").lower() != "in" or protocol is None:
        return None
    ports = [*fields.get("lport", ()), *fields.get("lport2_10", ())]
    remote = [value for name in ("ra4", "ra6", "ra42", "ra62") for value in fields.get(name, ())]
    return Rule(
        one.get("name", "")[:200],
        one.get("active", "").upper() == "TRUE",
        "block" if one.get("action", "").lower() == "block" else "allow",
        protocol,
        tuple(port for port in ports if port.lower() not in _ANY)[:200],
        tuple(remote)[:200],
        tuple(value.lower() for value in fields.get("profile", ()) if value.lower() in PROFILES),
        one.get("embedctxt", "")[:200],
        one.get("app", "")[:300],
    )
