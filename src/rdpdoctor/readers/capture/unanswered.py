"""Ports, other than those asked for, that somebody tried to reach and that nobody answered on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import ip
from rdpdoctor.readers.capture.half import SYN
from rdpdoctor.readers.capture.model import Unanswered
from rdpdoctor.readers.capture.raw import HEADER, WHEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.readers.capture.undecided import Held

#: SYNs that were sent again, and seconds from the first to the recording's end, before no answer means none.
_SYNS, _WAIT = 2, 3.0
#: Ports that are told; of more, nobody can say which one was meant.
_MOST = 3
#: Ports below that are others' by name, but for the one of HTTPS, which is let through nearly everywhere.
_OWN, _HTTPS = 1024, 443


def unanswered(held: Iterable[Held], now: float, syns: int) -> tuple[Unanswered, ...]:
    """held: connections nothing is known of. now: the end of the recording. syns: all requests to connect in
    it: where most had an answer, or where there are many such ports, it is about something else.
    """
    found: dict[bytes, list[float]] = {}
    for one in dict.fromkeys(held):
        one.unfold()
        if all(raw[0] == one.first and raw[HEADER][3] & 0xFF == SYN for raw in one.packets):
            # All but the client's port: the two addresses, and the server's port.
            key = one.first[:-4] + one.first[-2:]
            found.setdefault(key, []).extend(raw[WHEN] for raw in one.packets)
    told = [
        _of(key, times) for key, times in found.items() if len(times) >= _SYNS and now - min(times) >= _WAIT
    ]
    told = [one for one in told if one.port >= _OWN or one.port == _HTTPS]
    about = 2 * sum(one.syns for one in told) >= syns
    return tuple(told) if about and len(told) <= _MOST else ()


def _of(key: bytes, times: list[float]) -> Unanswered:
    size = (len(key) - 2) // 2
    ends = ip.address(key[:size]), ip.address(key[size : 2 * size])
    return Unanswered(*ends, int.from_bytes(key[-2:], "big"), len(times), min(times))
