"""A bundle of a machine on which all is well, to spoil one thing at a time; and what is made of files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.facts import Journal, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.host import read_host

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.diagnosis import Diagnosis
    from rdpdoctor.facts import Observation

STARTED = "2026-11-22T10:00:00.000Z"
TS = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
LISTENER = rf"{TS}\WinStations\RDP-Tcp"
POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"
SCHANNEL = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
THUMBPRINT = "A1" * 20


def value(path: str, name: str, number: int | str, kind: str = "DWord") -> dict[str, Any]:
    return {"path": path, "name": name, "type": kind, "value": number}


def certificate(**changes: Any) -> dict[str, Any]:
    return {
        "store": "Remote Desktop",
        "thumbprint": THUMBPRINT,
        "subject": "CN=srv01.corp.example",
        "issuer": "CN=srv01.corp.example",
        "not_before": "2026-09-01T00:00:00.000Z",
        "not_after": "2027-03-01T00:00:00.000Z",
        "has_private_key": True,
        "key": "RSA",
        "key_bits": 2048,
        "signature": "sha256RSA",
        "usages": "1.3.6.1.5.5.7.3.1",  # a list of one, as PowerShell writes it
        "names": None,
        "key_file": r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\f686aace6942fb7f7ceb231212eef4a4_x",
        "key_error": None,
        "key_access": [
            {"who": "S-1-5-18", "rights": "FullControl", "kind": "Allow"},
            {"who": "S-1-5-20", "rights": "Read, Synchronize", "kind": "Allow"},
        ],
        **changes,
    }


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Remote Desktop - User Mode (TCP-In)",
        "group": "@FirewallAPI.dll,-28752",
        "enabled": True,
        "action": "allow",
        "protocol": "tcp",
        "ports": "3389",
        "remote": "*",
        "profiles": ["domain", "private"],
        "program": r"%SystemRoot%\system32\svchost.exe",
        "service": "termservice",
        **changes,
    }


def bundle(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "rdpdoctor.bundle/1",
        "collected": STARTED,
        "role": "server",
        "masked": False,
        "port": 3389,
        "elevated": True,
        "system": {
            "computer": "SRV01",
            "caption": "Microsoft Windows Server 2019 Standard",
            "version": "10.0.17763",
            "kind": "server",
        },
        "registry": [
            value(TS, "fDenyTSConnections", 0),
            value(TS, "TSEnabled", 1),
            value(LISTENER, "PortNumber", 3389),
            value(LISTENER, "SecurityLayer", 2),
            value(LISTENER, "MinEncryptionLevel", 3),
            value(LISTENER, "fEnableWinStation", 1),
            value(LISTENER, "MaxInstanceCount", -1),
            value(
                r"HKLM\SYSTEM\CurrentControlSet\Services\TermService\Parameters",
                "ServiceDll",
                r"C:\Windows\System32\termsrv.dll",
                "ExpandString",
            ),
            value(
                r"HKLM\SYSTEM\CurrentControlSet\Services\TermService",
                "ObjectName",
                r"NT AUTHORITY\NetworkService",
                "String",
            ),
            value(r"HKLM\SYSTEM\CurrentControlSet\Services\TermService", "Start", 3),
        ],
        "services": [
            {"name": "TermService", "state": "Running", "start": "Manual", "pid": 1044, "account": None},
            {"name": "KeyIso", "state": "Stopped", "start": "Manual", "pid": 0, "account": "LocalSystem"},
        ],
        "listeners": [
            {"protocol": "tcp", "address": "::", "port": 3389, "pid": 1044, "process": "svchost"},
            {"protocol": "udp", "address": "::", "port": 3389, "pid": 1044, "process": "svchost"},
        ],
        "sessions": [
            " SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE ",
            ">services                                    0  Disc                        ",
            " console                                     1  Conn                        ",
            " rdp-tcp                                 65536  Listen                      ",
        ],
        "certificates": certificate(),
        "firewall": {
            "active": "domain",
            "profiles": [
                {"name": name, "enabled": True, "blocks_all": False, "default": "block"}
                for name in ("domain", "private", "public")
            ],
            "rules": rule(),
        },
        "network": {"name": "Intel(R) 82574L", "addresses": ["10.0.4.21"], "mtu": 1500, "vpn": False},
        "time": {
            "zone": "UTC",
            "offset_minutes": 0,
            "status": ["Leap Indicator: 0(no warning)", "Stratum: 4", "Source: dc01.corp.example"],
        },
        "licensing": {"mode": 1, "terminal_mode": 0, "certificate_kind": 0, "certificate": THUMBPRINT},
        "errors": None,
        **changes,
    }


def packed(**changes: Any) -> bytes:
    return json.dumps(bundle(**changes)).encode()


def with_value(*rows: dict[str, Any]) -> bytes:
    """All well but for these values; they come last, and so count."""
    return packed(registry=[*bundle()["registry"], *rows])


def journal(rows: Iterable[Observation], port: int = 3389) -> Journal:
    found = Journal(Target("srv01", "srv01", port), STARTED)
    found.extend(rows)
    return found


def judged(*sources: bytes, port: int = 3389, role: str | None = None) -> Diagnosis:
    """The diagnosis of files alone. Every observation must be as declared."""
    rows = [row for source in sources for row in read_host(source, role).observations]
    tags = load().tags
    assert [fault for row in rows for fault in faults(row, tags)] == []
    found = diagnose(journal(rows, port), load())
    assert [fault for row in found.observations for fault in faults(row, tags)] == []
    return found


def standing(found: Diagnosis) -> dict[str, str]:
    """Cause → confidence, without those ruled out."""
    return {one.id: str(one.confidence) for one in found.causes if one.confidence != "ruled-out"}
