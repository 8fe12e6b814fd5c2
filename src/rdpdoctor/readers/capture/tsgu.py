"""What a gateway answers in its tunnel, up to the first word of the server behind it (MS-TSGU 2.2.10).

Packets come in frames of a WebSocket (RFC 6455 5.2) or as the endless body of an answer to RDG_OUT_DATA, with
or without chunks (RFC 9112 7.1). Only the gateway's side is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.wire import nego, tpkt, x224
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.walk import Row

#: Packet types (2.2.5.3.3): what each answers, and where in it its code stands.
_ANSWERS = {0x2: ("handshake", 8), 0x5: ("tunnel", 10), 0x7: ("authorization", 8), 0x9: ("channel", 8)}
_DATA, _HEADER = 0xA, 8
_PACKET_MOST, _READ_MOST = 128 * 1024, 512 * 1024
#: Bytes before the first packet on an OUT channel without WebSocket (3.3.5.1).
_SEED = 10
_CONTINUATION, _BINARY = 0, 2
#: 2.2.6
_SYMBOLS = {
    1236: "E_PROXY_CONNECTIONABORTED",
    23014: "E_PROXY_MAXCONNECTIONSREACHED",
    23016: "E_PROXY_NOTSUPPORTED",
    23030: "E_PROXY_SESSIONTIMEOUT",
    0x800759D8: "E_PROXY_INTERNALERROR",
    0x800759DA: "E_PROXY_RAP_ACCESSDENIED",
    0x800759DB: "E_PROXY_NAP_ACCESSDENIED",
    0x800759DD: "E_PROXY_TS_CONNECTFAILED",
    0x800759DF: "E_PROXY_ALREADYDISCONNECTED",
    0x800759E9: "E_PROXY_CAPABILITYMISMATCH",
    0x800759ED: "E_PROXY_QUARANTINE_ACCESSDENIED",
    0x800759EE: "E_PROXY_NOCERTAVAILABLE",
    0x800759F7: "E_PROXY_COOKIE_BADPACKET",
    0x800759F8: "E_PROXY_COOKIE_AUTHENTICATION_ACCESS_DENIED",
    0x800759F9: "E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD",
}


class Tunnel:
    """way: how packets come: "websocket", "chunked" or "plain". reading: more can be learned."""

    def __init__(self, way: str) -> None:
        self.rows: list[Row] = []
        self.reading = True
        self._way = way
        self._outer, self._packets = bytearray(), bytearray()
        self._skip = 0 if way == "websocket" else _SEED
        self._read = 0

    def feed(self, data: bytes, when: float) -> None:
        """What the gateway sent."""
        self._read += len(data)
        self._outer += data
        if self._way == "websocket":
            self._frames()
        elif self._way == "chunked":
            self._chunks()
        else:
            self._packets += self._outer
            self._outer.clear()
        used = min(self._skip, len(self._packets))
        del self._packets[:used]
        self._skip -= used
        while self.reading and self._take(when):
            pass
        self.reading = self.reading and self._read <= _READ_MOST

    def _frames(self) -> None:
        buffer = self._outer
        while len(buffer) >= 2:
            opcode, masked, length, at = buffer[0] & 0x0F, buffer[1] & 0x80, buffer[1] & 0x7F, 2
            if length >= 126:
                at = 4 if length == 126 else 10
                length = int.from_bytes(buffer[2:at], "big")
            mask = bytes(buffer[at : at + 4]) if masked else b""
            at += len(mask)
            if length > _PACKET_MOST:
                self.reading = False
                return
            if len(buffer) < at + length or (masked and len(mask) < 4):
                return
            payload = bytes(buffer[at : at + length])
            if mask:
                payload = bytes(each ^ mask[place % 4] for place, each in enumerate(payload))
            if opcode in (_CONTINUATION, _BINARY):
                self._packets += payload
            del buffer[: at + length]

    def _chunks(self) -> None:
        buffer = self._outer
        while (end := buffer.find(b"\r\n", 0, 64)) >= 0:
            try:
                size = int(bytes(buffer[:end]).partition(b";")[0], 16)
            except ValueError:
                size = -1
            if not 0 < size <= _PACKET_MOST:
                self.reading = False
                return
            if len(buffer) < end + 2 + size + 2:
                return
            self._packets += buffer[end + 2 : end + 2 + size]
            del buffer[: end + 2 + size + 2]

    def _take(self, when: float) -> bool:
        """One packet, if it is whole."""
        buffer = self._packets
        if len(buffer) < _HEADER:
            return False
        kind, size = int.from_bytes(buffer[:2], "little"), int.from_bytes(buffer[4:8], "little")
        if not _HEADER <= size <= _PACKET_MOST:
            self.reading = False
            return False
        if len(buffer) < size:
            return False
        packet = bytes(buffer[:size])
        del buffer[:size]
        if kind == _DATA:
            self.reading = False
            self._inside(packet[_HEADER + 2 :], when)
        elif kind in _ANSWERS:
            self._answer(*_ANSWERS[kind], packet, when)
        return True

    def _answer(self, what: str, at: int, packet: bytes, when: float) -> None:
        if len(packet) < at + 4:
            self.reading = False
            return
        code = int.from_bytes(packet[at : at + 4], "little")
        self._tell("gateway.answered", {"to": what, "code": code, "symbol": _SYMBOLS.get(code)}, when)
        self.reading = code == 0

    def _inside(self, data: bytes, when: float) -> None:
        """The server's first word behind the gateway: its answer to the connection request."""
        args: dict[str, Any] = {"selected": None, "failure": None}
        try:
            taken = tpkt.take(bytearray(data))
            tpdu = x224.parse(taken[0].payload) if taken is not None else None
            answer = nego.parse_confirm(tpdu.variable) if isinstance(tpdu, x224.ConnectionConfirm) else None
        except Malformed:
            return
        if isinstance(answer, nego.NegotiationResponse):
            args["selected"] = int(answer.selected)
        elif isinstance(answer, nego.NegotiationFailure):
            args["failure"] = int(answer.code)
        elif not isinstance(tpdu, x224.ConnectionConfirm):
            return
        self._tell("gateway.inside", args, when)

    def _tell(self, tag: str, args: dict[str, Any], when: float) -> None:
        self.rows.append((tag, args, when))
