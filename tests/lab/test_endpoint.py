"""What an endpoint does on the wire, seen by sockets and the standard library's TLS."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import sys
import threading
import time

import pytest

from rdpdoctor.connection.initiation import Initiation
from rdpdoctor.connection.machine import Ended
from rdpdoctor.lab.endpoint import EndpointError, background
from rdpdoctor.lab.load import load, names
from rdpdoctor.net.dial import DialFailed, dial
from rdpdoctor.net.drive import drive
from rdpdoctor.wire.nego import ConnectionRequestData

from .client import CONFIRM, NEGOTIATE, connected, ending, hello_passes, passes, playing, request

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.mark.parametrize(
    ("accepts", "asked", "answer"),
    [
        ('["hybrid", "hybrid-ex"]', 0x0B, (2, 8)),
        ('["hybrid", "hybrid-ex"]', 0x03, (2, 2)),
        ('["hybrid", "hybrid-ex"]', 0x01, (3, 5)),
        ('["hybrid", "hybrid-ex"]', 0x00, (3, 5)),
        ('["tls", "hybrid"]', 0x0B, (2, 2)),
        ('["tls", "hybrid"]', 0x01, (2, 1)),
        ('["tls", "hybrid"]', 0x00, (3, 1)),
        ('["rdp"]', 0x0B, (3, 2)),
        ('["rdp"]', 0x00, (2, 0)),
        ('["rdp"]', None, None),
        ('["rdsaad"]', 0x0B, (3, 6)),
        ('["rdsaad"]', 0x10, (2, 16)),
    ],
)
def test_answers_by_what_it_accepts(accepts: str, asked: int | None, answer: tuple[int, int] | None) -> None:
    with playing(x224=f"accepts = {accepts}") as endpoint, connected(endpoint) as client:
        assert client.answer(asked) == answer


@pytest.mark.parametrize(
    ("text", "answer"), [("fail 3", (3, 3)), ("select rdstls", (2, 4)), ("plain", None), ("fail 77", (3, 77))]
)
def test_fixed_answers(text: str, answer: tuple[int, int] | None) -> None:
    with playing(x224=f'always = "{text}"') as endpoint:
        for asked in (0, 0x0B):
            with connected(endpoint) as client:
                assert client.answer(asked) == answer


@pytest.mark.parametrize("point", ["connect", "request"])
@pytest.mark.parametrize(("does", "way"), [("close", "closed"), ("reset", "reset"), ("silence", "silent")])
def test_ends_before_the_confirm(point: str, does: str, way: str) -> None:
    with playing(fault=f'at = "{point}"\ndoes = "{does}"') as endpoint:
        try:
            with connected(endpoint, wait=0.4) as client:
                if point == "request":
                    client.sock.sendall(request())
                assert client.ending() == way
        except ConnectionResetError:  # as early as that: connect() itself says so
            assert (point, does) == ("connect", "reset")
        assert endpoint.connections == 1


def test_a_reset_right_after_the_handshake_is_no_refusal() -> None:
    """The endpoint's thread is often faster than ours: connect() then fails, although SYN was answered."""

    async def one(port: int) -> str:
        connection = await dial("127.0.0.1", port, 2.0)
        assert not isinstance(connection, DialFailed), connection
        with connection:
            outcome = await drive(connection, Initiation(ConnectionRequestData(), 2.0))
        assert isinstance(outcome, Ended)
        return outcome.how.value

    with playing(fault='at = "connect"\ndoes = "reset"') as endpoint:
        assert {asyncio.run(one(endpoint.port)) for _ in range(25)} == {"reset"}


def test_a_close_is_no_reset_although_bytes_come_afterwards() -> None:
    with playing(fault='at = "connect"\ndoes = "close"') as endpoint, connected(endpoint) as client:
        time.sleep(0.05)
        client.sock.sendall(b"x" * 50)
        time.sleep(0.05)
        assert client.ending() == "closed"


@pytest.mark.parametrize(("does", "way"), [("close", "closed"), ("reset", "reset"), ("silence", "silent")])
@pytest.mark.parametrize("point", ["hello", "handshake", "negotiate"])
def test_ends_in_tls(point: str, does: str, way: str) -> None:
    with (
        playing(fault=f'at = "{point}"\ndoes = "{does}"') as endpoint,
        connected(endpoint, wait=0.5) as client,
    ):
        assert client.answer() == (2, 8)
        if point == "hello":
            client.start_tls()
            assert client.ending() == way
            return
        with client.tls() as tls:
            if point == "negotiate":
                with contextlib.suppress(ConnectionResetError):
                    tls.sendall(NEGOTIATE)
            assert ending(tls) == way


