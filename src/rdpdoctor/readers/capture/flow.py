"""One TCP connection as packets show it: how it began, what came each way, who ended it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.machine import How
from rdpdoctor.readers.capture.half import ACK, FIN, RST, SYN, Half
from rdpdoctor.readers.capture.lane import Lane
from rdpdoctor.readers.capture.tls import CLIENT, SERVER
from rdpdoctor.readers.capture.walk import Walk

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.half import Budget, Segment
    from rdpdoctor.readers.capture.keylog import Secrets
    from rdpdoctor.readers.capture.model import Limits

_ICMP_KEPT = 8
#: Seconds until an end is taken for the end, and until a SYN for one that nobody answers: longer than any
#: system waits before it sends the next.
_SOON, _UNANSWERED = 1.0, 25.0


@dataclass(frozen=True, slots=True)
class End:
    """The first FIN or RST. usual_ttl: of the same side's packets before. idle: seconds since the last
    payload of either side (None where there was none).
    """

    side: int
    how: How
    when: float
    ttl: int
    usual_ttl: int | None
    idle: float | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An ICMP error that quotes the connection. mtu: of "fragmentation needed"."""

    icmp: str
    offender: str
    when: float
    mtu: int | None


class Flow:
    """addresses: client, then server, as in the packets. middle: its beginning was not recorded.

    Times are seconds since 1970. opened: when the client's ACK of the SYN-ACK (or data) came.
    """

    __slots__ = (
        *("addresses", "answered", "answered_last", "asked", "at_once", "end", "halves", "key", "lanes"),
        *("last", "middle", "number", "opened", "ports", "refused", "rejections", "start", "syns", "then"),
        "walk",
    )

    def __init__(
        self,
        number: int,
        key: bytes,
        start: float,
        limits: Limits,
        budget: Budget,
        secrets: Secrets | None,
        *,
        middle: bool,
    ) -> None:
        """`key` is that of the client's packets: addresses, then ports."""
        self.number, self.key, self.start, self.last = number, key, start, start
        size = (len(key) - 4) // 2
        self.addresses = (key[:size], key[size : 2 * size])
        self.ports = (int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big"))
        self.middle = middle
        self.halves = (Half(limits.pending, budget), Half(limits.pending, budget))
        self.walk = Walk(self.ports[1], limits.parsed, limits.opened, secrets)
        self.lanes: tuple[Lane, Lane] | None = None  # while it is only counted
        self.at_once = 1
        self.syns = 0
        self.asked = start  # the last SYN before the answer
        self.answered: float | None = None  # the first SYN-ACK
        self.answered_last = start
        self.opened: float | None = None
        self.refused: float | None = None  # RST in answer to the SYN
        self.end: End | None = None
        self.then: How | None = None  # what the other side did after that
        self.rejections: list[Rejection] = []

    def is_new(self, side: int, segment: Segment) -> bool:
        """A SYN of another connection with the same ports."""
        if side != CLIENT or segment.flags & (SYN | ACK) != SYN:
            return False
        base = self.halves[CLIENT].base
        return base is not None and base != (segment.seq + 1) % (1 << 32)

    def decided(self, now: float) -> bool:
        """It has ended, or nobody has answered for long: what may still come changes little."""
        if self.end is not None:
            return self.then is not None or now - self.end.when > _SOON
        return self.answered is None and self.syns > 0 and now - self.last > _UNANSWERED

    def calm(self) -> bool:
        """Nothing that comes in order changes what is said of it, but its end. Where so, open lanes."""
        client, server = self.halves
        busy = self.end is not None or self.walk.parsing or client.waiting or server.waiting
        if busy or not (client.begun and server.begun) or (client.fin, server.fin) != (None, None):
            return False
        if self.opened is None and self.answered is not None:
            return False
        self.lanes = Lane(client, server), Lane(server, client)
        return True

    def catch_up(self) -> None:
        """Take over what the lanes have counted, and close them."""
        lanes, self.lanes = self.lanes, None
        busy = [(side, lane) for side, lane in enumerate(lanes or ()) if lane.packets]
        for side, lane in busy:
            lane.settle()
            self.last = max(self.last, lane.when)
            if lane.spoke is not None:
                self.walk.last[side] = lane.spoke
        for _, lane in busy:
            lane.acknowledge()

    def take(self, side: int, segment: Segment) -> None:
        mine, other = self.halves[side], self.halves[1 - side]
        if segment.when < self.last:
            segment.when = self.last  # recorders with several queues mix packets up a little
        self.last = segment.when
        mine.packets += 1
        if mine.is_again(segment):
            return
        flags = segment.flags
        if flags & SYN:
            self._begin(side, segment)
            return
        if flags & RST:
            self._reset(side, segment)
            return
        mine.zero_windows += not segment.window and not flags & FIN
        if flags & ACK:
            other.acknowledged(segment.ack)
            if self.opened is None and side == CLIENT and self.answered is not None:
                self.opened = segment.when
        if segment.length or flags & FIN:
            self._flow(side, segment)
        if other.waiting:
            self._deliver(1 - side, list(other.drain()), segment.when)
        mine.reached(segment.seq)
        mine.ttl = segment.ttl

    def _begin(self, side: int, segment: Segment) -> None:
        half = self.halves[side]
        if not half.begun:
            half.start(segment.seq + 1)
        half.mss, half.ttl = _mss(segment.options), segment.ttl
        if side == CLIENT:
            self.syns += 1
            self.asked = segment.when if self.answered is None else self.asked
            return
        self.halves[CLIENT].acknowledged(segment.ack)
        self.answered = segment.when if self.answered is None else self.answered
        if self.opened is None:
            self.answered_last = segment.when

    def _flow(self, side: int, segment: Segment) -> None:
        self._deliver(side, list(self.halves[side].take(segment)), segment.when)
        if self.halves[side].is_whole and (self.end is None or self.end.side != side):
            self._ended(side, How.CLOSED, segment)

    def _deliver(self, side: int, pieces: list[bytes | int], when: float) -> None:
        for piece in pieces:
            if isinstance(piece, int):
                self.walk.gap()
            else:
                self.walk.data(side, piece, when)

    def _reset(self, side: int, segment: Segment) -> None:
        if side == SERVER and self.answered is None and not self.middle and not self.halves[SERVER].begun:
            self.refused = segment.when if self.refused is None else self.refused
        self._ended(side, How.RESET, segment)

    def _ended(self, side: int, how: How, segment: Segment) -> None:
        if self.end is not None:
            if side != self.end.side and self.then is None:
                self.then = how
            return
        if self.halves[1 - side].fin_confirmed:
            # The recording lacks the other side's FIN, which came first.
            side, how, self.then = 1 - side, How.CLOSED, how
        last = max((moment for moment in self.walk.last if moment is not None), default=None)
        idle = None if last is None else max(0.0, segment.when - last)
        usual = self.halves[side].ttl
        self.end = End(side, how, segment.when, segment.ttl, usual, idle)
        self._look_for_holes()
        self.walk.ended(side, how, segment.when)

    @property
    def one_sided(self) -> bool:
        """The packets of one side were not recorded, although there were some."""
        client, server = self.halves
        if not server.packets:
            return client.packets > self.syns + client.duplicates
        return not client.packets and self.refused is None

    def _look_for_holes(self) -> None:
        """Who has not seen all that was sent must not call anybody silent."""
        if self.one_sided or any(half.lacking for half in self.halves):
            self.walk.gap()

    def rejected(self, rejection: Rejection) -> None:
        if len(self.rejections) < _ICMP_KEPT:
            self.rejections.append(rejection)

    def finish(self, now: float) -> None:
        """Nothing more comes. now: the time of the recording's last packet."""
        for half in self.halves:
            half.forget()
        if self.end is None:
            self._look_for_holes()
        self.walk.settle(middle=self.middle or self.one_sided)
        if self.end is None:
            self.walk.finish(now)


def _mss(options: bytes) -> int | None:
    """Maximum segment size out of a SYN's options (RFC 9293 3.2)."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2:
            break
        if kind == 2 and options[at + 1] == 4 and at + 4 <= len(options):
            return options[at + 2] << 8 | options[at + 3]
        at += options[at + 1]
    return None
