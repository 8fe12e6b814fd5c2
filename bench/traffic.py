"""A recording of an office's ordinary traffic with a few Remote Desktop connections in it, for `bench`.

The same seed and size give the same bytes. Checksums are left at zero: neither reader judges them.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_hello import Certificate, ServerHello, client_hello
from rdpdoctor.wire.tls_record import HandshakeType, Version, handshake_records
from rdpdoctor.wire.tls_suites import MODERN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYN, SYN_ACK, ACK, PUSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x14
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
_ETHERNET = bytes.fromhex("020000000001020000000002")
_V4 = struct.Struct("!BBHHHBBH8s")
_V6 = struct.Struct("!IHBB32s")
_TCP = struct.Struct("!HHIIBBHHH")
_RECORD = struct.Struct("<IIII")
_ACTIVE = 300  # conversations at a time
_EVERY = 500  # conversations of other kinds for one of Remote Desktop


class Flow:
    """One TCP conversation's packets, each made when it is asked for."""

    __slots__ = ("_ends", "_numbers", "_ports", "_v6")

    def __init__(self, rng: random.Random, port: int) -> None:
        self._v6 = rng.random() < 0.15
        size = 16 if self._v6 else 4
        prefix = bytes.fromhex("20010db8") if self._v6 else b"\x0a"
        client, server = (prefix + rng.randbytes(size - len(prefix)) for _ in range(2))
        self._ends = (client + server, server + client)
        self._ports = (rng.randrange(32768, 61000), port)
        self._numbers = [rng.getrandbits(31), rng.getrandbits(31)]

    def packet(self, side: int, flags: int, payload: bytes = b"") -> bytes:
        source, target = self._ports if side == 0 else self._ports[::-1]
        numbers = self._numbers
        tcp = _TCP.pack(source, target, numbers[side], numbers[1 - side], 0x50, flags, 64240, 0, 0) + payload
        numbers[side] += len(payload) + (1 if flags & 0x03 else 0)
        if self._v6:
            return _ETHERNET + b"\x86\xdd" + _V6.pack(0x60000000, len(tcp), 6, 64, self._ends[side]) + tcp
        return (
            _ETHERNET
            + b"\x08\x00"
            + _V4.pack(0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0, self._ends[side])
            + tcp
        )


def _office(rng: random.Random) -> Iterator[bytes]:
    flow = Flow(rng, rng.choice((443, 443, 443, 80, 445, 993, 5223)))
    yield flow.packet(0, SYN)
    yield flow.packet(1, SYN_ACK)
    yield flow.packet(0, ACK)
    for _ in range(int(rng.expovariate(1 / 20)) + 1):
        yield flow.packet(0, PUSH, b"\x17\x03\x03" + rng.randbytes(rng.randrange(20, 200)))
        for _ in range(rng.randrange(1, 4)):
            yield flow.packet(1, ACK, b"\x17\x03\x03" + rng.randbytes(rng.choice((40, 90, 400))))
            yield flow.packet(0, ACK)
    yield flow.packet(0, FIN)
    yield flow.packet(1, FIN)
    yield flow.packet(0, ACK)


def _questions(rng: random.Random) -> Iterator[bytes]:
    ends = b"\x0a" + rng.randbytes(3) + b"\x0a\x00\x00\x35"
    ports = rng.randrange(32768, 61000), 53
    for _ in range(2):
        payload = rng.randbytes(rng.randrange(30, 90))
        udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
        yield _ETHERNET + b"\x08\x00" + _V4.pack(0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, ends) + udp
        ends, ports = ends[4:] + ends[:4], ports[::-1]


@dataclass(slots=True)
class Told:
    """What a reader has to find: a connection of Remote Desktop. whole: all of it is in the file."""

    port: int
    dies: bool
    whole: bool = False


def _remote_desktop(rng: random.Random, truth: list[Told]) -> Iterator[bytes]:
    """TLS 1.2 and CredSSP; one in three is closed by the server after the ClientHello."""
    told = Told(rng.choice((3389, 3389, 13389)), rng.random() < 1 / 3)
    flow = Flow(rng, told.port)
    truth.append(told)
    yield flow.packet(0, SYN)
    yield flow.packet(1, SYN_ACK)
    yield flow.packet(0, ACK)
    asked = nego.ConnectionRequestData(nego.Cookie("user"), nego.NegotiationRequest(0x0B))
    yield flow.packet(0, PUSH, nego.request_packet(asked))
    yield flow.packet(1, PUSH, nego.confirm_packet(nego.NegotiationResponse(2, 0x1F)))
    yield flow.packet(
        0, PUSH, client_hello(Version.TLS12, MODERN, "server.example", rng.randbytes(32)).records()
    )
    if told.dies:
        yield flow.packet(1, FIN)
        told.whole = True
        yield flow.packet(0, FIN)
        yield flow.packet(1, ACK)
        return
    hello = ServerHello(Version.TLS12, rng.randbytes(32), b"", 0xC030)
    certificate = Certificate((rng.randbytes(700),), 1)
    answer = handshake_records(HandshakeType.SERVER_HELLO, hello.encode(), Version.TLS12)
    answer += handshake_records(HandshakeType.CERTIFICATE, certificate.encode(), Version.TLS12)
    answer += handshake_records(HandshakeType.SERVER_HELLO_DONE, b"", Version.TLS12)
    yield flow.packet(1, PUSH, answer)
    finished = b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x28" + rng.randbytes(40)
    exchange = handshake_records(HandshakeType.CLIENT_KEY_EXCHANGE, bytes(66), Version.TLS12)
    yield flow.packet(0, PUSH, exchange + finished)
    yield flow.packet(1, PUSH, finished)
    for number in range(200):
        size = rng.randrange(60, 500)
        yield flow.packet(number % 2, PUSH, b"\x17\x03\x03" + size.to_bytes(2, "big") + rng.randbytes(size))
    yield flow.packet(0, RST)
    told.whole = True


def packets(seed: int, truth: list[Told]) -> Iterator[bytes]:
    """Frames without end, many conversations side by side; `truth` grows with them."""
    rng = random.Random(seed)
    begun = 0

    def begin() -> Iterator[bytes]:
        nonlocal begun
        begun += 1
        if begun % _EVERY == _EVERY // 2:
            return _remote_desktop(rng, truth)
        return _questions(rng) if rng.random() < 0.3 else _office(rng)

    active = [begin() for _ in range(_ACTIVE)]
    while True:
        at = rng.randrange(_ACTIVE)
        for _ in range(rng.randrange(1, 6)):
            frame = next(active[at], None)
            if frame is None:
                active[at] = begin()
                break
            yield frame


def write(path: Path, megabytes: float, seed: int = 1) -> tuple[int, list[Told]]:
    """A pcap file of Ethernet frames. Return how many packets it has, and what is to be found in it."""
    truth: list[Told] = []
    count, left, microseconds = 0, int(megabytes * 1e6), 1_700_000_000_000_000
    with path.open("wb") as file:
        file.write(_HEADER)
        for frame in packets(seed, truth):
            microseconds += 37
            seconds, rest = divmod(microseconds, 1_000_000)
            _append(file, _RECORD.pack(seconds, rest, len(frame), len(frame)), frame)
            count, left = count + 1, left - 16 - len(frame)
            if left <= 0:
                return count, truth
    raise AssertionError("packets never end")


def _append(file: BinaryIO, head: bytes, frame: bytes) -> None:
    file.write(head)
    file.write(frame)
