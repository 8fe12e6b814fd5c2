from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import (
    EXT_EC_POINT_FORMATS,
    EXT_EXTENDED_MASTER_SECRET,
    EXT_KEY_SHARE,
    EXT_RENEGOTIATION_INFO,
    EXT_SERVER_NAME,
    EXT_SIGNATURE_ALGORITHMS,
    EXT_SUPPORTED_GROUPS,
    EXT_SUPPORTED_VERSIONS,
    RETRY_RANDOM,
    Certificate,
    ClientHello,
    ServerHello,
    client_hello,
)
from rdpdoctor.wire.tls_record import Version
from tests.wire.support import damaged, fuzz, malformed_at_every_cut, only_malformed

RANDOM = bytes(range(32))
OLD = {
    EXT_SERVER_NAME,
    EXT_EXTENDED_MASTER_SECRET,
    EXT_RENEGOTIATION_INFO,
    EXT_EC_POINT_FORMATS,
    EXT_SUPPORTED_GROUPS,
}
HELLO = client_hello(0x0303, (0xC02F, 0x002F), "srv01.corp.example", RANDOM, b"session")
SERVER = ServerHello(0x0303, RANDOM, b"id", 0xC02F, 0, ((0xFF01, b"\x00"), (0x1234, b"unknown")))
SERVER13 = ServerHello(0x0303, RETRY_RANDOM, bytes(32), 0x1302, 0, ((43, b"\x03\x04"), (51, b"\x00\x1d")))
CHAIN = Certificate((b"first", b"second"), 2)


def numbers(hello: ClientHello) -> list[int]:
    return [number for number, _ in hello.extensions]


def test_ssl3_has_no_extensions_and_its_own_record_version() -> None:
    hello = client_hello(Version.SSL30, (0x0005,), "srv01", RANDOM)
    assert (hello.version, hello.extensions) == (0x0300, ())
    assert hello.records()[:3] == b"\x16\x03\x00"
    assert hello.encode().endswith(b"\x00\x02\x00\x05\x01\x00")


@pytest.mark.parametrize("version", [Version.TLS10, Version.TLS11])
def test_old_hellos_have_no_signature_algorithms(version: int) -> None:
    hello = client_hello(version, (0x002F,), "srv01", RANDOM)
    assert (hello.version, set(numbers(hello))) == (version, OLD)


def test_tls12() -> None:
    hello = client_hello(Version.TLS12, (0xC02F,), "srv01", RANDOM)
    assert set(numbers(hello)) == OLD | {EXT_SIGNATURE_ALGORITHMS}


def test_tls13_offers_no_key_so_that_the_server_answers_with_a_retry() -> None:
    hello = client_hello(Version.TLS13, (0x1301,), "srv01", RANDOM)
    assert hello.version == 0x0303
    assert hello.offered_versions == (0x0304,)
    assert hello.extension(EXT_KEY_SHARE) == b"\x00\x00"
    assert set(numbers(hello)) == {
        *(EXT_SERVER_NAME, EXT_SUPPORTED_GROUPS, EXT_SIGNATURE_ALGORITHMS),
        *(EXT_SUPPORTED_VERSIONS, EXT_KEY_SHARE),
    }


def test_several_versions_at_once() -> None:
    hello = client_hello(Version.TLS13, (0x1301, 0xC02F), None, RANDOM, versions=(0x0304, 0x0303))
    assert hello.offered_versions == (0x0304, 0x0303)
    assert {EXT_KEY_SHARE, EXT_EC_POINT_FORMATS, EXT_SIGNATURE_ALGORITHMS} <= set(numbers(hello))


@pytest.mark.parametrize("version", list(Version))
def test_no_hello_ends_with_an_empty_extension(version: int) -> None:
    hello = client_hello(version, (0x002F,), None, RANDOM)
    assert all(data for _, data in hello.extensions[-1:])
    assert hello.records()[1:3] == (b"\x03\x00" if version == Version.SSL30 else b"\x03\x01")


@pytest.mark.parametrize(
    "name", ["srv01", "srv01.corp.example", "SRV_01", "xn--bcher-kva.example", "1and1.com"]
)
def test_host_names_are_sent(name: str) -> None:
    assert client_hello(0x0303, (0x002F,), name, RANDOM).server_name == name


def test_a_trailing_dot_is_not_sent() -> None:
    assert client_hello(0x0303, (0x002F,), "srv01.", RANDOM).server_name == "srv01"


@pytest.mark.parametrize(
    "address",
    ["10.0.4.21", "2001:db8::1", "fe80::1%eth0", "[::1]", "127.1", "2130706433", "0x7f000001", "", ".", None],
)
def test_addresses_in_any_spelling_are_not_sent(address: str | None) -> None:
    assert client_hello(0x0303, (0x002F,), address, RANDOM).extension(EXT_SERVER_NAME) is None


def test_our_own_mistakes_are_value_errors() -> None:
    with pytest.raises(ValueError, match="ascii"):
        client_hello(0x0303, (0x002F,), "bücher.example", RANDOM)
    with pytest.raises(ValueError, match="32 bytes"):
        client_hello(0x0303, (0x002F,), None, b"short").encode()
    with pytest.raises(ValueError, match="do not fit"):
        ClientHello(0x0303, RANDOM, bytes(256), ()).encode()
    with pytest.raises(ValueError, match="32 bytes"):
        ServerHello(0x0303, b"", b"", 0).encode()


