"""A peer on loopback that does whatever a test wants, in blocking code on one thread a connection.

Everything here is written from the specifications and shares nothing with the product, so that a mistake of
ours on the wire cannot hide behind itself.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.real.certificates import Pair

SSL_, HYBRID, HYBRID_EX = 1, 2, 8
NTLMSSP = b"NTLMSSP\x00"

Behave = Callable[["Talk"], None]


class Over(Exception):
    """The client is gone, or the test is."""


@dataclass(slots=True)
class Talk:
    """One connection, seen from the server. `number` counts from 1; `at_once`: how many were open."""

    socket: socket.socket
    number: int
    at_once: int
    stopping: threading.Event
    requested: int | None = None
    cookie: bytes = b""
    _ended: bool = field(default=False)

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Over from error

    def receive(self, most: int = 65536) -> bytes:
        """At least one byte; `Over` at the end."""
        try:
            data = self.socket.recv(most)
        except OSError as error:
            raise Over from error
        if not data:
            raise Over
        return data

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self.receive(count - len(data))
        return data

    def request(self) -> bytes:
        """Read the connection request (MS-RDPBCGR 2.2.1.1): sets `requested` and `cookie`."""
        head = self.exactly(4)
        if head[0] != 3:
            self.requested = None
            return head
        body = self.exactly(int.from_bytes(head[2:4], "big") - 4)
        rest = body[7:]
        if rest.startswith(b"Cookie:") and b"\r\n" in rest:
            self.cookie, rest = rest.split(b"\r\n", 1)
        self.requested = int.from_bytes(rest[4:8], "little") if rest[:1] == b"\x01" else None
        if self.requested is None and not rest:
            self.requested = 0
        return head + body

    def confirm(self, selected: int, flags: int = 0x1F) -> None:
        self.send(confirm(selected, flags))

    def choose(self) -> int:
        """Answer the request as a Windows server that requires NLA does; the selected protocol, or `Over`."""
        self.request()
        if self.requested is None or not self.requested & (HYBRID | HYBRID_EX):
            self.send(failure(5))
            self.close()
            raise Over
        selected = HYBRID_EX if self.requested & HYBRID_EX else HYBRID
        self.confirm(selected)
        return selected

    def tls(self, context: ssl.SSLContext) -> Talk:
        """The same connection inside TLS; `Over` when the client does not go through with it."""
        try:
            inside = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket = inside
            inside.do_handshake()
        except (OSError, ValueError) as error:
            raise Over from error
        return self

    def beneath(self, data: bytes) -> None:
        """Send past TLS, on the bare connection."""
        try:
            socket.socket.sendall(self.socket, data)
        except OSError as error:
            raise Over from error

    def client_token(self) -> bytes:
        """Read one TSRequest; its bytes whole."""
        data = self.receive()
        while len(data) < 4 or len(data) < _der_length(data):
            data += self.receive()
        return data

    def answer_token(self, token: bytes, version: int = 6) -> None:
        """Answer the client's TSRequest in the form it used: bare NTLM, or NTLM in SPNEGO."""
        asked = self.client_token()
        at = asked.find(NTLMSSP)
        spnego = b"\x2b\x06\x01\x05\x05\x02" in asked[: max(at, 0)]
        self.send(ts_request(version, negotiation_response(token) if spnego else token))

    def hold(self) -> None:
        """Keep it open and read what comes, until the client ends it or the test is over."""
        while True:
            self.receive()

    def wait(self, seconds: float) -> None:
        if self.stopping.wait(seconds):
            raise Over

    def close(self) -> None:
        """FIN, also when the client's bytes are still unread."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.settimeout(0.5)
        with contextlib.suppress(Over):
            for _ in range(20):
                self.receive()

    def reset(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Peer:
    """Listens while it is entered; each connection runs `behave`. Counts them."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[int, Talk] = {}
        self._threads: list[threading.Thread] = []
        self.accepted = 0
        self.most_at_once = 0
        self.faults: list[BaseException] = []

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Peer:
        self._thread(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # A blocked accept is not woken by close() on every system; a connection wakes it on all.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._listener.close()
        with self._lock:
            for talk in self._open.values():
                with contextlib.suppress(OSError):
                    talk.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a peer's thread hangs"
        assert not self.faults, self.faults

    def _thread(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for number in itertools.count(1):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                connection.close()
                return
            with self._lock:
                self.accepted = number
                talk = Talk(connection, number, len(self._open) + 1, self._stopping)
                self._open[number] = talk
                self.most_at_once = max(self.most_at_once, talk.at_once)
            self._thread(self._serve, talk)

    def _serve(self, talk: Talk) -> None:
        try:
            self._behave(talk)
        except Over:
            pass
        except BaseException as error:
            self.faults.append(error)
        finally:
            with self._lock:
                self._open.pop(talk.number, None)
            talk.socket.close()


# ---- messages (MS-RDPBCGR 2.2.1.2, MS-CSSP 2.2.1, MS-NLMP 2.2.1.2)


def tpkt(body: bytes, length: int | None = None) -> bytes:
    return b"\x03\x00" + struct.pack(">H", len(body) + 4 if length is None else length) + body


def confirm(selected: int, flags: int = 0x1F) -> bytes:
    negotiation = struct.pack("<BBHI", 2, flags, 8, selected)
    return tpkt(b"\x0e\xd0\x00\x00\x12\x34\x00" + negotiation)


def failure(code: int) -> bytes:
    return tpkt(b"\x0e\xd0\x00\x00\x12\x34\x00" + struct.pack("<BBHI", 3, 0, 8, code))


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def ts_request(version: int = 6, token: bytes | None = None, error: int | None = None) -> bytes:
    parts = [der(0xA0, integer(version))]
    if token is not None:
        parts.append(der(0xA1, der(0x30, der(0x30, der(0xA0, der(0x04, token))))))
    if error is not None:
        parts.append(der(0xA4, integer(error)))
    return der(0x30, *parts)


def negotiation_response(token: bytes) -> bytes:
    """SPNEGO NegTokenResp: accept-incomplete, NTLM, `token` (RFC 4178 section 4.2.2)."""
    ntlm = bytes.fromhex("2b06010401823702020a")
    parts = der(0xA0, der(0x0A, b"\x01")), der(0xA1, der(0x06, ntlm)), der(0xA2, der(0x04, token))
    return der(0xA1, der(0x30, *parts))


def _der_length(data: bytes) -> int:
    """Of the whole element, whose first four bytes are there."""
    if data[1] < 0x80:
        return 2 + data[1]
    size = data[1] & 0x7F
    return 2 + size + int.from_bytes(data[2 : 2 + size], "big")


def av_pairs(*pairs: tuple[int, bytes], end: bool = True) -> bytes:
    text = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs)
    return text + (bytes(4) if end else b"")


def file_time(seconds: float) -> bytes:
    """Unix seconds as 100 ns since 1601."""
    return struct.pack("<Q", int((seconds + 11_644_473_600) * 10_000_000))


def challenge(
    names: dict[int, str] | None = None, *, time_off: float = 0.0, info: bytes | None = None
) -> bytes:
    """An NTLM CHALLENGE. `names`: AV ids 1 to 5 to text; `info` replaces the whole target information."""
    names = {2: "DOMAIN", 1: "RDP-UNDER-TEST", 4: "domain.example", 3: "rdp-under-test", **(names or {})}
    if info is None:
        pairs = [(kind, text.encode("utf-16-le")) for kind, text in names.items()]
        info = av_pairs(*pairs, (7, file_time(time.time() + time_off)))
    target = names[2].encode("utf-16-le")
    flags = 0x628A8215 | 0x02000000
    head = NTLMSSP + struct.pack("<I", 2)
    fields = struct.pack("<HHI", len(target), len(target), 56)
    fields += struct.pack("<I", flags) + random.randbytes(8) + bytes(8)
    fields += struct.pack("<HHI", len(info), len(info), 56 + len(target))
    version = bytes([10, 0]) + struct.pack("<H", 20348) + b"\x00\x00\x00\x0f"
    return head + fields + version + target + info


# ---- the healthy peer, which faults are made from


def server_context(
    pair: Pair, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str = ""
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    if ciphers:
        context.set_ciphers(ciphers)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def healthy(context: ssl.SSLContext, token: Callable[[], bytes] = challenge, version: int = 6) -> Behave:
    """Requires NLA and gets as far as a client without credentials can: the NTLM challenge."""

    def behave(talk: Talk) -> None:
        talk.choose()
        talk.tls(context)
        talk.answer_token(token(), version)
        talk.hold()

    return behave


@contextlib.contextmanager
def proxied(behave: Behave, cut_after: int, how: str) -> Iterator[Peer]:
    """The peer `behave`, cut off after `cut_after` bytes of each connection: "close", "reset" or "stall"."""

    with Peer(behave) as upstream:

        def cut(talk: Talk) -> None:
            with socket.create_connection(("127.0.0.1", upstream.port), 5) as onward:
                onward.settimeout(None)
                _relay(talk, onward, cut_after, how)

        with Peer(cut) as peer:
            yield peer


def _relay(talk: Talk, onward: socket.socket, left: int, how: str) -> None:
    def up() -> None:
        with contextlib.suppress(Over, OSError):
            while True:
                onward.sendall(talk.receive())
        with contextlib.suppress(OSError):
            onward.shutdown(socket.SHUT_RDWR)

    lifter = threading.Thread(target=up, daemon=True)
    lifter.start()
    try:
        while left:
            try:
                data = onward.recv(min(left, 65536))
            except OSError:  # the peer behind was reset, with what the client sent and then left
                return
            if not data:
                return
            talk.send(data)
            left -= len(data)
        match how:
            case "reset":
                # What is on its way must arrive first: a reset throws away what the client has not read yet.
                talk.wait(0.05)
                # A close is none while another thread still reads.
                with contextlib.suppress(OSError):
                    talk.socket.shutdown(socket.SHUT_RD)
                lifter.join(2)
                talk.reset()
            case "stall":
                talk.stopping.wait(60)
            case _:
                with contextlib.suppress(OSError):
                    talk.socket.shutdown(socket.SHUT_WR)
                lifter.join(2)
    finally:
        with contextlib.suppress(OSError):
            onward.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            talk.socket.shutdown(socket.SHUT_RDWR)
        lifter.join(5)
