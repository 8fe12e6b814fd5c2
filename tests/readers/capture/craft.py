"""Recordings built in code: TCP conversations, frames of any link layer, files of either kind."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.capture import Capture, Limits, Stream, read_capture
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_hello import Certificate, ServerHello, client_hello
from rdpdoctor.wire.tls_record import ContentType, HandshakeType, Record, Version, handshake_records
from rdpdoctor.wire.tls_suites import MODERN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
START = 1_700_000_000.0
ETHERNET = bytes(12)
SUITE = 0xC030

Packets = list[tuple[float, bytes]]


def ip(
    source: str, target: str, payload: bytes, *, protocol: int = 6, ttl: int = 64, number: int = 0
) -> bytes:
    """An IPv4 or IPv6 packet, as the addresses are."""
    one, two = ip_address(source), ip_address(target)
    if one.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), number, 0x4000, ttl, protocol, 0)
        return head + one.packed + two.packed + payload
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + one.packed + two.packed + payload


def tcp(
    ports: tuple[int, int], seq: int, ack: int, flags: int, payload: bytes = b"", window: int = 65000
) -> bytes:
    options = b"\x02\x04\x05\xb4" if flags & SYN else b""
    offset = (5 + len(options) // 4) << 4
    numbers = seq % (1 << 32), ack % (1 << 32)
    return struct.pack("!HHIIBBHHH", *ports, *numbers, offset, flags, window, 0, 0) + options + payload


def ethernet(packet: bytes) -> bytes:
    return ETHERNET + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


@dataclass
class Conversation:
    """One TCP connection; each call appends packets. Side 0 is the client."""

    client: str = CLIENT
    server: str = SERVER
    ports: tuple[int, int] = (50000, 3389)
    now: float = START
    step: float = 0.01
    numbers: list[int] = field(default_factory=lambda: [1000, 9000])
    ttls: tuple[int, int] = (64, 128)
    packets: Packets = field(default_factory=list)
    _id: int = 1

    def raw(self, side: int, flags: int, payload: bytes = b"", **more: int) -> bytes:
        """A packet as it would be sent now, without sending it."""
        ends = (self.client, self.server) if side == 0 else (self.server, self.client)
        ports = self.ports if side == 0 else (self.ports[1], self.ports[0])
        seq, ack = more.get("seq", self.numbers[side]), more.get("ack", self.numbers[1 - side])
        segment = tcp(ports, seq, ack, flags, payload, more.get("window", 65000))
        self._id += 1
        return ip(*ends, segment, ttl=more.get("ttl", self.ttls[side]), number=self._id)

    def add(self, packet: bytes, after: float | None = None) -> None:
        self.now += self.step if after is None else after
        self.packets.append((self.now, packet))

    def send(
        self, side: int, flags: int, payload: bytes = b"", *, after: float | None = None, **more: int
    ) -> None:
        self.add(self.raw(side, flags, payload, **more), after)
        self.numbers[side] += len(payload) + bool(flags & SYN) + bool(flags & FIN)

    def open(self) -> Conversation:
        self.send(0, SYN)
        self.send(1, SYN | ACK)
        self.send(0, ACK)
        return self

    def say(self, side: int, payload: bytes, *, after: float | None = None, size: int = 1400) -> Conversation:
        for at in range(0, len(payload), size):
            self.send(side, PUSH | ACK, payload[at : at + size], after=after)
            self.send(1 - side, ACK)
        return self

    def ask(self, requested: int = 0x0B, cookie: str = "user") -> Conversation:
        asked = nego.ConnectionRequestData(nego.Cookie(cookie), nego.NegotiationRequest(requested))
        return self.say(0, nego.request_packet(asked))

    def confirm(self, selected: int = 2) -> Conversation:
        return self.say(1, nego.confirm_packet(nego.NegotiationResponse(selected, 0x1F)))

    def hello(self, version: int = Version.TLS12) -> Conversation:
        return self.say(0, client_hello(version, MODERN, "srv.example", bytes(range(32))).records())

    def handshake(self, chain: Sequence[bytes] = (b"0",)) -> Conversation:
        """TLS 1.2, both sides to their end, after the client's hello."""
        self.say(1, server_flight(chain))
        self.say(0, handshake_records(HandshakeType.CLIENT_KEY_EXCHANGE, bytes(66), Version.TLS12) + FINISHED)
        return self.say(1, FINISHED)

    def data(self, side: int, size: int, *, after: float | None = None) -> Conversation:
        return self.say(side, record(ContentType.APPLICATION_DATA, bytes(size)), after=after)

    def close(self, side: int, *, after: float | None = None) -> Conversation:
        self.send(side, FIN | ACK, after=after)
        self.send(1 - side, ACK)
        return self

    def reset(self, side: int, ttl: int | None = None) -> Conversation:
        self.send(side, RST | ACK, ttl=ttl or self.ttls[side])
        return self


