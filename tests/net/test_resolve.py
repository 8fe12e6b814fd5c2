"""The system's resolver: what it says, what it fails with on each system, and that it can hang."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from rdpdoctor.net import background
from rdpdoctor.net.resolve import LookupFailed, Resolved, resolve


def looked_up(host: str, timeout: float = 5) -> Resolved | LookupFailed:
    return asyncio.run(resolve(host, timeout))


def answers(monkeypatch: pytest.MonkeyPatch, *results: Any) -> list[Any]:
    asked: list[Any] = []

    def getaddrinfo(host: Any, *_: Any, **__: Any) -> Any:
        asked.append(host)
        if isinstance(results[0], BaseException):
            raise results[0]
        return list(results)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def v4(address: str) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))


def v6(address: str, scope: int = 0) -> tuple[Any, ...]:
    return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 0, 0, scope))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::1", "::1"),
    ],
)
def test_an_address_needs_no_resolver(monkeypatch: pytest.MonkeyPatch, host: str, address: str) -> None:
    asked = answers(monkeypatch, OSError("asked"))
    result = looked_up(host)
    assert isinstance(result, Resolved)
    assert (result.addresses, result.via) == ([address], "literal")
    assert asked == []


def test_a_name_of_this_machine() -> None:
    result = looked_up("localhost")
    assert isinstance(result, Resolved)
    assert result.via == "system"
    assert set(result.addresses) <= {"127.0.0.1", "::1"}
    assert result.elapsed > 0


def test_order_is_kept_and_repeats_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, v6("2001:db8::2"), v4("192.0.2.9"), v6("2001:db8::2"), v4("192.0.2.1"))
    result = looked_up("srv_01.corp.example")
    assert isinstance(result, Resolved)
    assert result.addresses == ["2001:db8::2", "192.0.2.9", "192.0.2.1"]
    assert asked == [b"srv_01.corp.example"]


def test_a_zone_that_stands_beside_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, v6("fe80::7", 3), v6("fe80::8%eth0", 2))
    result = looked_up("printer.local")
    assert isinstance(result, Resolved)
    assert result.addresses == ["fe80::7%3", "fe80::8%eth0"]


def test_a_name_with_very_many_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, *(v4(f"192.0.2.{number}") for number in range(200)))
    result = looked_up("farm.corp.example")
    assert isinstance(result, Resolved)
    assert result.addresses == [f"192.0.2.{number}" for number in range(16)]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (-2, "not-found"),  # glibc EAI_NONAME
        (-5, "not-found"),  # glibc EAI_NODATA
        (-3, "failed"),  # glibc EAI_AGAIN
        (-4, "failed"),  # glibc EAI_FAIL
        (8, "not-found"),  # macOS EAI_NONAME
        (7, "not-found"),  # macOS EAI_NODATA
        (2, "failed"),  # macOS EAI_AGAIN
        (4, "failed"),  # macOS EAI_FAIL
        (11001, "not-found"),  # Windows WSAHOST_NOT_FOUND
        (11004, "not-found"),  # Windows WSANO_DATA
        (11002, "failed"),  # Windows WSATRY_AGAIN
        (11003, "failed"),  # Windows WSANO_RECOVERY
    ],
)
def test_errors_by_the_numbers_of_each_system(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: str
) -> None:
    answers(monkeypatch, socket.gaierror(number, "the system's words"))
    result = looked_up("srv01.corp.example")
    assert isinstance(result, LookupFailed)
    assert (result.kind, result.error) == (kind, "the system's words")


def test_other_trouble_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    for trouble in (OSError(24, "Too many open files"), UnicodeError("label too long")):
        answers(monkeypatch, trouble)
        result = looked_up("srv01.corp.example")
        assert isinstance(result, LookupFailed)
        assert result.kind == "failed"
        assert result.error


def test_a_resolver_that_hangs_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        release.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    result = looked_up("srv01.corp.example", 0.2)
    release.set()
    assert isinstance(result, LookupFailed)
    assert result.kind == "silent"
    assert 0.2 <= time.monotonic() - began < 2


HANGING = """
import asyncio, socket, time
from rdpdoctor.net.resolve import resolve
socket.getaddrinfo = lambda *a, **k: time.sleep(60)
print(asyncio.run(resolve("srv01.corp.example", 0.1)).kind)
"""


def test_the_process_does_not_wait_for_it_either() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "silent"
    assert time.monotonic() - began < 10


def test_background_calls_return_and_raise() -> None:
    assert asyncio.run(background.call(lambda: 5, 5)) == 5

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(background.call(fail, 5))


def test_a_cancelled_background_call_leaves_no_noise(recwarn: pytest.WarningsRecorder) -> None:
    async def go() -> None:
        task = asyncio.create_task(background.call(lambda: time.sleep(0.1), 5))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.2)

    asyncio.run(go())
    assert [str(warning.message) for warning in recwarn] == []
