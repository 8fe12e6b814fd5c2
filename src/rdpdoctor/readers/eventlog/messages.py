"""Values out of the English messages of events, for formats that hold nothing else.

Of a message in another language only what is no word can be known: an address, a code in hexadecimal, and
of a sign-in what its place among the labelled lines tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.eventlog.event import clean
from rdpdoctor.readers.eventlog.table import (
    AUDIT,
    CLIENT,
    CORE,
    MANAGER,
    SCHANNEL,
    SERVICES,
    SESSIONS,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.readers.eventlog.table import Kind

#: The dot that ends a sentence is no part of an address.
_ADDRESS = r"\[?([0-9a-fA-F.:%]*[0-9a-fA-F:])\]?"
_HEX = r"(0x[0-9a-fA-F]+|\d+)"

#: provider and id → where the values stand, in the order of the groups → their fields.
_SENTENCES: Mapping[tuple[str, int], tuple[str, tuple[str, ...]]] = {
    (MANAGER, 258): (r"Listener (\S+)", ("listenerName",)),
    (MANAGER, 259): (r"Listener (\S+)", ("listenerName",)),
    (MANAGER, 261): (r"Listener (\S+)", ("listenerName",)),
    (MANAGER, 1012): (r"session (?:name )?(\S+)", ("Session",)),
    (SESSIONS, 39): (r"Session (\d+) has been disconnected by session (\d+)", ("TargetSession", "Source")),
    (SESSIONS, 40): (r"Session (\d+) has been disconnected, reason code (\d+)", ("Session", "Reason")),
    (CORE, 65): (r"[Cc]onnection (\S+) created", ("ConnectionName",)),
    (CORE, 66): (r"[Cc]onnection (\S+) is assigned to session (\d+)", ("ConnectionName", "SessionID")),
    (CORE, 99): (rf"{_HEX}\D*$", ("ResultCode",)),
    (CORE, 103): (r"reason is (\d+)", ("ReasonCode",)),
    (CORE, 131): (r"new (\w+) connection from client (\S+?)\.?$", ("ConnType", "ClientIP")),
    (CORE, 139): (
        rf"\((?:error )?{_HEX}\).*?Client IP: ?{_ADDRESS}",
        ("ResultCode", "IPString"),
    ),
    (CORE, 140): (rf"IP address of {_ADDRESS} failed", ("IPString",)),
    (CORE, 147): (rf"{_HEX}\D*$", ("Error",)),
    (CLIENT, 226): (
        rf"(\w+): .*?transitioning from (\w+) to (\w+).*?response to (\w+).*?code {_HEX}",
        ("StateTransitionName", "PreviousStateName", "NewStateName", "EventName", "ErrorCode"),
    ),
    (CLIENT, 1024): (r"server \(([^)]*)\)", ("Value",)),
    (CLIENT, 1026): (r"\(Reason ?= ?(\d+)\)", ("Value",)),
    (CLIENT, 1102): (r"to the server ([^\s]+?)\.?$", ("Value",)),
    (SCHANNEL, 36870): (rf"(\w+) credential.*?cryptographic module is {_HEX}", ("Type", "ErrorCode")),
    (SCHANNEL, 36871): (r"(\w+) credential.*?state is (\d+)", ("Type", "ErrorState")),
    (SCHANNEL, 36874): (r"An? (\S+ \S+) connection request", ("Protocol",)),
    (SCHANNEL, 36887): (r"code is (\d+)", ("AlertDesc",)),
    (SCHANNEL, 36888): (r"code is (\d+).*?state is (\d+)", ("AlertDesc", "ErrorState")),
    (SERVICES, 7000): (r"The (.+?) service failed to start", ("param1",)),
    (SERVICES, 7001): (r"The (.+?) service depends on", ("param1",)),
    (SERVICES, 7022): (r"The (.+?) service hung", ("param1",)),
    (SERVICES, 7023): (r"The (.+?) service terminated", ("param1",)),
    (SERVICES, 7024): (r"The (.+?) service terminated", ("param1",)),
    (SERVICES, 7031): (r"The (.+?) service terminated", ("param1",)),
    (SERVICES, 7034): (r"The (.+?) service terminated", ("param1",)),
    (SERVICES, 7036): (r"The (.+?) service entered the (\w+) state", ("param1", "param2")),
    ("TermDD", 56): (rf"Client IP: ?{_ADDRESS}", ("#2",)),
}
_LABEL = re.compile(r"^\s*([A-Z][A-Za-z ]{1,40}):[ \t]+(\S.*?)\s*$", re.MULTILINE)
#: Labels of messages → the field, for any event that has it.
_LABELS: Mapping[str, tuple[str, ...]] = {
    "Source Network Address": ("IpAddress", "Address", "Param3"),
    "Client Address": ("ClientAddress",),
    "Account Name": ("TargetUserName", "AccountName"),
    "User": ("User", "Param1"),
    "Domain": ("Param2",),
    "Session ID": ("SessionID",),
    "Logon Type": ("LogonType",),
    "Status": ("Status",),
    "Sub Status": ("SubStatus",),
    "Caller Process Name": ("ProcessName",),
    "Logon Process": ("LogonProcessName",),
    "Direction": ("Direction",),
    "Source Address": ("SourceAddress",),
    "Destination Port": ("DestPort",),
    "Protocol": ("Protocol",),
}


_IP = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?(?![\w.]*\w)")
_CODE = re.compile(r"(?<!\w)0x[0-9a-fA-F]{8}(?!\w)")
#: Values that Windows writes out, as the event itself has them.
_SPELLED: Mapping[tuple[str, str], str] = {("Direction", "Inbound"): "%%14592"}
_QUOTED = re.compile(r"[\"\u201e\u201c\u00ab]\s*([^\"\u201c\u201d\u00bb\n]{3,80}?)\s*[\"\u201c\u201d\u00bb]")
_KIND = re.compile(r"\d{1,2}")
#: Windows writes some translated labels with two colons, others with a blank before it.
_ANY_LABEL = re.compile(
    r"^[ \t]*[^\s:\uff1a][^:\uff1a\n]{0,80}[:\uff1a]{1,2}[^\S\n]*(\S[^\n]*)", re.MULTILINE
)
_WHERE = ("Param3", "IpAddress", "Address", "ClientIP", "IPString", "ClientAddress")
_WHY = ("Status", "SubStatus", "ErrorCode", "ResultCode", "Error")


def values(provider: str, identity: int, message: str) -> dict[str, str]:
    """By the names of `table.Kind.fields`. Of a label that stands several times (the account of who asked,
    and of who was meant) the last one that says something counts.
    """
    kind = kind_of(provider, identity)
    if kind is None:
        return {}
    data = _english(provider, identity, kind, message)
    if provider == AUDIT and identity in (4624, 4625) and "LogonType" not in data:
        data |= _placed(message[:8000])
    if not data and provider == SERVICES and (quoted := _QUOTED.search(message[:400])):
        data["param1"] = quoted[1]  # as translations set the service's name apart
    if not data.keys() - {"#1"}:
        where = _IP.search(message[:8000])
        data |= {name: where[1] for name in kind.fields if where and name in _WHERE}
        codes = _CODE.findall(message[:8000])
        data |= dict(zip((name for name in kind.fields if name in _WHY), codes, strict=False))
    return data


def _placed(message: str) -> dict[str, str]:
    """Of a sign-in in any language: the labelled lines stand in one order. Its type is the short number right
    behind the first logon id; a refused one's status is the first NTSTATUS, five lines behind the type.
    """
    found = [value.strip() for value in _ANY_LABEL.findall(message)]
    kind = next(
        (
            place
            for place, value in enumerate(found)
            if place and _KIND.fullmatch(value) and found[place - 1].lower().startswith("0x")
        ),
        None,
    )
    if kind is None:
        return {}
    data = {"LogonType": found[kind]}
    behind = found[kind + 1 :]
    if len(behind) > 5 and _CODE.fullmatch(behind[4]) and _CODE.fullmatch(behind[5]):
        data |= {"TargetUserName": behind[1], "Status": behind[4], "SubStatus": behind[5]}
        data |= dict(zip(("ProcessName", "WorkstationName", "IpAddress"), behind[7:10], strict=False))
        data |= dict(zip(("LogonProcessName",), behind[11:12], strict=False))
    return {name: clean(value) for name, value in data.items()}


def _english(provider: str, identity: int, kind: Kind, message: str) -> dict[str, str]:
    sentence = _SENTENCES.get((provider, identity))
    if sentence is not None:
        found = re.search(sentence[0], message[:4000], re.DOTALL | re.MULTILINE)
        return dict(zip(sentence[1], map(clean, found.groups()), strict=True)) if found else {}
    data: dict[str, str] = {}
    for label, value in _LABEL.findall(message[:8000]):
        for name in _LABELS.get(label, ()):
            if name in kind.fields and (value != "-" or name not in data):
                data[name] = _SPELLED.get((label, value), clean(value))
    if not data and not kind.fields and message and provider != AUDIT:
        data["#1"] = clean(message)
    return data
