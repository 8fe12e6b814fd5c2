"""Connection initiation (MS-RDPBCGR 1.3.1.1, 3.2.5.3.1): connection request out, connection confirm in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.conversation import Conversation
from rdpdoctor.connection.machine import How
from rdpdoctor.facts import Stage
from rdpdoctor.wire import nego, tpkt, x224
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.nego import NegotiationFailure, NegotiationResponse


#: Where the TPDU's code is: after the TPKT header and the length indicator.
_CODE_AT = tpkt.HEADER + 1
_ER = 0x70
_CODES = (x224.CR, x224.CC, x224.DR, x224.DT, _ER)  # X.224 table 8: those of class 0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """answer: None for a confirm without a negotiation block (standard RDP security). elapsed: seconds.
    received: bytes of the confirm alone.
    """

    answer: NegotiationResponse | NegotiationFailure | None
    elapsed: float
    received: int


class Initiation(Conversation[Confirmed]):
    """Ends with Confirmed, or Ended."""

    stage = Stage.X224
    limit = 64 * 1024

    def __init__(self, request: nego.ConnectionRequestData, timeout: float) -> None:
        super().__init__(timeout)
        self._request = nego.request_packet(request)
        self._buffer = bytearray()

    def _start(self, now: float) -> None:
        self._output += self._request
        self.after = "connection-request"

    def _process(self, data: bytes, now: float) -> None:
        self._buffer += data
        try:
            taken = tpkt.take(self._buffer)
            if len(self._buffer) > _CODE_AT and self._buffer[_CODE_AT] not in _CODES:
                # No need to wait for the rest of a frame that may be 64 KiB.
                self._end(
                    How.MALFORMED, now, detail=f"x224: {self._buffer[_CODE_AT]:#04x} is no TPDU of class 0"
                )
                return
            if taken is None:
                return
            packet, used = taken
            tpdu = x224.parse(packet.payload)
            if isinstance(tpdu, x224.ConnectionConfirm):
                answer = nego.parse_confirm(tpdu.variable)
                if isinstance(answer, nego.UnknownNegotiation):
                    self._end(How.MALFORMED, now, detail=f"negotiation block of type {answer.type:#04x}")
                    return
                confirmed = Confirmed(answer, self._elapsed(now), used)
                self._finish(confirmed, bytes(self._buffer[used:]))
                return
        except Malformed as error:
            self._end(How.MALFORMED, now, detail=f"{error.layer}: {error.detail}")
            return
        code = tpdu.reason if isinstance(tpdu, x224.DisconnectRequest) else None
        self._end(How.DECLINED, now, code=code, detail=_called(tpdu))


def _called(tpdu: x224.Tpdu) -> str:
    match tpdu:
        case x224.DisconnectRequest(reason=reason):
            return f"disconnect request, reason {reason}"
        case x224.Data():
            return "data TPDU"
        case x224.ConnectionRequest():
            return "connection request"
    return "error TPDU"
