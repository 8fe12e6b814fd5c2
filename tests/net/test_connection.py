"""Reading and writing with deadlines, and how a connection ends."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.net.connection import Connection
from rdpdoctor.net.dial import dial

from .peers import HOST, Guest, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def with_a_guest(
    behaviour: Callable[[Guest], Awaitable[None]], client: Callable[[Connection], Awaitable[None]]
) -> None:
    async def go() -> None:
        async with serving(behaviour) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                await client(connection)

    asyncio.run(go())


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def test_bytes_both_ways_then_the_end() -> None:
    async def echo(guest: Guest) -> None:
        await guest.say(await guest.hear())

    async def client(connection: Connection) -> None:
        await connection.send(b"hello", soon())
        heard = b""
        while len(heard) < 5:
            heard += await connection.receive(2, soon())
        assert heard == b"hello"
        assert await connection.receive(100, soon()) == b""

    with_a_guest(echo, client)


def test_the_limit_of_one_read() -> None:
    async def talker(guest: Guest) -> None:
        await guest.say(b"x" * 1000)

    async def client(connection: Connection) -> None:
        assert len(await connection.receive(10, soon())) == 10

    with_a_guest(talker, client)


def test_what_is_given_back_comes_first() -> None:
    async def talker(guest: Guest) -> None:
        await guest.say(b"third")

    async def client(connection: Connection) -> None:
        connection.unread(b"second")
        connection.unread(b"first")
        heard = [await connection.receive(7, soon()) for _ in range(3)]
        assert heard == [b"firstse", b"cond", b"third"]

    with_a_guest(talker, client)


def test_a_reset() -> None:
    async def rude(guest: Guest) -> None:
        await guest.hear()
        guest.reset()

    async def client(connection: Connection) -> None:
        await connection.send(b"hello", soon())
        with pytest.raises(ConnectionResetError):
            await connection.receive(10, soon())

    with_a_guest(rude, client)


def test_silence_ends_at_the_deadline() -> None:
    async def silent(guest: Guest) -> None:
        await guest.hear()

    async def client(connection: Connection) -> None:
        began = soon(0)
        with pytest.raises(TimeoutError):
            await connection.receive(10, soon(0.1))
        assert 0.09 < soon(0) - began < 2
        with pytest.raises(TimeoutError):
            await connection.receive(10, soon(-1))

    with_a_guest(silent, client)


def test_a_peer_that_does_not_read_does_not_hold_up_our_writing() -> None:
    async def deaf(_: Guest) -> None:
        await asyncio.sleep(60)

    async def client(connection: Connection) -> None:
        with pytest.raises(TimeoutError):
            await connection.send(b"x" * 50_000_000, soon(0.2))

    with_a_guest(deaf, client)


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.ENETDOWN])
def test_a_path_that_vanishes_is_silence(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    async def silent(guest: Guest) -> None:
        await guest.hear()

    async def vanish(*_: object) -> bytes:
        raise OSError(number, "vanished")

    async def client(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "sock_recv", vanish)
        monkeypatch.setattr(loop, "sock_sendall", vanish)
        with pytest.raises(TimeoutError):
            await connection.receive(10, soon())
        with pytest.raises(TimeoutError):
            await connection.send(b"x", soon())
        monkeypatch.undo()

    with_a_guest(silent, client)


def test_closing_twice_and_asking_after() -> None:
    async def silent(guest: Guest) -> None:
        await guest.hear()

    async def client(connection: Connection) -> None:
        connection.close()
        connection.close()
        assert connection.tcp_info() is None

    with_a_guest(silent, client)
