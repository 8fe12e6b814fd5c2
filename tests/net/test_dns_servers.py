"""DNS asked directly, with a server of our own on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from rdpdoctor.net import dns_servers
from rdpdoctor.net.dns_servers import DnsSaid, ask_dns, ask_servers

from .peers import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[[dns.message.Message], dns.message.Message | bytes | None]

NAME = "srv01.corp.example."


@contextmanager
def dns_server(answer: Answer) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """A UDP server; gives its port and the questions it got. None is silence, bytes go out as they are."""
    asked: list[tuple[str, str]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    wire, client = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                query = dns.message.from_wire(wire)
                question = query.question[0]
                asked.append((question.name.to_text(), dns.rdatatype.to_text(question.rdtype)))
                said = answer(query)
                if said is not None:
                    sock.sendto(said if isinstance(said, bytes) else said.to_wire(max_size=65535), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield sock.getsockname()[1], asked
        finally:
            stop.set()
            thread.join()


def zone(**records: list[str]) -> Answer:
    """Answers by type: `zone(A=["192.0.2.1"])`."""

    def answer(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        if found := records.get(kind):
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        return response

    return answer


def code(rcode: dns.rcode.Rcode) -> Answer:
    def answer(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return response

    return answer


def said(answer: Answer, timeout: float = 3) -> DnsSaid:
    with dns_server(answer) as (port, _):
        return ask_servers(NAME, [HOST], time.perf_counter() + timeout, port)


def test_both_kinds_of_addresses() -> None:
    result = said(zone(A=["192.0.2.1", "192.0.2.2"], AAAA=["2001:db8::1"]))
    assert result.outcome == "addresses"
    assert sorted(result.addresses) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (zone(), "no-data"),
        (code(dns.rcode.NXDOMAIN), "nxdomain"),
        (code(dns.rcode.SERVFAIL), "servfail"),
        (code(dns.rcode.REFUSED), "refused"),
        (code(dns.rcode.NOTIMP), "failed"),
        (lambda _: b"\x00\x01", "failed"),
    ],
    ids=["no-data", "nxdomain", "servfail", "refused", "notimp", "garbage"],
)
def test_each_outcome(answer: Answer, outcome: str) -> None:
    result = said(answer, 0.4)
    assert (result.outcome, result.addresses) == (outcome, [])


def test_addresses_of_one_kind_are_enough() -> None:
    def half(query: dns.message.Message) -> dns.message.Message:
        if query.question[0].rdtype == dns.rdatatype.A:
            return zone(A=["192.0.2.1"])(query)  # type: ignore[return-value]
        return code(dns.rcode.SERVFAIL)(query)  # type: ignore[return-value]

    result = said(half)
    assert (result.outcome, result.addresses) == ("addresses", ["192.0.2.1"])


def test_a_server_that_says_nothing_within_the_time() -> None:
    began = time.perf_counter()
    assert said(lambda _: None, 0.4).outcome == "silent"
    assert time.perf_counter() - began < 1


def test_a_bounded_answer() -> None:
    many = [f"192.0.2.{number}" for number in range(100)]
    more = [f"2001:db8::{number:x}" for number in range(100)]
    assert len(said(zone(A=many, AAAA=more)).addresses) == 16


def test_the_next_server_is_asked_where_one_fails() -> None:
    with dns_server(zone(A=["192.0.2.1"])) as (port, asked):
        # Nobody answers on 127.0.0.2; the time is shared.
        result = ask_servers(NAME, ["127.0.0.2", HOST], time.perf_counter() + 1, port)
    assert result.outcome == "addresses"
    assert asked[0] == (NAME, "A")


def test_no_servers() -> None:
    assert ask_servers(NAME, [], time.perf_counter() + 1).outcome == "no-server"


@pytest.mark.parametrize("name", ["localhost", "localhost.", "srv01.LocalHost"])
def test_localhost_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with dns_server(lambda query: None) as (port, asked):
        configure(monkeypatch, Configured(port, [HOST], ["corp.example"]))
        assert asyncio.run(ask_dns(name, 0.2)).outcome == "no-server"
    assert asked == []


class Configured:
    """What `dns.resolver.Resolver` says of the system, as far as it is looked at."""

    def __init__(self, port: int, servers: list[Any], search: list[str]) -> None:
        self.port, self.nameservers = port, servers
        self.search = [dns.name.from_text(suffix) for suffix in search]


def configure(monkeypatch: pytest.MonkeyPatch, configured: Configured | Exception) -> None:
    def resolver() -> Configured:
        if isinstance(configured, Exception):
            raise configured
        return configured

    monkeypatch.setattr(dns.resolver, "Resolver", resolver)


def test_the_system_s_servers_and_suffixes(monkeypatch: pytest.MonkeyPatch) -> None:
    def corp_only(query: dns.message.Message) -> dns.message.Message | bytes | None:
        if query.question[0].name.to_text() == NAME:
            return zone(A=["192.0.2.1"])(query)
        return code(dns.rcode.NXDOMAIN)(query)

    with dns_server(corp_only) as (port, asked):
        servers = ["https://doh.example/dns-query", HOST]
        configure(monkeypatch, Configured(port, servers, ["other.example", "corp.example"]))
        short, full = asyncio.run(ask_dns("srv01", 3)), asyncio.run(ask_dns("srv01.corp.example", 3))
        nowhere = asyncio.run(ask_dns("srv02", 3))
    assert (short.outcome, short.addresses) == ("addresses", ["192.0.2.1"])
    assert (full.outcome, full.addresses) == ("addresses", ["192.0.2.1"])
    assert nowhere.outcome == "nxdomain"
    assert short.elapsed > 0
    assert [name for name, _ in asked[:3]] == ["srv01.other.example.", NAME, NAME]
    assert asked[-1][0] == "srv02."


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (dns.resolver.NoResolverConfiguration(), "no-server"),  # type: ignore[no-untyped-call]
        (OSError("unreadable"), "failed"),
    ],
)
def test_a_system_that_cannot_say(monkeypatch: pytest.MonkeyPatch, trouble: Exception, outcome: str) -> None:
    configure(monkeypatch, trouble)
    assert asyncio.run(ask_dns("srv01", 2)).outcome == outcome


def test_a_configuration_that_takes_too_long_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_servers, "_ask_configured", lambda *_: time.sleep(2))
    began = time.perf_counter()
    assert asyncio.run(ask_dns("srv01", 0.1)).outcome == "silent"
    assert time.perf_counter() - began < 1.5


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("Do53:192.0.2.1@53", "192.0.2.1"),
        ("https://doh.example/dns-query", None),
        ("", None),
    ],
)
def test_how_servers_are_named(server: str, address: str | None) -> None:
    assert dns_servers._plain(server) == address


def test_odd_names_do_no_harm() -> None:
    for name in ("a" * 70 + ".", "..", "\x00."):
        assert ask_servers(name, [HOST], time.perf_counter() + 0.1, 9).outcome in ("failed", "silent")