def record(kind: int, fragment: bytes, version: int = Version.TLS12) -> bytes:
    return Record(kind, version, fragment).encode()


FINISHED = record(ContentType.CHANGE_CIPHER_SPEC, b"\x01") + record(ContentType.HANDSHAKE, bytes(40))


def server_flight(chain: Sequence[bytes], version: int = Version.TLS12) -> bytes:
    hello = ServerHello(version, bytes(32), b"", SUITE)
    sent = Certificate(tuple(chain), len(chain)).encode()
    return (
        handshake_records(HandshakeType.SERVER_HELLO, hello.encode(), version)
        + handshake_records(HandshakeType.CERTIFICATE, sent, version)
        + handshake_records(HandshakeType.SERVER_HELLO_DONE, b"", version)
    )


# ---- files


def pcap(
    packets: Iterable[tuple[float, bytes]],
    *,
    linktype: int = 1,
    order: str = "<",
    nano: bool = False,
    snap: int = 0,
) -> bytes:
    """Of frames as they are: `framed` makes them of IP packets."""
    magic, unit = (0xA1B23C4D, 1e9) if nano else (0xA1B2C3D4, 1e6)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap or 262144, linktype)]
    for when, frame in packets:
        kept = frame[:snap] if snap else frame
        seconds = int(when)
        part = min(round((when - seconds) * unit), int(unit) - 1)
        out.append(struct.pack(order + "IIII", seconds, part, len(kept), len(frame)) + kept)
    return b"".join(out)


def framed(packets: Iterable[tuple[float, bytes]]) -> Packets:
    return [(when, ethernet(packet)) for when, packet in packets]


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = 12 + len(body)
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(linktype: int = 1, *, snap: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", linktype, 0, snap) + options, order)


def enhanced(when: float, frame: bytes, *, number: int = 0, unit: float = 1e6, order: str = "<") -> bytes:
    ticks = round(when * unit)
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def pcapng(packets: Iterable[tuple[float, bytes]], order: str = "<") -> bytes:
    blocks = [enhanced(when, frame, order=order) for when, frame in packets]
    return section(order) + interface(order=order) + b"".join(blocks)


# ---- reading


def read(data: bytes, limits: Limits | None = None, keylog: bytes = b"") -> Capture:
    return read_capture(io.BytesIO(data), limits, keylog=keylog)


def only(conversation: Conversation) -> Stream:
    """The one stream of a conversation recorded over Ethernet."""
    capture = read(pcap(framed(conversation.packets)))
    assert capture.lost == ()
    assert len(capture.streams) == 1
    return capture.streams[0]


def tags(stream: Stream) -> list[str]:
    """Those that tell how it went; not those that only describe."""
    about = ("flow.request", "flow.hello", "flow.packets", "tcp.measured", "tls.chain")
    return [row.tag for row in stream.observations if row.tag not in about]


def args(stream: Stream, tag: str) -> dict[str, Any]:
    found = [dict(row.args) for row in stream.observations if row.tag == tag]
    assert len(found) == 1, f"{tag}: {len(found)} rows"
    return found[0]
