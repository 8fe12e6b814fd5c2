"""One open TCP connection: bytes out, bytes in, each with a deadline, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.net import oserrors, tcp_info

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from rdpdoctor.net.tcp_info import TcpInfo


class Connection:
    """Deadlines are moments of the running loop's clock. `rtt`: seconds, of the SYN and its answer.

    Reading and writing raise TimeoutError at the deadline (or where the system gives up before it), and
    ConnectionResetError for a RST; nothing else that a peer can cause.
    """

    def __init__(self, sock: socket.socket, address: str, port: int, rtt: float) -> None:
        self._sock = sock
        self.address = address
        self.port = port
        self.rtt = rtt
        self._unread = b""

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    async def send(self, data: bytes, deadline: float) -> None:
        """All of `data`, as one segment where it fits."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                await loop.sock_sendall(self._sock, data)
        except OSError as error:
            raise _told(error) from error

    async def receive(self, limit: int, deadline: float) -> bytes:
        """What has come, at most `limit` bytes; empty after the peer's FIN."""
        if self._unread:
            data, self._unread = self._unread[:limit], self._unread[limit:]
            return data
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                return await loop.sock_recv(self._sock, limit)
        except OSError as error:
            raise _told(error) from error

    def unread(self, data: bytes) -> None:
        """Give back what belongs to the next stage: `receive` returns it first."""
        self._unread = data + self._unread

    def tcp_info(self) -> TcpInfo | None:
        return None if self._sock.fileno() < 0 else tcp_info.read(self._sock)

    def close(self) -> None:
        """Close both ways at once; harmless when repeated."""
        self._sock.close()


def _told(error: OSError) -> OSError:
    """TimeoutError or ConnectionResetError. A path that vanishes under a connection is silence."""
    if isinstance(error, TimeoutError):
        return TimeoutError("deadline")
    if oserrors.meaning(error) in (oserrors.Means.RESET, oserrors.Means.REFUSED):
        return ConnectionResetError(oserrors.words(error))
    return TimeoutError(oserrors.words(error))
