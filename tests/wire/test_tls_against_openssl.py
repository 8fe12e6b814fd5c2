"""Our hellos against the TLS of the standard library, in memory."""

from __future__ import annotations

import os
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from rdpdoctor.wire import tls_record, tls_suites
from rdpdoctor.wire.tls_hello import (
    EXT_SIGNATURE_ALGORITHMS,
    EXT_SUPPORTED_GROUPS,
    GROUPS,
    SIGNATURES,
    Certificate,
    ClientHello,
    ServerHello,
    client_hello,
)
from rdpdoctor.wire.tls_record import Alert, ContentType, HandshakeReader, HandshakeType, Version

if TYPE_CHECKING:
    from pathlib import Path

OLD = [Version.TLS10, Version.TLS11, Version.TLS12]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A PEM file with key and certificate, and the certificate in DER."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "srv01.corp.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "identity.pem"
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path, certificate.public_bytes(serialization.Encoding.DER)


def context(purpose: int, lowest: int, highest: int) -> ssl.SSLContext:
    made = ssl.SSLContext(purpose)
    if purpose == ssl.PROTOCOL_TLS_CLIENT:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1 are what is tried here
        made.minimum_version = ssl.TLSVersion(lowest)
        made.maximum_version = ssl.TLSVersion(highest)
    return made


class Answer:
    """What a server in memory answers to `wire`: its first flight, read by our parsers."""

    def __init__(self, path: Path, wire: bytes, lowest: int, highest: int) -> None:
        server = context(ssl.PROTOCOL_TLS_SERVER, lowest, highest)
        server.load_cert_chain(path)
        self.server_name: str | None = None
        server.sni_callback = self._named
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = server.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(wire)
        self.error: str | None = None
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error.reason
        self.alerts: list[Alert] = []
        self.messages: dict[int, bytes] = {}
        reader, data = HandshakeReader(), bytearray(outgoing.read())
        while data:
            taken = tls_record.take(data)
            assert taken is not None
            del data[: taken[1]]
            if taken[0].content_type == ContentType.ALERT:
                self.alerts.append(Alert.parse(taken[0].fragment))
            elif taken[0].content_type == ContentType.HANDSHAKE:
                self.messages.update(reader.feed(taken[0].fragment))

    def _named(self, _: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        self.server_name = name

    @property
    def hello(self) -> ServerHello:
        return ServerHello.parse(self.messages[HandshakeType.SERVER_HELLO])


@pytest.mark.parametrize("version", OLD)
def test_a_server_reads_our_hello_and_we_read_its_flight(identity: tuple[Path, bytes], version: int) -> None:
    path, der = identity
    suites = tls_suites.for_version(tls_suites.MODERN, version)
    hello = client_hello(version, suites, "srv01.corp.example", os.urandom(32))
    answer = Answer(path, hello.records(), Version.TLS10, Version.TLS13)
    assert (answer.error, answer.alerts) == (None, [])
    assert answer.hello.selected_version == version
    assert answer.hello.cipher_suite in suites
    assert not answer.hello.is_retry_request
    assert Certificate.parse(answer.messages[HandshakeType.CERTIFICATE]) == Certificate((der,), 1)
    assert answer.messages[HandshakeType.SERVER_HELLO_DONE] == b""
    assert answer.server_name == "srv01.corp.example"


@pytest.mark.parametrize("session_id", [b"", bytes(32)])
def test_a_tls13_server_asks_to_retry(identity: tuple[Path, bytes], session_id: bytes) -> None:
    suites = tls_suites.for_version(tls_suites.MODERN, Version.TLS13)
    hello = client_hello(Version.TLS13, suites, "srv01.corp.example", os.urandom(32), session_id)
    answer = Answer(identity[0], hello.records(), Version.TLS10, Version.TLS13)
    assert (answer.error, answer.alerts) == (None, [])
    assert answer.hello.is_retry_request
    assert answer.hello.selected_version == Version.TLS13
    assert answer.hello.cipher_suite in suites


def test_one_hello_for_all_versions(identity: tuple[Path, bytes]) -> None:
    versions = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10)
    wire = client_hello(Version.TLS13, tls_suites.MODERN, None, os.urandom(32), versions=versions).records()
    for highest in versions:
        answer = Answer(identity[0], wire, Version.TLS10, highest)
        assert answer.hello.selected_version == highest
        assert answer.server_name is None


