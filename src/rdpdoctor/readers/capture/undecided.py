"""Connections of which it is not known yet whether they are worth telling. Most packets that come here belong
to one that is not, so this is written for speed: nothing is made of a packet before it is wanted.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, TypeAlias

from rdpdoctor.readers.capture import signature
from rdpdoctor.readers.capture.half import ACK, FIN, RST, SYN, Segment

#: key (addresses and ports as in the packet), time, header (sequence number, acknowledgement, offset, flags,
#: window), TTL, identification, payload, its length as it was sent, options of a SYN.
Raw: TypeAlias = tuple[bytes, float, tuple[int, int, int, int, int], int, int, bytes, int, bytes]
WHEN: Final = 1
HEADER: Final = 2
PAYLOAD: Final = 5
LENGTH: Final = 6

_HELD = 8  # packets of one connection
_HELD_TUNNEL = 24
_SPAN = 1 << 32


def segment(raw: Raw) -> Segment:
    return Segment(*raw[1:])


def reverse(key: bytes) -> bytes:
    """The key of the other direction's packets."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


class Held:
    """first: the key of the first packet; back: of the other direction. opening: its SYN and ACK flags."""

    __slots__ = ("back", "first", "opening", "packets")

    def __init__(self, raw: Raw) -> None:
        self.first = raw[0]
        self.back = reverse(self.first)
        self.opening = raw[2][3] & (SYN | ACK)
        self.packets = [raw]

    @property
    def middle(self) -> bool:
        """The beginning was not recorded."""
        return not self.opening & SYN

    def client(self, last: Raw) -> bytes:
        """The key of the client's packets; `last` is the packet that decided."""
        if self.opening & SYN:
            return self.first if self.opening == SYN else self.back
        return reverse(last[0]) if signature.is_confirm(last[PAYLOAD]) else last[0]

    def is_client(self, raw: Raw) -> bool:
        return (raw[0] == self.first) == (self.opening == SYN)

    def start(self) -> int:
        """The sequence number of the client's first byte, where its SYN or the answer to it was seen."""
        sequence, acknowledged, *_ = self.packets[0][HEADER]
        return (sequence + 1) % _SPAN if self.opening == SYN else acknowledged


class Undecided:
    """Both keys of a connection lead to what is held of it. randoms: of hellos whose secrets are known."""

    def __init__(self, most: int) -> None:
        self.randoms: set[bytes] = set()
        self._most = 2 * most
        self._held: dict[bytes, Held] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._held

    def take(self, raw: Raw) -> tuple[Held, bool] | None:
        """What was held of the packet's connection and whether it is worth telling, once that is known."""
        key, flags = raw[0], raw[2][3]
        held = self._held.get(key)
        if held is None or (flags & (SYN | ACK) == SYN and held.packets[0][HEADER][0] != raw[2][0]):
            if not flags & SYN and not raw[6]:
                return None
            held = Held(raw)
            self._held[key] = self._held[held.back] = held
            if len(self._held) > self._most:
                self._forget()
            if flags & SYN:
                return None
        else:
            held.packets.append(raw)
        worth = self._judge(held, raw)
        if worth is None:
            return None
        del self._held[held.first], self._held[held.back]
        return held, worth

    def _forget(self) -> None:
        """The older half."""
        for held in list(islice(self._held.values(), self._most // 2)):
            self._held.pop(held.first, None)
            self._held.pop(held.back, None)

    def _judge(self, held: Held, raw: Raw) -> bool | None:
        """Worth telling, or not, or not yet known."""
        payload = raw[5]
        if not payload:
            ends = raw[2][3] & (FIN | RST) or raw[6] or len(held.packets) > _HELD
            return False if ends else None
        if held.middle:
            return signature.is_request(payload, _port(raw[0])) or signature.is_confirm(payload)
        from_client = held.is_client(raw)
        if from_client and signature.is_nothing(payload) and not self.randoms and raw[2][0] == held.start():
            return False
        said = [each for each in held.packets if each[PAYLOAD] and held.is_client(each)]
        if said and signature.tunnel(said[0][PAYLOAD]):
            if signature.find_request(payload) >= 0:
                return True
            return None if len(held.packets) < _HELD_TUNNEL else False
        if not from_client:
            return False  # the server speaks first
        data = _in_order(said, held.start())
        if signature.is_request(data, _port(raw[0])):
            return True
        if self.randoms and signature.is_client_hello(data) and data[11:43] in self.randoms:
            return True
        return None if signature.may_become_request(data) and len(held.packets) <= _HELD else False


def _port(key: bytes) -> int:
    """Of the packet's target."""
    return int.from_bytes(key[-2:], "big")


def _in_order(packets: list[Raw], begin: int) -> bytes:
    """The first bytes of a direction, as far as these few packets have them."""
    data = bytearray()
    for raw in sorted(packets, key=lambda each: (each[HEADER][0] - begin) % _SPAN):
        position = (raw[HEADER][0] - begin) % _SPAN
        if position <= len(data):
            data += raw[PAYLOAD][len(data) - position :]
    return bytes(data)
