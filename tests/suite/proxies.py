"""What stands between clients and a real server: a forwarder on loopback that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

Address: TypeAlias = "tuple[str, int]"

_COOKIE, _HELLO = b"mstshash=", b"\x16\x03"
_READ = 65536


@dataclass(slots=True)
class Proxy:
    """backends: by turns; a port 0 is nobody. cookie: close where the request holds this. cut: reset at the
    first ClientHello. every: reset connection 3, 6, 9 … for 3. at_once: reset what is more. late: seconds for
    each piece, both ways. piece: bytes to the client at a time.
    """

    backends: Sequence[Address]
    cookie: bytes = b""
    cut: bool = False
    every: int = 0
    at_once: int = 0
    late: float = 0.0
    piece: int = 0
    address: Address = ("", 0)
    _count: int = 0
    _open: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = self._server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        self._open += 1
        number = self._count
        try:
            if (self.every and number % self.every == 0) or (self.at_once and self._open > self.at_once):
                _reset(writer)
            else:
                await self._forward(reader, writer, number)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        host, port = self.backends[number % len(self.backends)]
        if not port:
            return  # as a forwarder does whose backend refuses: the client's connection is ended
        far_reader, far_writer = await asyncio.open_connection(host, port)
        with contextlib.closing(far_writer):
            there = asyncio.create_task(self._pump(reader, far_writer, writer))
            back = asyncio.create_task(self._pump(far_reader, writer, None))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter | None
    ) -> None:
        """client: whom to end where what goes to the server is not to its taste."""
        while data := await reader.read(_READ):
            if client is not None and self.cookie and self.cookie in data:
                return
            if client is not None and self.cut and data.startswith(_HELLO):
                _reset(client)
                return
            await asyncio.sleep(self.late)
            step = self.piece if self.piece and client is None else len(data)
            for at in range(0, len(data), step):
                writer.write(data[at : at + step])
                await writer.drain()
                if self.piece:
                    await asyncio.sleep(0.002)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
