"""Which events are read at all, and how each counts in the story of a connection. What they say in words,
and which of their fields hold the client, the user and the status, is in `knowledge.events`.

Names and order of fields: Microsoft's event manifests (as published by repnz/etw-providers-docs), and
recorded logs where these list none. What is not here is noise for a Remote Desktop connection, or says only
what another event says better: RdpCoreTS 225 to 229 trace every call, good or bad, and a 226 stands at the
end of good sessions too.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

_TS = "Microsoft-Windows-TerminalServices-"
MANAGER = f"{_TS}RemoteConnectionManager"
SESSIONS = f"{_TS}LocalSessionManager"
CLIENT = f"{_TS}ClientActiveXCore"
GATEWAY = f"{_TS}Gateway"
CORE = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
AUDIT = "Microsoft-Windows-Security-Auditing"
SCHANNEL = "Schannel"
SERVICES = "Service Control Manager"
LSA = ("LsaSrv", "LSA (LsaSrv)")

#: How an event weighs. works: a connection got so far. fails: one did not. breaks: none can, as long as it
#: is so. warns: something is not as it should be. step, ends: on the way, and the end of what had worked.
#: cuts: a session was ended by a rule of the server, not by who used it.
WEIGHTS = ("works", "fails", "breaks", "warns", "step", "ends", "cuts")


@dataclass(frozen=True, slots=True)
class Kind:
    """means: a word for it, for rules. fields: names in order, for formats that lose them."""

    means: str
    weight: str
    stage: Stage
    fields: tuple[str, ...] = ()


_TCP, _X224, _TLS, _NLA = Stage.TCP, Stage.X224, Stage.TLS, Stage.NLA
_LICENSING, _END, _SECURITY, _UDP = Stage.LICENSING, Stage.FINALIZATION, Stage.SECURITY, Stage.UDP
_SHOWN, _HOST, _GATEWAY = Stage.CAPABILITIES, Stage.HOST, Stage.GATEWAY

_USER_AT = ("User", "SessionID", "Address")
_NAMED = ("Name", "Value", "CustomLevel")
_TRACED = ("TraceMessage", "ErrorCode")
_STATE = (
    "StateTransitionName",
    "PreviousState",
    "PreviousStateName",
    "NewState",
    "NewStateName",
    "Event",
    "EventName",
    "ErrorCode",
)
_LOGON = (
    *("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"),
    *("TargetUserSid", "TargetUserName", "TargetDomainName"),
)
_PACKAGE = ("LogonProcessName", "AuthenticationPackageName", "WorkstationName")
_REST = ("LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort")
_SESSION = ("AccountName", "AccountDomain", "LogonID", "SessionName", "ClientName", "ClientAddress")
_PACKET = (
    *("ProcessId", "Application", "Direction", "SourceAddress", "SourcePort", "DestAddress", "DestPort"),
    "Protocol",
)
_TUNNEL = ("Username", "IpAddress", "AuthType", "Resource")


def _session(means: str, weight: str) -> Kind:
    return Kind(means, weight, _END, _USER_AT)


def _cut(means: str, weight: str = "cuts") -> Kind:
    return Kind(means, weight, _END, ("Session",))


def _tunnel(means: str, weight: str) -> Kind:
    return Kind(means, weight, _GATEWAY, _TUNNEL)


_MANAGER: Mapping[int, Kind] = {
    258: Kind("listener.started", "step", _TCP, ("listenerName",)),
    259: Kind("listener.stopped", "step", _TCP, ("listenerName",)),
    260: Kind("listener.failed", "breaks", _TCP, ("listenerName", "errorCode")),
    261: Kind("connection.received", "step", _TCP, ("listenerName",)),
    1003: Kind("licence.invalid", "fails", _LICENSING, ("Param1",)),
    1004: Kind("licence.not-issued", "fails", _LICENSING),
    1006: Kind("connections.many-incomplete", "warns", _TCP),
    1010: Kind("licence.no-server", "fails", _LICENSING),
    1011: Kind("licence.expired", "fails", _LICENSING, ("Param1",)),
    1012: Kind("sign-in.too-many", "warns", _NLA, ("Session",)),
    1035: Kind("listener.down", "breaks", _TCP),
    1036: Kind("session.not-created", "fails", _END),
    1050: Kind("security-layer.corrected", "warns", _SECURITY),
    1051: Kind("certificate.not-usable", "warns", _TLS),
    1052: Kind("certificate.expiring", "warns", _TLS),
    1053: Kind("certificate.expired", "warns", _TLS),
    1054: Kind("certificate.wrong-usage", "warns", _TLS),
    1055: Kind("certificate.key-denied", "warns", _TLS),
    1056: Kind("certificate.made", "step", _TLS),
    1057: Kind("certificate.not-made", "breaks", _TLS),
    1058: Kind("certificate.not-renewed", "breaks", _TLS),
    1063: Kind("certificate.installed", "step", _TLS),
    1064: Kind("certificate.not-installed", "warns", _TLS),
    1065: Kind("certificate.not-replaced", "warns", _TLS),
    1067: Kind("spn.not-registered", "warns", _NLA),
    1068: Kind("licensing.no-mode", "warns", _LICENSING),
    1069: Kind("licensing.grace-over", "breaks", _LICENSING),
    1070: Kind("sign-in.drained", "fails", _NLA),
    1071: Kind("sign-in.drained", "fails", _NLA),
    1128: Kind("licensing.grace-over", "warns", _LICENSING),
    1129: Kind("licensing.no-server", "warns", _LICENSING),
    1130: Kind("licensing.no-server-set", "warns", _LICENSING),
    1149: Kind("sign-in.accepted", "works", _NLA, ("Param1", "Param2", "Param3")),
    1158: Kind("connection.received", "step", _TCP, ("Param1",)),
    20497: Kind("licensing.slow", "warns", _LICENSING),
    20499: Kind("profile.slow", "warns", _END, ("UserName", "ServerName")),
    20515: _cut("session.idle-limit"),
    20516: _cut("session.idle-limit"),
    20517: _cut("session.time-limit"),
    20518: _cut("session.time-limit"),
    20519: _cut("session.disconnected-limit"),
    50280: Kind("licensing.grace-over", "warns", _LICENSING),
    50281: Kind("licensing.grace-ending", "warns", _LICENSING, ("Param1",)),
}
_SESSIONS: Mapping[int, Kind] = {
    16: Kind("service.not-started", "breaks", _TCP, ("Param1",)),
    17: Kind("service.not-started", "breaks", _TCP, ("Param1",)),
    18: Kind("service.restarts", "warns", _TCP),
    21: _session("session.signed-in", "works"),
    22: _session("session.desktop", "works"),
    23: Kind("session.signed-out", "ends", _END, _USER_AT[:2]),
    24: _session("session.disconnected", "ends"),
    25: _session("session.reconnected", "works"),
    36: Kind("session.state-error", "warns", _END, ("SessionId",)),
    39: Kind("session.disconnected", "ends", _END, ("TargetSession", "Source")),
    40: Kind("session.disconnected", "ends", _END, ("Session", "Reason")),
    41: Kind("session.arbitrated", "step", _END, _USER_AT[:2]),
    **{i: Kind("session.slow", "warns", _END, ("Session",)) for i in (43, 44, 45, 48, 49, 50, 52, 53)},
}
_CORE: Mapping[int, Kind] = {
    **{i: Kind("graphics.failed", "fails", _SHOWN, ("HresultCode",)) for i in (1, 35)},
    **{i: Kind("graphics.failed", "fails", _SHOWN, ("ErrorCode",)) for i in (4, 36)},
    65: Kind("connection.named", "step", _TCP, ("ConnectionName",)),
    66: Kind("session.assigned", "step", _END, ("ConnectionName", "SessionID")),
    67: Kind("protocol.error", "fails", _X224, ("ConnectionName", "ErrorCode")),
    68: Kind(
        "session.shown",
        "works",
        _END,
        (
            *("ConnectionName", "PromptForCredentials", "PromptForCredentialsDone"),
            *("GfxChannelOpened", "FirstGraphicsReceived"),
        ),
    ),
    97: Kind("protocol.error", "fails", _X224, ("ComponentName", "ErrorCode")),
    98: Kind("connection.established", "step", _TCP),
    99: Kind("connection.failed", "fails", _TCP, ("ResultCode",)),
    102: Kind("connection.ended", "ends", _END),
    103: Kind("connection.ended", "ends", _END, ("ReasonCode",)),
    105: Kind("security-layer.native", "warns", _SECURITY),
    107: Kind("connection.ended-by-client", "ends", _END),
    131: Kind("connection.accepted", "step", _TCP, ("ConnType", "ClientIP")),
    136: Kind("udp.failed", "warns", _UDP),
    138: Kind("udp.no-dtls", "warns", _UDP, ("ResultCode",)),
    139: Kind("security.error", "fails", _TLS, ("ResultCode", "IPString")),
    140: Kind("sign-in.refused", "fails", _NLA, ("IPString",)),
    142: Kind("socket.error", "ends", _TCP, ("error",)),
    143: Kind("socket.error", "ends", _TCP, ("error",)),
    147: Kind("sign-in.failed", "fails", _NLA, ("Error",)),
    149: Kind("sign-in.bad-certificate", "fails", _NLA, ("ErrorCode",)),
    161: Kind("graphics.failed", "warns", _SHOWN, ("ErrorCode", "ServerName")),
}
_CLIENT: Mapping[int, Kind] = {
    226: Kind("client.state-error", "step", _TLS, _STATE),
    1007: Kind("client.name-not-found", "fails", Stage.DNS, _TRACED),
    1009: Kind("client.not-authenticated", "fails", _NLA, _TRACED),
    1012: Kind("client.gateway-failed", "fails", _GATEWAY, _TRACED),
    1017: Kind("client.no-licence", "fails", _LICENSING, _TRACED),
    1024: Kind("client.begins", "step", _TCP, _NAMED),
    1025: Kind("client.connected", "works", _NLA),
    1026: Kind("client.ended", "ends", _END, _NAMED),
    1027: Kind("client.in-session", "works", _END, ("DomainName", "SessionId")),
    1028: Kind("client.negotiated", "step", _TLS, _TRACED[:1]),
    1031: Kind("client.bad-packet", "fails", _X224, _TRACED[:1]),
    1102: Kind("client.address", "step", _UDP, _NAMED),
    1104: Kind("udp.failed", "warns", _UDP, _NAMED),
    1404: Kind("graphics.failed", "fails", _SHOWN, ("Component", "Function", "ErrorCode")),
}
_GATEWAY_KINDS: Mapping[int, Kind] = {
    102: Kind("gateway.policies-unread", "warns", _GATEWAY),
    200: _tunnel("gateway.connection-allowed", "step"),
    201: _tunnel("gateway.connection-refused", "fails"),
    203: _tunnel("gateway.connection-refused", "fails"),
    300: _tunnel("gateway.resource-allowed", "step"),
    301: _tunnel("gateway.resource-refused", "fails"),
    302: _tunnel("gateway.connected", "works"),
    303: _tunnel("gateway.ended", "ends"),
    304: _tunnel("gateway.target-unreachable", "fails"),
}
_AUDIT: Mapping[int, Kind] = {
    4624: Kind(
        "sign-in.accepted",
        "works",
        _NLA,
        (
            *_LOGON,
            *("TargetLogonId", "LogonType"),
            *_PACKAGE,
            *("LogonGuid", "TransmittedServices"),
            *_REST,
        ),
    ),
    4625: Kind(
        "sign-in.refused",
        "fails",
        _NLA,
        (
            *_LOGON,
            *("Status", "FailureReason", "SubStatus", "LogonType"),
            *_PACKAGE,
            "TransmittedServices",
            *_REST,
        ),
    ),
    4740: Kind("account.locked-out", "warns", _NLA, ("TargetUserName", "TargetDomainName")),
    4778: Kind("session.reconnected", "works", _END, _SESSION),
    4779: Kind("session.disconnected", "ends", _END, _SESSION),
    4825: Kind(
        "sign-in.no-right",
        "fails",
        _NLA,
        ("AccountName", "AccountDomain", "LogonID", "ClientAddress"),
    ),
    5152: Kind("firewall.blocked", "warns", _TCP, _PACKET),
    5157: Kind("firewall.blocked", "warns", _TCP, _PACKET),
}
_SCHANNEL: Mapping[int, Kind] = {
    36869: Kind("schannel.no-key", "warns", _TLS),
    36870: Kind("schannel.key-unusable", "warns", _TLS, ("Type", "ErrorCode", "ErrorStatus")),
    36871: Kind("schannel.no-credential", "warns", _TLS, ("Type", "ErrorState")),
    36873: Kind("schannel.no-suites", "warns", _TLS),
    36874: Kind("schannel.nothing-common", "warns", _TLS, ("Protocol",)),
    36887: Kind("schannel.alert-received", "warns", _TLS, ("AlertDesc",)),
    36888: Kind("schannel.alert-sent", "warns", _TLS, ("AlertDesc", "ErrorState")),
}
_SERVICES: Mapping[int, Kind] = {
    7000: Kind("service.not-started", "breaks", _TCP, ("param1", "param2")),
    7001: Kind("service.not-started", "breaks", _TCP, ("param1", "param2", "param3")),
    7022: Kind("service.hung", "breaks", _TCP, ("param1",)),
    7023: Kind("service.not-started", "breaks", _TCP, ("param1", "param2")),
    7024: Kind("service.not-started", "breaks", _TCP, ("param1", "param2")),
    7031: Kind("service.crashed", "warns", _TCP, ("param1",)),
    7034: Kind("service.crashed", "warns", _TCP, ("param1",)),
    7036: Kind("service.running", "step", _TCP, ("param1", "param2")),
}
_TERMDD: Mapping[int, Kind] = {
    50: Kind("protocol.error", "fails", _X224, ("#1", "#2")),
    56: Kind("security.error", "fails", _SECURITY, ("#1", "#2")),
}
_BROKER: Mapping[int, Kind] = {
    1296: Kind("broker.no-redirection", "fails", _END),
    1306: Kind("broker.redirection-failed", "fails", _END),
}

#: provider → id → kind.
WANTED: Mapping[str, Mapping[int, Kind]] = MappingProxyType(
    {
        MANAGER: _MANAGER,
        SESSIONS: _SESSIONS,
        CORE: _CORE,
        CLIENT: _CLIENT,
        GATEWAY: _GATEWAY_KINDS,
        AUDIT: _AUDIT,
        SCHANNEL: _SCHANNEL,
        SERVICES: _SERVICES,
        "TermDD": _TERMDD,
        f"{_TS}SessionBroker-Client": _BROKER,
        **{name: {6041: Kind("credssp.below-allowed", "fails", _NLA, ("#1", "#2"))} for name in LSA},
        "NETLOGON": {
            3210: Kind("domain.not-trusted", "warns", _NLA),
            5719: Kind("domain.unreachable", "warns", _NLA),
        },
    }
)

#: Other names of providers, in lower case: Event Viewer's column "Source" leaves Microsoft's prefix out.
_ALIASES: Mapping[str, str] = {
    **{name.removeprefix("Microsoft-Windows-").lower(): name for name in WANTED},
    **{name.lower(): name for name in WANTED},
    "microsoft windows security auditing.": AUDIT,
    "microsoft-windows-schannel-events": SCHANNEL,
    "microsoft-windows-service-control-manager": SERVICES,
    "microsoft-windows-lsa": "LsaSrv",
    "lsa (lsasrv)": "LsaSrv",
    "termservice": MANAGER,
}


def kind_of(provider: str, identity: int) -> Kind | None:
    """None where the event is of no interest."""
    return WANTED.get(provider, {}).get(identity)


def full_name(provider: str) -> str:
    return _ALIASES.get(provider.strip().lower(), provider)
