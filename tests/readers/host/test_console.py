"""What console tools print, pasted or saved."""

from __future__ import annotations

from importlib import resources
from textwrap import wrap
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.readers.host import HostError, read_host
from tests.readers.host.craft import judged, standing

if TYPE_CHECKING:
    from collections.abc import Callable

QWINSTA = """\
C:\\>qwinsta
 SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE
 services                                    0  Disc
>console           alice                     1  Active
 rdp-tcp#3         bob                       2  Active
 rdp-tcp                                 65536  Listen
"""
NETSTAT = """\
Active Connections

  Proto  Local Address          Foreign Address        State           PID
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       900
  TCP    0.0.0.0:3389           0.0.0.0:0              LISTENING       1044
  TCP    10.0.4.21:3389         10.0.4.9:50123         ESTABLISHED     1044
  TCP    [::]:445               [::]:0                 LISTENING       4
  UDP    0.0.0.0:3389           *:*                                    1044
"""
SC = """\
SERVICE_NAME: TermService
        TYPE               : 20  WIN32_SHARE_PROCESS
        STATE              : 1  STOPPED
        WIN32_EXIT_CODE    : 1068  (0x42c)
"""
QC = """\
SERVICE_NAME: TermService
        TYPE               : 20  WIN32_SHARE_PROCESS
        START_TYPE         : 4   DISABLED
"""
LIST = """\
Name                : TermService
DisplayName         : Remote Desktop Services
Status              : Stopped
StartType           : Disabled
"""
TABLE = """\
Status   Name               DisplayName
------   ----               -----------
Stopped  TermService        Remote Desktop Services
"""
TESTED = """\
WARNING: TCP connect to (10.0.4.21 : 3389) failed

ComputerName           : srv01
RemoteAddress          : 10.0.4.21
RemotePort             : 3389
InterfaceAlias         : Ethernet
SourceAddress          : 10.0.4.9
PingSucceeded          : True
PingReplyDetails (RTT) : 0 ms
TcpTestSucceeded       : False
"""
RULE = """\
Rule Name:                            Remote Desktop - User Mode (TCP-In)
----------------------------------------------------------------------
Enabled:                              {enabled}
Direction:                            In
Profiles:                             Domain,Private
Grouping:                             Remote Desktop
LocalIP:                              Any
RemoteIP:                             {remote}
Protocol:                             TCP
LocalPort:                            3389
RemotePort:                           Any
Edge traversal:                       No
Action:                               {action}
"""
OBJECT = """\
Name                  : RemoteDesktop-UserMode-In-TCP
DisplayName           : Remote Desktop - User Mode (TCP-In)
DisplayGroup          : Remote Desktop
Enabled               : False
Profile               : Domain, Private
Direction             : Inbound
Action                : Allow
"""
CERTUTIL = """\
Remote Desktop "Remote Desktop"
================ Certificate 0 ================
Serial Number: 1a2b
Issuer: CN=srv01.corp.example
 NotBefore: 1/5/2026 3:04 PM
 NotAfter: 7/6/2026 3:04 PM
Subject: CN=srv01.corp.example
Signature matches Public Key
Root Certificate: Subject matches Issuer
Cert Hash(sha1): a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1
{key}
CertUtil: -store command completed successfully.
"""
W32TM = """\
Leap Indicator: 3(not synchronized)
Stratum: 0 (unspecified)
Source: Local CMOS Clock
Poll Interval: 6 (64s)
"""
IPCONFIG = """\

Windows IP Configuration

   Host Name . . . . . . . . . . . . : SRV01
   Primary Dns Suffix  . . . . . . . : corp.example

Ethernet adapter Ethernet0:

   Description . . . . . . . . . . . : Intel(R) 82574L Gigabit Network Connection
   IPv4 Address. . . . . . . . . . . : 10.0.4.21(Preferred)

PPP adapter Office:

   Description . . . . . . . . . . . : WireGuard Tunnel
   IPv4 Address. . . . . . . . . . . : 10.9.0.2(Preferred)
"""


