"""Machines over real sockets: each way a peer can end it comes out as itself."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.connection.credssp import Answered, CredSspProbe
from rdpdoctor.connection.initiation import Confirmed, Initiation
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.tls import TlsEstablished, TlsHandshake
from rdpdoctor.facts import Stage
from rdpdoctor.net.connection import Connection
from rdpdoctor.net.dial import dial
from rdpdoctor.net.drive import drive
from rdpdoctor.wire import nego, tls_hello, tls_record
from rdpdoctor.wire.credssp import TSRequest

from ..connection.tls_server import NAME, TlsServer, server_context
from .peers import HOST, Guest, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUEST = nego.ConnectionRequestData(negotiation=nego.NegotiationRequest(0x0B))
PACKET = nego.request_packet(REQUEST)
CONFIRM = nego.confirm_packet(nego.NegotiationResponse(1, 0))


def driven(behaviour: Callable[[Guest], Awaitable[None]], machine: Any, timeout: float = 10) -> object:
    async def go() -> object:
        async with asyncio.timeout(timeout), serving(behaviour) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                return await drive(connection, machine)

    return asyncio.run(go())


def ended(outcome: object) -> Ended:
    assert isinstance(outcome, Ended), outcome
    return outcome


def test_a_confirm_in_dribs() -> None:
    async def dribble(guest: Guest) -> None:
        assert await guest.hear() == PACKET
        for at in range(len(CONFIRM)):
            await guest.say(CONFIRM[at : at + 1])
            await asyncio.sleep(0.002)
        await guest.hear()

    outcome = driven(dribble, Initiation(REQUEST, 5))
    assert isinstance(outcome, Confirmed)
    assert outcome.elapsed > 0.03


@pytest.mark.parametrize("said", [0, 1, 10])
@pytest.mark.parametrize("how", [How.CLOSED, How.RESET, How.SILENT])
def test_each_ending(said: int, how: How) -> None:
    async def behave(guest: Guest) -> None:
        await guest.hear()
        if said:
            await guest.say(CONFIRM[:said])
            await asyncio.sleep(0.05)
        if how is How.RESET:
            guest.reset()
        elif how is How.SILENT:
            await asyncio.sleep(60)

    outcome = ended(driven(behave, Initiation(REQUEST, 0.4)))
    expected = How.STALLED if how is How.SILENT and said else how
    assert (outcome.how, outcome.received, outcome.sent) == (expected, said, len(PACKET))
    assert outcome.stage is Stage.X224
    if how is How.SILENT:
        assert 0.39 <= outcome.elapsed < 3


def test_a_server_that_closes_without_reading() -> None:
    """Its kernel answers our request, which it will never read, with RST; what it does first is up to the
    kernel.
    """

    async def leave(guest: Guest) -> None:
        guest.close()

    outcome = ended(driven(leave, Initiation(REQUEST, 2)))
    assert outcome.how in (How.CLOSED, How.RESET)
    assert outcome.received == 0


def test_a_reset_before_our_first_word() -> None:
    """Our write gets the error; what is read after it looks like an orderly end, and is none."""

    async def rude(guest: Guest) -> None:
        guest.reset()

    async def go() -> object:
        async with serving(rude) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                await asyncio.sleep(0.05)
                return await drive(connection, Initiation(REQUEST, 2))

    assert ended(asyncio.run(go())).how is How.RESET


def test_what_a_server_said_before_its_reset_is_read() -> None:
    """Writing fails first, but the answer had come: it counts."""

    async def leave(guest: Guest) -> None:
        await guest.say(CONFIRM)
        guest.close()

    async def go() -> object:
        async with serving(leave) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                await asyncio.sleep(0.05)
                await connection.send(b"to draw the RST", asyncio.get_running_loop().time() + 1)
                await asyncio.sleep(0.05)
                return await drive(connection, Initiation(REQUEST, 2))

    outcome = asyncio.run(go())
    assert isinstance(outcome, Confirmed)


def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    async def drip(guest: Guest) -> None:
        await guest.hear()
        await guest.say(b"\x03\x00\xff\xff\x0e\xd0")
        while True:
            await guest.say(b"\x00")
            await asyncio.sleep(0.05)

    began = time.monotonic()
    outcome = ended(driven(drip, Initiation(REQUEST, 0.5)))
    assert outcome.how is How.STALLED
    assert outcome.received > 8
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x03\x40\x00"])
def test_endless_bytes_end_soon(start: bytes) -> None:
    async def flood(guest: Guest) -> None:
        await guest.hear()
        await guest.say(start)
        while True:
            await guest.say(b"\x0b\x03\xff\xf0" * 16384)

    began = time.monotonic()
    outcome = ended(driven(flood, TlsHandshake(None, 5)))
    assert outcome.how is How.MALFORMED
    assert time.monotonic() - began < 3


def test_what_came_too_early_is_there_for_the_next_machine() -> None:
    """As from a server that selects TLS and speaks plain RDP."""
    wrong = bytes.fromhex("0300000902f0802180")

    async def hasty(guest: Guest) -> None:
        await guest.hear()
        await guest.say(CONFIRM + wrong)

    async def go() -> object:
        async with asyncio.timeout(10), serving(hasty) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                assert isinstance(await drive(connection, Initiation(REQUEST, 5)), Confirmed)
                return await drive(connection, TlsHandshake(None, 5))

    outcome = ended(asyncio.run(go()))
    assert (outcome.how, outcome.sample) == (How.MALFORMED, wrong)


def test_an_answer_and_the_rst_after_it_is_an_answer() -> None:
    async def curt(guest: Guest) -> None:
        await guest.hear()
        await guest.say(nego.confirm_packet(nego.NegotiationFailure(5)))
        await asyncio.sleep(0.05)
        guest.reset()

    outcome = driven(curt, Initiation(REQUEST, 2))
    assert isinstance(outcome, Confirmed)


async def tls_peer(guest: Guest, context: ssl.SSLContext, sizes: list[int]) -> TlsServer:
    """The server's handshake; `sizes` collects the lengths of what came."""
    server = TlsServer(context)
    while not server.done and server.error is None:
        heard = await guest.hear()
        if not heard:
            break
        sizes.append(len(heard))
        await guest.say(server.answer(heard))
    return server


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("split", [False, True])
def test_tls_and_credssp_on_one_connection(version: ssl.TLSVersion, split: bool) -> None:
    sizes: list[int] = []
    heard = bytearray()

    async def server(guest: Guest) -> None:
        tls = await tls_peer(guest, server_context(version, version), sizes)
        heard.extend(tls.hear())  # it may have come with the client's Finished
        while not heard:
            tls.answer(await guest.hear())
            heard.extend(tls.hear())
        await guest.say(tls.say(TSRequest(6).encode()))
        await guest.hear()

    async def go() -> tuple[object, object]:
        async with asyncio.timeout(10), serving(server) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                first = await drive(connection, TlsHandshake(NAME, 5, split_first=split))
                assert isinstance(first, TlsEstablished), first
                return first, await drive(connection, CredSspProbe(first.channel, 5))

    _, second = asyncio.run(go())
    assert isinstance(second, Answered)
    assert bytes(heard).startswith(b"\x30")
    assert (sizes[0] == 1) is split
    if split:
        assert sizes[1] > 200


