"""One accepted connection, as the lab plays it: slow, in pieces, and with an ending of its choice."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import TYPE_CHECKING

from rdpdoctor.net.connection import Connection

if TYPE_CHECKING:
    from rdpdoctor.connection.server.base import ServerMachine

#: Seconds: for one send; for a client to go after our FIN; for a client that is told nothing.
SENDING, LEAVING, WAITING = 30.0, 20.0, 120.0
#: What is read after the end of a conversation, in bytes, and what a flood sends at most.
DRAINED, FLOODED = 1 << 20, 1 << 26
_READ = 65536
#: Seconds between segments, so that the receiver does not join them; only for the first bytes of an answer,
#: where its frames begin: a whole flight would take its time, and busy machines make much of each pause.
_APART, _APART_BYTES = 0.002, 64


class Gone(Exception):
    """The client is no longer there: nothing is left to be said."""


class Peer:
    """`delay`: seconds before each `send`. `segment`: bytes a segment, None for whole."""

    def __init__(self, sock: socket.socket, address: str, delay: float, segment: int | None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._connection = Connection(sock, address, 0, 0.0)
        self._delay = delay
        self._segment = segment
        self.sent = 0
        self.received = 0
        self.reads = 0

    @property
    def max_segment(self) -> int | None:
        """The size of the segments we may send (TCP_MAXSEG); None where the system does not say."""
        try:
            return self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        except (OSError, AttributeError):
            return None

    async def advance(self, machine: ServerMachine, heard: bytearray | None = None) -> bytes:
        """Hand over what comes until the machine has something to say, which is returned unsent, or is done.

        `heard` collects what was handed over.
        """
        loop = asyncio.get_running_loop()
        while not (output := machine.take_output()) and machine.outcome is None:
            deadline = machine.deadline or loop.time() + WAITING
            try:
                data = await self.receive(deadline)
            except TimeoutError:
                machine.wake(max(loop.time(), deadline))
            except ConnectionResetError:
                machine.reset(loop.time())
            else:
                if heard is not None:
                    heard += data
                if data:
                    machine.receive(data, loop.time())
                else:
                    machine.eof(loop.time())
        return output

    async def receive(self, deadline: float) -> bytes:
        """Empty after the client's FIN. Raise TimeoutError, ConnectionResetError."""
        data = await self._connection.receive(_READ, deadline)
        self.received += len(data)
        self.reads += 1
        return data

    async def send(self, data: bytes, pace: float | None = None) -> None:
        """With a `pace`, one byte and then so many seconds. Raise Gone."""
        await asyncio.sleep(self._delay)
        step = 1 if pace is not None else self._segment or len(data) or 1
        for at in range(0, len(data), step):
            await self._send(data[at : at + step])
            if at + step < len(data):
                apart = _APART if at < _APART_BYTES else 0.0
                await asyncio.sleep(apart if pace is None else pace)

    async def flood(self, unit: bytes) -> None:
        """Without end, as far as the client is concerned."""
        block = unit * max(1, _READ // len(unit))
        for _ in range(0, FLOODED, len(block)):
            await self._send(block)

    async def _send(self, data: bytes) -> None:
        try:
            await self._connection.send(data, asyncio.get_running_loop().time() + SENDING)
        except OSError as error:
            raise Gone from error
        self.sent += len(data)

    async def end(self, how: str) -> None:
        """`close`, `reset` or `silence`. Returns when the client has gone, or was waited for long enough."""
        if how == "reset":
            # Two shorts on Windows, two ints elsewhere: linger for 0 s, which makes close() send RST.
            self._sock.setsockopt(
                socket.SOL_SOCKET,
                socket.SO_LINGER,
                struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0),
            )
            self._connection.close()
            return
        if how == "close":
            # Only our half: closing with unread bytes, or having bytes come afterwards, would send RST.
            try:
                self._sock.shutdown(socket.SHUT_WR)
            except OSError:
                return
        await self._drain(LEAVING if how == "close" else WAITING)

    async def _drain(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        drained = 0
        try:
            while drained < DRAINED and (data := await self.receive(deadline)):
                drained += len(data)
        except OSError:
            return

    def has_left(self) -> bool:
        """Whether the client's FIN or RST has already come."""
        try:
            return not self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self._connection.close()