def test_round_trips() -> None:
    assert ClientHello.parse(HELLO.encode()) == HELLO
    assert ServerHello.parse(SERVER.encode()) == SERVER
    assert Certificate.parse(CHAIN.encode()) == CHAIN


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(kind: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    assert ClientHello.parse(kind(HELLO.encode())) == HELLO
    assert ServerHello.parse(kind(SERVER.encode())) == SERVER
    assert Certificate.parse(kind(CHAIN.encode())) == CHAIN


def test_selected_version_and_retry() -> None:
    assert (SERVER.selected_version, SERVER.is_retry_request) == (0x0303, False)
    assert (SERVER13.selected_version, SERVER13.is_retry_request) == (0x0304, True)
    odd = ServerHello(0x0303, RANDOM, b"", 1, 0, ((43, b"\x03"),))
    assert odd.selected_version == 0x0303


def _hello_without_extensions(hello: ClientHello | ServerHello) -> int:
    """Where a cut leaves a whole message: extensions are optional."""
    block = sum(4 + len(data) for _, data in hello.extensions)
    return len(hello.encode()) - block - 2


@pytest.mark.parametrize("hello", [HELLO, SERVER, SERVER13])
def test_hellos_cut_at_every_index(hello: ClientHello | ServerHello) -> None:
    wire, whole = hello.encode(), _hello_without_extensions(hello)
    for cut in range(len(wire)):
        if cut == whole:
            assert type(hello).parse(wire[:cut]).extensions == ()
            continue
        with pytest.raises(Malformed):
            type(hello).parse(wire[:cut])


def test_certificate_cut_at_every_index() -> None:
    malformed_at_every_cut(Certificate.parse, CHAIN.encode())


@pytest.mark.parametrize("wire", [HELLO.encode(), SERVER.encode()])
def test_bytes_after_the_extensions_are_malformed(wire: bytes) -> None:
    parse = ClientHello.parse if wire == HELLO.encode() else ServerHello.parse
    with pytest.raises(Malformed, match="1 bytes after the end"):
        parse(wire + b"\x00")


def test_bytes_after_the_certificates_are_malformed() -> None:
    with pytest.raises(Malformed):
        Certificate.parse(CHAIN.encode() + b"\x00")


def test_a_session_id_is_at_most_32_bytes() -> None:
    wire = ServerHello(0x0303, RANDOM, bytes(33), 1).encode()
    with pytest.raises(Malformed, match="session id"):
        ServerHello.parse(wire)


def test_a_hundred_certificates_are_counted_but_not_kept() -> None:
    chain = Certificate.parse(Certificate(tuple(bytes((n,)) * 9 for n in range(1, 101)), 100).encode())
    assert chain.count == 100
    assert chain.chain == tuple(bytes((n,)) * 9 for n in range(1, 33))


def test_no_certificate_is_an_empty_chain_but_an_empty_certificate_is_malformed() -> None:
    assert Certificate.parse(b"\x00\x00\x00") == Certificate((), 0)
    with pytest.raises(Malformed) as caught:
        Certificate.parse(b"\x00\x00\x03\x00\x00\x00")
    assert caught.value.offset == 6


def test_offered_versions_and_names_of_strange_hellos() -> None:
    for data in (b"", b"\x03\x03\x04", b"\x02\x03"):
        assert ClientHello(0x0302, RANDOM, b"", (), b"", ((43, data),)).offered_versions == (0x0302,)
    for data in (b"", b"\x00\x03\x01\x00\x00\x61"):
        assert ClientHello(0x0302, RANDOM, b"", (), b"", ((0, data),)).server_name is None


@fuzz
@given(damaged(HELLO.encode()))
def test_nothing_but_malformed_escapes_client_hello(data: bytes) -> None:
    def read(raw: bytes) -> None:
        hello = ClientHello.parse(raw)
        assert hello.offered_versions
        assert hello.server_name is None or isinstance(hello.server_name, str)
        assert ClientHello.parse(hello.encode()) == hello

    only_malformed(read, data)


@fuzz
@given(damaged(SERVER.encode(), SERVER13.encode()))
def test_nothing_but_malformed_escapes_server_hello(data: bytes) -> None:
    def read(raw: bytes) -> None:
        hello = ServerHello.parse(raw)
        assert 0 <= hello.selected_version <= 0xFFFF
        assert ServerHello.parse(hello.encode()) == hello

    only_malformed(read, data)


@fuzz
@given(damaged(CHAIN.encode()))
def test_nothing_but_malformed_escapes_certificate(data: bytes) -> None:
    only_malformed(Certificate.parse, data)


extensions = st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=20)), max_size=6).map(tuple)


@fuzz
@given(
    st.integers(0, 65535),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=32),
    st.lists(st.integers(0, 65535), max_size=9),
    extensions,
)
def test_any_hello_round_trips(
    version: int, random: bytes, session_id: bytes, suites: list[int], extra: tuple[tuple[int, bytes], ...]
) -> None:
    client = ClientHello(version, random, session_id, tuple(suites), b"\x00\x01", extra)
    assert ClientHello.parse(client.encode()) == client
    server = ServerHello(version, random, session_id, version, 1, extra)
    assert ServerHello.parse(server.encode()) == server
