"""The server's part of connection initiation (MS-RDPBCGR 1.3.1.1, 3.3.5.3.1 and 3.3.5.3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rdpdoctor.connection.server.base import ServerMachine
from rdpdoctor.facts import Stage
from rdpdoctor.wire import nego, tpkt, x224
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.nego import FailureCode, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a server likes best, first.
PREFERENCE = (
    Protocol.HYBRID_EX,
    Protocol.HYBRID,
    Protocol.RDSAAD,
    Protocol.RDSTLS,
    Protocol.SSL,
)


@dataclass(frozen=True, slots=True)
class Requested:
    """The request came; `confirm` answers it. `protocols` is None where it carried no negotiation."""

    request: nego.ConnectionRequestData
    protocols: int | None
    confirm: nego.Confirm | None

    @property
    def cookie(self) -> str | None:
        token = self.request.token
        return token.name if isinstance(token, nego.Cookie) else None


def choose(
    accepts: frozenset[int], protocols: int, flags: int
) -> nego.NegotiationResponse | nego.NegotiationFailure:
    """The best that both sides can, else the failure that says what the client lacks (2.2.1.2.2)."""
    for protocol in PREFERENCE:
        if protocol in accepts and protocols & protocol:
            return nego.NegotiationResponse(protocol, flags)
    if Protocol.RDP in accepts:
        if protocols == Protocol.RDP:
            return nego.NegotiationResponse(Protocol.RDP, flags)
        return nego.NegotiationFailure(FailureCode.SSL_NOT_ALLOWED_BY_SERVER)
    if Protocol.SSL in accepts:
        return nego.NegotiationFailure(FailureCode.SSL_REQUIRED_BY_SERVER)
    if accepts & {Protocol.HYBRID, Protocol.HYBRID_EX}:
        return nego.NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER)
    return nego.NegotiationFailure(FailureCode.SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER)


class Responder(ServerMachine):
    """Awaits one connection request, and answers with what `answer` makes of it: None for a plain confirm."""

    stage: ClassVar[Stage] = Stage.X224

    def __init__(
        self, answer: Callable[[nego.ConnectionRequestData], nego.Confirm | None], timeout: float
    ) -> None:
        super().__init__(timeout, "connected")
        self._answer = answer
        self._buffer = b""

    def _advance(self, data: bytes, now: float) -> None:
        self._buffer += data
        taken = tpkt.take(self._buffer)
        if taken is None:
            return
        frame, used = taken
        self.leftover, self._buffer = self._buffer[used:], b""
        tpdu = x224.parse(frame.payload)
        if not isinstance(tpdu, x224.ConnectionRequest):
            raise Malformed.at("x224", frame.payload, 0, f"no connection request but {type(tpdu).__name__}")
        request = nego.parse_request(tpdu.variable)
        confirm = self._answer(request)
        self._output += nego.confirm_packet(confirm, dst_ref=tpdu.src_ref)
        protocols = request.negotiation.protocols if request.negotiation else None
        self._finish(Requested(request, protocols, confirm))
