"""Whole verdicts of the command on real servers and real networks."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import Expect, Run, check, command, judge, opened

from .conftest import need
from .networks import PORT, delayed, network
from .servers import PASSWORD, USER, started, xrdp

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


#: server: the verdict, and whether NLA is `required`, `offered` or `absent` (None: nothing to tell).
VERDICTS: dict[str, tuple[Expect, str | None]] = {
    "xrdp-rdp": (degraded("x224", "security-layer.rdp-only"), "absent"),
    "xrdp-tls": (healthy(), "absent"),
    "xrdp-negotiate": (healthy(), "absent"),
    "xrdp-no-certificate": (failing("x224", "certificate.missing", never=TLS_STORIES), None),
    "xrdp-tls-1.0-1.1": (
        failing("tls", "tls.version-mismatch", never=("certificate.key-unusable",)),
        "absent",
    ),
    "xrdp-tls-1.3": (healthy(), "absent"),
    "xrdp-key-mismatch": (
        failing("tls", "tls.broken", "certificate.key-unusable", never=("tls.version-mismatch",)),
        "absent",
    ),
    "xrdp-rsa-1024": (
        failing("tls", "tls.broken", "certificate.key-unusable", never=("tls.version-mismatch",)),
        "absent",
    ),
    "xrdp-expired": (degraded("tls", "certificate.expired"), "absent"),
    "xrdp-expiring": (degraded("tls", "certificate.expiring"), "absent"),
    "xrdp-not-yet-valid": (degraded("tls", "certificate.not-yet-valid"), "absent"),
    "xrdp-sha1": (degraded("tls", "certificate.weak"), "absent"),
    "xrdp-rsa-1024-allowed": (degraded("tls", "certificate.weak"), "absent"),
    "xrdp-rsa-4096": (healthy(), "absent"),
    "xrdp-ecdsa": (healthy(), "absent"),
    "xrdp-wrong-usage": (degraded("tls", "certificate.wrong-usage"), "absent"),
    "xrdp-rdp-usage": (healthy(), "absent"),
    "xrdp-no-usage": (healthy(), "absent"),
    # An address as target: which name the server's certificate should have is not known.
    "xrdp-computer-name": (healthy(), "absent"),
    "xrdp-chain": (healthy(), "absent"),
    "shadow-nla": (healthy(), "required"),
    "shadow-tls": (healthy(), "absent"),
    "shadow-rdp": (degraded("x224", "security-layer.rdp-only"), "absent"),
    "shadow-all": (healthy(), "offered"),
    "shadow-expired": (degraded("tls", "certificate.expired"), "absent"),
    "weston-tls": (healthy(), "absent"),
    "weston-rdp": (degraded("x224", "security-layer.rdp-only"), "absent"),
    "openssl": (failing("x224", "port.not-rdp", never=("server.closes-early", *TLS_STORIES)), None),
    "http": (failing("x224", "port.not-rdp", never=("service.hung", *TLS_STORIES)), None),
}


def seen(run: Run, tag: str) -> list[dict[str, Any]]:
    return [row["args"] for row in run.report["observations"] if row["tag"] == tag]


@pytest.mark.parametrize("name", VERDICTS)
def test_server(serve: Serve, name: str) -> None:
    expect, nla = VERDICTS[name]
    run = check(serve(name).target)
    judge(run, expect)
    if nla is not None:
        assert [row["nla"] for row in seen(run, "derived.server")] == [nla], run.say()
    if "failing" not in expect.status:
        assert opened(run) <= 12, run.say()
    assert opened(run) <= 25, run.say()


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
        assert not VERDICTS[targets[report["target"]["input"]]][0].wrong(report), run.say()
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
@pytest.mark.parametrize(
    ("rule", "routers", "expect"),
    [
        ("drop", 0, unreachable("path.filtered")),
        ("reset", 0, unreachable("listener.absent")),
        ("port-unreachable", 0, unreachable("path.rejected")),
        ("admin-prohibited", 0, unreachable("path.rejected")),
        ("host-unreachable", 0, unreachable("path.rejected")),
        ("router-drop", 1, unreachable("path.filtered")),
        ("router-admin-prohibited", 1, unreachable("path.rejected")),
    ],
)
def test_blocked(rule: str, routers: int, expect: Expect) -> None:
    """Nothing listens here: what the rule says is what the client must see, before any server is asked."""
    with network(routers) as net:
        for node in net.routers if routers else (net.server,):
            node.rule(rule)
        judge(inside(net, timeout=4.0), expect)


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
def test_nothing_listens() -> None:
    with network() as net:
        judge(inside(net), unreachable("listener.absent"))


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
@pytest.mark.parametrize(
    ("name", "expect"),
    [
        ("rdp-under-test", healthy()),
        (
            "srv01.corp.example",
            Expect(("degraded",), ("tls",), ("certificate.name-mismatch",), never=("name.wrong-host",)),
        ),
    ],
)
def test_name_is_judged_when_a_name_was_asked(shop: Workshop, name: str, expect: Expect) -> None:
    with network() as net, xrdp(shop, "tls", node=net.server):
        net.client.names({name: net.server.address}, net.nobody)
        judge(inside(net, name), expect)


#: Answers each DNS query on this node with the response code it is given, or with nothing for -1.
DNS = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
tcp = socket.create_server(("0.0.0.0", 3389))
code = int(sys.argv[1])
while True:
    query, client = server.recvfrom(4096)
    if code >= 0:
        server.sendto(query[:2] + bytes([0x81, 0x80 | code]) + query[4:6] + bytes(6) + query[12:], client)
"""


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param(3, "name.not-found", id="nxdomain"),
        pytest.param(2, "name.lookup-failed", id="servfail"),
        pytest.param(5, "name.lookup-failed", id="refused"),
        pytest.param(-1, "name.lookup-failed", id="silent"),
    ],
)
def test_name_that_is_not_found(shop: Workshop, code: int, cause: str) -> None:
    """The stage is dns, and what could not be tried is not blamed."""
    log = shop.room("dns") / "log"
    with network() as net:
        argv = [sys.executable, "-ISc", DNS, str(code)]
        with started(net.server.address, log, lambda _: argv, node=net.server):
            net.client.names({}, net.server.address)
            run = inside(net, "srv01.corp.example")
    expect = Expect(("unreachable",), ("dns",), (cause,), never=(*TCP, *TLS_STORIES))
    judge(run, expect)


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
def test_mtu_black_hole(shop: Workshop) -> None:
    with network(routers=2, middle_mtu=1280) as net:
        net.everywhere("no-frag-needed")
        with xrdp(shop, "tls", pair=shop.certificates["chain"], node=net.server):
            judge(inside(net, timeout=12.0), failing("tls", "path.mtu-black-hole", never=TLS_STORIES))


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("rule", ["cut-tls", "swallow-tls"])
def test_router_cuts_tls(shop: Workshop, rule: str) -> None:
    """The server is well: to blame its certificate or its versions sends people to the wrong place."""
    with network(routers=1) as net, xrdp(shop, "tls", node=net.server):
        net.everywhere(rule)
        never = ("tls.version-mismatch", "tls.cipher-mismatch", "tls.broken", "path.mtu-black-hole")
        judge(inside(net, timeout=9.0), failing("tls", "path.tls-cut", never=never))


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
