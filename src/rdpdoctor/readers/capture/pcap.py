"""Files of libpcap (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.readers.capture.link import FINDERS, unknown
from rdpdoctor.readers.capture.model import CaptureError
from rdpdoctor.readers.capture.source import MARGIN, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.readers.capture.model import Totals
    from rdpdoctor.readers.capture.source import Source
    from rdpdoctor.readers.capture.tracker import Tracker

#: Magic number → byte order, and the part of a second that the second field of a record counts.
MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
#: How deep in a frame IP may begin for the fast look at it, which ends within `MARGIN`.
DEEPEST = 180
MAX_FRAME = 1 << 20  # bytes; libpcap itself writes no more than 256 KiB
_HEADER, _RECORD = 24, 16
_LINKTYPE = 0x03FFFFFF
_SEARCHED = 1 << 20  # bytes of a damaged file in which its next record is looked for
_DAY = 86_400
#: What a recorder that died leaves behind: as records of no length they would be read for minutes.
_NOTHING = bytes(4096)
_ZEROS = "zeros where packets should be were passed over"

Glance: TypeAlias = "Callable[[bytes, int], tuple[Any, ...]]"


class Glances:
    """What the loop over a file looks at before anything else: a record's length, and of the IP packet in it
    protocol, addresses with ports, and TCP flags. first, second: for the two latest places of IP in a frame,
    each with how far behind the record's beginning that is.
    """

    def __init__(self, order: str, head: str) -> None:
        """`head` is the record's own head in the words of struct, its length the only field."""
        self._order, self._head = order, head
        self._head_size = Struct(order + head).size
        self._known: dict[tuple[int, int], tuple[Glance, int]] = {}
        self.first = self.second = self._at((14, 4))

    def fit(self, place: tuple[int, int] | None) -> bool:
        """Where IP began in a frame, and its version. Return whether `first` is another one now."""
        if place is None or place[0] > DEEPEST:
            return False
        found = self._known.get(place) or self._at(place)
        if found is self.first:
            return False
        self.first, self.second = found, self.first
        return True

    def _at(self, place: tuple[int, int]) -> tuple[Glance, int]:
        at, version = place
        inside = f"{at + 9}xB2x12s9xB" if version == 4 else f"{at + 6}xBx36s9xB"
        look: Glance = Struct(f"{self._order}{self._head}{inside}").unpack_from
        self._known[place] = look, self._head_size + at
        return self._known[place]


def read(source: Source, tracker: Tracker, totals: Totals, lost: list[str]) -> None:
    """Hand every frame that may matter to the tracker; the rest is only counted."""
    header = source.read(_HEADER)
    order, unit = MAGIC[header[:4]]
    if len(header) < _HEADER:
        raise CaptureError("it ends within its own header")
    linktype = Struct(order + "I").unpack_from(header, 20)[0] & _LINKTYPE
    finder = FINDERS.get(linktype)
    if finder is None:
        lost.append(unknown(linktype))
        return
    record = Struct(order + "IIII")
    glances = Glances(order, "8xI4x")
    (look, place), (look_again, place_again) = glances.first, glances.second
    rejected, held, lanes, take = tracker.rejected, tracker.held, tracker.lanes, tracker.frame
    window = Window(source)
    data = b""
    size = at = packets = 0
    last = -1  # where the last record stands that was read
    while True:
        if last >= 0:
            totals.end = max(_time(record, data, last, unit), totals.end or 0.0)
        more = min(record.unpack_from(data, at)[2], MAX_FRAME) if size - at >= _RECORD else 0
        if not window.move(at, more):
            if window.cut:
                lost.append("the file ends within a packet")
            break
        data, size, at, last = window.data, window.size, 0, -1
        limit = size - _RECORD if window.ended else size - MARGIN
        while at <= limit:
            length, protocol, key, flags = look(data, at)
            following = at + _RECORD + length
            if rejected.get(key) == protocol and (protocol == 17 or not flags & 2):
                packets += 1
                last, at = at, following
                continue
            one = lanes.get(key) or held.get(key)
            if one is None:
                _, protocol, key, flags = look_again(data, at)
                if rejected.get(key) == protocol and (protocol == 17 or not flags & 2):
                    look, look_again, place, place_again = look_again, look, place_again, place
                    packets += 1
                    last, at = at, following
                    continue
                one = lanes.get(key) or held.get(key)
                if one is not None:
                    look, look_again, place, place_again = look_again, look, place_again, place
            if one is not None and protocol == 6 and following <= size:
                seconds, part, _, original = record.unpack_from(data, at)
                if original == length and one.quick(data, at + place, following, seconds + part * unit):
                    packets += 1
                    last, at = at, following
                    continue
            if not length and data.startswith(_NOTHING, at):
                at = size - len(data[at:size].lstrip(b"\0"))
                if _ZEROS not in lost:
                    lost.append(_ZEROS)
                continue
            if length > MAX_FRAME:
                near = _time(record, data, last, unit) if last >= 0 else totals.end
                sound = _resync(record, data, at + 1, size, near)
                what = f"{sound - at:,}" if sound >= 0 else "all"
                lost.append(f"a damaged record was found: {what} bytes from there on were passed over")
                if sound < 0 or len(lost) > 20:
                    totals.packets += packets
                    return
                at = sound
                continue
            if following > size:
                break
            packets += 1
            last = at
            seconds, part, _, original = record.unpack_from(data, at)
            when = seconds + part * unit
            if totals.start is None:
                totals.start = totals.end = tracker.origin = when
            missing = original - length if original > length else 0
            found = take(data, at + _RECORD, following, missing, when, finder)
            at = following
            if glances.fit(found):
                (look, place), (look_again, place_again) = glances.first, glances.second
    totals.packets += packets


def _time(record: Struct, data: bytes, at: int, unit: float) -> float:
    seconds, part, _, _ = record.unpack_from(data, at)
    return float(seconds + part * unit)


def _resync(record: Struct, data: bytes, at: int, size: int, near: float | None) -> int:
    """Where the next two records stand that fit each other and the time before, or -1."""

    def fits(place: int) -> bool:
        seconds, _, length, original = record.unpack_from(data, place)
        timely = near is None or abs(seconds - near) <= _DAY
        return timely and bool(14 <= length <= original <= MAX_FRAME)

    for place in range(at, min(size - 2 * _RECORD, at + _SEARCHED)):
        if fits(place):
            following = place + _RECORD + record.unpack_from(data, place)[2]
            if following + _RECORD <= size and fits(following):
                return place
    return -1
