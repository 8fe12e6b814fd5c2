"""HTTP inside TLS to a Remote Desktop gateway: what was asked for, and the status of each answer.

HTTP/1.1 (RFC 9112) up to the switch to a WebSocket or the headers of an endless body, HTTP/2 (RFC 9113) by
its frames, with so much of HPACK (RFC 7541) as status and path need. No other header's value is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.capture.hpack import Fields
from rdpdoctor.readers.capture.tsgu import Tunnel

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT, SERVER = 0, 1
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS_MOST = 64 * 1024
_TOLD = 64
#: Of a gateway (MS-TSGU 2.1, MS-KKDCP 2.1): others' web pages are nobody's business.
_PATHS = ("/remotedesktopgateway", "/rpc/", "/rpcwithcert/", "/kdcproxy")
_REQUEST = re.compile(rb"^([A-Z_]{1,24}) (/[^ ?]*)[^ ]* HTTP/1\.[01]$")
_STATUS = re.compile(rb"^HTTP/1\.[01] ([1-5][0-9][0-9])(?: |$)")
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,15})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_SCHEME = re.compile(rb"^www-authenticate:[ \t]*([A-Za-z0-9-]{1,20})", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:[ \t]*chunked[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FRAME = 9
_FRAME_MOST = 1 << 20
_HEADERS, _PUSH, _CONTINUATION = 1, 5, 9
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20


class GatewayWalk:
    """reading: more can still be learned."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, dict[str, Any], float]] = []
        self.reading = True
        self._tunnel: Tunnel | None = None
        self._buffers = (bytearray(), bytearray())
        self._two: bool | None = None
        self._skip = [0, 0]
        self._asked: list[tuple[str, str]] = []  # not answered yet, in order: method and path
        self._streams: dict[int, str] = {}  # of HTTP/2: the path by stream
        self._fields = (Fields(), Fields())
        self._blocks: list[tuple[int, bytearray] | None] = [None, None]

    @property
    def rows(self) -> list[tuple[str, dict[str, Any], float]]:
        return [*self._rows, *self._tunnel.rows] if self._tunnel is not None else self._rows

    def feed(self, side: int, data: bytes, when: float) -> None:
        if not self.reading:
            return
        if self._tunnel is not None:
            self._through(side, data, when)
            return
        buffer = self._buffers[side]
        buffer += data
        if self._two is None:
            if side == SERVER or len(buffer) < len(_PREFACE):
                self.reading = len(buffer) <= _HEADERS_MOST
                return
            self._two = buffer.startswith(_PREFACE)
            del buffer[: len(_PREFACE) if self._two else 0]
            self._read(CLIENT, when)
            self._read(SERVER, when)
            return
        self._read(side, when)

    def _through(self, side: int, data: bytes, when: float) -> None:
        assert self._tunnel is not None
        if side == SERVER:
            self._tunnel.feed(data, when)
            self.reading = self._tunnel.reading

    def _read(self, side: int, when: float) -> None:
        if self._two:
            for kind, flags, stream, payload in self._frames(self._buffers[side]):
                self._frame(side, kind, flags, stream, payload, when)
        else:
            self._messages(side, when)
        self.reading = self.reading and len(self._rows) < _TOLD

    # ---- HTTP/1.1

    def _messages(self, side: int, when: float) -> None:
        buffer = self._buffers[side]
        while self.reading and self._tunnel is None:
            used = min(self._skip[side], len(buffer))
            del buffer[:used]
            self._skip[side] -= used
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self.reading = len(buffer) <= _HEADERS_MOST
                return
            head = bytes(buffer[:end]).replace(b"\r\n", b"\n")
            del buffer[: end + 4]
            length = _LENGTH.search(head)
            self._skip[side] = int(length[1]) if length else 0
            first = head.partition(b"\n")[0]
            if side == CLIENT:
                self._request(first)
            else:
                self._status(first, head, when)

    def _request(self, line: bytes) -> None:
        found = _REQUEST.match(line)
        if found is None:
            self.reading = False
        elif len(self._asked) < _TOLD:
            self._asked.append((found[1].decode("ascii"), found[2].decode("latin-1")))

    def _status(self, line: bytes, head: bytes, when: float) -> None:
        found = _STATUS.match(line)
        if found is None or not self._asked:
            self.reading = False
            return
        status = int(found[1])
        method, path = self._asked.pop(0) if status >= 200 or status == 101 else self._asked[0]
        schemes = sorted({scheme.decode("ascii") for scheme in _SCHEME.findall(head)})
        self._tell("HTTP/1.1", method, path, status, schemes, when)
        if status == 101 or (method == "RDG_OUT_DATA" and status == 200):
            way = "websocket" if status == 101 else "chunked" if _CHUNKED.search(head) else "plain"
            self._tunnel = Tunnel(way)
            behind = bytes(self._buffers[SERVER])
            self._buffers[SERVER].clear()
            self._through(SERVER, behind, when)
        elif method.startswith("RDG_") and status == 200:
            self.reading = False  # the client's way into the tunnel, which has no answers

    # ---- HTTP/2

    def _frames(self, buffer: bytearray) -> Iterator[tuple[int, int, int, bytes]]:
        while self.reading and len(buffer) >= _FRAME:
            size = int.from_bytes(buffer[:3], "big")
            if size > _FRAME_MOST:
                self.reading = False
                return
            if len(buffer) < _FRAME + size:
                return
            stream = int.from_bytes(buffer[5:9], "big") & 0x7FFFFFFF
            yield buffer[3], buffer[4], stream, bytes(buffer[_FRAME : _FRAME + size])
            del buffer[: _FRAME + size]

    def _frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes, when: float) -> None:
        if kind == _HEADERS:
            if flags & _PADDED:
                payload = payload[1 : len(payload) - payload[0]] if payload else b""
            self._blocks[side] = (stream, bytearray(payload[5 if flags & _PRIORITY else 0 :]))
        elif kind == _CONTINUATION and self._blocks[side] is not None:
            block = self._blocks[side]
            assert block is not None
            block[1].extend(payload[: _HEADERS_MOST - len(block[1])])
        elif kind == _PUSH:
            self.reading = False  # its headers would change the table; no gateway pushes
            return
        else:
            return
        block = self._blocks[side]
        if flags & _END_HEADERS and block is not None:
            self._blocks[side] = None
            self._headers(side, block[0], bytes(block[1]), when)

    def _headers(self, side: int, stream: int, block: bytes, when: float) -> None:
        found = self._fields[side].read(block)
        if found is None:
            self.reading = False
        elif side == CLIENT and len(self._streams) < _TOLD:
            self._streams.setdefault(stream, (found.get(":path") or "").partition("?")[0])
        elif side == SERVER and (found.get(":status") or "").isdigit() and stream in self._streams:
            self._tell("HTTP/2", None, self._streams[stream], int(found[":status"] or 0), [], when)

    def _tell(
        self, version: str, method: str | None, path: str, status: int, schemes: list[str], when: float
    ) -> None:
        if path.lower().startswith(_PATHS):
            args = {"version": version, "method": method, "path": path[:64]}
            self._rows.append(("gateway.http", {**args, "status": status, "schemes": schemes}, when))
