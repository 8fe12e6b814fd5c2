"""Values out of the English messages of events, for formats that hold nothing else.

A message in another language gives no values: the event counts, but not for whom or why.
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

_ADDRESS = r"\[?([0-9a-fA-F.:%]+)\]?"
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
    (SCHANNEL, 36870): (rf"cryptographic module is {_HEX}", ("ErrorCode",)),
    (SCHANNEL, 36871): (r"internal error state is (\d+)", ("ErrorState",)),
    (SCHANNEL, 36874): (r"An? (\S+ \S+) connection request", ("Protocol",)),
    (SCHANNEL, 36887): (r"code is (\d+)", ("AlertDesc",)),
    (SCHANNEL, 36888): (r"code is (\d+).*?state is (\d+)", ("AlertDesc", "ErrorState")),
    (SERVICES, 7000): (r"The (.+?) service failed to start", ("param1",)),
    (SERVICES, 7022): (r"The (.+?) service hung", ("param1",)),
    (SERVICES, 7031): (r"The (.+?) service terminated", ("param1",)),
    (SERVICES, 7034): (r"The (.+?) service terminated", ("param1",)),
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
}


def values(provider: str, identity: int, message: str) -> dict[str, str]:
    """By the names of `table.Kind.fields`. Of a label that stands several times (the account of who asked,
    and of who was meant) the last one that says something counts.
    """
    kind = kind_of(provider, identity)
    if kind is None:
        return {}
    sentence = _SENTENCES.get((provider, identity))
    if sentence is not None:
        found = re.search(sentence[0], message[:4000], re.DOTALL | re.MULTILINE)
        return dict(zip(sentence[1], map(clean, found.groups()), strict=True)) if found else {}
    data: dict[str, str] = {}
    for label, value in _LABEL.findall(message[:8000]):
        for name in _LABELS.get(label, ()):
            if name in kind.fields and (value != "-" or name not in data):
                data[name] = clean(value)
    if not data and not kind.fields and message and provider != AUDIT:
        data["#1"] = clean(message)
    return data
