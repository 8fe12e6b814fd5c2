"""Real servers on the far side of networks that drop, reject, delay, swallow and count; Linux, root.

Checked by a process in the client's namespace.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.lab.scenario import Check, Expect
from tests.command import environment
from tests.real.networks import PORT, delayed, network, sweep
from tests.real.processes import lacking
from tests.real.servers import NEEDS, started, xrdp

from .case import Case, Played
from .labs import TIMEOUT
from .servers import CODE, EXPIRED, NAME, PLAIN, TLS, degraded, failing, healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real.networks import Network

    from .case import Play
    from .house import House

HERE = Path(__file__).resolve().parent.parent.parent
TCP = ("listener.absent", "path.filtered", "path.rejected", "service.hung", "port.not-rdp")
CUT = "path.tls-cut"
LOSS = "path.loss"
OTHER_NAME = "srv01.corp.example"
_STARTING = 30.0  # seconds for a process beyond its check

#: Makes the network of a case and what lives in it; the host to check there.
Build: TypeAlias = "Callable[[House], tuple[Network, str]]"


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    title: str
    build: Build
    expect: Expect
    check: Check = PLAIN
    combines: tuple[str, ...] = ()


def unreachable(stage: str, *causes: str) -> Expect:
    other = tuple(cause for cause in TCP if cause not in causes)
    return Expect("unreachable", stage, causes, forbid=(*other, *TLS))


def _blocked(rule: str, routers: int = 0) -> Build:
    """Nothing listens: what the rule says is what the client must see, before any server is asked."""

    def build(house: House) -> tuple[Network, str]:
        net = house.enter(network(routers))
        for node in net.routers if routers else (net.server,):
            node.rule(rule)
        return net, net.server.address

    return build


def _nobody(routers: int, *, there: bool = False) -> Build:
    """An address that no machine has; or one that has, and where nothing listens."""

    def build(house: House) -> tuple[Network, str]:
        net = house.enter(network(routers))
        return net, net.server.address if there else net.nobody

    return build


def _served(
    *rules: str,
    on_server: str = "",
    routers: int = 0,
    mtu: int = 1500,
    kind: str = "valid",
    layer: str = "tls",
    names: tuple[str, ...] = (),
) -> Build:
    """xrdp behind routers that all have these rules. names: what the client's resolver has for it."""

    def build(house: House) -> tuple[Network, str]:
        net = house.enter(network(routers, mtu))
        for rule in rules:
            net.everywhere(rule)
        if on_server:
            net.server.rule(on_server)
        house.enter(xrdp(house.shop, layer, pair=house.shop.certificates[kind], node=net.server))
        for name in names:
            net.client.names({name: net.server.address}, net.nobody)
        return net, names[0] if names else net.server.address

    return build


def _delayed(milliseconds: float, kind: str = "valid") -> Build:
    def build(house: House) -> tuple[Network, str]:
        net = house.enter(delayed(milliseconds, house.shop.room("delay") / "wire.log"))
        house.enter(xrdp(house.shop, "tls", pair=house.shop.certificates[kind], node=net.server))
        return net, net.server.address

    return build


def _lossy(house: House, kind: str = "valid") -> tuple[Network, str]:
    net = house.enter(network(routers=1))
    net.lossy("steady-loss")
    house.enter(xrdp(house.shop, "tls", pair=house.shop.certificates[kind], node=net.server))
    return net, net.server.address


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


def _named(code: int) -> Build:
    def build(house: House) -> tuple[Network, str]:
        net = house.enter(network())
        argv = [sys.executable, "-ISc", DNS, str(code)]
        log = house.shop.room("dns") / "log"
        house.enter(started(net.server.address, log, lambda _: argv, node=net.server))
        net.client.names({}, net.server.address)
        return net, OTHER_NAME

    return build


