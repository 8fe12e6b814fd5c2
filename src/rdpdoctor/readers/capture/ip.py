"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, and fragments put together within bounds."""

from __future__ import annotations

import ipaddress

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
_FRAGMENT = 44
_EXTENSIONS = (0, 43, 60, 135, 139, 140)  # of 8 bytes and more; 51 counts otherwise
_AUTHENTICATION = 51
_MOST_EXTENSIONS = 8


class Packet:
    """One IP packet's outline. addresses: source and target, 8 or 32 bytes. at, end: its payload, where `end`
    may be less than the header says (a recording of short frames); missing: by how many bytes.
    fragment: (identification, offset, more) or None.
    """

    __slots__ = ("addresses", "at", "end", "fragment", "id", "missing", "protocol", "ttl")

    addresses: bytes
    protocol: int
    ttl: int
    id: int
    at: int
    end: int
    missing: int
    fragment: tuple[int, int, bool] | None


def parse(data: bytes, at: int, end: int) -> Packet | None:
    """None where the header is cut off or makes no sense."""
    version = data[at] >> 4 if at < end else 0
    if version == 4:
        return _v4(data, at, end)
    return _v6(data, at, end) if version == 6 else None


def _v4(data: bytes, at: int, end: int) -> Packet | None:
    if end - at < 20:
        return None
    header = (data[at] & 15) * 4
    total = data[at + 2] << 8 | data[at + 3]
    if header < 20 or (total and total < header) or at + header > end:
        return None
    packet = Packet()
    packet.addresses = data[at + 12 : at + 20]
    packet.protocol, packet.ttl = data[at + 9], data[at + 8]
    packet.id = data[at + 4] << 8 | data[at + 5]
    flags = data[at + 6] << 8 | data[at + 7]
    packet.fragment = (packet.id, (flags & 0x1FFF) * 8, bool(flags & 0x2000)) if flags & 0x3FFF else None
    packet.at = at + header
    _ends(packet, at + total if total else end, end)  # 0: the card was left to cut it (segmentation offload)
    return packet


def _v6(data: bytes, at: int, end: int) -> Packet | None:
    if end - at < 40:
        return None
    packet = Packet()
    packet.addresses = data[at + 8 : at + 40]
    packet.ttl, packet.id, packet.fragment = data[at + 7], 0, None
    length = data[at + 4] << 8 | data[at + 5]
    kind, here = data[at + 6], at + 40
    _ends(packet, here + length if length else end, end)
    for _ in range(_MOST_EXTENSIONS):
        if kind not in _EXTENSIONS and kind not in (_FRAGMENT, _AUTHENTICATION):
            packet.protocol, packet.at = kind, here
            return packet
        if here + 8 > packet.end:
            return None
        if kind == _FRAGMENT:
            place = data[here + 2] << 8 | data[here + 3]
            number = int.from_bytes(data[here + 4 : here + 8], "big")
            packet.fragment = (number, place & 0xFFF8, bool(place & 1)) if place & 0xFFF9 else None
            size = 8
        else:
            size = data[here + 1] * 4 + 8 if kind == _AUTHENTICATION else data[here + 1] * 8 + 8
        kind, here = data[here], here + size
        if here > packet.end:
            return None
        if packet.fragment is not None:
            # What follows the fragment header is in pieces itself.
            packet.protocol, packet.at = kind, here
            return packet
    return None


def _ends(packet: Packet, said: int, end: int) -> None:
    packet.end = min(said, end)
    packet.missing = max(0, said - end)


def address(raw: bytes) -> str:
    """As text; an IPv4 address inside IPv6 as IPv4."""
    if len(raw) == 4:
        return "{}.{}.{}.{}".format(*raw)
    value = ipaddress.IPv6Address(raw)
    return str(value.ipv4_mapped or value)


class Fragments:
    """TCP packets that came in pieces: at most 256 at a time, of 64 pieces each, 4 MiB in all."""

    MOST, PIECES, TOTAL = 256, 64, 4 << 20

    def __init__(self) -> None:
        self._waiting: dict[tuple[bytes, int, int], dict[int, tuple[bytes, bool]]] = {}
        self._held = 0
        self.given_up = 0

    def add(self, packet: Packet, data: bytes) -> bytes | None:
        """The whole payload once all of it is there."""
        assert packet.fragment is not None
        number, offset, more = packet.fragment
        piece = data[packet.at : packet.end]
        if packet.missing or not piece or offset + len(piece) > 0xFFFF:
            self.given_up += 1
            return None
        key = (packet.addresses, number, packet.protocol)
        pieces = self._waiting.setdefault(key, {})
        if offset not in pieces:
            pieces[offset] = (piece, more)
            self._held += len(piece)
        whole = _joined(pieces)
        if whole is not None or len(pieces) > self.PIECES:
            self.given_up += whole is None
            self._forget(key)
        while len(self._waiting) > self.MOST or self._held > self.TOTAL:
            self.given_up += 1
            self._forget(next(iter(self._waiting)))
        return whole

    def _forget(self, key: tuple[bytes, int, int]) -> None:
        self._held -= sum(len(piece) for piece, _ in self._waiting.pop(key).values())


def _joined(pieces: dict[int, tuple[bytes, bool]]) -> bytes | None:
    whole = bytearray()
    while (found := pieces.get(len(whole))) is not None:
        piece, more = found
        whole += piece
        if not more:
            return bytes(whole)
    return None
