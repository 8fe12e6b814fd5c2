"""What decides in pastes of consoles: who owns the port and for whom it is open, listeners that are down,
keys that are not there, and the name of the machine.
"""

from __future__ import annotations

import pytest

from rdpdoctor.readers.host import read_host
from tests.readers.host.craft import SCHANNEL, bundle, judged, packed, standing, value

NETSTAT = """\
  Proto  Local Address          Foreign Address        State            PID
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       944
  TCP    {}:3389           0.0.0.0:0              LISTENING       {}
"""
LOCAL = """\
  TCP    127.0.0.1:3389         0.0.0.0:0              LISTENING       5120
  TCP    127.0.0.1:8080         0.0.0.0:0              LISTENING       5120
"""
QUERYEX = """\
SERVICE_NAME: TermService
        STATE              : 4  RUNNING
        PID                : 1180
"""
SESSIONS = """\
 SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE
>console           administrator             1  Active
 rdp-tcp                                 65536  {}
"""
KEYS = """\
PS C:\\> gci 'Cert:\\LocalMachine\\Remote Desktop' | ft Thumbprint, NotAfter, HasPrivateKey

Thumbprint                               NotAfter            HasPrivateKey
----------                               --------            -------------
A1B2C3D4E5F60718293A4B5C6D7E8F9001122334 20.05.2027 10:00:00         {}
"""


@pytest.mark.parametrize(
    ("text", "means", "cause"),
    [
        (NETSTAT.format("0.0.0.0", 1180) + QUERYEX, None, None),
        (NETSTAT.format("0.0.0.0", 5120) + QUERYEX, "listener.other", "port.not-rdp"),
        (NETSTAT.format("127.0.0.1", 1180) + QUERYEX, "listener.local", "listener.absent"),
        (NETSTAT.format("127.0.0.1", 1180).replace(":135 ", ":136 "), "listener.local", "listener.absent"),
        (NETSTAT.format("127.0.0.1", 7) + NETSTAT.format("0.0.0.0", 1180), None, None),
        (LOCAL, None, None),
        (SESSIONS.format("Listen"), None, None),
        (SESSIONS.format("Abh\u00f6ren"), None, None),
        (SESSIONS.format("Down"), "listener.not-listed", "listener.damaged"),
        (KEYS.format("True"), None, None),
        (KEYS.format("False"), "certificate.no-key", "certificate.key-unusable"),
    ],
)
def test_what_decides(text: str, means: str | None, cause: str | None) -> None:
    found = judged(text.encode())
    bad = {
        row.args["means"]
        for row in found.observations
        if row.tag == "derived.host" and row.args["weight"] in ("breaks", "warns")
    }
    assert bad == ({means} if means else set())
    assert (cause in standing(found)) if cause else not standing(found)


@pytest.mark.parametrize(
    ("text", "computer"),
    [
        ("C:\\>hostname\nSRV07\n\n" + QUERYEX, "SRV07"),
        ("PS C:\\Users\\a> hostname\nsrv07\n\n" + QUERYEX, "SRV07"),
        ("C:\\>hostname\nSRV07\n\nC:\\>hostname\nPC-1\n\n" + QUERYEX, None),
        ("C:\\>hostname\n\nC:\\>sc queryex TermService\n\n" + QUERYEX, None),
        (QUERYEX, None),
    ],
)
def test_the_name_of_the_machine(text: str, computer: str | None) -> None:
    assert read_host(text.encode()).computer == computer


@pytest.mark.parametrize(
    ("versions", "build", "confirmed"),
    [
        (("1.2",), "10.0.17763", False),
        (("1.0", "1.1", "1.2"), None, False),
        (("1.0", "1.1", "1.2"), "10.0.20348", False),
        (("1.0", "1.1", "1.2"), "10.0.17763", True),
        (("1.0", "1.1", "1.2", "1.3"), None, True),
    ],
)
def test_tls_that_is_switched_off_leaves_others(
    versions: tuple[str, ...], build: str | None, confirmed: bool
) -> None:
    rows = [value(rf"{SCHANNEL}\TLS {one}\Server", "Enabled", 0) for one in versions]
    registry = [*bundle()["registry"], *rows]
    found = judged(packed(registry=registry, system={"computer": "SRV01", "version": build}))
    assert standing(found)["tls.version-mismatch"] == ("confirmed" if confirmed else "possible")
    assert (found.verdict.status == "failing") is confirmed