SHORT, LONG = Check(timeout=4.0), Check(timeout=14.0)
ROWS = (
    Row(
        "net-drop",
        "the server's firewall drops",
        _blocked("drop"),
        unreachable("tcp", "path.filtered"),
        SHORT,
    ),
    Row("net-reset", "the firewall resets", _blocked("reset"), unreachable("tcp", "listener.absent"), SHORT),
    Row(
        "net-port-unreachable",
        "the firewall rejects with port-unreachable",
        _blocked("port-unreachable"),
        unreachable("tcp", "path.rejected"),
        SHORT,
    ),
    Row(
        "net-admin-prohibited",
        "the firewall rejects with admin-prohibited",
        _blocked("admin-prohibited"),
        unreachable("tcp", "path.rejected"),
        SHORT,
    ),
    Row(
        "net-host-unreachable",
        "the firewall rejects with host-unreachable",
        _blocked("host-unreachable"),
        unreachable("tcp", "path.rejected"),
        SHORT,
    ),
    Row(
        "net-router-drop",
        "a router drops",
        _blocked("router-drop", 1),
        unreachable("tcp", "path.filtered"),
        SHORT,
    ),
    Row(
        "net-router-prohibits",
        "a router rejects with admin-prohibited",
        _blocked("router-admin-prohibited", 1),
        unreachable("tcp", "path.rejected"),
        SHORT,
    ),
    Row("net-absent", "nothing listens", _nobody(0, there=True), unreachable("tcp", "listener.absent")),
    Row(
        "net-no-neighbour",
        "no machine has that address, on the client's own network",
        _nobody(0),
        unreachable("tcp", "host.down", "path.rejected", "path.filtered"),
    ),
    Row(
        "net-no-machine",
        "no machine has that address, on a network beyond",
        _nobody(1),
        unreachable("tcp", "host.down", "path.rejected", "path.filtered"),
    ),
    Row("net-named", "asked for by its own name", _served(names=(NAME,)), healthy()),
    Row(
        "net-other-name",
        "asked for by another name than its certificate has",
        _served(names=(OTHER_NAME,)),
        degraded("tls", "certificate.name-mismatch", forbid=("name.wrong-host",)),
    ),
    Row("net-nxdomain", "the name does not exist", _named(3), unreachable("dns", "name.not-found")),
    Row("net-servfail", "the resolver failed", _named(2), unreachable("dns", "name.lookup-failed")),
    Row("net-dns-refused", "the resolver refuses", _named(5), unreachable("dns", "name.lookup-failed")),
    Row("net-dns-silent", "the resolver says nothing", _named(-1), unreachable("dns", "name.lookup-failed")),
    Row(
        "net-mtu-black-hole",
        "the way carries 1280 bytes and does not say so",
        _served("no-frag-needed", routers=2, mtu=1280, kind="chain"),
        # Seen with small segments, and true: the certificate is for other addresses.
        failing("tls", "path.mtu-black-hole", also=("certificate.name-mismatch",), forbid=TLS),
        LONG,
    ),
    Row(
        "net-cut-tls",
        "a router resets each ClientHello",
        _served("cut-tls", routers=1),
        failing("tls", CUT, "certificate.key-unusable", forbid=TLS[1:]),
    ),
    Row(
        "net-swallow-tls",
        "a router swallows each ClientHello",
        _served("swallow-tls", routers=1),
        failing("tls", CUT, forbid=(*TLS, "path.mtu-black-hole")),
        Check(timeout=12.0),
    ),
    Row(
        "net-cut-rdp",
        "a router resets each connection request",
        _served("cut-rdp", routers=1),
        failing("x224", "server.closes-early", forbid=("cookie.filtered", "port.not-rdp", *TLS)),
    ),
    Row(
        "net-swallow-rdp",
        "a router swallows each connection request",
        _served("swallow-rdp", routers=1),
        failing("x224", "service.hung", forbid=("cookie.filtered", "port.not-rdp", *TLS)),
        LONG,
    ),
    Row("net-delay", "a round trip of 120 ms", _delayed(60), healthy()),
    Row(
        "net-long-delay",
        "a round trip of 500 ms, as by satellite",
        _delayed(250),
        healthy(),
        Check(timeout=25.0),
    ),
    Row(
        "net-loss",
        "every fifth frame is lost, both ways",
        _lossy,
        Expect(
            "degraded",
            "path",
            (LOSS, "path.intermittent", "path.filtered"),
            forbid=(*TLS, "port.not-rdp", "cookie.filtered", "limits.connections"),
        ),
        Check(timeout=20.0),
    ),
    # ---- several things at once
    Row(
        "net-mtu-black-hole-and-expired",
        "the way carries 1280 bytes and does not say so; the certificate has expired",
        _served("no-frag-needed", routers=2, mtu=1280, kind="expired-chain"),
        failing("tls", "path.mtu-black-hole", also=(EXPIRED, "certificate.name-mismatch"), forbid=TLS),
        LONG,
        ("path.mtu-black-hole", EXPIRED),
    ),
    Row(
        "net-delay-and-expired",
        "a round trip of 200 ms, and an expired certificate",
        _delayed(100, "expired"),
        degraded("tls", EXPIRED, forbid=("service.hung", LOSS)),
        combines=("slow", EXPIRED),
    ),
    Row(
        "net-drop-and-a-code",
        "the firewall drops; the client showed 0x904, and others get in",
        _blocked("drop"),
        unreachable("tcp", "path.filtered"),
        Check(code=("0x904", "0x7"), answers={"others": "yes"}, timeout=4.0),
        ("path.filtered", "code", "answer"),
    ),
    Row(
        "net-rate-and-expired",
        "after three connections in a minute the firewall resets; the certificate has expired; 0x904",
        _served(on_server="rate", kind="expired"),
        degraded("tcp", "limits.connections", also=(EXPIRED,), forbid=("path.intermittent", "path.filtered")),
        CODE,
        ("limits.connections", EXPIRED, "code"),
    ),
    Row(
        "net-loss-and-wrong-key",
        "every fifth frame is lost, both ways, and the key is not the certificate's",
        partial(_lossy, kind="mismatch"),
        failing("tls", "certificate.key-unusable", "tls.broken", forbid=("tls.version-mismatch",)),
        Check(timeout=20.0),
        (LOSS, "certificate.key-unusable"),
    ),
    Row(
        "net-two-at-once-and-wrong-key",
        "the firewall lets two in at a time, and the key is not the certificate's",
        _served(on_server="two-at-once", kind="mismatch"),
        failing("tls", "certificate.key-unusable", "tls.broken", forbid=("path.intermittent",)),
        CODE,
        ("limits.connections", "certificate.key-unusable", "code"),
    ),
    Row(
        "net-two-at-once",
        "the firewall lets two in at a time; the client showed 0x904",
        _served(on_server="two-at-once"),
        degraded("tcp", "limits.connections", forbid=("listener.absent", "farm.bad-member")),
        CODE,
        ("limits.connections", "code"),
    ),
    Row(
        "net-every-third-and-expired",
        "the firewall resets every third connection; the certificate has expired",
        _served(on_server="every-third", kind="expired"),
        degraded("tcp", "path.intermittent", also=(EXPIRED,), forbid=("listener.absent", "farm.bad-member")),
        combines=("path.intermittent", EXPIRED),
    ),
    Row(
        "net-cut-tls-and-expired",
        "a router resets each ClientHello; the certificate has expired; by VPN, the user says",
        _served("cut-tls", routers=1, kind="expired"),
        failing("tls", CUT, "certificate.key-unusable", forbid=("path.mtu-black-hole", *TLS[1:])),
        Check(answers={"via": "vpn"}),
        (CUT, EXPIRED, "answer"),
    ),
    Row(
        "net-other-name-and-rdp-only",
        "asked for by another name, with standard RDP security only",
        _served(names=(OTHER_NAME,), layer="rdp"),
        degraded("x224", "security-layer.rdp-only", forbid=TLS),
        combines=("security-layer.rdp-only", "certificate.name-mismatch"),
    ),
    Row(
        "net-other-name-and-expired",
        "asked for by another name, with an expired certificate",
        _served(names=(OTHER_NAME,), kind="expired"),
        degraded("tls", EXPIRED, also=("certificate.name-mismatch",)),
        combines=(EXPIRED, "certificate.name-mismatch"),
    ),
)


