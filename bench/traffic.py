"""Recordings of traffic with some Remote Desktop connections in it, for `bench`: an office's ordinary one,
and others that are hard on a reader each in its own way (`MIXES`).

The same seed, mix and size give the same bytes. Checksums are left at zero: neither reader judges them.
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
    from collections.abc import Callable, Iterator
    from pathlib import Path

SYN, SYN_ACK, ACK, PUSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x14
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
_ETHERNET = bytes.fromhex("020000000001020000000002")
_V4 = struct.Struct("!BBHHHBBH8s")
_V6 = struct.Struct("!IHBB32s")
_TCP = struct.Struct("!HHIIBBHHH")
_RECORD = struct.Struct("<IIII")
#: ChangeCipherSpec, and the head of an encrypted record of 40 bytes.
_FINISH = b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x28"


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
            yield flow.packet(1, ACK, b"\x17\x03\x03" + rng.randbytes(rng.choice((40, 60, 240))))
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


def _short(rng: random.Random) -> Iterator[bytes]:
    """One question, one answer: half of the packets come before anybody can know what it is."""
    flow = Flow(rng, rng.choice((80, 8080, 5432, 6379)))
    yield from (flow.packet(0, SYN), flow.packet(1, SYN_ACK), flow.packet(0, ACK))
    yield flow.packet(0, PUSH, b"GET /" + rng.randbytes(rng.randrange(20, 200)))
    yield flow.packet(1, PUSH, b"HTTP/1.1 200 OK\r\n" + rng.randbytes(rng.choice((40, 90, 400))))
    yield from (flow.packet(0, FIN), flow.packet(1, FIN), flow.packet(0, ACK))


def _web(rng: random.Random) -> Iterator[bytes]:
    """TLS on a gateway's port: what it carries cannot be seen."""
    flow = Flow(rng, 443)
    yield from (flow.packet(0, SYN), flow.packet(1, SYN_ACK), flow.packet(0, ACK))
    name = f"{rng.choice(('www', 'gateway', 'api'))}.example"
    yield flow.packet(0, PUSH, client_hello(Version.TLS12, MODERN, name, rng.randbytes(32)).records())
    yield flow.packet(1, PUSH, _flight(rng))
    yield flow.packet(0, PUSH, _FINISH + rng.randbytes(40))
    for _ in range(int(rng.expovariate(1 / 6)) + 1):
        yield flow.packet(0, PUSH, b"\x17\x03\x03\x00\x64" + rng.randbytes(100))
        yield flow.packet(1, ACK, b"\x17\x03\x03\x01\x2c" + rng.randbytes(300))
    yield from (flow.packet(0, FIN), flow.packet(1, FIN), flow.packet(0, ACK))


def _calls(rng: random.Random) -> Iterator[bytes]:
    """QUIC or a telephone: UDP both ways, and no beginning that a header would show."""
    ends = b"\x0a" + rng.randbytes(7)
    ports = rng.randrange(32768, 61000), rng.choice((443, 443, 3478, rng.randrange(16384, 32768)))
    for _ in range(int(rng.expovariate(1 / 40)) + 1):
        payload = rng.randbytes(rng.choice((30, 60, 160)))
        udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
        yield _ETHERNET + b"\x08\x00" + _V4.pack(0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, ends) + udp
        ends, ports = ends[4:] + ends[:4], ports[::-1]


@dataclass(slots=True)
class Told:
    """What a reader has to find: a connection of Remote Desktop. whole: all of it is in the file."""

    port: int
    dies: bool
    whole: bool = False


def _flight(rng: random.Random) -> bytes:
    """A server's first answer in TLS 1.2."""
    hello = ServerHello(Version.TLS12, rng.randbytes(32), b"", 0xC030)
    certificate = Certificate((rng.randbytes(700),), 1)
    return (
        handshake_records(HandshakeType.SERVER_HELLO, hello.encode(), Version.TLS12)
        + handshake_records(HandshakeType.CERTIFICATE, certificate.encode(), Version.TLS12)
        + handshake_records(HandshakeType.SERVER_HELLO_DONE, b"", Version.TLS12)
    )


def _remote_desktop(rng: random.Random, truth: list[Told], pictures: int) -> Iterator[bytes]:
    """TLS 1.2 and CredSSP; one in three is closed by the server after the ClientHello. pictures: packets of
    the largest size that the server sends once the session stands.
    """
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
    yield flow.packet(1, PUSH, _flight(rng))
    exchange = handshake_records(HandshakeType.CLIENT_KEY_EXCHANGE, bytes(66), Version.TLS12)
    yield flow.packet(0, PUSH, exchange + _FINISH + rng.randbytes(40))
    yield flow.packet(1, PUSH, _FINISH + rng.randbytes(40))
    for number in range(200):
        size = rng.randrange(60, 500)
        yield flow.packet(number % 2, PUSH, b"\x17\x03\x03" + size.to_bytes(2, "big") + rng.randbytes(size))
    picture = b"\x17\x03\x03\x05\xa7" + rng.randbytes(1447)
    for number in range(pictures):
        yield flow.packet(1, ACK, picture)
        if number % 2:
            yield flow.packet(0, ACK)
    yield flow.packet(0, RST)
    told.whole = True


@dataclass(frozen=True, slots=True)
class Mix:
    """others: by their weight. every: conversations of other kinds for one of Remote Desktop. active: at a
    time.
    """

    others: dict[Callable[[random.Random], Iterator[bytes]], int]
    every: int = 500
    active: int = 300
    pictures: int = 0


#: The last is nearly all Remote Desktop: 30,000 pictures are 45 MB of one session.
MIXES = {
    "office": Mix({_office: 7, _questions: 3}),
    "short": Mix({_short: 1}, every=5000),
    "web": Mix({_web: 1}, every=2000),
    "udp": Mix({_calls: 8, _office: 1}),
    "sessions": Mix({_questions: 1}, every=2, active=6, pictures=30_000),
}


def packets(seed: int, truth: list[Told], mix: Mix) -> Iterator[bytes]:
    """Frames without end, many conversations side by side; `truth` grows with them."""
    rng = random.Random(seed)
    kinds, weights = list(mix.others), list(mix.others.values())
    begun = 0

    def begin() -> Iterator[bytes]:
        nonlocal begun
        begun += 1
        if begun % mix.every == mix.every // 2:
            return _remote_desktop(rng, truth, mix.pictures)
        return rng.choices(kinds, weights)[0](rng)

    active = [begin() for _ in range(mix.active)]
    while True:
        at = rng.randrange(mix.active)
        for _ in range(rng.randrange(1, 6)):
            frame = next(active[at], None)
            if frame is None:
                active[at] = begin()
                break
            yield frame


def write(path: Path, megabytes: float, mix: str = "office", seed: int = 1) -> tuple[int, list[Told]]:
    """A pcap file of Ethernet frames. Return how many packets it has, and what is to be found in it."""
    truth: list[Told] = []
    count, left, microseconds = 0, int(megabytes * 1e6), 1_700_000_000_000_000
    with path.open("wb") as file:
        file.write(_HEADER)
        for frame in packets(seed, truth, MIXES[mix]):
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