def test_our_alert_reaches_the_server() -> None:
    heard = bytearray()

    async def old(guest: Guest) -> None:
        await guest.hear()
        body = tls_hello.ServerHello(0x0301, bytes(32), b"", 0x002F).encode()
        await guest.say(tls_record.handshake_records(2, body, 0x0301))
        heard.extend(await guest.hear())
        told.set()

    async def go() -> object:
        async with asyncio.timeout(10), serving(old) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                outcome = await drive(connection, TlsHandshake(None, 5))
            await told.wait()
            return outcome

    told = asyncio.Event()
    outcome = ended(asyncio.run(go()))
    assert outcome.how is How.REJECTED
    assert bytes(heard[:1]) == b"\x15"


def test_cancelling_leaves_nothing_behind() -> None:
    async def silent(guest: Guest) -> None:
        await guest.hear()
        assert await guest.hear() == b""

    async def go() -> None:
        async with serving(silent) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)

            async def hold() -> None:
                with connection:
                    await drive(connection, Initiation(REQUEST, 60))

            task = asyncio.create_task(hold())
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            assert connection._sock.fileno() == -1
            await asyncio.sleep(0.05)  # the server sees the end
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(go())


class Broken:
    """A machine with a fault: it never ends and has no deadline."""

    stage = Stage.TCP
    deadline: float | None = None
    leftover = b""
    outcome: object | None = None

    def begin(self, now: float) -> None: ...
    def take_output(self) -> bytes:
        return b""

    def receive(self, data: bytes, now: float) -> None: ...
    def eof(self, now: float) -> None: ...
    def reset(self, now: float) -> None: ...
    def wake(self, now: float) -> None: ...


def test_a_fault_of_ours_is_raised_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdpdoctor.net.drive._PATIENCE", 0.2)

    async def silent(guest: Guest) -> None:
        await guest.hear()

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - it comes in an exception group
        driven(silent, Broken())
    assert caught.group_contains(RuntimeError, match="neither outcome nor deadline")
