"""Many healthy xrdp on loopback, all on one port, each on an address of its own."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real.processes import free_port, group, last_words
from tests.real.servers import XRDP_INI, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

READY = 20.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the tools are asked about. The truth: each speaks standard RDP security and TLS, and no NLA."""

    hosts: tuple[str, ...]
    port: int
    certificate: str  # SHA-256 of all servers' certificate, in hex

    @property
    def targets(self) -> list[str]:
        return [f"{host}:{self.port}" for host in self.hosts]

    def first(self, count: int) -> Fleet:
        return Fleet(self.hosts[:count], self.port, self.certificate)


@contextlib.contextmanager
def fleet(count: int) -> Iterator[Fleet]:
    """`count` servers on 127.0.1.1, .2 …, listening."""
    hosts = tuple(f"127.0.1.{number}" for number in range(1, count + 1))
    with tempfile.TemporaryDirectory(prefix="rdpdoctor-bench-") as name, contextlib.ExitStack() as stack:
        shop = Workshop(Path(name))
        pair, port = shop.certificates["valid"], free_port(hosts[0])
        logs = {}
        for host in hosts:
            room = shop.room(host)
            ini, logs[host] = room / "xrdp.ini", room / "log"
            ini.write_text(
                XRDP_INI.format(
                    host=host, port=port, layer="negotiate", certificate=pair.certificate, key=pair.key,
                    protocols="TLSv1.2, TLSv1.3", ciphers="", log=room / "xrdp.log",
                )
            )  # fmt: skip
            stack.enter_context(group(["xrdp", "-n", "-c", ini], log=logs[host]))
        for host in hosts:
            _wait(host, port, logs[host])
        der = ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
        yield Fleet(hosts, port, hashlib.sha256(der).hexdigest())


def _wait(host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((host, port), 1).close()
            return
        time.sleep(0.02)
    raise RuntimeError(f"xrdp does not listen on {host}:{port}:\n{last_words(log)}")
