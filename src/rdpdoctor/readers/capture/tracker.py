"""Which packets belong to a connection worth telling, and everything else thrown away as early as possible.

A connection is worth it where its first bytes are a connection request, or its port is one of those asked
for. Until that is known its packets are held; once it is known not to be, its ports are remembered in
`rejected`, which the loops over the file look at before anything else.
"""

from __future__ import annotations

import re
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import icmp, ip, signature
from rdpdoctor.readers.capture.flow import Flow
from rdpdoctor.readers.capture.half import ACK, FIN, RST, SYN, Budget, Segment
from rdpdoctor.readers.capture.rows import stream_of
from rdpdoctor.readers.capture.tls import CLIENT, SERVER
from rdpdoctor.readers.capture.udp import Datagrams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rdpdoctor.readers.capture.link import Finder
    from rdpdoctor.readers.capture.model import Limits, Stream

_TCP = Struct("!IIBBH").unpack_from  # sequence, acknowledgement, offset, flags, window
KEY_LOG = 0x544C534B  # of a Decryption Secrets Block: lines of NSS's key log
_CLIENT_RANDOM = re.compile(rb"^[A-Z_0-9]+ ([0-9a-fA-F]{64}) ", re.MULTILINE)
_HELD = 8  # packets of one undecided connection
_HELD_TUNNEL = 24
_LINGER = 60.0  # seconds in which stragglers of an ended connection still come
_CROWD = 64  # connections of one client to one server that are counted at most
_TIDY = 20_000  # packets of told connections between two looks at which are done


