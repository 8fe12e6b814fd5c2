"""Real RDP servers, and servers that are no RDP servers, each on a free loopback port.

Every server is a context manager: it yields a `Server` that listens, and kills its process group at the end.
`SERVERS` names them all; what each answers is measured by `test_servers_answer.py`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .certificates import Certificates, Pair
from .networks import PORT, Node
from .processes import READY, Server, ServerDied, free_port, group, last_words, wait_listening

if TYPE_CHECKING:
    from pathlib import Path

XRDP_INI = """\
[Globals]
ini_version=1
fork=true
port=tcp://{host}:{port}
tcp_nodelay=true
security_layer={layer}
crypt_level=high
certificate={certificate}
key_file={key}
ssl_protocols={protocols}
{ciphers}
autorun=
allow_channels=true
max_bpp=32

[Logging]
LogFile={log}
LogLevel=INFO
EnableSyslog=false

[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
"""

#: The account of the shadow servers with NLA.
USER, PASSWORD = "alice", "Secret123"


@dataclass(slots=True)
class Workshop:
    """A directory, certificates and the one X display that all shadow servers of a test run share."""

    directory: Path
    certificates: Certificates = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)
    _display: str = ""
    _count: int = 0

    def __post_init__(self) -> None:
        certificates = self.directory / "certificates"
        certificates.mkdir(parents=True, exist_ok=True)
        # xrdp opens its files as whoever runs it; only the key itself is kept private.
        self.certificates = Certificates(certificates)

    def close(self) -> None:
        self._stack.close()

    def room(self, label: str) -> Path:
        """A new directory of its own for one server."""
        self._count += 1
        room = self.directory / f"{self._count:03d}-{label}"
        room.mkdir()
        return room

    def display(self) -> str:
        """`:N` of the shared Xvfb, which picks a free N itself."""
        if not self._display:
            room = self.room("xvfb")
            reader, writer = os.pipe()
            # Without -noreset it ends what it shows when its last client leaves.
            options = ["-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]
            argv = ["Xvfb", "-displayfd", str(writer), *options]
            self._stack.enter_context(group(argv, log=room / "log", pass_fds=(writer,)))
            os.close(writer)
            with os.fdopen(reader) as answer:
                number = answer.readline().strip()
            if not number or not _lets_in(number):
                raise ServerDied(f"Xvfb: {last_words(room / 'log')}")
            self._display = f":{number}"
        return self._display


def _lets_in(display: str) -> bool:
    """Whether the X server answers a client, which it does a moment after it has named its display."""
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(f"/tmp/.X11-unix/X{display}")
            client.sendall(b"l\0\x0b\0" + bytes(8))  # little-endian, X11, no authorization
            if client.recv(1) == b"\x01":
                return True
        time.sleep(0.05)
    return False


@contextmanager
def started(
    host: str,
    log: Path,
    argv: Callable[[int], Sequence[str | os.PathLike[str]]],
    env: dict[str, str] | None = None,
    node: Node | None = None,
) -> Iterator[Server]:
    """Start on a free port; when another took it meanwhile, on the next. In a namespace: on the RDP port."""
    with ExitStack() as stack:
        for attempt in range(3):
            number = PORT if node else free_port(host)
            command = [*(node.prefix if node else ()), *argv(number)]
            try:
                process = stack.enter_context(group(command, log=log, env=env))
                wait_listening(process, number, log, node.contains if node else None)
                break
            except ServerDied:
                stack.close()
                if attempt == 2:
                    raise
        yield Server(host, number, process.pid, log)


@contextmanager
def xrdp(
    shop: Workshop,
    layer: str = "negotiate",
    *,
    pair: Pair | None = None,
    protocols: str = "TLSv1.2, TLSv1.3",
    ciphers: str = "",
    node: Node | None = None,
) -> Iterator[Server]:
    """On loopback, or in the namespace `node`.

    `pair` defaults to a valid certificate; its files need not exist (then SSL is refused with code 3).
    """
    room = shop.room(f"xrdp-{layer}")
    host = node.address if node else "127.0.0.1"
    pair = pair or shop.certificates["valid"]

    def argv(number: int) -> list[str | os.PathLike[str]]:
        ini = room / "xrdp.ini"
        ini.write_text(
            XRDP_INI.format(
                host=host, port=number, layer=layer, certificate=pair.certificate, key=pair.key,
                protocols=protocols, ciphers=f"tls_ciphers={ciphers}" if ciphers else "",
                log=room / "xrdp.log",
            )
        )  # fmt: skip
        return ["xrdp", "-n", "-c", ini]

    with started(host, room / "log", argv, node=node) as server:
        yield server


@contextmanager
def shadow(shop: Workshop, *options: str, pair: Pair | None = None) -> Iterator[Server]:
    """FreeRDP's shadow server. Its certificate lies where it would otherwise make one itself."""
    room = shop.room("shadow")
    pair = pair or shop.certificates["valid"]
    own = room / "freerdp" / "shadow"
    own.mkdir(parents=True)
    shutil.copy(pair.certificate, own / "shadow.crt")
    shutil.copy(pair.key, own / "shadow.key")
    sam = room / "sam.txt"
    with group(["winpr-hash", "-u", USER, "-p", PASSWORD, "-f", "sam"], log=sam) as hashing:
        if hashing.wait(20):
            raise ServerDied(f"winpr-hash: {last_words(sam)}")
    env = {"DISPLAY": shop.display(), "XDG_CONFIG_HOME": str(room), "HOME": str(room)}

    def argv(number: int) -> list[str]:
        address = ["/bind-address:127.0.0.1", f"/port:{number}"]
        return ["freerdp-shadow-cli", *address, *options, f"/sam-file:{sam}"]

    with started("127.0.0.1", room / "log", argv, env) as server:
        yield server


@contextmanager
def weston(shop: Workshop, *, tls: bool) -> Iterator[Server]:
    room = shop.room("weston")
    room.chmod(0o700)
    if tls:
        pair = shop.certificates["valid"]
        security = [f"--rdp-tls-cert={pair.certificate}", f"--rdp-tls-key={pair.key}"]
    else:
        security = [f"--rdp4-key={shop.certificates['traditional'].key}"]
    env = {"XDG_RUNTIME_DIR": str(room), "HOME": str(room)}

    def argv(number: int) -> list[str]:
        where = ["--backend=rdp-backend.so", "--address=127.0.0.1", f"--port={number}"]
        return ["weston", *where, *security, f"--socket=w{number}", "--idle-time=0", "--no-config"]

    with started("127.0.0.1", room / "log", argv, env) as server:
        yield server


@contextmanager
def openssl(shop: Workshop) -> Iterator[Server]:
    """TLS from the first byte: what stands on 443, not on 3389."""
    room, pair = shop.room("openssl"), shop.certificates["valid"]

    def argv(number: int) -> list[str]:
        files = ["-cert", str(pair.certificate), "-key", str(pair.key)]
        return ["openssl", "s_server", "-accept", f"127.0.0.1:{number}", *files, "-quiet"]

    with started("127.0.0.1", room / "log", argv) as server:
        yield server


@contextmanager
def http(shop: Workshop) -> Iterator[Server]:
    """Python's own web server. It answers only once it has read a whole line."""
    room = shop.room("http")

    def argv(number: int) -> list[str]:
        where = ["--bind", "127.0.0.1", "--directory", str(room), str(number)]
        return [sys.executable, "-u", "-m", "http.server", *where]

    with started("127.0.0.1", room / "log", argv) as server:
        yield server


Start = Callable[[Workshop], AbstractContextManager[Server]]


def _missing(shop: Workshop) -> AbstractContextManager[Server]:
    nowhere = shop.directory / "no-such-file"
    return xrdp(shop, "tls", pair=Pair(nowhere, nowhere))


def _xrdp(layer: str, kind: str = "valid", protocols: str = "TLSv1.2, TLSv1.3", ciphers: str = "") -> Start:
    return lambda shop: xrdp(shop, layer, pair=shop.certificates[kind], protocols=protocols, ciphers=ciphers)


def _shadow(*options: str, kind: str = "valid") -> Start:
    return lambda shop: shadow(shop, *options, pair=shop.certificates[kind])


SERVERS: dict[str, Start] = {
    "xrdp-rdp": _xrdp("rdp"),
    "xrdp-tls": _xrdp("tls"),
    "xrdp-negotiate": _xrdp("negotiate"),
    "xrdp-no-certificate": _missing,
    "xrdp-tls-1.0-1.1": _xrdp("tls", protocols="TLSv1, TLSv1.1", ciphers="ALL:@SECLEVEL=0"),
    "xrdp-tls-1.3": _xrdp("tls", protocols="TLSv1.3"),
    "xrdp-key-mismatch": _xrdp("tls", "mismatch"),
    "xrdp-rsa-1024": _xrdp("tls", "rsa-1024"),
    "xrdp-expired": _xrdp("tls", "expired"),
    "xrdp-expiring": _xrdp("tls", "expiring"),
    "xrdp-not-yet-valid": _xrdp("tls", "not-yet-valid"),
    "xrdp-sha1": _xrdp("tls", "sha1", ciphers="ALL:@SECLEVEL=0"),
    "xrdp-rsa-1024-allowed": _xrdp("tls", "rsa-1024", ciphers="ALL:@SECLEVEL=0"),
    "xrdp-rsa-4096": _xrdp("tls", "rsa-4096"),
    "xrdp-ecdsa": _xrdp("tls", "ecdsa"),
    "xrdp-wrong-usage": _xrdp("tls", "wrong-usage"),
    "xrdp-rdp-usage": _xrdp("tls", "rdp-usage"),
    "xrdp-no-usage": _xrdp("tls", "no-usage"),
    "xrdp-other-name": _xrdp("tls", "other-name"),
    "xrdp-computer-name": _xrdp("tls", "computer-name"),
    "xrdp-chain": _xrdp("tls", "chain"),
    "shadow-nla": _shadow("/sec:nla"),
    "shadow-tls": _shadow("/sec:tls", "-auth"),
    "shadow-rdp": _shadow("/sec:rdp", "-auth"),
    "shadow-all": _shadow("+sec-nla"),
    "shadow-expired": _shadow("/sec:tls", "-auth", kind="expired"),
    "weston-tls": lambda shop: weston(shop, tls=True),
    "weston-rdp": lambda shop: weston(shop, tls=False),
    "openssl": openssl,
    "http": http,
}

#: What each server needs, as `program: Debian package`.
NEEDS: dict[str, dict[str, str]] = {
    "xrdp": {"xrdp": "xrdp", "setpriv": "util-linux", "openssl": "openssl"},
    "shadow": {
        "freerdp-shadow-cli": "freerdp2-shadow-x11",
        "winpr-hash": "winpr-utils",
        "Xvfb": "xvfb",
        "setpriv": "util-linux",
    },
    "weston": {"weston": "weston", "setpriv": "util-linux"},
    "openssl": {"openssl": "openssl", "setpriv": "util-linux"},
    "http": {"setpriv": "util-linux"},
}


class Servers:
    """Starts each named server once, when first asked for, and ends them all together."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self._stack = contextlib.ExitStack()
        self._running: dict[str, Server] = {}

    def __getitem__(self, name: str) -> Server:
        if name not in self._running:
            self._running[name] = self._stack.enter_context(SERVERS[name](self.shop))
        return self._running[name]

    def close(self) -> None:
        self._stack.close()
        self.shop.close()
