"""Connections of which it is not known yet whether they are worth telling. Most packets that come here belong
to one that is not, so this is written for speed: nothing is made of a packet before it is wanted.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import signature
from rdpdoctor.readers.capture.half import ACK, FIN, RST, SYN
from rdpdoctor.readers.capture.raw import HEADER, PAYLOAD, SHORTEST, reverse, simple

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.readers.capture.raw import Raw

_ENDS, _OPENS = FIN | RST, SYN | ACK
_HELD = 8  # packets of one connection
_HELD_TUNNEL = 24
_SPAN = 1 << 32
#: From the IP header on: length, flags and offset of a fragment (IPv4), sequence number, TCP's offset, flags.
_V4 = Struct("!xxHxxH16xI4xBB").unpack_from
_V6 = Struct("!4xH38xI4xBB").unpack_from


class Held:
    """first: the key of the first packet; back: of the other direction. opening: its SYN and ACK flags.
    packets: without those that `quick` took, until `unfold`.
    """

    __slots__ = ("_house", "_later", "back", "first", "opening", "packets")

    def __init__(self, raw: Raw, house: Undecided) -> None:
        self._house = house
        self.first = raw[0]
        self.back = reverse(self.first)
        self.opening = raw[2][3] & _OPENS
        self.packets = [raw]
        self._later: list[tuple[bytes, float]] = []

    def quick(self, data: bytes, at: int, end: int, when: float) -> bool:
        """Take the packet of IP at `at`, where that is done at once: it belongs to the opening, or it is the
        first that the client says and nothing that anybody here wants.
        """
        first = data[at]
        if first == 0x45:
            if end - at < SHORTEST - 20:
                return False
            total, fragment, sequence, offset, flags = _V4(data, at)
            here, last = at + 20, at + total
            if fragment & 0x3FFF:
                return False
        else:
            if end - at < SHORTEST or first >> 4 != 6:
                return False
            total, sequence, offset, flags = _V6(data, at)
            here = at + 40
            last = here + total
        begin = here + (offset >> 4) * 4
        opening, later = self.opening, self._later
        if not here + 20 <= begin <= last <= end or not opening & SYN or flags & _ENDS:
            return False
        if len(later) + len(self.packets) >= _HELD or flags & _OPENS == SYN:
            return False
        if begin == last:
            later.append((data[at:last], when))
            return True
        house = self._house
        client = self.first if opening == SYN else self.back
        begins = sequence == self.start() and data.startswith(client, here + 4 - len(client))
        if not begins or house.randoms or not signature.is_nothing(data[begin:last]):
            return False
        house.drop(self)
        return True

    def unfold(self) -> None:
        """Make packets of what `quick` took."""
        for data, when in self._later:
            raw = simple(data, 0, len(data), when)
            assert raw is not None
            self.packets.append(raw)
        self._later.clear()

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
        header = self.packets[0][HEADER]
        return (header[0] + 1) % _SPAN if self.opening == SYN else header[1]


class Undecided:
    """Both keys of a connection lead to what is held of it. randoms: of hellos whose secrets are known.
    reject: is told both keys of what is of no interest.
    """

    def __init__(self, most: int, reject: Callable[[bytes, bytes], None]) -> None:
        self.randoms: set[bytes] = set()
        self.held: dict[bytes, Held] = {}
        self._most = 2 * most
        self._reject = reject

    def drop(self, held: Held) -> None:
        """It is not worth telling."""
        first, back = held.first, held.back
        self.held.pop(first, None)
        self.held.pop(back, None)
        self._reject(first, back)

    def take(self, raw: Raw) -> Held | None:
        """What was held of the packet's connection, once it is known to be worth telling."""
        key, flags = raw[0], raw[2][3]
        held = self.held.get(key)
        if held is None or (flags & (SYN | ACK) == SYN and held.packets[0][HEADER][0] != raw[2][0]):
            if not flags & SYN and not raw[6]:
                return None
            held = Held(raw, self)
            self.held[key] = self.held[held.back] = held
            if len(self.held) > self._most:
                self._forget()
            if flags & SYN:
                return None
        else:
            held.unfold()
            held.packets.append(raw)
        worth = self._judge(held, raw)
        if worth is None:
            return None
        if not worth:
            self.drop(held)
            return None
        self._let_go(held)
        return held

    def _let_go(self, held: Held) -> None:
        """Its keys are one where an end speaks to itself."""
        self.held.pop(held.first, None)
        self.held.pop(held.back, None)

    def _forget(self) -> None:
        """The older half."""
        for held in list(islice(self.held.values(), self._most // 2)):
            self._let_go(held)

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
