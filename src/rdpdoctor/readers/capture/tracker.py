"""Which packets belong to a connection worth telling, and everything else thrown away as early as possible.

A connection is worth it where its first bytes are a connection request, or its port is one of those asked
for. Until that is known its packets are held (`undecided`); once it is known not to be, its ports are
remembered in `rejected`, which the loops over the file look at before anything else.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import icmp, ip, tunnels
from rdpdoctor.readers.capture.flow import Flow
from rdpdoctor.readers.capture.half import ACK, SYN, Budget
from rdpdoctor.readers.capture.keylog import Secrets
from rdpdoctor.readers.capture.link import SEVERAL, subframes
from rdpdoctor.readers.capture.raw import LENGTH, WHEN, reverse, segment, simple
from rdpdoctor.readers.capture.rows import stream_of
from rdpdoctor.readers.capture.tls import CLIENT, SERVER
from rdpdoctor.readers.capture.udp import Datagrams
from rdpdoctor.readers.capture.undecided import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rdpdoctor.readers.capture.half import Segment
    from rdpdoctor.readers.capture.lane import Lane
    from rdpdoctor.readers.capture.link import Finder
    from rdpdoctor.readers.capture.model import Limits, Stream
    from rdpdoctor.readers.capture.raw import Raw

_TCP = Struct("!IIBBH").unpack_from  # sequence, acknowledgement, offset, flags, window
KEY_LOG = 0x544C534B  # of a Decryption Secrets Block: lines of NSS's key log
_LINGER = 60.0  # seconds in which stragglers of an ended connection still come
_CROWD = 64  # connections of one client to one server that are counted at most
_DEEP = 3  # packets in each other
_TIDY = 20_000  # packets of told connections between two looks at which are done


class Tracker:
    """rejected: ports of connections that are of no interest, by the first 12 (IPv6: 36) bytes that hold
    addresses and ports, with the IP protocol. held, lanes: what takes the simple packets of a connection, by
    the same bytes. `origin`: the time of the first packet.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.secrets: Secrets | None = None
        self.rejected: dict[bytes, int] = {}
        self._most_rejected = limits.rejected
        self.origin = 0.0
        self.streams: list[Stream] = []
        self.tcp_flows = 0
        self.lost: dict[str, int] = {}
        self._older: dict[bytes, int] = {}
        self._ports = frozenset(port.to_bytes(2, "big") for port in limits.ports)
        self._undecided = Undecided(limits.undecided, self._reject)
        self.held = self._undecided.held
        self.lanes: dict[bytes, Lane] = {}
        self._flows: dict[bytes, Flow] = {}  # by the client's key and by the server's
        self._open: dict[int, Flow] = {}  # the same by number
        self._pairs: dict[tuple[bytes, bytes], dict[int, Flow]] = {}
        self._udp = Datagrams()
        self._fragments = ip.Fragments()
        self._budget = Budget(limits.pending_total)
        self._number = 0
        self._since_tidy = 0
        self._told: set[int] = set()  # numbers of open connections that `early` gave, and the streams it gave
        self._known = 0

    def want(self, secrets: Iterable[tuple[int, bytes]]) -> None:
        """Connections whose TLS secrets are known are worth telling on any port, and opening."""
        for kind, data in secrets:
            if kind == KEY_LOG:
                self.secrets = self.secrets or Secrets()
                self._undecided.randoms |= self.secrets.add(data)

    # ---- packets

    def frame(
        self, data: bytes, start: int, end: int, missing: int, when: float, finder: Finder
    ) -> tuple[int, int] | None:
        """Take one frame, of which `missing` bytes were not recorded. Return where IP begins in it, and its
        version, so that the caller knows where to look next time.
        """
        at = finder(data, start, end)
        if at >= 0:
            raw = None if missing else simple(data, at, end, when)  # nearly all that comes here
            if raw is None:
                return self._careful(data, start, at, end, missing, when, 0)
            self._tcp(raw)
            return at - start, data[at] >> 4
        if at == SEVERAL:
            for begin, last in subframes(data, start, end, finder):
                self._packet(data, start, begin, last, missing, when, 0)
        return None

    def _packet(
        self, data: bytes, start: int, at: int, end: int, missing: int, when: float, depth: int
    ) -> tuple[int, int] | None:
        """The packet of IP at `at`, in `depth` others."""
        raw = None if missing else simple(data, at, end, when)
        if raw is None:
            return self._careful(data, start, at, end, missing, when, depth)
        self._tcp(raw)
        return at - start, data[at] >> 4

    def _careful(
        self, data: bytes, start: int, at: int, end: int, missing: int, when: float, depth: int
    ) -> tuple[int, int] | None:
        packet = ip.parse(data, at, end)
        if packet is None:
            self._lose("packets with a damaged or cut IP header")
            return None
        if not missing:
            packet.missing = 0  # the header says more than there ever was
        inner = tunnels.inside(packet, data) if packet.fragment is None and depth < _DEEP else -1
        if inner >= 0:
            return self._packet(data, start, inner, packet.end, packet.missing, when, depth + 1)
        if packet.fragment is not None:
            self._piece(packet, data, when)
        elif packet.protocol == ip.TCP:
            self._segment(packet, data, packet.at, packet.end, when)
        elif packet.protocol == ip.UDP:
            self._datagram(packet, data, when)
        elif packet.protocol in (ip.ICMP, ip.ICMP6):
            self._icmp(packet, data, when)
        return at - start, data[at] >> 4

    def _piece(self, packet: ip.Packet, data: bytes, when: float) -> None:
        if packet.protocol == ip.TCP:
            whole = self._fragments.add(packet, data)
            if whole is not None:
                self._segment(packet, whole, 0, len(whole), when)

    def _segment(self, packet: ip.Packet, data: bytes, at: int, end: int, when: float) -> None:
        if end - at < 20:
            return
        begin = at + (data[at + 12] >> 4) * 4
        if not at + 20 <= begin <= end + packet.missing:
            return
        options = data[at + 20 : min(begin, end)] if data[at + 13] & SYN else b""
        key, header = packet.addresses + data[at : at + 4], _TCP(data, at + 4)
        length = end - begin + packet.missing
        self._tcp((key, when, header, packet.ttl, packet.id, data[begin:end], length, options))

    def _tcp(self, raw: Raw) -> None:
        key, flags = raw[0], raw[2][3]
        flow = self._flows.get(key)
        if flow is None:
            if not flags & SYN:
                if key in self.rejected:
                    return
                if key in self._older:
                    self._reject(key)
                    return
            self._decide(raw, flags)
            return
        packet, side = segment(raw), CLIENT if key == flow.key else SERVER
        if flow.is_new(side, packet):
            self._finish(flow, raw[WHEN])
            self._decide(raw, flags)
            return
        self._take(flow, side, packet)

    def _decide(self, raw: Raw, flags: int) -> None:
        """A packet of a connection of which it is not known yet whether it is worth telling."""
        key = raw[0]
        if flags & SYN:
            self.tcp_flows += not flags & ACK
            if key in self.rejected:
                del self.rejected[key]
                self.rejected.pop(reverse(key), None)
            if (key[-4:-2] if flags & ACK else key[-2:]) in self._ports:
                client = reverse(key) if flags & ACK else key
                self._feed(self._begin(client, raw[WHEN], middle=False), raw)
                return
        elif (key[-2:] in self._ports or key[-4:-2] in self._ports) and key not in self.held:
            if raw[LENGTH]:
                client = key if key[-2:] in self._ports else reverse(key)
                self._feed(self._begin(client, raw[WHEN], middle=True), raw)
            return
        held = self._undecided.take(raw)
        if held is None:
            return
        flow = self._begin(held.client(raw), held.packets[0][WHEN], middle=held.middle)
        for each in held.packets:
            self._feed(flow, each)

    def _reject(self, key: bytes, back: bytes = b"", protocol: int = ip.TCP) -> None:
        """back: of the other direction, where that is of no interest either."""
        rejected = self.rejected
        if len(rejected) >= self._most_rejected:
            self._older.clear()
            self._older.update(rejected)
            rejected.clear()  # the same dict: the loops hold it
        rejected[key] = protocol
        if back:
            rejected[back] = protocol

    # ---- connections worth telling

    def _begin(self, client: bytes, when: float, *, middle: bool) -> Flow:
        if len(self._open) >= self.limits.open_flows:
            self._evict(when)
        self._number += 1
        flow = Flow(self._number, client, when, self.limits, self._budget, self.secrets, middle=middle)
        others = self._pairs.setdefault(flow.addresses, {})
        flow.at_once = 1 + sum(other.end is None for other in islice(reversed(others.values()), _CROWD))
        others[flow.number] = flow
        self._flows[client] = self._flows[reverse(client)] = flow
        self._open[flow.number] = flow
        return flow

    def _feed(self, flow: Flow, raw: Raw) -> None:
        self._take(flow, CLIENT if raw[0] == flow.key else SERVER, segment(raw))

    def _take(self, flow: Flow, side: int, packet: Segment) -> None:
        counted = flow.lanes is not None
        if counted:
            flow.catch_up()
        flow.take(side, packet)
        calm = flow.calm()
        if calm:
            assert flow.lanes is not None
            self.lanes[flow.key], self.lanes[reverse(flow.key)] = flow.lanes
        elif counted:
            self._close(flow)
        self._since_tidy += 1
        if self._since_tidy >= _TIDY:
            self._tidy(packet.when)

    def _close(self, flow: Flow) -> None:
        """It is not only counted any more."""
        flow.catch_up()
        self.lanes.pop(flow.key, None)
        self.lanes.pop(reverse(flow.key), None)

    def _tidy(self, now: float) -> None:
        self._since_tidy = 0
        for flow in [flow for flow in self._open.values() if flow.end and now - flow.last > _LINGER]:
            self._finish(flow, now)
        weight = sum(flow.walk.weight for flow in self._open.values())
        if weight > self.limits.unwalked_total:
            self._evict(now)

    def early(self, now: float) -> Iterator[Stream]:
        """Each connection once, soon after its end, for whoever does not want to wait for the recording's:
        as it is known then. now: the time of the latest packet.
        """
        yield from [stream for stream in self.streams[self._known :] if stream.number not in self._told]
        self._known = len(self.streams)
        self._told &= self._open.keys()
        for flow in self._open.values():
            if flow.number not in self._told and flow.decided(now):
                self._told.add(flow.number)
                yield stream_of(flow, now, self.origin)

    def _evict(self, now: float) -> None:
        """The quarter that has been quiet for longest; those that ended first."""
        for flow in self._open.values():
            if flow.lanes is not None:
                self._close(flow)
        order = sorted(self._open.values(), key=lambda flow: (flow.end is None, flow.last))
        for flow in order[: max(1, len(order) // 4)]:
            if flow.end is None and flow.answered is not None:
                self._lose("connections whose end was not waited for, because too many were open at once")
            self._finish(flow, now)

    def _finish(self, flow: Flow, now: float) -> None:
        self._close(flow)
        self._flows.pop(flow.key, None)
        self._flows.pop(reverse(flow.key), None)
        del self._open[flow.number]
        others = self._pairs[flow.addresses]
        del others[flow.number]
        if not others:
            del self._pairs[flow.addresses]
        if len(self.streams) >= self.limits.streams:
            self._lose("connections beyond the limit of those told one by one")
            return
        flow.finish(now)
        if flow.walk.unopened:
            self._lose(flow.walk.unopened)
        self.streams.append(stream_of(flow, now, self.origin))

    def finish(self, now: float) -> None:
        """The recording has ended at `now`."""
        for flow in list(self._open.values()):
            self._finish(flow, now)
        self.streams += self._udp.streams(self._number, self.origin)
        if self._fragments.given_up:
            self._lose("TCP packets in fragments that did not all come", self._fragments.given_up)
        self.streams.sort(key=lambda stream: (stream.start, stream.number))

    # ---- other protocols

    def _datagram(self, packet: ip.Packet, data: bytes, when: float) -> None:
        at = packet.at
        if packet.end - at < 8:
            return
        key = packet.addresses + data[at : at + 4]
        if not self._udp.take(key, data[at + 8 : packet.end], when):
            self._reject(key, protocol=ip.UDP)

    def _icmp(self, packet: ip.Packet, data: bytes, when: float) -> None:
        found = icmp.parse(packet, data, when)
        if found is None:
            return
        key, rejection = found
        flow = self._flows.get(key)
        if flow is not None:
            flow.rejected(rejection)

    def _lose(self, what: str, count: int = 1) -> None:
        self.lost[what] = self.lost.get(what, 0) + count
