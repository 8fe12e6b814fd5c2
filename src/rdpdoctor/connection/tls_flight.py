"""A bystander's view of the server's side of a TLS handshake: what can be read without keys.

OpenSSL says that a handshake failed; this says how far it had come, which certificates had been sent by then,
and which alert it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.wire import tls_record
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import Certificate, ServerHello
from rdpdoctor.wire.tls_record import Alert, ContentType, HandshakeReader, HandshakeType, Version

if TYPE_CHECKING:
    from rdpdoctor.wire.tls_record import Record


class ServerFlight:
    """Feed it all that the server sends, in any split. Once the server encrypts, it only sees frames.

    last: "client-hello", "server-hello", "certificate" or "server-hello-done": the last message that came
    whole. retry: a HelloRetryRequest. fault: what breaks the protocol; nothing is read after it.
    """

    def __init__(self) -> None:
        self.last = "client-hello"
        self.hello: ServerHello | None = None
        self.retry: ServerHello | None = None
        self.chain: tuple[bytes, ...] = ()
        self.certificates = 0  # as many as were sent; the chain may be shorter
        self.alert: Alert | None = None
        self.fault: Malformed | None = None
        self._buffer = bytearray()
        self._messages = HandshakeReader()
        self._encrypted = False

    @property
    def partial(self) -> bool:
        """A record has begun and is not complete."""
        return bool(self._buffer)

    @property
    def fatal(self) -> Alert | None:
        """The alert that ended it: a fatal one, or close_notify (description 0)."""
        alert = self.alert
        return alert if alert is not None and (alert.fatal or alert.description == 0) else None

    def feed(self, data: bytes) -> None:
        if self.fault is not None:
            return
        self._buffer += data
        try:
            while (taken := tls_record.take(self._buffer)) is not None:
                record, used = taken
                del self._buffer[:used]
                self._read(record)
        except Malformed as error:
            self.fault = error

    def _read(self, record: Record) -> None:
        match record.content_type:
            case ContentType.CHANGE_CIPHER_SPEC:
                # In TLS 1.3 it is there for middleboxes, after a HelloRetryRequest too, and means nothing.
                self._encrypted = self._encrypted or self._is_older()
            case ContentType.ALERT if not self._encrypted:
                self.alert = Alert.parse(record.fragment)
            case ContentType.HANDSHAKE if not self._encrypted:
                for kind, body in self._messages.feed(record.fragment):
                    self._note(kind, body)

    def _is_older(self) -> bool:
        return self.hello is not None and self.hello.selected_version < Version.TLS13

    def _note(self, kind: int, body: bytes) -> None:
        match kind:
            case HandshakeType.SERVER_HELLO:
                hello = ServerHello.parse(body)
                if hello.is_retry_request:
                    self.retry = hello
                    return
                self.hello = hello
                self.last = "server-hello"
            case HandshakeType.CERTIFICATE:
                certificate = Certificate.parse(body)
                self.chain, self.certificates = certificate.chain, certificate.count
                self.last = "certificate"
            case HandshakeType.SERVER_HELLO_DONE:
                self.last = "server-hello-done"