class Tracker:
    """rejected: ports of connections that are of no interest, by the first 12 (IPv6: 36) bytes that hold
    addresses and ports, with the IP protocol. `origin`: the time of the first packet.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.keep = limits.keep
        self.rejected: dict[bytes, int] = {}
        self.origin = 0.0
        self.streams: list[Stream] = []
        self.tcp_flows = 0
        self.lost: dict[str, int] = {}
        self._older: dict[bytes, int] = {}
        self._held: dict[bytes, list[tuple[bytes, Segment]]] = {}
        self._flows: dict[bytes, Flow] = {}  # by the client's key and by the server's
        self._open: dict[int, Flow] = {}  # the same by number
        self._pairs: dict[tuple[bytes, bytes], dict[int, Flow]] = {}
        self._udp = Datagrams()
        self._fragments = ip.Fragments()
        self._budget = Budget(limits.pending_total)
        self._randoms: set[bytes] = set()
        self._kept = 0
        self._number = 0
        self._since_tidy = 0

    def want(self, secrets: Iterable[tuple[int, bytes]]) -> None:
        """Connections whose TLS secrets are known are worth telling on any port, and keeping."""
        for kind, data in secrets:
            if kind == KEY_LOG:
                self._randoms |= {bytes.fromhex(found.decode()) for found in _CLIENT_RANDOM.findall(data)}
        self.keep = self.limits.keep or self.limits.parsed

    # ---- packets

    def frame(
        self, data: bytes, start: int, end: int, missing: int, when: float, finder: Finder
    ) -> tuple[int, int] | None:
        """Take one frame, of which `missing` bytes were not recorded. Return where IP begins in it, and its
        version, so that the caller knows where to look next time.
        """
        at = finder(data, start, end)
        if at < 0:
            return None
        packet = ip.parse(data, at, end)
        if packet is None:
            self._lose("packets with a damaged or cut IP header")
            return None
        if packet.missing and not missing:
            packet.missing = 0  # the header says more than there ever was
        if packet.fragment is not None:
            self._piece(packet, data, when)
        elif packet.protocol == ip.TCP:
            self._tcp(packet, data, packet.at, packet.end, when)
        elif packet.protocol == ip.UDP:
            self._datagram(packet, data, when)
        elif packet.protocol in (ip.ICMP, ip.ICMP6):
            self._icmp(packet, data, when)
        return at - start, data[at] >> 4

    def _piece(self, packet: ip.Packet, data: bytes, when: float) -> None:
        if packet.protocol == ip.TCP:
            whole = self._fragments.add(packet, data)
            if whole is not None:
                self._tcp(packet, whole, 0, len(whole), when)

    def _tcp(self, packet: ip.Packet, data: bytes, at: int, end: int, when: float) -> None:
        if end - at < 20:
            return
        key = packet.addresses + data[at : at + 4]
        flow = self._flows.get(key)
        if flow is None and not data[at + 13] & SYN:
            if key in self.rejected:
                return
            if key in self._older:
                self._reject(key)
                return
        header = _TCP(data, at + 4)
        begin = at + (header[2] >> 4) * 4
        if begin < at + 20 or begin > end:
            return
        payload = data[begin:end]
        options = data[at + 20 : begin] if header[3] & SYN else b""
        length = len(payload) + packet.missing
        segment = Segment(when, header, packet.ttl, packet.id, payload, length, options)
        if flow is None:
            self._decide(key, segment)
            return
        side = CLIENT if key == flow.key else SERVER
        if flow.is_new(side, segment):
            self._finish(flow, when)
            self._decide(key, segment)
            return
        self._take(flow, side, segment)

    def _take(self, flow: Flow, side: int, segment: Segment) -> None:
        self._kept += flow.take(side, segment)
        self._since_tidy += 1
        if self._since_tidy >= _TIDY:
            self._tidy(segment.when)

    # ---- connections not yet decided

    def _decide(self, key: bytes, segment: Segment) -> None:
        """A connection of which it is not known yet whether it is worth telling."""
        flags = segment.flags
        back = _reverse(key)
        ports = self.limits.ports
        mine, theirs = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
        if flags & SYN:
            self.tcp_flows += not flags & ACK
            self.rejected.pop(key, None)
            self.rejected.pop(back, None)
            client = back if flags & ACK else key
            server_port = mine if flags & ACK else theirs
            if server_port in ports:
                self._feed(self._begin(client, segment, middle=False), key, segment)
                return
        elif (theirs in ports or mine in ports) and key not in self._held and back not in self._held:
            if segment.length:
                client = key if theirs in ports else back
                self._feed(self._begin(client, segment, middle=True), key, segment)
            return
        self._hold(key, back, segment)

    def _hold(self, key: bytes, back: bytes, segment: Segment) -> None:
        first = key if key in self._held else back
        held = self._held.get(first)
        if held is None:
            if not segment.flags & SYN and not segment.length:
                return
            first, held = key, []
            self._held[key] = held
            if len(self._held) > self.limits.undecided:
                self._forget_held()
        held.append((key, segment))
        verdict = self._verdict(first, held, segment, key)
        if verdict is None:
            return
        del self._held[first]
        if not verdict:
            self._reject(key)
            self._reject(back)
            return
        client, middle = self._client_of(held, key, segment)
        flow = self._begin(client, held[0][1], middle=middle)
        for whose, each in held:
            self._feed(flow, whose, each)

    def _verdict(
        self, first: bytes, held: list[tuple[bytes, Segment]], segment: Segment, key: bytes
    ) -> bool | None:
        """Worth telling, or not, or not yet known."""
        opening = held[0][1].flags & (SYN | ACK)
        payload = segment.payload
        if not payload:
            if segment.flags & (FIN | RST) or segment.length or len(held) > _HELD:
                return False
            return None
        if not opening & SYN:
            return signature.is_request(payload, _port(key)) or signature.is_confirm(payload)
        said = [each for whose, each in held if each.payload and (whose == first) == (opening == SYN)]
        if said and signature.tunnel(said[0].payload):
            if signature.find_request(payload) >= 0:
                return True
            return None if len(held) < _HELD_TUNNEL else False
        if (key == first) != (opening == SYN):
            return False  # the server speaks first
        begin = (held[0][1].seq + 1) % (1 << 32) if opening == SYN else held[0][1].ack
        data = _in_order(said, begin)
        if signature.is_request(data, _port(key)):
            return True
        if self._randoms and signature.is_client_hello(data) and data[11:43] in self._randoms:
            return True
        return None if signature.may_become_request(data) and len(held) <= _HELD else False

    def _client_of(
        self, held: list[tuple[bytes, Segment]], key: bytes, segment: Segment
    ) -> tuple[bytes, bool]:
        """The client's key, and whether the beginning was not recorded."""
        whose, opening = held[0]
        if opening.flags & SYN:
            return (_reverse(whose) if opening.flags & ACK else whose), False
        return (_reverse(key) if signature.is_confirm(segment.payload) else key), True

    def _forget_held(self) -> None:
        for key in list(islice(self._held, self.limits.undecided // 2)):
            del self._held[key]

    def _reject(self, key: bytes, protocol: int = ip.TCP) -> None:
        if len(self.rejected) >= self.limits.rejected:
            self._older.clear()
            self._older.update(self.rejected)
            self.rejected.clear()  # the same dict: the loops hold it
        self.rejected[key] = protocol

    # ---- connections worth telling

    def _begin(self, client: bytes, segment: Segment, *, middle: bool) -> Flow:
        if len(self._open) >= self.limits.open_flows:
            self._evict(segment.when)
        self._number += 1
        flow = Flow(self._number, client, segment.when, self.limits, self._budget, self.keep, middle=middle)
        others = self._pairs.setdefault(flow.addresses, {})
        flow.at_once = 1 + sum(other.end is None for other in islice(reversed(others.values()), _CROWD))
        others[flow.number] = flow
        self._flows[client] = self._flows[_reverse(client)] = flow
        self._open[flow.number] = flow
        return flow

    def _feed(self, flow: Flow, key: bytes, segment: Segment) -> None:
        self._take(flow, CLIENT if key == flow.key else SERVER, segment)

    def _tidy(self, now: float) -> None:
        self._since_tidy = 0
        for flow in [flow for flow in self._open.values() if flow.end and now - flow.last > _LINGER]:
            self._finish(flow, now)
        weight = sum(flow.walk.weight for flow in self._open.values())
        if weight > self.limits.unwalked_total:
            self._evict(now)

    def _evict(self, now: float) -> None:
        """The quarter that has been quiet for longest; those that ended first."""
        order = sorted(self._open.values(), key=lambda flow: (flow.end is None, flow.last))
        for flow in order[: max(1, len(order) // 4)]:
            if flow.end is None and flow.answered is not None:
                self._lose("connections whose end was not waited for, because too many were open at once")
            self._finish(flow, now)

    def _finish(self, flow: Flow, now: float) -> None:
        self._flows.pop(flow.key, None)
        self._flows.pop(_reverse(flow.key), None)
        del self._open[flow.number]
        others = self._pairs[flow.addresses]
        del others[flow.number]
        if not others:
            del self._pairs[flow.addresses]
        if len(self.streams) >= self.limits.streams:
            self._lose("connections beyond the limit of those told one by one")
            return
        flow.finish(now)
        with_bytes = self._kept <= self.limits.kept_total
        self.streams.append(stream_of(flow, now, self.origin, with_bytes=with_bytes))

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
            self._reject(key, ip.UDP)

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


def _reverse(key: bytes) -> bytes:
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


def _port(key: bytes) -> int:
    """Of the packet's target."""
    return int.from_bytes(key[-2:], "big")


def _in_order(segments: list[Segment], begin: int) -> bytes:
    """The first bytes of a direction, as far as these few segments have them."""
    data = bytearray()
    for segment in sorted(segments, key=lambda each: (each.seq - begin) % (1 << 32)):
        position = (segment.seq - begin) % (1 << 32)
        if position <= len(data):
            data += segment.payload[len(data) - position :]
    return bytes(data)
