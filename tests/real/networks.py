"""Networks of our own: client and server in network namespaces, misbehaving routers between. Linux, root.

Both ends of every link are made inside the namespaces, so deleting these leaves nothing behind. Names hold
the test run's process id; what a killed run left is swept by the next one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PREFIX = "rdptest"
NAMESPACES = Path("/run/netns")
#: `ip netns exec` lays the files of the namespace's folder here over those of /etc.
ETC = Path("/etc/netns")
PORT = 3389

_numbers = count(1)

#: nftables rules by name: (hook, rule). `input` belongs on the server, `forward` and `output` on a router.
RULES: dict[str, tuple[str, str]] = {
    "drop": ("input", f"tcp dport {PORT} drop"),
    "reset": ("input", f"tcp dport {PORT} reject with tcp reset"),
    "port-unreachable": ("input", f"tcp dport {PORT} reject with icmp port-unreachable"),
    "admin-prohibited": ("input", f"tcp dport {PORT} reject with icmp admin-prohibited"),
    "host-unreachable": ("input", f"tcp dport {PORT} reject with icmp host-unreachable"),
    "router-drop": ("forward", f"tcp dport {PORT} drop"),
    "router-admin-prohibited": ("forward", f"tcp dport {PORT} reject with icmp admin-prohibited"),
    "loss": ("forward", "numgen random mod 100 < 20 drop"),
    "steady-loss": ("forward", "numgen inc mod 5 == 3 drop"),
    "no-frag-needed": ("output", "icmp type destination-unreachable icmp code frag-needed drop"),
    # @ih is the payload after the TCP header: a handshake record (0x16) of any TLS version (0x03).
    "cut-tls": ("forward", f"tcp dport {PORT} @ih,0,16 0x1603 reject with tcp reset"),
    # The same of TPKT, version 3: what RDP says before TLS.
    "cut-rdp": ("forward", f"tcp dport {PORT} @ih,0,16 0x0300 reject with tcp reset"),
    "swallow-rdp": ("forward", f"tcp dport {PORT} @ih,0,16 0x0300 drop"),
    # Guards that count: how often somebody connects, and how many are connected at once.
    "rate": (
        "input",
        f"tcp dport {PORT} ct state new limit rate over 2/minute burst 3 packets reject with tcp reset",
    ),
    "two-at-once": ("input", f"tcp dport {PORT} ct state new ct count over 2 reject with tcp reset"),
    "every-third": (
        "input",
        f"tcp dport {PORT} tcp flags syn / syn,ack numgen inc mod 3 == 2 reject with tcp reset",
    ),
    "swallow-tls": ("forward", f"tcp dport {PORT} @ih,0,16 0x1603 drop"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A namespace. `address` is its own, on the side away from the client."""

    name: str
    address: str = ""

    @property
    def prefix(self) -> list[str]:
        """What to put before a command so that it runs here."""
        return ["ip", "netns", "exec", self.name]

    def names(self, hosts: dict[str, str], nameserver: str) -> None:
        """What the system's resolver knows here: name to address, and who is asked for the rest."""
        own = ETC / self.name
        own.mkdir(parents=True, exist_ok=True)
        lines = (f"{address} {name}\n" for name, address in {"localhost": "127.0.0.1", **hosts}.items())
        (own / "hosts").write_text("".join(lines))
        (own / "resolv.conf").write_text(f"nameserver {nameserver}\noptions timeout:1 attempts:1\n")

    def contains(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(NAMESPACES / self.name).st_ino
        return False

    def rule(self, name: str) -> None:
        """Add one of `RULES`."""
        hook, rule = RULES[name]
        chain = f"chain at_{hook} {{\ntype filter hook {hook} priority 0\n{rule}\n}}"
        _run([*self.prefix, "nft", "-f", "-"], f"table ip {PREFIX} {{\n{chain}\n}}\n")


@dataclass(frozen=True, slots=True)
class Network:
    """client — routers — server. `nobody` is an address on the server's link that no machine has."""

    client: Node
    server: Node
    routers: tuple[Node, ...]
    nobody: str

    def everywhere(self, name: str) -> None:
        for router in self.routers:
            router.rule(name)

    def lossy(self, rule: str = "loss") -> None:
        """Routers lose a fifth of the frames; these are real segments, not the 64 kB ones veth passes on."""
        for router in self.routers:
            _no_offloads(router.name, "left", "right")
        _no_offloads(self.client.name, "right")
        _no_offloads(self.server.name, "left")
        self.everywhere(rule)


def _run(argv: Sequence[str], text: str = "") -> None:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}\n{text}\n{done.stderr}")


