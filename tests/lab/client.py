"""A client of the standard library alone: what the lab answers is not judged by our own reading of it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.lab.endpoint import Endpoint

ORDINARY = 0x0B
#: What a confirm looks like in bytes (MS-RDPBCGR 2.2.1.2): 11 bytes of TPKT and X.224, 8 of negotiation.
CONFIRM = 19
#: TSRequest version 6 with a raw NTLM NEGOTIATE, both by hand (MS-CSSP 2.2.1, MS-NLMP 2.2.1.1).
NEGOTIATE = bytes.fromhex(
    "3037a003020106a130302e302ca02a0428" "4e544c4d53535000" "01000000" "978208e2" "0000000000000000"
    "0000000000000000" "0a00f4650000000f"
)  # fmt: skip


@contextlib.contextmanager
def playing(endpoint: str = "", **tables: str) -> Iterator[Endpoint]:
    """An endpoint whose `[endpoint]` table has these lines; `tables` by name: `x224='accepts = ["tls"]'`."""
    text = 'title = "a test"\nteaches = "nothing"\n[expect]\nstatus = "healthy"\n[endpoint]\n' + endpoint
    for name, lines in tables.items():
        array = name in ("fault", "certificate")
        text += f"\n{'[[' if array else '['}endpoint.{name}{']]' if array else ']'}\n{lines}\n"
    with background(parse("test", text)) as running:
        yield running
    assert running.faults == []


def request(protocols: int | None = ORDINARY, cookie: str | None = None) -> bytes:
    """Connection request by hand."""
    body = b"" if cookie is None else b"Cookie: mstshash=" + cookie.encode() + b"\r\n"
    if protocols is not None:
        body += struct.pack("<BBHI", 1, 0, 8, protocols)
    return struct.pack(">BBHBBHHB", 3, 0, 11 + len(body), 6 + len(body), 0xE0, 0, 0, 0) + body


@dataclass
class Client:
    sock: socket.socket

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (piece := self.sock.recv(count - len(data))):
            data += piece
        return data

    def confirm(self, protocols: int | None = ORDINARY, cookie: str | None = None) -> bytes:
        """What came for it: the whole frame, or as much as came before the end."""
        self.sock.sendall(request(protocols, cookie))
        head = self.exactly(4)
        return head + self.exactly(int.from_bytes(head[2:4], "big") - 4) if len(head) == 4 else head

    def answer(self, protocols: int | None = ORDINARY, cookie: str | None = None) -> tuple[int, int] | None:
        """Type and value of the negotiation: (2, selected) or (3, failure); None for a plain confirm."""
        frame = self.confirm(protocols, cookie)
        assert frame[:2] == b"\x03\x00", frame.hex()
        assert frame[5] == 0xD0, frame.hex()
        if len(frame) == 11:
            return None
        kind, _, length, value = struct.unpack("<BBHI", frame[11:])
        assert length == 8
        return kind, value

    def tls(self, name: str | None = None, **limits: ssl.TLSVersion) -> ssl.SSLSocket:
        context = _context()
        for limit, version in limits.items():
            setattr(context, limit, version)
        return context.wrap_socket(self.sock, server_hostname=name)

    def start_tls(self, name: str | None = None, split: bool = False) -> None:
        """Only the ClientHello; `split` sends its first byte by itself."""
        outgoing = ssl.MemoryBIO()
        tls = _context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        if split:
            self.sock.sendall(hello[:1])
            time.sleep(0.03)
        self.sock.sendall(hello[1:] if split else hello)

    def ending(self) -> str:
        """`closed`, `reset` or `silent`; `more` where a byte comes instead."""
        try:
            return "closed" if not self.sock.recv(1) else "more"
        except ConnectionResetError:
            return "reset"
        except TimeoutError:
            return "silent"


def ending(sock: socket.socket) -> str:
    """How the connection under it ends, be it a TLS socket: records that still come are skipped."""
    try:
        while socket.socket.recv(sock, 65536):
            pass
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"
    return "closed"


def passes(endpoint: Endpoint, cookie: str | None = None) -> bool:
    """Whether a new connection gets its confirm."""
    with connected(endpoint) as client:
        try:
            return client.answer(cookie=cookie) is not None
        except (ConnectionResetError, AssertionError):
            return False


def hello_passes(endpoint: Endpoint, name: str | None = None, split: bool = False) -> bool:
    """Whether a new connection's ClientHello is answered with a handshake record."""
    with connected(endpoint) as client:
        client.answer()
        try:
            client.start_tls(name, split)
            return client.exactly(2) == b"\x16\x03"
        except ConnectionResetError:
            return False


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@contextlib.contextmanager
def connected(endpoint: Endpoint, address: str | None = None, wait: float = 2.0) -> Iterator[Client]:
    with socket.create_connection((address or endpoint.addresses[0], endpoint.port), wait) as sock:
        sock.settimeout(wait)
        yield Client(sock)