def cases() -> list[Case]:
    lacks = _lacks()
    return [
        Case(
            row.name,
            "network",
            row.title,
            row.check,
            row.expect,
            partial(_open, row),
            row.combines,
            lacks,
        )
        for row in ROWS
    ]


@cache
def _lacks() -> str:
    programs = {"ip": "iproute2", "nft": "nftables", "ethtool": "ethtool", **NEEDS["xrdp"]}
    if reason := lacking(programs, root=True):
        return reason
    sweep()
    try:
        with network():
            return ""
    except RuntimeError as error:
        return f"needs network namespaces, which this container does not allow: {error}"


def _open(row: Row, house: House) -> Play:
    net, host = row.build(house)
    return partial(_play, row, net.client.prefix, host)


async def _play(row: Row, prefix: list[str], host: str, everything: bool) -> Played:
    timeout = row.check.timeout or TIMEOUT
    asked = {**asdict(row.check), "host": host, "port": PORT, "timeout": timeout, "addresses": []}
    process = await asyncio.create_subprocess_exec(
        *prefix,
        sys.executable,
        "-m",
        "tests.suite.inside",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=HERE,
        env=environment(),
    )
    try:
        async with asyncio.timeout(timeout + _STARTING):
            said, errors = await process.communicate(json.dumps({**asked, "everything": everything}).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(errors.decode(errors="replace")[-600:])
    return Played(**json.loads(said))