def sweep() -> None:
    """Delete the namespaces of test runs that no longer live."""
    if not NAMESPACES.is_dir():
        return
    for path in NAMESPACES.iterdir():
        owner = re.match(rf"{PREFIX}-(\d+)-", path.name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            _delete(path.name)


def _no_offloads(name: str, *devices: str) -> None:
    words = [word for feature in ("tso", "gso", "gro", "tx", "rx") for word in (feature, "off")]
    for device in devices:
        _run(["ip", "netns", "exec", name, "ethtool", "-K", device, *words])


def _delete(name: str) -> None:
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=30, check=False)
    shutil.rmtree(ETC / name, ignore_errors=True)


@contextmanager
def network(routers: int = 0, middle_mtu: int = 1500) -> Iterator[Network]:
    """A chain of namespaces; `middle_mtu` is the MTU of every link that touches neither client nor server.

    Link n is 10.77.n.0/24, with .1 on the client's side and .2 on the server's.
    """
    number = next(_numbers)
    places = ["client", *(f"router{n + 1}" for n in range(routers)), "server"]
    names = [f"{PREFIX}-{os.getpid()}-{number}-{place}" for place in places]
    last = len(names) - 1
    batch = [f"netns add {name}" for name in names]
    for link in range(last):
        mtu = middle_mtu if 0 < link < last - 1 else 1500
        near, far = names[link], names[link + 1]
        batch.append(f"link add right netns {near} mtu {mtu} type veth peer name left netns {far} mtu {mtu}")
    try:
        _run(["ip", "-batch", "-"], "\n".join(batch) + "\n")
        for index, name in enumerate(names):
            _run(["ip", "-n", name, "-batch", "-"], _addresses(index, last))
            if 0 < index < last:
                _run(["ip", "netns", "exec", name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
        nodes = [
            Node(name, f"10.77.{max(index - 1, 0)}.{2 if index else 1}") for index, name in enumerate(names)
        ]
        yield Network(nodes[0], nodes[-1], tuple(nodes[1:-1]), f"10.77.{last - 1}.99")
    finally:
        for name in names:
            _delete(name)


def _addresses(index: int, last: int) -> str:
    """`ip -batch` lines for one namespace of the chain: loopback, its one or two links, its routes."""
    lines = ["link set lo up"]
    if index < last:
        lines += [f"addr add 10.77.{index}.1/24 dev right", "link set right up"]
    if index > 0:
        lines += [f"addr add 10.77.{index - 1}.2/24 dev left", "link set left up"]
    for link in range(last):
        if link > index:
            lines.append(f"route add 10.77.{link}.0/24 via 10.77.{index}.2")
        elif link < index - 1:
            lines.append(f"route add 10.77.{link}.0/24 via 10.77.{index - 1}.1")
    return "\n".join(lines) + "\n"


@contextmanager
def delayed(milliseconds: float, log: Path) -> Iterator[Network]:
    """Client and server on one link, on which every frame takes this long each way. No netem needed."""
    number = next(_numbers)
    names = [f"{PREFIX}-{os.getpid()}-{number}-{place}" for place in ("client", "wire", "server")]
    client, wire, server = names
    try:
        _run(
            ["ip", "-batch", "-"],
            f"netns add {client}\nnetns add {wire}\nnetns add {server}\n"
            f"link add near netns {wire} type veth peer name right netns {client}\n"
            f"link add far netns {wire} type veth peer name left netns {server}\n",
        )
        for name, device, host in ((client, "right", 1), (server, "left", 2)):
            lines = f"link set lo up\naddr add 10.77.0.{host}/24 dev {device}\nlink set {device} up\n"
            _run(["ip", "-n", name, "-batch", "-"], lines)
        _run(["ip", "-n", wire, "-batch", "-"], "link set near up\nlink set far up\n")
        # A raw socket sees segments before they are cut and before they are summed: let the senders do both.
        for name, device in ((client, "right"), (server, "left"), (wire, "near"), (wire, "far")):
            _no_offloads(name, device)
        node = Node(wire)
        forwarder = [*node.prefix, sys.executable, str(Path(__file__).with_name("wire_delay.py"))]
        with group([*forwarder, "near", "far", str(milliseconds)], log=log):
            _wait_forwarding(log)
            yield Network(Node(client, "10.77.0.1"), Node(server, "10.77.0.2"), (), "10.77.0.99")
    finally:
        for name in names:
            _delete(name)


def _wait_forwarding(log: Path) -> None:
    deadline = time.monotonic() + 10
    while "forwarding" not in log.read_text():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no forwarder: {log.read_text()}")
        time.sleep(0.02)
