"""Files of pcapng (draft-ietf-opsawg-pcapng): sections in either byte order, any number of interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error
from typing import TYPE_CHECKING

from rdpdoctor.readers.capture.link import FINDERS, unknown
from rdpdoctor.readers.capture.pcap import Glances
from rdpdoctor.readers.capture.source import MARGIN, Window

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.link import Finder
    from rdpdoctor.readers.capture.model import Totals
    from rdpdoctor.readers.capture.source import Source
    from rdpdoctor.readers.capture.tracker import Tracker

MAGIC = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _STATISTICS, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 2, 3, 5, 6, 10
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_HEAD = 28  # of a packet block: type, length, interface, time in two halves, both lengths
_MAX_BLOCK = 16 << 20
_MAX_SECRETS = 16 << 20
_INTERFACES = 4096
_RESOLUTION, _OFFSET, _DROPPED = 9, 14, 5  # options


@dataclass(slots=True)
class Interface:
    """unit: the part of a second that its times count; offset: seconds to add. dropped: by the recorder."""

    finder: Finder | None
    snap: int
    unit: float = 1e-6
    offset: int = 0
    dropped: int = 0


class Section:
    """What the blocks say that are no packets, and where the frame is in those that are."""

    def __init__(self, lost: list[str]) -> None:
        self.interfaces: list[Interface] = []
        self.secrets: list[tuple[int, bytes]] = []
        self.dropped = 0
        self._lost = lost
        self._secret_bytes = 0
        self._use("<")

    def _use(self, order: str) -> None:
        self.order = order
        self.words = Struct(order + "II").unpack_from
        self._packet = Struct(order + "IIIIIII").unpack_from
        self._old_packet = Struct(order + "IIHHIIII").unpack_from

    def begin(self, mark: bytes) -> bool:
        """A new section; `mark` says its byte order. False where it is none."""
        order = _ORDERS.get(mark)
        if order is None:
            return False
        self._count_dropped()
        self._use(order)
        return True

    def _count_dropped(self) -> None:
        self.dropped += sum(interface.dropped for interface in self.interfaces)
        self.interfaces = []

    def finish(self) -> None:
        self._count_dropped()
        if self.dropped:
            self._lost.append(f"the recorder itself had dropped {self.dropped:,} packets")

    # ---- packets

    def frame(self, kind: int, data: bytes, at: int, end: int) -> tuple[Finder, int, int, int, float] | None:
        """finder, start and end of the frame, bytes of it that were not recorded, and its time (-1: none).
        None where the block makes no sense.
        """
        moment = None
        try:
            if kind == _SIMPLE:
                number, original = 0, self.words(data, at + 4)[1]
                start = at + 12
                length = min(original, end - 4 - start)
                snap = self.interfaces[0].snap
                length = min(length, snap) if snap else length
            elif kind == _PACKET:
                _, _, number, high, low, length, original = self._packet(data, at)
                start, moment = at + _HEAD, high << 32 | low
            else:
                _, _, number, _, high, low, length, original = self._old_packet(data, at)
                start, moment = at + _HEAD, high << 32 | low
            interface = self.interfaces[number]
        except IndexError:
            return None
        if interface.finder is None or start + length > end - 4:
            return None
        when = -1.0 if moment is None else moment * interface.unit + interface.offset
        return interface.finder, start, start + length, max(0, original - length), when

    def time(self, data: bytes, at: int) -> float | None:
        """Of the packet block that stands there."""
        _, _, number, high, low, _, _ = self._packet(data, at)
        if number >= len(self.interfaces):
            return None
        interface = self.interfaces[number]
        return float((high << 32 | low) * interface.unit + interface.offset)

    # ---- other blocks

    def block(self, kind: int, body: bytes) -> None:
        """Anything but packets. What is too short says nothing."""
        try:
            if kind == _INTERFACE:
                self._interface(body)
            elif kind == _STATISTICS:
                self._statistics(body)
            elif kind == _SECRETS:
                self._secret(body)
        except (error, IndexError):
            self._lost.append(f"a damaged block of type {kind} was passed over")

    def _interface(self, body: bytes) -> None:
        linktype, _, snap = Struct(self.order + "HHI").unpack_from(body)
        interface = Interface(FINDERS.get(linktype), snap)
        if interface.finder is None and (words := unknown(linktype)) not in self._lost:
            self._lost.append(words)
        for code, value in self._options(body, 8):
            if code == _RESOLUTION and value:
                power = value[0] & 0x7F
                interface.unit = 2.0**-power if value[0] & 0x80 else 10.0**-power
            elif code == _OFFSET and len(value) == 8:
                interface.offset = Struct(self.order + "q").unpack(value)[0]
        if len(self.interfaces) < _INTERFACES:
            self.interfaces.append(interface)

    def _statistics(self, body: bytes) -> None:
        number = Struct(self.order + "I").unpack_from(body)[0]
        for code, value in self._options(body, 12):
            if code == _DROPPED and len(value) == 8 and number < len(self.interfaces):
                self.interfaces[number].dropped = Struct(self.order + "Q").unpack(value)[0]

    def _secret(self, body: bytes) -> None:
        kind, length = Struct(self.order + "II").unpack_from(body)
        secret = body[8 : 8 + length]
        self._secret_bytes += len(secret)
        if self._secret_bytes <= _MAX_SECRETS:
            self.secrets.append((kind, secret))

    def _options(self, body: bytes, at: int) -> list[tuple[int, bytes]]:
        found = []
        head = Struct(self.order + "HH")
        while at + 4 <= len(body):
            code, length = head.unpack_from(body, at)
            if code == 0:
                break
            found.append((code, body[at + 4 : at + 4 + length]))
            at += 4 + (length + 3 & ~3)
        return found


def read(source: Source, tracker: Tracker, totals: Totals, section: Section, lost: list[str]) -> None:
    """Hand every frame that may matter to the tracker; the rest is only counted."""
    rejected, held, lanes, take = tracker.rejected, tracker.held, tracker.lanes, tracker.frame
    data, at, size, packets = b"", 0, 0, 0
    last = -1  # where the last packet block stands that was only counted
    window = Window(source)
    glances = Glances(section.order, "II20x")
    (look, place), (look_again, place_again) = glances.first, glances.second
    when = 0.0
    known_secrets = 0
    while True:
        if last >= 0 and (moment := section.time(data, last)) is not None:
            totals.end = max(moment, totals.end or 0.0)
        more = min(section.words(data, at)[1], _MAX_BLOCK) if size - at >= 8 else 0
        if not window.move(at, more):
            if window.cut:
                lost.append("the file ends within a block")
            break
        data, size, at, last = window.data, window.size, 0, -1
        limit = size - 12 if window.ended else size - MARGIN
        while at <= limit:
            kind, length, protocol, key, flags = look(data, at)
            if kind == _PACKET and length > _HEAD:
                if rejected.get(key) == protocol and (protocol == 17 or not flags & 2):
                    packets += 1
                    last = at
                    at += length
                    continue
                one = lanes.get(key) or held.get(key)
                if one is None:
                    _, _, protocol, key, flags = look_again(data, at)
                    if rejected.get(key) == protocol and (protocol == 17 or not flags & 2):
                        look, look_again, place, place_again = look_again, look, place_again, place
                        packets += 1
                        last = at
                        at += length
                        continue
                    one = lanes.get(key) or held.get(key)
                    if one is not None:
                        look, look_again, place, place_again = look_again, look, place_again, place
                if one is not None and protocol == 6 and at + length <= size:
                    frame = section.frame(kind, data, at, at + length)
                    if frame is not None and not frame[3] and one.quick(data, at + place, frame[2], frame[4]):
                        packets += 1
                        last = at
                        at += length
                        continue
            sound = True
            if kind == _SECTION and (sound := section.begin(data[at + 8 : at + 12])):
                last = -1
                glances = Glances(section.order, "II20x")
                (look, place), (look_again, place_again) = glances.first, glances.second
                length = section.words(data, at)[1]
            if not sound or length < 12 or length > _MAX_BLOCK:
                intact = _resync(section, data, at + 4, size)
                what = f"{intact - at:,}" if intact >= 0 else "all"
                lost.append(f"a damaged block was found: {what} bytes from there on were passed over")
                if intact < 0 or len(lost) > 20:
                    totals.packets += packets
                    return
                at = intact
                continue
            following = at + length
            if following > size:
                break
            if kind in (_PACKET, _SIMPLE, _OLD_PACKET):
                packets += 1
                frame = section.frame(kind, data, at, following)
                if frame is not None:
                    finder, start, end, missing, moment = frame
                    when = when if moment < 0 else moment
                    if totals.start is None:
                        totals.start = tracker.origin = when
                    totals.end = max(when, totals.end or 0.0)
                    found = take(data, start, end, missing, when, finder)
                    if glances.fit(found):
                        (look, place), (look_again, place_again) = glances.first, glances.second
            else:
                section.block(kind, data[at + 8 : following - 4])
                if len(section.secrets) > known_secrets:
                    tracker.want(section.secrets[known_secrets:])
                    known_secrets = len(section.secrets)
            at = following
    totals.packets += packets


def _resync(section: Section, data: bytes, at: int, size: int) -> int:
    """Where the next packet block stands whose two lengths agree, or -1."""
    mark = Struct(section.order + "I").pack(_PACKET)
    while (at := data.find(mark, at, size - _HEAD)) >= 0:
        length = section.words(data, at)[1]
        if 32 <= length <= size - at and section.words(data, at + length - 8)[1] == length:
            return at
        at += 1
    return -1
