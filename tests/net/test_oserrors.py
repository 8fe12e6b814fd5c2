"""The errors of the systems that are not at hand, by the numbers and names they have there."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

import pytest

from rdpdoctor.net import oserrors
from rdpdoctor.net.connection import _told
from rdpdoctor.net.dial import DialFailed, _judge
from rdpdoctor.net.oserrors import Means


class WindowsError(OSError):
    """As Windows' Python raises it: `winerror` is the system's number, `errno` a translation or EINVAL."""

    def __init__(self, number: int, text: str, translated: int = errno.EINVAL) -> None:
        super().__init__(translated, text)
        self.winerror = number


def test_the_names_that_are_the_same_everywhere() -> None:
    for number, means in (
        (errno.ECONNREFUSED, Means.REFUSED),
        (errno.EHOSTUNREACH, Means.UNREACHABLE),
        (errno.ENETUNREACH, Means.NO_ROUTE),
        (errno.ETIMEDOUT, Means.GAVE_UP),
        (errno.ECONNRESET, Means.RESET),
        (errno.EPIPE, Means.RESET),
        (errno.EACCES, Means.LOCAL),
        (errno.EMFILE, Means.LOCAL),
    ):
        assert oserrors.meaning(OSError(number, os.strerror(number))) is means


# (what a connect raises there, how, icmp, on_link)
DIALS = {
    "macos refused": (OSError(errno.ECONNREFUSED, "Connection refused"), "refused", None, False),
    "macos no neighbour": (
        OSError(getattr(errno, "EHOSTDOWN", 64), "Host is down"),
        "rejected",
        "host-unreachable",
        True,
    ),
    "macos unreachable": (OSError(errno.EHOSTUNREACH, "No route to host"), "rejected", None, False),
    "macos no route": (OSError(errno.ENETUNREACH, "Network is unreachable"), "failed", None, False),
    "windows refused": (
        WindowsError(10061, "actively refused it", errno.ECONNREFUSED),
        "refused",
        None,
        False,
    ),
    "windows refused, overlapped": (
        WindowsError(1225, "refused the network connection"),
        "refused",
        None,
        False,
    ),
    "windows gave up": (WindowsError(10060, "did not properly respond"), "silent", None, False),
    "windows gave up, overlapped": (WindowsError(121, "The semaphore timeout period"), "silent", None, False),
    "windows host unreachable": (WindowsError(10065, "unreachable host"), "rejected", None, False),
    "windows host unreachable, overlapped": (WindowsError(1232, "location"), "rejected", None, False),
    "windows no route": (WindowsError(10051, "unreachable network"), "failed", None, False),
    "windows no route, overlapped": (WindowsError(1231, "location"), "failed", None, False),
    "windows not permitted": (WindowsError(10013, "forbidden", errno.EACCES), "failed", None, False),
    "our deadline": (TimeoutError(), "silent", None, False),
    "no strerror": (OSError("something else"), "failed", None, False),
}


@pytest.mark.parametrize("name", DIALS)
def test_how_a_dial_failed(name: str) -> None:
    error, how, icmp, on_link = DIALS[name]
    with socket.socket() as sock:
        result = _judge(error, sock, 0.0)
    assert isinstance(result, DialFailed)
    assert (result.how, result.icmp, result.on_link) == (how, icmp, on_link)
    assert result.error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(errno.ECONNRESET, "reset"),
        BrokenPipeError(errno.EPIPE, "pipe"),
        WindowsError(10054, "forcibly closed"),
        WindowsError(64, "no longer available"),
        WindowsError(10053, "aborted by the software in your host machine"),
        ConnectionAbortedError("without a number"),
    ],
)
def test_resets(error: OSError) -> None:
    assert oserrors.meaning(error) is Means.RESET


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (WindowsError(10054, "forcibly closed"), ConnectionResetError),
        (WindowsError(10060, "did not properly respond"), TimeoutError),
        (WindowsError(121, "The semaphore timeout period"), TimeoutError),
        (WindowsError(10065, "unreachable host"), TimeoutError),
    ],
)
def test_what_an_open_connection_dies_of(error: OSError, told: type[OSError]) -> None:
    assert type(_told(error)) is told


def test_asyncio_s_words_are_not_the_system_s() -> None:
    async def go() -> str:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with socket.socket() as sock:
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            except OSError as error:
                return oserrors.words(error)
        return "connected"

    assert "127.0.0.1" not in asyncio.run(go())