def rows(text: str, tag: str) -> list[dict[str, object]]:
    return [dict(row.args) for row in read_host(text.encode()).observations if row.tag == tag]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_listeners_in_qwinsta(encoding: str) -> None:
    data = QWINSTA.replace("\n", "\r\n").encode(encoding)
    assert standing(judged(data)) == {}
    gone = "\r\n".join(line for line in QWINSTA.split("\n") if "65536" not in line).encode(encoding)
    assert set(standing(judged(gone))) == {"listener.absent", "listener.damaged", "rdp.disabled"}
    assert judged(gone).verdict.status == "unreachable"


def test_a_german_qwinsta_is_read_by_its_numbers() -> None:
    text = """\
 SITZUNGSNAME      BENUTZERNAME             ID  STATUS  TYP         GERÄT
>services                                    0  Getr.
 console                                     1  Verb.
 rdp-tcp                                 65536  Abhören
"""
    assert rows(text, "host.sessions") == [{"listener": True, "users": 0, "lines": 3}]


def test_who_listens_by_netstat() -> None:
    assert rows(NETSTAT, "host.listeners") == [
        {"tcp": [135, 445, 3389], "udp": [3389], "service": None, "asked": None, "local": [], "both": [3389]}
    ]
    german = NETSTAT.replace("LISTENING", "ABHÖREN  ")
    assert rows(german, "host.listeners") == rows(NETSTAT, "host.listeners")
    assert standing(judged(NETSTAT.encode())) == {}
    absent = NETSTAT.replace("0.0.0.0:3389 ", "0.0.0.0:3390 ")
    assert judged(absent.encode()).verdict.status == "unreachable"


@pytest.mark.parametrize("text", [SC, LIST, TABLE, QC, SC.replace("SERVICE_NAME", "Dienstname")])
def test_a_stopped_service(text: str) -> None:
    assert standing(judged(text.encode())) == {"service.stopped": "confirmed"}
    assert judged(text.encode()).verdict.stage == "tcp"


def test_a_running_service_is_no_news() -> None:
    assert standing(judged(SC.replace("1  STOPPED", "4  RUNNING").encode())) == {}
    assert standing(judged(TABLE.replace("Stopped", "Running").encode())) == {}


def test_what_a_client_tested() -> None:
    found = judged(TESTED.encode())
    assert (found.verdict.status, found.verdict.stage) == ("unreachable", "tcp")
    assert set(standing(found).values()) == {"possible"}
    assert {"path.filtered", "listener.absent"} <= set(standing(found))
    assert standing(found)["firewall.windows"] == "possible"
    opened = judged(TESTED.replace(": False", ": True").encode())
    assert opened.verdict.status == "unknown"
    assert next(each.status for each in opened.stages if each.id == "tcp") == "ok"
    facts = read_host(TESTED.encode())
    assert (facts.computer, facts.port) == ("srv01", 3389)
    assert read_host((IPCONFIG + TESTED).encode()).computer == "srv01"
    assert read_host((IPCONFIG + SC + "\n" + TESTED).encode()).computer == "SRV01"


MOVED = NETSTAT.replace("0.0.0.0:3389 ", "0.0.0.0:3390 ")
OWNED = """\
  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4
 Can not obtain ownership information
  TCP    0.0.0.0:3390           0.0.0.0:0              LISTENING       1044
  TermService
 [svchost.exe]
"""


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (MOVED, "possible"),
        (OWNED, "confirmed"),
        (MOVED.replace("UDP    0.0.0.0:3390 ", "UDP    0.0.0.0:5353 "), None),
        (MOVED + "  TCP    0.0.0.0:3389  0.0.0.0:0  LISTENING  77\n", None),
        (MOVED + "  TCP    0.0.0.0:8801  0.0.0.0:0  LISTENING  77\n  UDP    0.0.0.0:8801  *:*  77\n", None),
    ],
)
def test_a_port_that_was_moved(text: str, confidence: str | None) -> None:
    assert standing(judged(text.encode())).get("port.changed") == confidence


BLOCKS = """\
Name                          : {name}
DisplayName                   : {shown}
Enabled                       : {enabled}
Profile                       : Any
Direction                     : Inbound
Action                        : Block

"""


