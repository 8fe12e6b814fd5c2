"""Recordings, logs and settings of real machines, through the command: what their README says of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from tests.command import VALIDATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parents[4] / "shared" / "captures"
pytestmark = pytest.mark.skipif(not HERE.is_dir(), reason="the files of ../shared/captures are not here")

EXITS = {"healthy": 0, "degraded": 0, "failing": 1, "unreachable": 1, "unknown": 3}
#: What stands for somebody to blame. Confirmed and likely ones, but for certificates that warn beside.
STANDING = ("confirmed", "likely")
ANYTHING = None


class Says(NamedTuple):
    """status: accepted. stages: where it fails, or needs attention. first: the first cause may be one of
    these; () none at all, None any. only: causes that may be confirmed or likely (None: as `first`). never:
    causes that must not stand at all. reports: how many. text: what the reports say somewhere.
    """

    status: Sequence[str]
    stages: Sequence[str] | None = None
    first: Sequence[str] | None = ()
    only: Sequence[str] | None = None
    never: Sequence[str] = ()
    reports: int = 1
    text: Sequence[str] = ()


FINE = ("healthy", "unknown")
WORKS = ("healthy",)
CUT = Says(("unknown",), first=ANYTHING, only=())
OLD = ("certificate.weak", "tls.version-mismatch", "certificate.name-mismatch")
UDP = ("udp.blocked", "path.idle-timeout", "udp.idle-drop")
PATH = ("path.loss", "path.latency", "path.mtu-black-hole", "security-layer.rdp-only")

PCAP: dict[str, Says] = {
    "nla-required-refused.pcapng": Says(("failing",), ("x224",), ("nla.required",)),
    "credssp-ntlm-refused-then-nla-required.pcapng": Says(
        ("failing",), ("nla",), ("ntlm.blocked",),
        only=("ntlm.blocked", "certificate.name-mismatch"), never=("nla.required",),
    ),
    "ok-restricted-admin.pcapng": Says(WORKS),
    "ok-nla-kerberos.pcapng": Says(WORKS),
    "ok-nla-smartcard.pcapng": Says(WORKS),
    "ok-tls-without-nla.pcapng": Says(WORKS),
    "ok-gateway-kdcproxy-503-then-ntlm.pcapng": Says(FINE),
    "ok-gateway-kerberos.pcapng": Says(FINE),
    "ok-gateway-smartcard.pcapng": Says(FINE),
    "ok-gateway-other-credentials.pcapng": Says(FINE),
    "ok-fallback-to-standard-rdp.pcap": Says(
        ("healthy", "degraded"), ("x224", "security"), ("security-layer.rdp-only",)
    ),
    "ok-second-stream-tls10.pcap": Says(
        ("healthy", "degraded"), ("tls",), OLD, only=OLD,
        never=("certificate.expired", "certificate.not-yet-valid"),
    ),
    "cut-standard-rdp-lossy.pcap": CUT._replace(first=PATH),
    "cut-standard-rdp-after-client-info.pcap": CUT._replace(first=PATH),
    "malformed-x224-lengths.pcap": Says(("unknown", "failing"), ("x224",), ("negotiation.inconsistent",)),
    "udp-no-answer-excerpt.pcap": Says(("unknown", "degraded"), ("udp",), ("udp.blocked",), only=()),
    "ok-tcp-udp-no-answer.pcap": Says(("degraded",), ("udp",), ("udp.blocked",)),
    "cut-after-credssp.pcap": Says(FINE),
    "ok-nla-client-fin.pcap": Says(WORKS),
    "udp-three-flows.pcap": Says(FINE, never=UDP, reports=3),
    "port-closed-rst.pcapng": Says(("unreachable",), ("tcp",), ("listener.absent",)),
    "rdp-inside-socks5.pcap": Says(("unknown",), first=ANYTHING, only=(), never=("port.not-rdp",)),
}  # fmt: skip

SIGN_IN = ("nla", "security", "host")
SIDE = ("degraded", *FINE)
EVTX: dict[str, Says] = {
    "client-one-good-session.evtx": Says(WORKS),
    "sandbox-listener-rdpcorets.evtx": Says(FINE),
    "sandbox-listener-rcm.evtx": Says(FINE),
    "sandbox-listener-rcm-admin.evtx": Says(FINE),
    "sandbox-listener-lsm.evtx": Says(FINE),
    "host-system-1056-1067.evtx": Says(
        SIDE, first=ANYTHING, only=(), never=("certificate.missing", "certificate.expired", "account.locked")
    ),
    "rdpcorets-131-68-168.evtx": Says(FINE),
    "rdpcorets-104-timezone.evtx": Says(FINE),
    "rcm-1149-through-tunnel.evtx": Says(FINE, reports=5),
    "security-4624-type10-loopback.evtx": Says(FINE),
    "rcm-1149-eleven-computers.evtx": Says(FINE, reports=11),
    "security-4825-not-in-group.evtx": Says(("failing",), SIGN_IN, ("authorization.denied",)),
    "security-4778-4779.evtx": Says(FINE),
    "gateway-operational-good.evtx": Says(WORKS),
    "damaged-rcm-261-1149.evtx": Says(SIDE, reports=3, text=("damaged",)),
    "security-4625-type10-bad-password.evtx": Says(("failing",), SIGN_IN, ("credentials.wrong",)),
    "lab-rcm.evtx": Says(WORKS),
    "lab-lsm-40-reason5.evtx": Says(("healthy", "degraded"), ("host",), ("session.limit",), only=()),
    "lab-security-4624-type10.evtx": Says(FINE),
    "lab-system-nothing-rdp.evtx": Says(FINE),
    "system-termdd-50-56.evtx": Says(
        ("failing", "degraded"), ("x224", "tls", "nla", "security"), ANYTHING, only=(), reports=2
    ),
}  # fmt: skip

ALLOWS = Says(("healthy", "degraded", "unknown"), ("tcp",), never=("cloud.nsg-denies",))
CONFIG: dict[str, Says] = {
    "avd-gateway-1.rdp": Says(FINE, text=("rdgateway-r1.wvd.microsoft.com",)),
    "avd-gateway-2.rdp": Says(FINE, text=("rdgateway-r1.wvd.microsoft.com",)),
    "utf16-gateway-port-9933.rdp": Says(FINE, text=("testhostname.domain.com", "9933")),
    "gpo-report-session-host.xml": Says(FINE, first=ANYTHING, only=()),
    "azure-nsg-list.json": Says(
        ("unreachable", "unknown"), ("tcp",), ("cloud.nsg-denies",), text=("DenyAllInBound",)
    ),
    "azure-nsg-allow-all.json": ALLOWS,
    "azure-nsg-deny-all.json": Says(("unreachable",), ("tcp",), ("cloud.nsg-denies",)),
    "azure-nsg-implicit-deny.json": Says(("unreachable",), ("tcp",), ("cloud.nsg-denies",)),
    "azure-jit-policy.json": Says(("unknown",), first=("cloud.nsg-denies",), only=()),
    # One group opens 1234 to 4321 to everybody; its README speaks of its other rule only.
    "aws-security-groups.json": Says(
        ("unreachable", "unknown"),
        ("tcp",),
        ("cloud.security-group-denies",),
        text=("c7n-only-ports-and-cidr-test",),
    ),
}  # fmt: skip
FILES = [
    *((f"pcap/{name}", says) for name, says in PCAP.items()),
    *((f"evtx/{name}", says) for name, says in EVTX.items()),
    *((f"config/{name}", says) for name, says in CONFIG.items()),
]


def read(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["read", "--jsonl", *map(str, words)])
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def test_every_file_at_hand_is_expected() -> None:
    names = {path.relative_to(HERE).as_posix() for path in HERE.glob("*/*")}
    assert names == {name for name, _ in FILES}


@pytest.mark.parametrize(("name", "says"), FILES, ids=[name for name, _ in FILES])
def test_a_file_gives_what_its_readme_says(name: str, says: Says, capsys: pytest.CaptureFixture[str]) -> None:
    code, reports, err = read(capsys, HERE / name)
    assert len(reports) == says.reports
    assert code == max(EXITS[report["verdict"]["status"]] for report in reports)
    for report in reports:
        VALIDATOR.validate(report)
        assert _undeclared(report) == []
        verdict = report["verdict"]
        assert verdict["status"] in says.status, verdict
        if verdict["stage"] is not None and says.stages is not None:
            assert verdict["stage"] in says.stages, verdict
        standing = [cause for cause in report["causes"] if cause["confidence"] != "ruled-out"]
        if says.first is not None:
            assert [cause["id"] for cause in standing[:1]] in ([], *([one] for one in says.first))
        if verdict["status"] in ("failing", "unreachable") and says.first:
            assert standing, "a failure has a cause"
        only = says.first if says.only is None else says.only
        sure = {cause["id"] for cause in standing if cause["confidence"] in STANDING}
        assert sure <= set(only or ()), verdict
        assert not {cause["id"] for cause in standing} & set(says.never)
    everything = json.dumps(reports) + err
    assert [word for word in says.text if word not in everything] == []


def _undeclared(report: dict[str, Any]) -> list[str]:
    rows = [
        Observation(row["tag"], row["args"], Stage(row["stage"]), Source(row["source"]), row["at_ms"])
        for row in report["observations"]
    ]
    return [fault for row in rows for fault in faults(row, load().tags)]


def test_all_at_once_is_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    code, reports, err = read(capsys, HERE)
    order = ["unreachable", "failing", "unknown", "degraded", "healthy"]
    ranks = [order.index(report["verdict"]["status"]) for report in reports]
    assert ranks == sorted(ranks)
    assert code == 3
    assert len(reports) > 30
    assert "README.md` is left out" in err


def test_the_four_logs_of_one_host_are_one_story(capsys: pytest.CaptureFixture[str]) -> None:
    code, reports, _ = read(capsys, *sorted((HERE / "evtx").glob("lab-*.evtx")))
    assert [report["verdict"]["status"] for report in reports] == ["healthy"]
    assert reports[0]["target"]["host"].startswith("dc.")
    assert code == 0


def test_the_port_that_was_refused_and_the_group_that_denies_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Rules without a name join the recording of one server."""
    files = [HERE / "pcap/port-closed-rst.pcapng", HERE / "config/azure-nsg-deny-all.json"]
    _, reports, _ = read(capsys, *files)
    assert len(reports) == 1
    assert {row["source"] for row in reports[0]["observations"]} >= {"capture", "cloud"}
