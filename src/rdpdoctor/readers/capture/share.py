"""What goes through TLS after sign-in: the packets of MCS, and in them how far a session came and why the
server ended it (MS-RDPBCGR 1.3.1.1, 2.2.5.1).
"""

from __future__ import annotations

from typing import Any

from rdpdoctor.facts import Stage
from rdpdoctor.readers.capture.plain import PlainWalk
from rdpdoctor.wire import x224

_INFO, _LICENSE = 0x0040, 0x0080  # SEC_INFO_PKT, SEC_LICENSE_PKT (2.2.8.1.1.2.1)
_ERROR_ALERT = 0xFF  # of licensing (2.2.1.12.1.1)
_VALID_CLIENT = 7  # STATUS_VALID_CLIENT: no licence is needed
_DEMAND, _CONFIRM, _DATA = 1, 3, 7  # pduType (2.2.8.1.1.1.1)
_FONT_MAP, _ERROR_INFO = 40, 47  # pduType2 (2.2.8.1.1.1.2)
_SHARE_DATA = 18  # bytes of the share control and the share data header
_STAGES = (Stage.MCS, Stage.SECURITY, Stage.LICENSING, Stage.CAPABILITIES, Stage.FINALIZATION)


class ShareWalk(PlainWalk):
    """stage: the furthest that was begun. rows: what the server said. Times come with each packet."""

    def __init__(self, began: float) -> None:
        super().__init__(began)
        self.stage = Stage.MCS
        self.rows: list[tuple[str, dict[str, Any], float]] = []
        self._now = began

    def feed(self, side: int, data: bytes, when: float) -> None:
        self._now = when
        super().feed(side, data, when)
        if self.drawn:
            self._reach(Stage.FINALIZATION)

    def _reach(self, stage: Stage) -> None:
        if _STAGES.index(stage) > _STAGES.index(self.stage):
            self.stage = stage

    def _named(self, payload: bytes) -> None:
        super()._named(payload)
        if self.after in ("send-data-request", "send-data-indication"):
            tpdu = x224.parse(payload)
            if isinstance(tpdu, x224.Data):
                self._sent(tpdu.payload)

    def _sent(self, body: bytes) -> None:
        """Send Data (T.125): choice, initiator, channel, flags, a length of one or two bytes (PER)."""
        at = 8 if len(body) > 6 and body[6] & 0x80 else 7
        data = body[at:]
        if len(data) < 4:
            return
        flags = int.from_bytes(data[:2], "little")
        length, kind = flags, int.from_bytes(data[2:4], "little")
        if length == len(data) and kind >> 4 == 1:  # a share control header, with version 1
            self._share(kind & 0x0F, data)
        elif self.stage is not Stage.FINALIZATION and flags & _LICENSE:
            self._reach(Stage.LICENSING)
            self._license(data[4:])
        elif self.stage is Stage.MCS and flags & _INFO:
            self._reach(Stage.SECURITY)

    def _license(self, data: bytes) -> None:
        if len(data) >= 8 and data[0] == _ERROR_ALERT:
            code = int.from_bytes(data[4:8], "little")
            if code != _VALID_CLIENT:
                self.rows.append(("flow.licensing", {"code": code}, self._now))

    def _share(self, kind: int, data: bytes) -> None:
        if kind in (_DEMAND, _CONFIRM):
            self._reach(Stage.CAPABILITIES)
        elif kind == _DATA and len(data) >= _SHARE_DATA:
            second = data[14]
            if second == _ERROR_INFO and len(data) >= _SHARE_DATA + 4:
                code = int.from_bytes(data[_SHARE_DATA : _SHARE_DATA + 4], "little")
                if code:  # 0: there is none, or no longer
                    self.rows.append(("flow.errinfo", {"code": code, "at": self.stage.value}, self._now))
                return
            self._reach(Stage.FINALIZATION)
            self.drawn = self.drawn or second == _FONT_MAP
