"""What an opened TLS connection carries: CredSSP, then the packets of a session; or the HTTP of a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage
from rdpdoctor.readers.capture.gateway import GatewayWalk
from rdpdoctor.readers.capture.nla import NlaWalk
from rdpdoctor.readers.capture.share import ShareWalk
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.nego import Protocol

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.walk import Row


class Inside:
    """selected: the protocol of the confirm, None where there was none. began: the end of the handshake.

    stage: the furthest that was begun, None where that cannot be told. over: the server has refused.
    reading: more can be learned from what is still to come.
    """

    def __init__(self, selected: int | None, began: float) -> None:
        self.reading = True
        self._nla: NlaWalk | None = None
        self._share: ShareWalk | None = None
        self._gateway: GatewayWalk | None = None
        self._done = [True, True]  # which side has left CredSSP
        if selected is None:
            self._gateway = GatewayWalk()
        elif selected & (Protocol.HYBRID | Protocol.HYBRID_EX):
            self._nla = NlaWalk(began, early=bool(selected & Protocol.HYBRID_EX))
            self._done = [False, False]
            self._share = ShareWalk(began)
        elif selected == Protocol.SSL:
            self._share = ShareWalk(began)
        else:
            self.reading = False  # other ways to sign in are not read

    @property
    def stage(self) -> Stage | None:
        if self._nla is not None and not any(self._done):
            return Stage.NLA
        return self._share.stage if self._share is not None else None

    @property
    def over(self) -> bool:
        return self._nla is not None and self._nla.refused

    @property
    def drawn(self) -> bool:
        """There was a session."""
        return self._share is not None and self._share.drawn

    @property
    def rows(self) -> list[Row]:
        parts = (part for part in (self._nla, self._share, self._gateway) if part is not None)
        rows = [row for part in parts for row in part.rows]
        about = self._nla.about() if self._nla is not None else None
        return [*rows, about] if about is not None else rows

    def feed(self, side: int, data: bytes, when: float) -> None:
        if not self.reading:
            return
        if self._gateway is not None:
            self._gateway.feed(side, data, when)
            self.reading = self._gateway.reading
            return
        assert self._share is not None
        try:
            if self._nla is not None and not self._done[side]:
                data = self._nla.feed(side, data, when)
                self._done[side] = bool(data)
            if data:
                self._share.feed(side, data, when)
        except Malformed:
            self.reading = False
        self.reading = self.reading and self._share.fault is None
