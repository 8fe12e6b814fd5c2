"""Dialling real sockets on loopback, and the judgement of errors recorded elsewhere."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
import sys
import time
from contextlib import ExitStack

import pytest

from rdpdoctor.net import dial as dialling
from rdpdoctor.net import icmp_linux
from rdpdoctor.net.dial import Connection, DialFailed, can_limit_segments, dial, is_own

from .peers import HOST, Guest, free_port, serving


async def linger(guest: Guest) -> None:
    await guest.hear()


def failed(result: Connection | DialFailed) -> DialFailed:
    assert isinstance(result, DialFailed), result
    return result


def test_a_connection() -> None:
    async def go() -> None:
        async with serving(linger) as port:
            with await connected(port) as connection:
                assert (connection.address, connection.port) == (HOST, port)
                assert 0 < connection.rtt < 1
                nodelay = connection._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert nodelay

    asyncio.run(go())


async def connected(port: int, **options: int) -> Connection:
    result = await dial(HOST, port, 5, **options)
    assert isinstance(result, Connection), result
    return result


def test_refused() -> None:
    result = failed(asyncio.run(dial(HOST, free_port(), 5)))
    assert (result.how, result.icmp, result.offender, result.on_link) == ("refused", None, None, False)
    assert "refused" in result.error.lower()
    assert 0 <= result.elapsed < 5


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_refused_over_ipv6() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port = listener.getsockname()[1]
    except OSError as error:
        pytest.skip(f"no ::1 here: {error}")
    assert failed(asyncio.run(dial("::1", port, 5))).how == "refused"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops a SYN when the backlog is full")
def test_silent_until_the_deadline() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        for _ in range(4):  # fill the backlog
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        result = failed(asyncio.run(dial(HOST, listener.getsockname()[1], 0.3)))
    assert (result.how, result.error) == ("silent", "timed out")
    assert 0.29 <= result.elapsed < 3


@pytest.mark.parametrize("address", ["fe80::1%no-such-zone", "256.1.1.1", "host.example", "127.1", ""])
def test_what_is_no_address_fails_without_a_question_to_anybody(address: str) -> None:
    result = failed(asyncio.run(dial(address, 3389, 5)))
    assert result.how == "failed"
    assert result.error


def test_no_such_address_family(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    async def go() -> Connection | DialFailed:
        monkeypatch.setattr(socket, "socket", refuse)  # the loop has its own already
        try:
            return await dial(HOST, 3389, 5)
        finally:
            monkeypatch.undo()

    result = failed(asyncio.run(go()))
    assert (result.how, result.error) == ("failed", "Address family not supported by protocol")


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.ENOTCONN])
def test_a_rst_right_behind_the_syn_ack_is_an_open_port(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    async def gone(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    async def go() -> Connection | DialFailed:
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", gone)
        return await dial(HOST, free_port(), 5)

    result = asyncio.run(go())
    assert isinstance(result, Connection)
    result.close()


def test_zones_by_number_and_by_name() -> None:
    index, name = socket.if_nameindex()[0]
    for zone in (str(index), name):
        assert dialling._numeric(f"fe80::7%{zone}", 3389) == (socket.AF_INET6, ("fe80::7", 3389, 0, index))
    assert dialling._numeric("2001:db8::7", 3390)[1] == ("2001:db8::7", 3390, 0, 0)


def test_nothing_is_left_open(recwarn: pytest.WarningsRecorder) -> None:
    """A socket that is dropped without a close warns when it is collected; here a warning is an error."""

    async def go() -> None:
        await dial(HOST, free_port(), 1)
        async with serving(linger) as port:
            (await connected(port)).close()
            dialling_task = asyncio.create_task(dial(HOST, port, 5))
            await asyncio.sleep(0)
            dialling_task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dialling_task
            await asyncio.sleep(0.05)  # the server, too, must have dealt with its end

    asyncio.run(go())
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.skipif(not can_limit_segments(), reason="this system cannot limit segments")
def test_limited_segments() -> None:
    async def go() -> None:
        async with serving(linger) as port:
            with await connected(port, max_segment=500) as connection:
                info = connection.tcp_info()
                assert info is not None
                assert info.mss is not None
                assert info.mss <= 500

    asyncio.run(go())


def test_limited_segments_where_they_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not can_limit_segments()
    with pytest.raises(ValueError, match="cannot limit"):
        asyncio.run(dial(HOST, 1, 1, max_segment=500))


# What Linux' error queue said when a connect was rejected: recorded in network namespaces with nftables'
# reject, and, for the last two, where no neighbour answered. 10.9.9.1 and fd00:9::1 were the machine itself.
RECORDED = {
    "6f000000020303000000000000000000020000000a0909020000000000000000": ("port-unreachable", "10.9.9.2"),
    "7100000002030d000000000000000000020000000a0909020000000000000000": ("admin-prohibited", "10.9.9.2"),
    "7100000002030a000000000000000000020000000a0909020000000000000000": ("host-prohibited", "10.9.9.2"),
    "65000000020309000000000000000000020000000a0909020000000000000000": ("net-prohibited", "10.9.9.2"),
    "71000000020301000000000000000000020000000a0909020000000000000000": ("host-unreachable", "10.9.9.2"),
    "65000000020300000000000000000000020000000a0909020000000000000000": ("net-unreachable", "10.9.9.2"),
    "6f0000000301040000000000000000000a00000000000000fd00000900000000000000000000000200000000": (
        "port-unreachable",
        "fd00:9::2",
    ),
    "0d0000000301010000000000000000000a00000000000000fd00000900000000000000000000000200000000": (
        "admin-prohibited",
        "fd00:9::2",
    ),
    "650000000301000000000000000000000a00000000000000fd00000900000000000000000000000200000000": (
        "net-unreachable",
        "fd00:9::2",
    ),
    "71000000020301000000000000000000020000000a0909010000000000000000": ("host-unreachable", "10.9.9.1"),
    "710000000301030000000000000000000a00000000000000fd00000900000000000000000000000100000000": (
        "host-unreachable",
        "fd00:9::1",
    ),
}


@pytest.mark.skipif(sys.byteorder != "little", reason="recorded on a little-endian machine")
@pytest.mark.parametrize("recorded", RECORDED)
def test_icmp_errors_as_linux_recorded_them(recorded: str) -> None:
    raw = bytes.fromhex(recorded)
    error = icmp_linux.parse(raw)
    assert error is not None
    assert (error.icmp, error.offender) == RECORDED[recorded]
    for cut in range(len(raw)):  # the kernel cuts what does not fit our buffer
        short = icmp_linux.parse(raw[:cut])
        assert short is None or short.offender in (None, error.offender)


def test_errors_that_are_not_icmp() -> None:
    local = bytes.fromhex("71000000010000000000000000000000") + bytes(16)
    assert icmp_linux.parse(local) is None
    time_exceeded = bytes.fromhex("71000000020b00000000000000000000020000000a0909020000000000000000")
    found = icmp_linux.parse(time_exceeded)
    assert found is not None
    assert found.icmp == "other"
    unspecified = icmp_linux.parse(bytes.fromhex("6f000000020303000000000000000000") + bytes(16))
    assert unspecified == icmp_linux.IcmpError("port-unreachable", None)


@pytest.mark.parametrize(("icmp", "own", "on_link"), [
    ("host-unreachable", True, True),
    ("host-unreachable", False, False),
    ("admin-prohibited", True, False),
])  # fmt: skip
def test_an_icmp_error_is_a_rejection_whatever_errno_says(
    monkeypatch: pytest.MonkeyPatch, icmp: str, own: bool, on_link: bool
) -> None:
    monkeypatch.setattr(icmp_linux, "read", lambda _: icmp_linux.IcmpError(icmp, "192.0.2.1"))
    monkeypatch.setattr(dialling, "is_own", lambda _: own)
    result = failed(asyncio.run(dial(HOST, free_port(), 5)))
    assert (result.how, result.icmp, result.offender) == ("rejected", icmp, "192.0.2.1")
    assert result.on_link is on_link


def test_whether_an_address_is_our_own() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("no address")
