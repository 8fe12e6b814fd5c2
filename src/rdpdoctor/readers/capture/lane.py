"""One direction of a connection that is told, but of which no byte matters any more: only counted.

A session may go on for millions of packets. While they come in order, nothing is made of each: what they
change is kept here, and given to the connection when something else happens to it, or somebody asks.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rdpdoctor.readers.capture.half import ACK, FIN, REMEMBERED, RST, SYN
from rdpdoctor.readers.capture.raw import SHORTEST, V4, V6

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.half import Half, Seen

_SPECIAL = SYN | FIN | RST | ACK
_MASK, _BACK = 0xFFFFFFFF, 1 << 31


class Lane:
    """packets, bytes: since `settle`. when, spoke: of the last packet, and of the last with payload."""

    __slots__ = ("_ack", "_half", "_latest", "_next", "_other", "bytes", "packets", "spoke", "ttl", "when")

    def __init__(self, half: Half, other: Half) -> None:
        self._half, self._other = half, other
        self._latest: deque[Seen] = deque(maxlen=REMEMBERED + 1)
        self.packets = self.bytes = 0
        self.spoke: float | None = None
        self.when = 0.0
        self.ttl = 0
        self._next, self._ack = half.sequence, other.confirmed

    def quick(self, data: bytes, at: int, end: int, when: float) -> bool:
        """Count the packet of IP at `at` if it is the next in order and asks for nothing else."""
        if data[at] == 0x45:
            if end - at < SHORTEST - 20:
                return False
            total, number, fragment, ttl, _, _, sequence, ack, offset, flags, window = V4(data, at)
            length = total - 20 - (offset >> 4) * 4
            if fragment & 0x3FFF or at + total > end:
                return False
        else:
            if end - at < SHORTEST or data[at] >> 4 != 6:
                return False
            total, _, ttl, _, sequence, ack, offset, flags, window = V6(data, at)
            length, number = total - (offset >> 4) * 4, 0
            if at + 40 + total > end:
                return False
        if sequence != self._next or flags & _SPECIAL != ACK or not window:
            return False
        if ack != self._ack and (ack - self._ack) & _BACK:
            return False  # an old packet behind newer ones
        if length > 0:
            self.spoke = when
        elif length or ack == self._ack or offset < 0x50:
            return False  # the same again, perhaps
        self._next = (sequence + length) & _MASK
        self._ack = ack
        self.packets += 1
        self.bytes += length
        self.ttl, self.when = ttl, when
        self._latest.append(((sequence, ack, flags, window, number, length), when))
        return True

    def settle(self) -> None:
        """Give what was counted to the direction. Of both directions, before anything is made of either."""
        self._half.passed(self.packets, self.bytes, self.ttl, self._latest, self.spoke)
        self.packets = self.bytes = 0

    def acknowledge(self) -> None:
        """After both have settled."""
        self._other.acknowledged(self._ack)