@pytest.mark.parametrize("suite", [0xC030, 0xC02F, 0xC028, 0xC027, 0xC014, 0xC013, 0x9D, 0x9C, 0x35, 0x2F])
def test_the_server_chooses_the_only_suite(identity: tuple[Path, bytes], suite: int) -> None:
    wire = client_hello(Version.TLS12, (suite,), None, os.urandom(32)).records()
    assert Answer(identity[0], wire, Version.TLS10, Version.TLS12).hello.cipher_suite == suite


def test_every_suite_at_once(identity: tuple[Path, bytes]) -> None:
    wire = client_hello(Version.TLS12, tls_suites.ALL, None, os.urandom(32)).records()
    assert Answer(identity[0], wire, Version.TLS10, Version.TLS12).hello.selected_version == Version.TLS12


@pytest.mark.parametrize(
    ("version", "suites", "lowest", "alert"),
    [
        (Version.TLS10, tls_suites.MODERN, Version.TLS12, "protocol_version"),
        (Version.TLS13, (0x1301,), None, "protocol_version"),
        (Version.TLS12, (0xC02B,), Version.TLS10, "handshake_failure"),
    ],
)
def test_a_refusal_is_an_alert(
    identity: tuple[Path, bytes], version: int, suites: tuple[int, ...], lowest: int | None, alert: str
) -> None:
    highest = Version.TLS12 if lowest is None else Version.TLS13
    wire = client_hello(version, suites, None, os.urandom(32)).records()
    answer = Answer(identity[0], wire, lowest or Version.TLS10, highest)
    assert [(each.name, each.fatal) for each in answer.alerts] == [(alert, True)]
    assert answer.messages == {}


def test_ssl3_is_understood_and_refused(identity: tuple[Path, bytes]) -> None:
    wire = client_hello(Version.SSL30, (0x0035, 0x000A), None, os.urandom(32)).records()
    answer = Answer(identity[0], wire, Version.TLS10, Version.TLS13)
    assert answer.error is not None
    assert "VERSION" in answer.error or "PROTOCOL" in answer.error
    assert [alert.fatal for alert in answer.alerts] == [True]


def test_openssl_offers_all_that_we_offer() -> None:
    """Each signature algorithm and group of ours, but for three curves it no longer offers."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(ssl.PROTOCOL_TLS_CLIENT, Version.TLS10, Version.TLS13)
    with pytest.raises(ssl.SSLWantReadError):
        client.wrap_bio(incoming, outgoing, server_hostname="srv01").do_handshake()
    taken = tls_record.take(outgoing.read())
    assert taken is not None
    ((_, body),) = HandshakeReader().feed(taken[0].fragment)
    theirs = ClientHello.parse(body)
    assert (len(SIGNATURES), len(GROUPS)) == (len(set(SIGNATURES)), len(set(GROUPS)))
    assert set(SIGNATURES) <= _numbers(theirs, EXT_SIGNATURE_ALGORITHMS)
    assert set(GROUPS) - _numbers(theirs, EXT_SUPPORTED_GROUPS) == {0x0016, 0x0015, 0x0013}


def _numbers(hello: ClientHello, extension: int) -> set[int]:
    data = hello.extension(extension)
    assert data is not None
    return {int.from_bytes(data[at : at + 2], "big") for at in range(2, len(data), 2)}


@pytest.mark.parametrize("version", [*OLD, Version.TLS13])
def test_we_read_the_hello_of_a_client(version: int) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(ssl.PROTOCOL_TLS_CLIENT, version, version)
    with pytest.raises(ssl.SSLWantReadError):
        client.wrap_bio(incoming, outgoing, server_hostname="srv01.corp.example").do_handshake()
    wire = outgoing.read()
    taken = tls_record.take(wire)
    assert taken is not None
    assert taken[1] == len(wire)
    ((kind, body),) = HandshakeReader().feed(taken[0].fragment)
    hello = ClientHello.parse(body)
    assert (kind, hello.encode()) == (HandshakeType.CLIENT_HELLO, body)
    assert max(hello.offered_versions) == version
    assert hello.server_name == "srv01.corp.example"
    assert hello.cipher_suites
