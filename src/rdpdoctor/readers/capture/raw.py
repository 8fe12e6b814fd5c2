"""A TCP packet before anything is made of it, read in one go where nothing about it is special."""

from __future__ import annotations

from struct import Struct
from typing import Final, TypeAlias

from rdpdoctor.readers.capture.half import SYN, Segment

#: key (addresses and ports as in the packet), time, header (sequence number, acknowledgement, offset, flags,
#: window), TTL, identification, payload, its length as it was sent, options of a SYN.
Raw: TypeAlias = tuple[bytes, float, tuple[int, int, int, int, int], int, int, bytes, int, bytes]
WHEN: Final = 1
HEADER: Final = 2
PAYLOAD: Final = 5
LENGTH: Final = 6

#: From the IP header on: length, identification (IPv4), flags and offset of a fragment (IPv4), TTL, protocol,
#: addresses with ports, then what `Raw` has as header.
V4 = Struct("!xxHHHBBxx12sIIBBH").unpack_from
V6 = Struct("!xxxxHBB36sIIBBH").unpack_from
SHORTEST: Final = 60  # IPv6 and TCP; of IPv4 20 bytes less
_ENDS4, _ENDS6 = Struct("4s4s2s2s"), Struct("16s16s2s2s")
_TCP = 6


def segment(raw: Raw) -> Segment:
    return Segment(*raw[1:])


def reverse(key: bytes) -> bytes:
    """The key of the other direction's packets."""
    ends = _ENDS4 if len(key) == 12 else _ENDS6
    source, target, source_port, target_port = ends.unpack(key)
    return ends.pack(target, source, target_port, source_port)


def simple(data: bytes, at: int, end: int, when: float) -> Raw | None:
    """The packet of IP at `at`, where it is TCP without options or extension headers of IP, in one piece, and
    recorded whole. None for any other, which is to be taken apart with care.
    """
    first = data[at]
    if first == 0x45 and end - at >= 40:
        total, number, fragment, ttl, protocol, key, sequence, ack, offset, flags, window = V4(data, at)
        here, last = at + 20, at + total
        if fragment & 0x3FFF:
            return None
    elif first >> 4 == 6 and end - at >= SHORTEST:
        total, protocol, ttl, key, sequence, ack, offset, flags, window = V6(data, at)
        here, last, number = at + 40, at + 40 + total, 0
    else:
        return None
    begin = here + (offset >> 4) * 4
    if protocol != _TCP or not here + 20 <= begin <= last <= end:
        return None
    options = data[here + 20 : begin] if flags & SYN else b""
    header = sequence, ack, offset, flags, window
    return key, when, header, ttl, number, data[begin:last], last - begin, options
