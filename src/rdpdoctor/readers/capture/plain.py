"""Standard RDP security after the confirm: the packets of MCS by their names (T.125, MS-RDPBCGR 1.3.1.1)."""

from __future__ import annotations

from rdpdoctor.readers.capture.tls import Traffic
from rdpdoctor.wire import tpkt, x224
from rdpdoctor.wire.errors import Malformed

#: The first byte of a T.125 DomainMCSPDU is its choice, shifted by two.
_NAMES = {
    0x04: "erect-domain",
    0x20: "disconnect",
    0x28: "attach-user-request",
    0x2C: "attach-user-confirm",
    0x38: "channel-join-request",
    0x3C: "channel-join-confirm",
    0x64: "send-data-request",
    0x68: "send-data-indication",
}
_CONNECT = {0x65: "mcs-connect-initial", 0x66: "mcs-connect-response"}  # BER, application 101 and 102


class PlainWalk:
    """after: the last packet that came whole. drawn: the server sent fast-path output: a session."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.after = "connection-confirm"
        self.drawn = False
        self.fault: tuple[int, Malformed] | None = None
        self.traffic = (Traffic(), Traffic())
        self._buffers = (bytearray(), bytearray())

    def feed(self, side: int, data: bytes, when: float) -> None:
        if self.fault is not None:
            return
        buffer = self._buffers[side]
        buffer += data
        try:
            while buffer and (used := self._take(side, buffer)):
                self.traffic[side].count(used, when)
                del buffer[:used]
        except Malformed as error:
            self.fault = (side, error)

    def forget(self) -> None:
        for buffer in self._buffers:
            buffer.clear()

    def _take(self, side: int, buffer: bytearray) -> int:
        """How long the first packet is; 0 while it is incomplete."""
        if buffer[0] == tpkt.VERSION:
            taken = tpkt.take(buffer)
            if taken is None:
                return 0
            self._named(taken[0].payload)
            return taken[1]
        if buffer[0] & 0x03:
            raise Malformed.at("tpkt", buffer, 0, f"begins with {buffer[0]:#04x}: neither TPKT nor fast-path")
        # Fast-path (MS-RDPBCGR 2.2.9.1.2): one or two bytes of length, the header included.
        if len(buffer) < 3:
            return 0
        length = (buffer[1] & 0x7F) << 8 | buffer[2] if buffer[1] & 0x80 else buffer[1]
        if length < 3:
            raise Malformed.at("fast-path", buffer, 1, f"length {length} is shorter than the header")
        if len(buffer) < length:
            return 0
        self.drawn = self.drawn or side == 1
        self.after = "fast-path"
        return length

    def _named(self, payload: bytes) -> None:
        tpdu = x224.parse(payload)
        if not isinstance(tpdu, x224.Data):
            self.after = "x224-disconnect" if isinstance(tpdu, x224.DisconnectRequest) else "tpdu"
            return
        body = tpdu.payload
        if body[:1] == b"\x7f" and len(body) > 1:
            self.after = _CONNECT.get(body[1], "mcs")
        elif body:
            self.after = _NAMES.get(body[0] & 0xFC, "mcs")