def test_cut_sends_so_many_bytes_of_the_real_answer() -> None:
    with (
        playing(fault='at = "request"\ndoes = "cut"\nbytes = 7\nthen = "close"') as endpoint,
        connected(endpoint) as client,
    ):
        cut = client.confirm()
        assert len(cut) == 7
        assert cut[:4] == bytes((3, 0, 0, CONFIRM))


def test_drip_paces_and_goes_on() -> None:
    with (
        playing(fault='at = "request"\ndoes = "drip"\npace = 0.01') as endpoint,
        connected(endpoint) as client,
    ):
        began = time.monotonic()
        assert client.answer() == (2, 8)
        assert time.monotonic() - began > 0.01 * (CONFIRM - 1)
        with client.tls() as tls:
            assert tls.version() == "TLSv1.3"


def test_every_answer_is_late() -> None:
    with playing("delay = 0.2") as endpoint, connected(endpoint) as client:
        began = time.monotonic()
        assert client.answer() == (2, 8)
        assert time.monotonic() - began > 0.2
        with client.tls():
            assert time.monotonic() - began > 0.4


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (40, "HANDSHAKE_FAILURE"),
        (70, "PROTOCOL_VERSION"),
        (71, "INSUFFICIENT_SECURITY"),
        (80, "INTERNAL_ERROR"),
        (112, "UNRECOGNIZED_NAME"),
    ],
)
def test_alerts(number: int, reason: str) -> None:
    with playing(fault=f'at = "hello"\ndoes = "alert"\nalert = {number}') as endpoint:
        with connected(endpoint) as client:
            client.answer()
            client.start_tls()
            assert client.exactly(7) == bytes((21, 3, 3, 0, 2, 2, number))
            assert client.ending() == "closed"
        with connected(endpoint) as client:
            client.answer()
            with pytest.raises(ssl.SSLError, match=reason):
                client.tls()