OPEN = OBJECT.replace("False", "True").replace("Domain, Private", "Any")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (BLOCKS.format(name="{F3A1}", shown="Block RDP", enabled="True"), {"firewall.may-block"}),
        (BLOCKS.format(name="{F3A1}", shown="Block RDP", enabled="False"), {"firewall.shut"}),
        (OPEN + "\n" + BLOCKS.format(name="x", shown="No 3389", enabled="True"),
         {"firewall.may-block", "firewall.open"}),
        (OPEN + "\n"
         + "".join(BLOCKS.format(name=f"n{each}", shown=f"Game {each}", enabled="True") for each in range(9)),
         {"firewall.open"}),
    ],
)  # fmt: skip
def test_a_rule_that_blocks_ports_nobody_told(text: str, means: set[str]) -> None:
    told = [row.args["means"] for row in judged(text.encode()).observations if row.tag == "derived.host"]
    assert {one for one in told if str(one).startswith("firewall.")} == means


CHART = """\
C:\\>w32tm /stripchart /computer:dc1 /samples:3 /dataonly
Tracking dc1 [10.1.0.1:123].
Collecting 3 samples.
The current time is 11/20/2026 9:14:03 AM.
{}
"""


@pytest.mark.parametrize(
    ("samples", "offset"),
    [
        ("09:14:03, +437.1230000s\n09:14:05, +437.1234567s\n09:14:07, +437.1234567s", 437.1234567),
        ("09:14:03, -00.0012345s\n09:14:05, +437.0s\n09:14:07, +00.0011345s", 0.0011345),
        ("09:14:03, +00,0012345s", 0.0012345),
        ("09:14:03 d:+00.0009766s o:+437.0012345s  [                  |        *]", 437.0012345),
        ("> 09:14:03, error: 0x800705B4", None),
    ],
)
def test_a_clock_beside_another_one(samples: str, offset: float | None) -> None:
    found = [] if offset is None else [offset]
    text = CHART.format(samples) + SC
    assert [row["offset_s"] for row in rows(text, "host.clock")] == found


PLAIN = """\
Windows IP Configuration

Ethernet adapter Ethernet:

   Connection-specific DNS Suffix  . :
   IPv4 Address. . . . . . . . . . . : 10.1.1.5
   Subnet Mask . . . . . . . . . . . : 255.255.255.0

PPP adapter Office VPN:

   IPv4 Address. . . . . . . . . . . : 10.9.0.2
"""


def test_adapters_without_all() -> None:
    found = [(row["name"], row["vpn"]) for row in rows(PLAIN, "host.adapter")]
    assert found == [("Ethernet adapter Ethernet", False), ("PPP adapter Office VPN", True)]


SUITES = "TLS_RSA_WITH_RC4_128_SHA"
ORDER = """\
Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002]
"Functions"="{}"
"""


@pytest.mark.parametrize(
    ("suites", "confidence"),
    [
        (SUITES, "likely"),
        (f"{SUITES},TLS_RSA_WITH_3DES_EDE_CBC_SHA", "likely"),
        (f"{SUITES},TLS_RSA_WITH_AES_256_CBC_SHA256", None),
        ("", None),
    ],
)
def test_a_list_of_old_suites(suites: str, confidence: str | None) -> None:
    assert standing(judged(ORDER.format(suites).encode())).get("tls.cipher-mismatch") == confidence


def test_the_collectors_script_is_not_what_it_collects() -> None:
    script = resources.files("rdpdoctor.collector").joinpath("collect.ps1").read_bytes()
    with pytest.raises(HostError, match="the script of `rdpdoctor collect`"):
        read_host(script)


PROFILE = "{} Profile Settings:\n-----\nState     ON\nFirewall Policy     BlockInbound,AllowOutbound\n\n"


def test_rules_of_the_firewall_by_netsh() -> None:
    on = {"enabled": "Yes", "remote": "Any", "action": "Allow"}
    off = RULE.format(**{**on, "enabled": "No"})
    assert set(standing(judged(off.encode()))) == {"firewall.windows"}
    private = PROFILE.format("Private") + RULE.format(**on)
    assert standing(judged(private.encode())) == {}
    public = PROFILE.format("Public") + RULE.format(**on)
    assert set(standing(judged(public.encode()))) == {"firewall.windows"}
    blocked = RULE.format(**{**on, "action": "Block"}).replace("Domain,Private", "Domain,Private,Public")
    assert standing(judged(blocked.encode())) == {"firewall.windows": "confirmed"}


