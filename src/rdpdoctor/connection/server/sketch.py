"""A TLS server as far as ServerHelloDone, in our own bytes: for versions and suites that no library speaks.

Enough for a client that wants to know what the server would choose (RFC 6101; RFC 2246 and 5246 section 7.4);
one that goes on is sent handshake_failure, because there are no keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rdpdoctor.connection.server.base import ServerMachine
from rdpdoctor.facts import Stage
from rdpdoctor.wire import tls_record
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import Certificate, ClientHello, ServerHello
from rdpdoctor.wire.tls_record import Alert, ContentType, HandshakeType, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

HANDSHAKE_FAILURE, PROTOCOL_VERSION = 40, 70


@dataclass(frozen=True, slots=True)
class Sketched:
    """What the hello was answered with, and the client has spoken since; an alert where they are None."""

    version: int | None
    suite: int | None


class TlsSketch(ServerMachine):
    """versions: lowest and highest. chain: DER, the server's own first. `random` has 32 bytes."""

    stage: ClassVar[Stage] = Stage.TLS

    def __init__(
        self,
        versions: tuple[int, int],
        suites: Sequence[int],
        chain: tuple[bytes, ...],
        random: bytes,
        timeout: float,
    ) -> None:
        super().__init__(timeout, "connection-confirm")
        self._versions = versions
        self._suites = suites
        self._chain = chain
        self._random = random
        self._buffer = b""
        self._reader = tls_record.HandshakeReader()
        self._answered: tuple[int, int] | None = None

    def _advance(self, data: bytes, now: float) -> None:
        self._buffer += data
        while self._outcome is None and (taken := tls_record.take(self._buffer)) is not None:
            record, used = taken
            self._buffer = self._buffer[used:]
            if self._answered is not None:
                if record.content_type != ContentType.ALERT:
                    self._refuse(self._answered[0], HANDSHAKE_FAILURE)
                self._finish(Sketched(*self._answered))
            elif record.content_type != ContentType.HANDSHAKE:
                detail = f"record type {record.content_type} instead of a ClientHello"
                raise Malformed.at("tls", data, 0, detail)
            else:
                self._on_handshake(record.fragment)

    def _on_handshake(self, fragment: bytes) -> None:
        for kind, body in self._reader.feed(fragment):
            if kind != HandshakeType.CLIENT_HELLO:
                raise Malformed.at("tls", body, 0, f"handshake type {kind} instead of a ClientHello")
            self._on_hello(ClientHello.parse(body))
            return

    def _on_hello(self, hello: ClientHello) -> None:
        lowest, highest = self._versions
        version = min(highest, max(v for v in (hello.version, *hello.offered_versions)))
        suite = next((suite for suite in self._suites if suite in hello.cipher_suites), None)
        if version < lowest:
            self._refuse(hello.version, PROTOCOL_VERSION)
            self._finish(Sketched(None, None))
        elif suite is None:
            self._refuse(version, HANDSHAKE_FAILURE)
            self._finish(Sketched(None, None))
        else:
            self._answer(version, suite)

    def _answer(self, version: int, suite: int) -> None:
        hello = ServerHello(version, self._random, b"", suite)
        certificate = Certificate(self._chain, len(self._chain))
        for kind, body in (
            (HandshakeType.SERVER_HELLO, hello.encode()),
            (HandshakeType.CERTIFICATE, certificate.encode()),
            (HandshakeType.SERVER_HELLO_DONE, b""),
        ):
            self._output += tls_record.handshake_records(kind, body, version)
        self._answered, self._after = (version, suite), "server-hello-done"

    def _refuse(self, version: int, description: int) -> None:
        self._output += Record(ContentType.ALERT, version, Alert(2, description).encode()).encode()