@pytest.mark.parametrize(
    ("versions", "asked", "result"),
    [
        ('["TLS 1.2", "TLS 1.3"]', ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ('["TLS 1.2"]', ssl.TLSVersion.TLSv1_3, "TLSv1.2"),
        ('["TLS 1.0"]', ssl.TLSVersion.TLSv1_3, "TLSv1"),
        ('["TLS 1.0", "TLS 1.1"]', ssl.TLSVersion.TLSv1_3, "TLSv1.1"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_versions(versions: str, asked: ssl.TLSVersion, result: str) -> None:
    with playing(tls=f"versions = {versions}") as endpoint, connected(endpoint) as client:
        client.answer()
        with client.tls(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=asked) as tls:
            assert tls.version() == result


def test_sketched_handshakes_are_refused_by_real_clients() -> None:
    """OpenSSL reads our ServerHello well enough to object to its version, and to nothing before it."""
    lines = 'versions = ["SSL 3.0"]\nsuites = [0x0005, 0x002F]'
    with playing(tls=lines) as endpoint, connected(endpoint) as client:
        client.answer()
        with pytest.raises(ssl.SSLError) as refused:
            client.tls()
        assert refused.value.reason in ("UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION")


def test_a_sketch_that_has_no_common_suite_says_handshake_failure() -> None:
    lines = 'versions = ["TLS 1.2"]\nsuites = [0x0005]'
    with playing(tls=lines) as endpoint, connected(endpoint) as client:
        client.answer()
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            client.tls()


def test_faults_by_condition() -> None:
    when = 'at = "request"\ndoes = "reset"\nwhen = '
    with playing(fault=when + "{ every = 3 }") as endpoint:
        assert [passes(endpoint) for _ in range(6)] == [True, True, False, True, True, False]
    with playing(fault=when + "{ turn = [0, 2] }") as endpoint:
        assert [passes(endpoint) for _ in range(4)] == [True, False, True, False]
    with playing(fault=when + '{ cookie = "any" }') as endpoint:
        assert [passes(endpoint, cookie) for cookie in (None, "a")] == [True, False]
    with playing(fault=when + '{ cookie = "none" }') as endpoint:
        assert [passes(endpoint, cookie) for cookie in (None, "a")] == [False, True]
    with playing(fault=when + '{ cookie = "alice" }') as endpoint:
        assert [passes(endpoint, cookie) for cookie in (None, "bob", "Alice")] == [True, True, False]


def test_faults_by_the_hello() -> None:
    fault = 'at = "hello"\ndoes = "reset"\nwhen = '
    with playing(fault=fault + "{ sni = true }") as endpoint:
        assert [hello_passes(endpoint, name) for name in (None, "srv01.example")] == [True, False]
    with playing(fault=fault + "{ joined = true }") as endpoint:
        assert [hello_passes(endpoint, None, split) for split in (False, True)] == [False, True]
    with playing(fault=fault + "{ answer_over = 100 }") as endpoint:
        assert not hello_passes(endpoint, None)


@linux
def test_faults_by_segment_size() -> None:
    with playing(fault='at = "request"\ndoes = "reset"\nwhen = { segment_over = 1000 }') as endpoint:
        assert not passes(endpoint)
        with socket.socket() as small:
            small.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 600)
            small.settimeout(2)
            small.connect((endpoint.addresses[0], endpoint.port))
            small.sendall(request())
            assert len(small.recv(100)) == CONFIRM


def test_a_limit_counts_who_is_there_now() -> None:
    with playing(fault='at = "connect"\ndoes = "reset"\nwhen = { over = 2 }') as endpoint:
        with connected(endpoint) as one, connected(endpoint) as two:
            assert one.answer() == two.answer() == (2, 8)
            assert not passes(endpoint)
        for _ in range(20):
            assert passes(endpoint)
        assert endpoint.peak == 3
        assert endpoint.connections == 23


def test_certificates_take_turns() -> None:
    lines = (
        'common_name = "one"\nkey = "ec-p256"\n[[endpoint.certificate]]\ncommon_name = "two"\nkey = "ec-p256"'
    )
    seen = []
    with playing(certificate=lines) as endpoint:
        for _ in range(4):
            with connected(endpoint) as client:
                client.answer()
                with client.tls() as tls:
                    seen.append(tls.getpeercert(binary_form=True))
    assert seen[0] == seen[2] != seen[1] == seen[3]


@pytest.mark.parametrize(
    ("speaks", "first"),
    [("ssh", b"SSH-2.0-"), ("vnc", b"RFB 003."), ("http", b"HTTP/1.1 400"), ("tls", b"")],
)
def test_other_services(speaks: str, first: bytes) -> None:
    with playing(f'speaks = "{speaks}"') as endpoint, connected(endpoint) as client:
        client.sock.sendall(b"\x03\x00\x00\x13\x0e\xe0" + b"\r\n" + bytes(40))
        assert client.exactly(len(first)) == first
        if not first:
            assert client.ending() == "closed"


def test_tls_from_the_first_byte_is_real() -> None:
    with playing('speaks = "tls"') as endpoint, connected(endpoint) as client, client.tls() as tls:
        assert tls.version() == "TLSv1.3"


def test_absent_refuses_and_keeps_its_port() -> None:
    with playing(listeners='all = "absent"') as endpoint:
        with pytest.raises(ConnectionRefusedError), connected(endpoint):
            pass
        with (
            pytest.raises(EndpointError, match="cannot listen"),
            background(load("healthy"), port=endpoint.port),
        ):
            pass


@linux
def test_dropping_answers_no_syn() -> None:
    with playing(listeners='all = "dropping"') as endpoint:
        for _ in range(2):
            with pytest.raises(TimeoutError), connected(endpoint, wait=0.5):
                pass


@linux
def test_addresses_differ() -> None:
    lines = 'addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]'
    fault = 'at = "request"\ndoes = "close"\nwhen = { address = "127.0.0.2" }'
    with playing(lines, listeners='"127.0.0.3" = "absent"', fault=fault) as endpoint:
        assert passes(endpoint)
        with connected(endpoint, "127.0.0.2") as client:
            assert client.confirm() == b""
        with pytest.raises(ConnectionRefusedError), connected(endpoint, "127.0.0.3"):
            pass


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x03",
        bytes(100_000),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x03\x00\x00\x00",
        b"\x03\x00\xff\xff" + bytes(70_000),
        b"\x03\x00\x00\x07\x02\xf0\x80",
        b"\x16\x03\x01\x02\x00" + bytes(600),
        bytes.fromhex("030000130ee000000000000100080003000000") + bytes(300),
        bytes.fromhex("030000130ee000000000000100080003000000") + b"\x16\x03\x01\xff\xff" + bytes(70_000),
    ],
)
def test_survives_clients_that_make_no_sense(sent: bytes) -> None:
    with playing() as endpoint:
        for half_close in (False, True):
            with connected(endpoint, wait=0.3) as client, contextlib.suppress(OSError):
                client.sock.sendall(sent)
                if half_close:
                    client.sock.shutdown(socket.SHUT_WR)
                client.sock.recv(1000)
        assert passes(endpoint)


def test_no_thread_and_no_task_outlives_an_endpoint() -> None:
    before = threading.active_count()
    with playing() as endpoint, connected(endpoint) as client:
        client.answer()
    assert threading.active_count() == before
    gc.collect()  # a task that was never awaited warns here, and warnings are errors


@pytest.mark.parametrize("name", names())
def test_every_scenario_can_be_played(name: str) -> None:
    scenario = load(name)
    if "linux" in scenario.needs and sys.platform != "linux":
        pytest.skip("needs Linux")
    with background(scenario) as endpoint:
        assert endpoint.port
    assert endpoint.faults == []
