"""What a recording of packets comes to: its streams, what of it was lost, and how much there was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation


class CaptureError(ValueError):
    """The file is no recording that can be read at all. The text says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recording may cost. Bytes and counts; all of them hold whatever the file says.

    ports: TCP ports whose connections are told even when nothing on them looks like Remote Desktop.
    parsed: bytes of each direction that are read; opened: the same where TLS secrets open it.
    """

    ports: frozenset[int] = frozenset({3389})
    streams: int = 10_000
    open_flows: int = 1_000
    undecided: int = 20_000
    rejected: int = 130_000
    parsed: int = 256 * 1024
    opened: int = 64 * 2**20
    pending: int = 128 * 1024
    pending_total: int = 24 * 2**20
    unwalked_total: int = 48 * 2**20
    unpacked: int = 64 * 2**30


@dataclass(frozen=True, slots=True)
class Stream:
    """One TCP connection, or one attempt at it, or one UDP flow. Times are seconds since 1970.

    kind: "rdp" (a connection request was seen), "tls" (TLS from the first byte), "other" (something else on a
    port of Remote Desktop), "unseen" (no payload), "middle" (its first bytes were not recorded), "udp".
    tunnel: what came before the connection request: "socks", "connect", "proxy", "preconnection", or "".
    """

    number: int
    kind: str
    client: str
    server: str
    client_port: int
    port: int
    start: float
    end: float
    observations: tuple[Observation, ...]
    tunnel: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A port that somebody tried to reach, in vain, and that nobody has asked about. syns: requests to
    connect. start: when the first was sent, seconds since 1970.
    """

    client: str
    server: str
    port: int
    syns: int
    start: float


@dataclass(slots=True)
class Totals:
    """packets: all records of the file. bytes: of the file as it is unpacked. tcp_flows: SYNs, without those
    of connections whose beginning was not recorded, and with those sent again.

    start, end: seconds since 1970 of the first and the last packet; None where there is none.
    """

    packets: int = 0
    bytes: int = 0
    tcp_flows: int = 0
    streams: int = 0
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """secrets: the Decryption Secrets Blocks of a pcapng file, as (type, data). unanswered: ports beside
    those asked for, of which one may be meant; a few at most.
    """

    streams: tuple[Stream, ...]
    lost: tuple[str, ...]
    totals: Totals
    secrets: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    unanswered: tuple[Unanswered, ...] = ()
