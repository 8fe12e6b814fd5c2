"""Windows' own firewall: `netsh advfirewall`, `Get-NetFirewallRule`, `Get-NetFirewallProfile`,
`Get-NetConnectionProfile`, and its rules as the registry holds them (MS-FASP 2.2.37.2).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import MOST, Profile, Rule
from rdpdoctor.readers.host.words import ALLOW, ANY, BLOCK, IN, NO, OFF, ON, OUT, RULE, YES, key, profile

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

PROFILES = ("domain", "private", "public")
_NUMBERS = {"6": "tcp", "17": "udp", "256": "any", "any": "any", "tcp": "tcp", "udp": "udp", "*": "any"}
_ANY = ("", "any", "*")
_CATEGORY = {"public": "public", "private": "private", "domainauthenticated": "domain", "domain": "domain"}
#: The rules that Windows brings: by their names, which are the same in every language.
_BUILT_IN = re.compile(r"^RemoteDesktop-(UserMode|Shadow)-In-(TCP|UDP)", re.IGNORECASE)
_SHOWN = re.compile(r"^Remote Desktop - (User Mode|Shadow) \((TCP|UDP)-In\)")
_HEADS = re.compile(
    r"^([^\W\d_][^\n:]{5,60}?)[ \t\xa0]{0,40}[:\uff1a][ \t]{0,40}\n(?:-{5,}[ \t]*\n)?", re.MULTILINE
)
_STATE = re.compile(r"[^\W\d_]{2,12}[ \t]{2,}(\S{2,14})[ \t]*(?:\n|$)")
_POLICY = re.compile(r"[ \t](\w{1,12}?)Inbound(Always)?,\w+Outbound\b")
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "2": None}
#: MSFT_NetFirewallRule.Action and MSFT_NetFirewallProfile.DefaultInboundAction.
_ACTIONS = {
    "allow": "allow",
    "2": "allow",
    "allowbypass": "allow",
    "3": "allow",
    "block": "block",
    "4": "block",
}
_ENABLED = {"true": True, "1": True, "yes": True, "false": False, "2": False, "no": False}
_DEFAULTS = {
    "allow": "allow",
    "2": "allow",
    "block": "block",
    "4": "block",
    "notconfigured": "block",
    "0": "block",
}


def words(text: str) -> tuple[str, ...]:
    """Of a list in one text; empty for any."""
    found = [one.strip() for one in re.split(r"[,{}\s]+", text) if one.strip()]
    return tuple(one for one in found if one.lower() not in _ANY and key(one) not in ANY)[:200]


def read(text: str, raw: Raw) -> None:
    before = len(raw.profiles) + len(raw.rules or [])
    for row in raw.rows:
        named = {RULE[name]: value for part, value in row.items() if (name := key(part)) in RULE}
        rule = _netsh(named, raw) if "rulename" in named else _object(row)
        if rule is not None:
            raw.rules = raw.rules or []
            if len(raw.rules) < MOST:
                raw.rules.append(rule)
        elif "defaultinboundaction" in row and row.get("name", "").lower() in PROFILES:
            raw.profiles.append(
                Profile(
                    row["name"].lower(),
                    _TRUTH.get(row.get("enabled", "").lower()),
                    default=_DEFAULTS.get(row["defaultinboundaction"].lower()),
                    blocks_all=True
                    if _TRUTH.get(row.get("allowinboundrules", "").lower()) is False
                    else None,
                )
            )
        elif (category := _CATEGORY.get(row.get("networkcategory", "").lower())) is not None:
            raw.profiles.append(Profile(category, active=True))
    raw.profiles += _settings(text)
    if len(raw.profiles) + len(raw.rules or []) > before:
        raw.kinds.append("firewall")


def _settings(text: str) -> list[Profile]:
    """Of `netsh advfirewall show`: headings that rulers underline, the state, and the policy, whose words are
    English everywhere.
    """
    heads = [
        (match, name)
        for match in islice(_HEADS.finditer(text), 50)
        if (name := profile(match[1])) is not None
    ]
    found = []
    for place, (head, name) in enumerate(heads):
        end = heads[place + 1][0].start() if place + 1 < len(heads) else len(text)
        part = text[head.end() : min(end, head.end() + 2_000)]
        state, policy = _STATE.match(part), _POLICY.search(part)
        if state is None and policy is None:
            continue
        word = key(state[1]) if state is not None else ""
        found.append(
            Profile(
                name,
                True if word in ON else False if word in OFF else None,
                blocks_all=bool(policy[2]) if policy else None,
                default=policy[1].lower() if policy and policy[1].lower() in ("block", "allow") else None,
                active=True if len(heads) == 1 else None,
            )
        )
    return found


def _netsh(row: dict[str, str], raw: Raw) -> Rule | None:
    direction, action = key(row.get("direction", "")), key(row.get("action", ""))
    enabled = key(row.get("enabled", ""))
    if direction in OUT:
        return None
    if direction not in IN or action not in ALLOW | BLOCK or enabled not in YES | NO:
        raw.lose("a rule of the firewall in words that are not known here")
        return None
    said = row.get("protocol", "any")
    protocol = "any" if key(said) in ANY else _NUMBERS.get(said.lower())
    if protocol is None:
        return None
    profiles = (profile(part) for part in words(row.get("profiles", "")))
    return Rule(
        row["rulename"][:200],
        enabled in YES,
        "block" if action in BLOCK else "allow",
        protocol,
        words(row.get("localport", "")),
        words(row.get("remoteip", "")),
        tuple(one for one in profiles if one is not None),
        row.get("grouping", "")[:200],
        row.get("program", "")[:300],
    )


def _object(row: dict[str, str]) -> Rule | None:
    """Of Get-NetFirewallRule, which tells no ports; those of the rules that Windows brings are known. JSON
    has numbers (MSFT_NetFirewallRule).
    """
    built_in = _built_in(row)
    coming = "1" if built_in is not None else ""  # by its name
    if row.get("direction", coming).lower() not in ("inbound", "1"):
        return None
    action = _ACTIONS.get(row.get("action", "").lower())
    enabled = _ENABLED.get(row.get("enabled", "").lower())
    if action is None or enabled is None or (built_in is not None and built_in[1].lower() == "shadow"):
        return None
    ports = row.get("localport")
    named = _NUMBERS.get(row.get("protocol", "").lower())
    said = row.get("profile") or row.get("profiles") or ""
    if said.isdecimal():
        bits = int(said[:5])
        profiles: tuple[str, ...] = tuple(one for place, one in enumerate(PROFILES) if bits >> place & 1)
    else:
        profiles = tuple(one for one in (part.lower() for part in words(said)) if one in PROFILES)
    return Rule(
        (row.get("displayname") or row.get("name") or "")[:200],
        enabled,
        action,
        named or (built_in[2].lower() if built_in is not None else "any"),
        words(ports) if ports is not None else ("3389",) if built_in is not None else None,
        words(row.get("remoteaddress", "")),
        profiles,
        (row.get("displaygroup") or row.get("group") or "")[:200],
    )


def _built_in(row: dict[str, str]) -> re.Match[str] | None:
    """A rule of Remote Desktop's own, by its name; a table may have the shown one only."""
    name = row.get("name") or row.get("instanceid")
    return _BUILT_IN.match(name) if name else _SHOWN.match(row.get("displayname", ""))


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
