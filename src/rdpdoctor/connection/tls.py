"""The TLS handshake as a current client makes it (MS-RDPBCGR 5.4.5), through OpenSSL in memory."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from rdpdoctor.connection import openssl
from rdpdoctor.connection.conversation import SAMPLE, Conversation
from rdpdoctor.connection.machine import How
from rdpdoctor.connection.tls_flight import ServerFlight
from rdpdoctor.facts import Stage
from rdpdoctor.wire.tls_hello import is_host_name
from rdpdoctor.wire.tls_record import alert_name
from rdpdoctor.wire.tls_suites import suite_name

_READ = 16 * 1024


class TlsChannel:
    """An established connection: plain bytes on one side, TLS records on the other.

    closed: the peer said close_notify. alert: its fatal alert. failure: why what came is no TLS any more.
    """

    def __init__(
        self, session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, flight: ServerFlight
    ) -> None:
        self._session, self._incoming, self._outgoing = session, incoming, outgoing
        self._flight = flight
        self._plain = bytearray()
        self.closed = False
        self.alert: int | None = None
        self.failure: str | None = None

    @property
    def partial(self) -> bool:
        """A record has begun to come and is not complete: nothing of it can be read yet."""
        return self._flight.partial

    def encrypt(self, plain: bytes) -> bytes:
        """`plain` in records, with anything OpenSSL itself has to say before it."""
        self._session.write(plain)
        return self._outgoing.read()

    def feed(self, cipher: bytes) -> None:
        """Take what came; `read` gives what was in it. Session tickets and the like vanish here."""
        self._flight.feed(cipher)
        self._incoming.write(cipher)
        while not (self.closed or self.failure or self.alert is not None):
            try:
                piece = self._session.read(_READ)
            except ssl.SSLWantReadError:
                break
            except OSError as error:
                how, alert, reason = openssl.meaning(error)
                self.closed, self.alert = how is How.CLOSED, alert
                self.failure = reason if not self.closed and alert is None else None
            else:
                self.closed = not piece
                self._plain += piece

    def read(self) -> bytes:
        plain = bytes(self._plain)
        self._plain.clear()
        return plain

    def unread(self, plain: bytes) -> None:
        """Give back what belongs to the next stage: `read` returns it first."""
        self._plain[:0] = plain

    def take_output(self) -> bytes:
        """What OpenSSL wants sent without being asked: its alerts."""
        return self._outgoing.read()


@dataclass(frozen=True, slots=True)
class TlsEstablished:
    """version: "TLS 1.3". suite: its registered name. chain: DER, the leaf first. elapsed: seconds."""

    version: str
    suite: str
    chain: tuple[bytes, ...]
    elapsed: float
    channel: TlsChannel


class TlsHandshake(Conversation[TlsEstablished]):
    """Ends with TlsEstablished, or Ended. In TLS 1.3 we are done before the server has judged our last
    message: what it says to that comes in the next stage.

    server_name: goes into SNI if it is a name. split_first: the ClientHello's first byte goes on its own.
    """

    stage = Stage.TLS
    limit = 512 * 1024

    def __init__(
        self,
        server_name: str | None,
        timeout: float,
        split_first: bool = False,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(timeout, split_first=split_first)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = _session(
            context or openssl.client_context(), self._incoming, self._outgoing, server_name
        )
        self._flight = ServerFlight()

    @property
    def chain_seen(self) -> tuple[bytes, ...]:
        """The certificates that came, also when the handshake died after them."""
        return openssl.chain_of(self._session) or self._flight.chain

    def _start(self, now: float) -> None:
        self.after = "client-hello"
        self._advance(b"", now)

    def _process(self, data: bytes, now: float) -> None:
        self._flight.feed(data)
        if self.after != "client-finished" or self._flight.last != "server-hello-done":
            self.after = self._flight.last
        self._incoming.write(data)
        self._advance(data, now)

    def _advance(self, data: bytes, now: float) -> None:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            self._output += self._outgoing.read()
            if self._flight.fault is not None:
                # OpenSSL waits for the rest of a record that cannot become one.
                self._end(How.MALFORMED, now, detail=self._flight.fault.detail, sample=self._broken(data))
        except OSError as error:
            self._output += self._outgoing.read()  # our own alert, so that the server is not left waiting
            self._fail(error, data, now)
        else:
            self._output += self._outgoing.read()
            self._establish(now)

    def _establish(self, now: float) -> None:
        hello = self._flight.hello
        name = (self._session.version() or "").replace("TLSv", "TLS ")
        cipher = self._session.cipher()
        suite = suite_name(hello.cipher_suite) if hello is not None else cipher[0] if cipher else ""
        channel = TlsChannel(self._session, self._incoming, self._outgoing, self._flight)
        self._finish(TlsEstablished(name, suite, self.chain_seen, self._elapsed(now), channel))

    def _fail(self, error: OSError, data: bytes, now: float) -> None:
        how, code, reason = openssl.meaning(error)
        fatal = self._flight.fatal
        if how is How.ALERTED and fatal is not None:
            code = fatal.description  # OpenSSL has no name for those it does not know
        if how is How.MALFORMED and fatal is not None:
            how, code = (How.ALERTED, fatal.description) if fatal.description else (How.CLOSED, None)
        if how is How.REJECTED and self._flight.fault is not None:
            how = How.MALFORMED
        if how is How.MALFORMED and self._flight.fault is not None:
            reason = self._flight.fault.detail
        detail = reason if code is None else alert_name(code)
        self._end(how, now, code=code, detail=detail, sample=self._broken(data))

    def _broken(self, data: bytes) -> bytes:
        """The bytes that did not fit. Empty where nothing did: then it is the very first ones."""
        if self._flight.hello is None and self._flight.retry is None:
            return b""
        fault = self._flight.fault
        return (fault.sample if fault is not None else data)[:SAMPLE]

    def _went_out(self) -> None:
        if self._flight.last == "server-hello-done":
            self.after = "client-finished"

    def _last_words(self) -> str:
        alert = self._flight.alert
        return f"warning {alert.name}" if alert is not None else ""


def _session(
    context: ssl.SSLContext, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_name: str | None
) -> ssl.SSLObject:
    name = server_name.rstrip(".") if server_name is not None and is_host_name(server_name) else None
    try:
        return context.wrap_bio(incoming, outgoing, server_hostname=name)
    except (ValueError, TypeError):  # names that IDNA refuses, although resolvers know them
        return context.wrap_bio(incoming, outgoing)
