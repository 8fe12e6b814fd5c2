"""One direction of a TCP connection: its bytes in order, and how they came (RFC 9293)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
_SPAN, _MIDDLE = 1 << 32, 1 << 31
#: Identical packets within this are one that was recorded twice, not one that was sent twice: no sender waits
#: so short a time (RFC 6298 2.4: a second; in practice 200 ms).
_TWICE = 0.02
#: The same for packets that have a number of their own.
_APART = 0.1
REMEMBERED = 32
#: Old data this soon after new is the same packets from another interface, in another order.
_SOON = 0.002
_PIECES = 256
_PROBE = 0.1  # seconds; what is sent again because nobody confirmed it waits longer
_AGAIN = 2  # times that something is sent again before it has vanished

#: What tells a packet from others of its direction (sequence number, acknowledgement, flags, window,
#: identification, length), and when it came.
Seen: TypeAlias = tuple[tuple[int, int, int, int, int, int], float]


class Segment:
    """What one packet says. length: of the payload as it was sent, which may be more than was recorded."""

    __slots__ = ("ack", "flags", "id", "length", "options", "payload", "seq", "ttl", "when", "window")

    def __init__(
        self,
        when: float,
        header: tuple[int, int, int, int, int],
        ttl: int,
        number: int,
        payload: bytes,
        length: int,
        options: bytes,
    ) -> None:
        self.when = when
        self.seq, self.ack, _, self.flags, self.window = header
        self.ttl, self.id = ttl, number
        self.payload, self.length, self.options = payload, length, options


class Budget:
    """Bytes that wait out of order in all flows together."""

    __slots__ = ("held", "most")

    def __init__(self, most: int) -> None:
        self.held, self.most = 0, most


class Half:
    """Positions count from the direction's first byte. `next` is the first byte that has not come in order.

    missing: bytes that were acknowledged, so sent, and are not in the recording. fin: where it ends.
    acked: up to where the other side has everything. sent: where the side itself says that it is.
    """

    __slots__ = (
        *("_base", "_budget", "_grown", "_last", "_last_when", "_most", "_recent"),
        *("_waiting", "_waiting_bytes"),
        *("acked", "bytes", "duplicates", "end", "fin", "late", "missing", "mss", "next", "packets"),
        *("retransmits", "sent", "ttl", "zero_windows"),
    )

    def __init__(self, most: int, budget: Budget) -> None:
        self._base: int | None = None  # sequence number of position 0
        self._budget, self._most = budget, most
        self._waiting: dict[int, tuple[bytes, int]] = {}
        self._waiting_bytes = 0
        self._last: tuple[int, ...] = ()
        self._last_when = 0.0
        self._recent: dict[tuple[int, ...], float] = {}  # packets before the last, and when they came
        self._grown = 0.0  # when the last new byte was sent
        self.next = self.acked = self.end = self.sent = 0
        self.fin: int | None = None
        self.bytes = self.packets = self.missing = 0
        self.retransmits = self.duplicates = self.late = self.zero_windows = 0
        self.ttl: int | None = None
        self.mss: int | None = None

    @property
    def begun(self) -> bool:
        return self._base is not None

    @property
    def base(self) -> int | None:
        return self._base

    @property
    def sequence(self) -> int:
        """The number of the next byte in order."""
        return ((self._base or 0) + self.next) % _SPAN

    @property
    def confirmed(self) -> int:
        """The number up to which the other side has everything."""
        return ((self._base or 0) + self.acked) % _SPAN

    @property
    def waiting(self) -> int:
        """Bytes behind a hole that nothing has filled."""
        return self._waiting_bytes

    @property
    def lacking(self) -> int:
        """Bytes that the other side has and the recording does not: of holes, and at its end."""
        end = self.acked - self.next - 1  # 1: a FIN counts as a byte
        return self.missing + (end + 1 if end > 0 else 0)

    @property
    def vanished(self) -> int:
        """Bytes that the side says it sent, or sent again and again, and that never got to the other."""
        lost = max(self.end, self.sent) - self.acked
        return max(0, lost) if self.sent > self.end or self.retransmits >= _AGAIN else 0

    @property
    def is_whole(self) -> bool:
        """Its end was announced, and all before that has come."""
        return self.fin is not None and self.next >= self.fin

    @property
    def fin_confirmed(self) -> bool:
        """An end that was not recorded: one number more is acknowledged than there are bytes."""
        return self.begun and self.fin is None and self.acked == self.next + 1 and not self._waiting

    def start(self, sequence: int) -> None:
        """`sequence` is the number of the first byte."""
        self._base = sequence % _SPAN

    def acknowledged(self, number: int) -> None:
        """The other side has everything before `number`."""
        if self._base is not None:
            self.acked = max(self.acked, self._position(number))

    def passed(self, packets: int, count: int, ttl: int, latest: Iterable[Seen], spoke: float | None) -> None:
        """So many packets came in order, with so many bytes, the last byte at `spoke`; the latest packets."""
        self.packets += packets
        self.bytes += count
        for same, when in latest:
            self._remember(same, when)
        self.sent = max(self.sent, self._position(self._last[0]))
        self.next += count
        if self.next > self.end:
            self.end, self._grown = self.next, self._grown if spoke is None else spoke
        self.ttl = ttl

    def reached(self, number: int) -> None:
        """Its packets are numbered from here on now."""
        if self._base is not None:
            self.sent = max(self.sent, self._position(number))

    def is_again(self, segment: Segment) -> bool:
        """The very packet of before, recorded twice."""
        same = (segment.seq, segment.ack, segment.flags, segment.window, segment.id, segment.length)
        # Without numbers of their own (IPv6), bare acknowledgements may well be alike and sent twice.
        telling = bool(segment.id or segment.length or segment.flags & (FIN | SYN | RST))
        seen = self._last_when if self._last == same else self._recent.get(same)
        # Two places that recorded it may be as far apart as client and server; a sender counts each packet.
        within = _APART if segment.id else _TWICE
        again = telling and seen is not None and segment.when - seen < within
        self._remember(same, segment.when)
        self.duplicates += again
        return again

    def _remember(self, same: tuple[int, ...], when: float) -> None:
        self._recent[self._last] = self._last_when
        if len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        self._last, self._last_when = same, when

    def take(self, segment: Segment) -> Iterator[bytes | int]:
        """What is in order now: bytes, or the number of those that are missing from the recording."""
        if self._base is None:
            self.start(segment.seq)
        position = self._position(segment.seq)
        finish = position + segment.length
        if segment.flags & FIN:
            self.fin = finish
        if segment.length:
            if finish <= self.next or (finish <= self.end and position in self._waiting):
                # One byte before the end asks whether anybody is there (RFC 9293 3.8.4); the last segment
                # again, soon, whether it got there (RFC 8985 7.2), which it mostly did.
                probe = segment.length == 1 or 0.0 < segment.when - self._grown < _PROBE
                again = 0.0 < segment.when - self._grown < _SOON
                self.retransmits += not (again or (probe and finish == self.end))
                return
            self.late += position < self.end and position >= self.next
            self.retransmits += position < self.next
            if finish > self.end:
                self.end, self._grown = finish, segment.when
            yield from self._put(position, segment.payload, segment.length)
        yield from self.drain()

    def _position(self, number: int) -> int:
        assert self._base is not None
        away = (number - self._base - self.next + _MIDDLE) % _SPAN - _MIDDLE
        return self.next + away

    def _put(self, position: int, payload: bytes, length: int) -> Iterator[bytes | int]:
        if position in self._waiting:
            self._pop(position)  # what waits there is shorter
        if position > self.next:
            room = self._waiting_bytes + len(payload) <= self._most and len(self._waiting) < _PIECES
            if room and self._budget.held + len(payload) <= self._budget.most:
                self._waiting[position] = (payload, length)
                self._waiting_bytes += len(payload)
                self._budget.held += len(payload)
                return
            yield from self.flush()
            if position > self.next:
                yield self._miss(position - self.next)
        yield from self._deliver(position, payload, length)

    def _deliver(self, position: int, payload: bytes, length: int) -> Iterator[bytes | int]:
        fresh = payload[self.next - position :]
        finish = position + length
        self.bytes += len(fresh)
        if fresh:
            self.next += len(fresh)
            yield fresh
        if self.next < finish:  # recorded shorter than sent
            yield self._miss(finish - self.next)

    def _miss(self, count: int) -> int:
        self.next += count
        self.missing += count
        return count

    def drain(self) -> Iterator[bytes | int]:
        """What waited and is in order now, or is known to be missing."""
        while self._waiting:
            first = min(self._waiting)
            if first > self.next:
                if self.acked <= self.next:
                    return
                # The other side has it, so it was sent; only the recording lacks it.
                yield self._miss(min(first, self.acked) - self.next)
                if first > self.next:
                    return
            payload, length = self._pop(first)
            if first + length > self.next:
                yield from self._deliver(first, payload, length)

    def flush(self) -> Iterator[bytes | int]:
        """All that waits, with what is missing before it: nothing more will come, or nothing more fits."""
        for position in sorted(self._waiting):
            payload, length = self._pop(position)
            if position > self.next:
                yield self._miss(position - self.next)
            if position + length > self.next:
                yield from self._deliver(position, payload, length)

    def forget(self) -> None:
        for position in list(self._waiting):
            self._pop(position)

    def _pop(self, position: int) -> tuple[bytes, int]:
        payload, length = self._waiting.pop(position)
        self._waiting_bytes -= len(payload)
        self._budget.held -= len(payload)
        return payload, length
