"""Whole verdicts of the command on real servers and real networks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import Expect, Run, check, command, judge, opened

from .conftest import need
from .networks import PORT, delayed, network
from .servers import PASSWORD, USER, xrdp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .networks import Network
    from .processes import Server
    from .servers import Workshop

    Serve = Callable[[str], Server]

TLS_STORIES = ("certificate.key-unusable", "tls.version-mismatch", "tls.cipher-mismatch", "tls.broken")


def healthy() -> Expect:
    return Expect(("healthy",), (None,), nothing_else=True)


def degraded(stage: str, cause: str) -> Expect:
    return Expect(("degraded",), (stage,), (cause,), nothing_else=True)


def failing(stage: str, *causes: str, never: tuple[str, ...] = ()) -> Expect:
    return Expect(("failing",), (stage,), causes, never=never)


#: Some of each kind as a user would check them; all of them are played by `tests/suite`, in one process.
VERDICTS: dict[str, Expect] = {
    "xrdp-tls": healthy(),
    "xrdp-rdp": degraded("x224", "security-layer.rdp-only"),
    "xrdp-no-certificate": failing("x224", "certificate.missing", never=TLS_STORIES),
    "xrdp-expired": degraded("tls", "certificate.expired"),
    "shadow-nla": healthy(),
    "openssl": failing("x224", "port.not-rdp", never=("server.closes-early", *TLS_STORIES)),
}


def seen(run: Run, tag: str) -> list[dict[str, Any]]:
    return [row["args"] for row in run.report["observations"] if row["tag"] == tag]


@pytest.mark.parametrize("name", VERDICTS)
def test_server(serve: Serve, name: str) -> None:
    run = check(serve(name).target)
    judge(run, VERDICTS[name])
    assert opened(run) <= (25 if "failing" in VERDICTS[name].status else 12), run.say()


@pytest.mark.parametrize("name", ["xrdp-tls", "xrdp-tls-1.0-1.1", "xrdp-tls-1.3", "weston-tls"])
def test_says_which_versions_are_spoken(serve: Serve, name: str) -> None:
    run = check(serve(name).target)
    offered = {row["version"] for row in seen(run, "tls.version") if row["offered"]}
    legacy, modern = {"TLS 1.0", "TLS 1.1"}, {"TLS 1.2", "TLS 1.3"}
    assert offered == {"xrdp-tls-1.0-1.1": legacy, "xrdp-tls-1.3": {"TLS 1.3"}}.get(name, modern), run.say()


def test_reads_the_whole_challenge(serve: Serve) -> None:
    """What winpr's NTLM says of its host; nothing of ours may be missing that it sent."""
    run = check(serve("shadow-nla").target)
    challenges = seen(run, "nla.challenged")
    assert challenges, run.say()
    for said in challenges:
        assert said["version"] == 6
        assert said["computer"]
        assert said["dns_computer"]
        assert said["domain"]
        assert said["os_version"]
        assert said["server_time"]
        assert abs(said["skew_ms"]) < 2000, "it is this machine's own clock"
    # Never more than the challenge: no name goes out, so no logon can fail.
    assert USER not in run.stdout
    assert PASSWORD not in run.stdout


def test_saved_journal_gives_the_same_report(serve: Serve, tmp_path: Path) -> None:
    saved = tmp_path / "saved.jsonl"
    first = check(serve("xrdp-expired").target, "--save", str(saved))
    again = command("read", str(saved), "--json")
    assert again.code == first.code, again.say()
    assert json.loads(again.stdout) == first.report


def test_many_at_once(serve: Serve) -> None:
    """One report a line for each, with the same verdicts as alone."""
    names = ["xrdp-tls", "xrdp-expired", "xrdp-rdp", "xrdp-no-certificate", "shadow-nla"]
    targets = {serve(name).target: name for name in names}
    run = command("check", *targets, "--jsonl", "--timeout", "10")
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    assert sorted(report["target"]["input"] for report in reports) == sorted(targets)
    for report in reports:
        assert not VERDICTS[targets[report["target"]["input"]]].wrong(report), run.say()
    assert run.code == 1, "the largest of them"


# ---- networks

TCP = ("listener.absent", "path.filtered", "path.rejected", "service.hung", "port.not-rdp")


def unreachable(*causes: str) -> Expect:
    never = tuple(cause for cause in TCP if cause not in causes)
    return Expect(("unreachable",), ("tcp",), causes, never=(*never, *TLS_STORIES))


def inside(net: Network, host: str | None = None, timeout: float = 10.0) -> Run:
    target = f"{host or net.server.address}:{PORT}"
    return check(target, timeout=timeout, prefix=tuple(net.client.prefix))


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("routers", [0, 1])
def test_nobody_there(routers: int) -> None:
    with network(routers) as net:
        run = inside(net, net.nobody, timeout=30.0)
        judge(run, unreachable("path.filtered", "path.rejected", "host.down"))
        assert [row["on_link"] for row in seen(run, "tcp.rejected")] == [routers == 0], run.say()


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
def test_loss(shop: Workshop) -> None:
    """A third of the round trips fail: slow and lossy, but nobody's certificate is to blame."""
    need({"ethtool": "ethtool"}, root=True)
    with network(routers=1) as net, xrdp(shop, "tls", node=net.server):
        net.lossy()
        run = inside(net, timeout=10.0)
    story = Expect(
        ("healthy", "degraded", "failing", "unreachable"),
        (),
        ("path.loss", "path.intermittent", "path.filtered"),
        never=(*TLS_STORIES, "port.not-rdp", "cookie.filtered", "limits.connections"),
    )
    judge(run, story)


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
def test_delay_is_measured_and_tolerated(shop: Workshop) -> None:
    need({"ethtool": "ethtool"}, root=True)
    log = shop.room("delay") / "wire.log"
    with delayed(60, log) as net, xrdp(shop, "tls", node=net.server):
        run = inside(net)
    judge(run, healthy())
    assert all(115 < row["rtt_ms"] < 300 for row in seen(run, "tcp.connected")[1:]), run.say()
