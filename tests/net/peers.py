"""Servers on loopback that do one thing to whoever connects."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HOST = "127.0.0.1"


class Guest:
    """The server's end of one connection, on a raw socket: what is said at once goes out as one segment."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def hear(self, limit: int = 65536) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, limit)

    async def say(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Close with RST."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()


@asynccontextmanager
async def serving(behaviour: Callable[[Guest], Awaitable[None]]) -> AsyncIterator[int]:
    """The port where each guest is treated to `behaviour`. What that raises is raised at the end."""
    loop = asyncio.get_running_loop()
    with socket.create_server((HOST, 0)) as listener:
        listener.setblocking(False)
        guests: list[asyncio.Task[None]] = []
        socks: list[socket.socket] = []

        async def treat(guest: Guest) -> None:
            try:
                await behaviour(guest)
            except (ConnectionError, BrokenPipeError):
                pass  # the client is gone: its right
            finally:
                guest.close()

        async def accept(group: asyncio.TaskGroup) -> None:
            while True:
                sock, _ = await loop.sock_accept(listener)
                socks.append(sock)
                guests.append(group.create_task(treat(Guest(sock))))

        async with asyncio.TaskGroup() as group:
            accepting = group.create_task(accept(group))
            yield int(listener.getsockname()[1])
            accepting.cancel()
            for guest in guests:
                guest.cancel()
        for sock in socks:
            sock.close()  # also of a guest that was not even begun with


def free_port() -> int:
    """A port where nobody listens: just now free."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])