def test_rules_of_the_firewall_by_powershell() -> None:
    assert set(standing(judged(OBJECT.encode()))) == {"firewall.windows"}
    allowed = OBJECT.replace("False", "True").replace("Domain, Private", "Any")
    assert standing(judged(allowed.encode())) == {}


def test_certificates_by_certutil() -> None:
    good = CERTUTIL.format(key="  Key Container = TSSecKeySet1\nEncryption test passed")
    assert standing(judged(good.encode())) == {"certificate.expired": "confirmed"}
    valid = CERTUTIL.replace("7/6/2026", "7/6/2027")
    assert standing(judged(valid.format(key="No key provider information").encode())) == {
        "certificate.key-unusable": "confirmed"
    }
    shut = valid.format(key="  Key Container = TSSecKeySet1\nMissing stored keyset")
    found = judged(shut.encode())
    # Whoever is no administrator is told the same of a key that is there.
    assert standing(found) == {"certificate.key-unusable": "possible"}
    assert found.verdict.status == "degraded"
    other = (
        valid.format(key="Encryption test passed")
        .replace("Certificate 0", "Certificate 1")
        .replace("a1", "b2")
    )
    assert standing(judged(f"{shut}\n{other}".encode())) == {"certificate.key-unusable": "confirmed"}


def test_a_clock_that_follows_nobody_is_no_cause_by_itself() -> None:
    assert rows(W32TM, "host.clock") == [
        {"source": "Local CMOS Clock", "stratum": 0, "synced": False, "offset_s": None}
    ]
    assert standing(judged(W32TM.encode())) == {}


def test_adapters() -> None:
    assert [(row["name"], row["vpn"]) for row in rows(IPCONFIG, "host.adapter")] == [
        ("Intel(R) 82574L Gigabit Network Connection", False),
        ("WireGuard Tunnel", True),
    ]
    assert read_host(IPCONFIG.encode()).computer == "SRV01"


def test_a_paste_of_several_tools_is_read_as_a_whole() -> None:
    text = (
        QWINSTA.replace(" rdp-tcp         ", " x               ")
        + "\nPS C:\\> sc query\n"
        + SC
        + "\n"
        + NETSTAT
    )
    facts = read_host(text.encode())
    assert {row.tag for row in facts.observations} >= {"host.sessions", "host.service", "host.listeners"}
    assert standing(judged(text.encode()))["service.stopped"] == "confirmed"


def _wrapped(text: str) -> str:
    lines = (wrap(line, 72, drop_whitespace=False) or [""] for line in text.split("\n"))
    return "\n".join(part for parts in lines for part in parts)


def _quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


LONG = NETSTAT.replace("LISTENING       1044", "LISTENING       104400")
HEALTHY = f"{QWINSTA}\n{LONG}\n{SC.replace('1  STOPPED', '4  RUNNING')}"
SHAPES: dict[str, Callable[[str], str]] = {
    "quoted": _quoted,
    "twice": lambda text: _quoted(_quoted(text)),
    "marks": lambda text: _quoted(text, ">> "),
    "answered": lambda text: f"Hello,\n\nBob wrote:\n{_quoted(text)}\n\nThanks\n",
    "wrapped": _wrapped,
    "wrapped, then quoted": lambda text: _quoted(_wrapped(text)),
    "quoted, then wrapped": lambda text: _wrapped(_quoted(text)),
    "code": lambda text: _quoted(text, "    "),
    "quoted code": lambda text: _quoted(_quoted(text), "    "),
    "double ends": lambda text: text.replace("\n", "\n\n"),
    "hard blanks": lambda text: text.replace("  ", "\xa0 "),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_what_tickets_do_to_text(shape: str, encoding: str) -> None:
    """A healthy machine stays one, and a stopped service is found."""
    assert standing(judged(SHAPES[shape](HEALTHY).encode(encoding))) == {}
    stopped = SHAPES[shape](HEALTHY.replace("4  RUNNING", "1  STOPPED"))
    assert standing(judged(stopped.encode(encoding)))["service.stopped"] == "confirmed"


def test_a_list_of_listeners_with_broken_lines_lacks_nothing() -> None:
    broken = NETSTAT.replace(
        "TCP    0.0.0.0:3389           0.0.0.0:0 ", "TCP    0.0.0.0:3389           0.0.0"
    )
    assert standing(judged(broken.encode())) == {}
