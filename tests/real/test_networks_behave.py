"""What the networks of our own do to a connection, measured with a bare socket and without the product."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from .conftest import need
from .networks import Node, delayed, network
from .servers import started, xrdp

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .processes import Server
    from .servers import Workshop

pytestmark = pytest.mark.usefixtures("namespaces")

#: Connect, send what stands in hex, read until `stop` bytes, the end or the time-out. Prints what happened.
TRY = """
import errno, socket, sys
host, out, stop, seconds = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
connection, got = socket.socket(), b""
connection.settimeout(seconds)
try:
    connection.connect((host, 3389))
    if out: connection.sendall(out)
    while len(got) < stop:
        more = connection.recv(65536)
        if not more: break
        got += more
    print("ok", len(got))
except TimeoutError:
    print("silent", len(got))
except OSError as error:
    print(errno.errorcode[error.errno], len(got))
"""
#: Sends as many bytes as it is asked for on each connection.
SEND = """
import socket
listener = socket.create_server(("0.0.0.0", 3389))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    wanted = int.from_bytes(connection.recv(4), "big")
    connection.sendall(bytes(wanted))
"""
REQUEST = "030000130ee000000000000100080001000000"


def attempt(client: Node, host: str, send: str = "", stop: int = 0, seconds: float = 1.0) -> str:
    argv = [*client.prefix, sys.executable, "-ISc", TRY, host, send, str(stop), str(seconds)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("drop", "silent 0"),
        ("reset", "ECONNREFUSED 0"),
        ("port-unreachable", "ECONNREFUSED 0"),
        ("admin-prohibited", "EHOSTUNREACH 0"),
        ("host-unreachable", "EHOSTUNREACH 0"),
    ],
)
def test_blocked_at_the_server(rule: str, outcome: str) -> None:
    with network() as net:
        net.server.rule(rule)
        assert attempt(net.client, net.server.address) == outcome


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [("router-drop", "silent 0"), ("router-admin-prohibited", "EHOSTUNREACH 0")],
)
def test_blocked_on_the_way(rule: str, outcome: str) -> None:
    with network(routers=1) as net:
        net.everywhere(rule)
        assert attempt(net.client, net.server.address) == outcome


@pytest.mark.parametrize("routers", [0, 1])
def test_nobody_there(routers: int) -> None:
    """The neighbour that asks for the address in vain gives up after three seconds."""
    with network(routers) as net:
        began = time.monotonic()
        assert attempt(net.client, net.nobody, seconds=8.0) == "EHOSTUNREACH 0"
        assert time.monotonic() - began > 1


def test_black_hole_passes_small_segments_only(shop: Workshop) -> None:
    with network(routers=2, middle_mtu=1280) as net, ExitStack() as stack:
        net.everywhere("no-frag-needed")
        stack.enter_context(_sender(shop, net.server))
        size = (1200).to_bytes(4, "big").hex(), (20_000).to_bytes(4, "big").hex()
        assert attempt(net.client, net.server.address, size[0], 1200) == "ok 1200"
        assert attempt(net.client, net.server.address, size[1], 20_000, 2.0) == "silent 0"


def test_router_cuts_tls_hellos_only(shop: Workshop) -> None:
    with network(routers=1) as net, xrdp(shop, "tls", node=net.server) as server:
        net.everywhere("cut-tls")
        assert attempt(net.client, server.host, REQUEST, 19) == "ok 19"
        assert attempt(net.client, server.host, "1603010005" + "00" * 5, 1) == "ECONNRESET 0"


def test_loss_makes_the_server_repeat_itself(shop: Workshop) -> None:
    need({"ethtool": "ethtool"}, root=True)
    with network(routers=1) as net, _sender(shop, net.server):
        net.lossy()
        size = (60_000).to_bytes(4, "big").hex()
        assert attempt(net.client, net.server.address, size, 60_000, 25.0) == "ok 60000"
        assert _retransmitted(net.server) > 0


def test_delay(shop: Workshop) -> None:
    need({"ethtool": "ethtool"}, root=True)
    room = shop.room("delay")
    with delayed(60, room / "wire.log") as net, _sender(shop, net.server):
        began = time.monotonic()
        assert attempt(net.client, net.server.address, (1).to_bytes(4, "big").hex(), 1, 5.0) == "ok 1"
        # ARP, then SYN, then the question: three round trips of 120 ms.
        assert 0.36 < time.monotonic() - began < 1.0


def _sender(shop: Workshop, node: Node) -> AbstractContextManager[Server]:
    return started(
        node.address, shop.room("sender") / "log", lambda _: [sys.executable, "-ISc", SEND], node=node
    )


def _retransmitted(node: Node) -> int:
    argv = [*node.prefix, "cat", "/proc/net/snmp"]
    text = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout
    names, values = (line.split() for line in text.splitlines() if line.startswith("Tcp:"))
    return int(values[names.index("RetransSegs")])
