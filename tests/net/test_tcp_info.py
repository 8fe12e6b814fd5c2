"""The kernel's figures, from recorded structs."""

from __future__ import annotations

import asyncio
import struct
import sys

import pytest

from rdpdoctor.net import tcp_info
from rdpdoctor.net.dial import Connection, dial
from rdpdoctor.net.tcp_info import TcpInfo

from .peers import HOST, Guest, serving

LINUX = bytes.fromhex(
    "010000000007aa01e01c0300409c0000a80500001802000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000dc05000058fa000064010000e4010000ffffff7f"
    "0d000000a805000003000000000000009038000003000000"
)


@pytest.mark.skipif(sys.byteorder != "little", reason="recorded on a little-endian machine")
def test_linux_recorded() -> None:
    """Between two namespaces, with every other segment dropped: three had to be sent again."""
    assert tcp_info.parse_linux(LINUX) == TcpInfo(0.356, 0.484, 3, 1448)
    assert tcp_info.parse_linux(LINUX + bytes(152)) == tcp_info.parse_linux(LINUX)  # newer kernels add to it


def macos(srtt: int, variation: int, segment: int, retransmits: int) -> bytes:
    """`struct tcp_connection_info`, as xnu's tcp.h lays it out."""
    small = struct.pack("=4B", 4, 6, 6, 0)
    words = struct.pack(
        "=12I", 7, 0, 230, segment, 1 << 30, 14_480, 131_072, 0, 131_072, srtt + 1, srtt, variation
    )
    flags = struct.pack("=I", 0)
    longs = struct.pack("=7Q", 12, 2_000, 0, 11, 3_000, 0, retransmits)
    return small + words + flags + longs


def test_macos() -> None:
    assert tcp_info.parse_macos(macos(23, 4, 1448, 2)) == TcpInfo(23.0, 4.0, 2, 1448)
    assert len(macos(0, 0, 0, 0)) == 112


def test_no_reading_is_not_zero() -> None:
    assert tcp_info.parse_macos(macos(0, 0, 0, 0)) == TcpInfo(None, None, 0, None)
    assert tcp_info.parse_linux(bytes(104)) == TcpInfo(None, None, 0, None)


@pytest.mark.parametrize("size", [0, 1, 103])
def test_an_older_kernel_s_shorter_answer_is_none(size: int) -> None:
    assert tcp_info.parse_linux(bytes(size)) is None
    assert tcp_info.parse_macos(bytes(size)) is None


def measured() -> TcpInfo | None:
    async def linger(guest: Guest) -> None:
        await guest.hear()

    async def go() -> TcpInfo | None:
        async with serving(linger) as port:
            connection = await dial(HOST, port, 5)
            assert isinstance(connection, Connection)
            with connection:
                info = connection.tcp_info()
            assert connection.tcp_info() is None  # closed
            return info

    return asyncio.run(go())


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="this system tells nothing")
def test_of_a_live_connection() -> None:
    info = measured()
    assert info is not None
    assert info.retransmits == 0
    assert info.mss is not None
    assert info.mss > 500
    if sys.platform == "linux":
        assert info.rtt_ms is not None
        assert 0 < info.rtt_ms < 1000


def test_where_the_system_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert measured() is None
