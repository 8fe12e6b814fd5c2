"""Our own ClientHello, of any version and suites, and the server's first flight in answer; nothing after it.

The `ssl` module cannot speak what old servers speak. This finds out what they choose, without keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.conversation import Conversation
from rdpdoctor.connection.machine import How
from rdpdoctor.connection.tls_flight import ServerFlight
from rdpdoctor.facts import Stage
from rdpdoctor.wire.tls_record import Version, version_name
from rdpdoctor.wire.tls_suites import suite_name

if TYPE_CHECKING:
    from rdpdoctor.wire.tls_hello import ClientHello, ServerHello


@dataclass(frozen=True, slots=True)
class HelloAnswered:
    """version, suite: what the server chose. retry: it was a HelloRetryRequest. elapsed: seconds.
    chain: DER, as sent; empty in TLS 1.3, which encrypts it.
    """

    version: int
    suite: int
    retry: bool
    chain: tuple[bytes, ...]
    elapsed: float


class HelloProbe(Conversation[HelloAnswered]):
    """Ends with HelloAnswered, or Ended. Up to TLS 1.2 it waits for the certificate, after `server_hello`."""

    stage = Stage.TLS
    limit = 512 * 1024

    def __init__(self, hello: ClientHello, timeout: float, split_first: bool = False) -> None:
        super().__init__(timeout, split_first=split_first)
        self._hello = hello
        self._flight = ServerFlight()

    @property
    def server_hello(self) -> ServerHello | None:
        return self._flight.hello or self._flight.retry

    @property
    def chain_seen(self) -> tuple[bytes, ...]:
        return self._flight.chain

    def _start(self, now: float) -> None:
        self._output += self._hello.records()
        self.after = "client-hello"

    def _process(self, data: bytes, now: float) -> None:
        flight = self._flight
        flight.feed(data)
        self.after = flight.last
        if self._is_unasked(now) or self._is_complete(now):
            return
        if flight.fatal is not None:
            if flight.fatal.description == 0:
                self._end(How.CLOSED, now, detail="close_notify")
            else:
                self._end(How.ALERTED, now, code=flight.fatal.description, detail=flight.fatal.name)
        elif flight.fault is not None:
            self._end(How.MALFORMED, now, detail=flight.fault.detail)

    def _is_complete(self, now: float) -> bool:
        hello = self.server_hello
        if hello is None:
            return False
        version = hello.selected_version
        if version < Version.TLS13 and self._flight.last == "server-hello":
            return False  # its certificate is still to come
        answered = HelloAnswered(
            version, hello.cipher_suite, hello.is_retry_request, self._flight.chain, self._elapsed(now)
        )
        self._finish(answered)
        return True

    def _is_unasked(self, now: float) -> bool:
        """A server that chooses what was not offered does not speak TLS, whatever its messages look like."""
        hello = self.server_hello
        if hello is None:
            return False
        version, suite = hello.selected_version, hello.cipher_suite
        unasked = ""
        if version > max(self._hello.offered_versions):
            unasked = version_name(version)
        elif suite not in self._hello.cipher_suites:
            unasked = suite_name(suite)
        if unasked:
            self.after = "server-hello"  # whatever came with it
            self._end(How.MALFORMED, now, detail=f"{unasked} was not offered")
        return bool(unasked)

    def _last_words(self) -> str:
        alert = self._flight.alert
        return f"warning {alert.name}" if alert is not None else ""
