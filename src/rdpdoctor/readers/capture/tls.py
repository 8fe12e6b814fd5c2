"""A bystander's view of both sides of TLS: what can be read without keys, and how much else there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.tls_flight import ServerFlight
from rdpdoctor.wire import tls_record
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import ClientHello
from rdpdoctor.wire.tls_record import Alert, ContentType, HandshakeReader, HandshakeType, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.capture.decrypt import Decryption
    from rdpdoctor.readers.capture.keylog import Secrets
    from rdpdoctor.wire.tls_hello import ServerHello

CLIENT, SERVER = 0, 1
#: An alert of TLS 1.3 as it looks from outside: 2 bytes, the inner type, and a tag of 8 or 16 bytes (RFC 8446
#: 5.2). Finished is never as short.
_HIDDEN_ALERTS = (11, 19)
#: What a control PDU has more than a synchronize PDU (MS-RDPBCGR 2.2.1.14, 2.2.1.15), padded (CBC) or not.
_CONTROL = (0, 4)
#: What a synchronize PDU has more, at least, than the shortest record before it. Confirms of attaching and
#: joining, which come one after the other too, are less.
_SYNCHRONIZE = 20


@dataclass(frozen=True, slots=True)
class LateAlert:
    """An alert after the handshake. guessed: TLS 1.3 hides what it is, and its size says so. name: where it
    could be opened.
    """

    side: int
    when: float
    guessed: bool = False
    name: str | None = None


@dataclass(slots=True)
class Traffic:
    """Records of application data after the handshake, their bytes, and when the first and last came.

    finalized: bytes up to a run of sizes as a server's synchronize, two controls and font map have them, with
    which the connection sequence ends (MS-RDPBCGR 1.3.1.1). earliest, latest: bytes of the first and the last
    record.
    """

    records: int = 0
    bytes: int = 0
    first: float | None = None
    last: float | None = None
    finalized: int | None = None
    earliest: int = 0
    latest: int = 0
    _shortest: int = 1 << 16
    _run: tuple[int, ...] = ()

    def count(self, size: int, when: float) -> None:
        self.records += 1
        self.bytes += size
        self.earliest = self.earliest or size
        self.latest = size
        if self.finalized is None:
            self._compare(size)
        self.first = when if self.first is None else self.first
        self.last = when

    def _compare(self, size: int) -> None:
        self._shortest = min(self._shortest, size)
        self._run = (*self._run[-3:], size)
        first, *others = self._run
        if len(others) == 3 and len(set(others)) == 1 and others[0] - first in _CONTROL:
            self.finalized = self.bytes if first >= self._shortest + _SYNCHRONIZE else None


class TlsWalk:
    """Feed it what either side sends. after: the last message that came whole.

    alert: (who, which) of the alert in the clear that ended it. hidden: who sent an encrypted alert.
    late: the first alert after the handshake.
    plain: application data that `decryption` opened, for whoever takes it from there.
    completed: when the client's and the server's parts were both there. fault: what breaks the protocol.
    """

    def __init__(self, began: float, secrets: Secrets | None = None) -> None:
        self.began = began
        self.decryption = _decryption(secrets) if secrets is not None else None
        self.plain: list[tuple[int, bytes]] = []
        self.hello: ClientHello | None = None
        self.flight = ServerFlight()
        self.completed: float | None = None
        self.alert: tuple[int, Alert] | None = None
        self.hidden: int | None = None
        self.late: LateAlert | None = None
        self.fault: tuple[int, Malformed] | None = None
        self.after = ""
        self.bytes = [0, 0]
        self.traffic = (Traffic(), Traffic())
        self._buffers = (bytearray(), bytearray())
        self._messages = HandshakeReader()
        self._changed = [False, False]  # ChangeCipherSpec: what follows is encrypted, up to TLS 1.2
        self._finished = [False, False]

    @property
    def server_hello(self) -> ServerHello | None:
        return self.flight.hello or self.flight.retry

    @property
    def partial(self) -> tuple[bool, bool]:
        """Whether a record of client and server has begun and is not complete."""
        return bool(self._buffers[CLIENT]), bool(self._buffers[SERVER])

    @property
    def is_older(self) -> bool:
        hello = self.flight.hello
        return hello is not None and hello.selected_version < Version.TLS13

    def feed(self, side: int, data: bytes, when: float) -> None:
        self.bytes[side] += len(data)
        if self.fault is not None:
            return
        if side == SERVER and self.completed is None:
            self.flight.feed(data)
            self._heard()
        for kind, fragment in self._records(side, data):
            self._read(side, kind, fragment, when)

    def _heard(self) -> None:
        """What the server's part in the clear amounts to now."""
        flight = self.flight
        if flight.last != "client-hello" and self.after in (
            "",
            "client-hello",
            "server-hello",
            "certificate",
        ):
            self.after = flight.last
        if flight.fault is not None and not self._finished[SERVER]:
            self.fault = (SERVER, flight.fault)
        if flight.fatal is not None:
            self.alert = (SERVER, flight.fatal)

    def _records(self, side: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        buffer = self._buffers[side]
        buffer += data
        try:
            while (taken := tls_record.take(buffer)) is not None:
                record, used = taken
                del buffer[:used]
                yield record.content_type, record.fragment
        except Malformed as error:
            self.fault = self.fault or (side, error)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates, where they can be seen."""
        return self.flight.chain or (self.decryption.chain if self.decryption is not None else ())

    def _read(self, side: int, kind: int, fragment: bytes, when: float) -> None:
        opened = self.decryption.record(side, kind, fragment) if self.decryption is not None else None
        if opened is not None and self._opened(side, kind, *opened, when):
            return
        match kind:
            case ContentType.CHANGE_CIPHER_SPEC:
                self._changed[side] = True
            case ContentType.ALERT:
                self._alert(side, fragment, when)
            case ContentType.HANDSHAKE if self._changed[side] and self.is_older:
                self._finish(side, when)
            case ContentType.HANDSHAKE if side == CLIENT and self.completed is None:
                self._client_messages(fragment)
            case ContentType.APPLICATION_DATA:
                self._application(side, fragment, when)

    def _opened(self, side: int, outer: int, kind: int, plain: bytes, when: float) -> bool:
        """A record that may have been decrypted. True where there is no more to it."""
        if kind == ContentType.APPLICATION_DATA:
            self.plain.append((side, plain))
        elif kind == ContentType.ALERT and len(plain) == 2:
            self._alert(side, plain, when)
            return True
        # Tickets and new keys of TLS 1.3, which look like data from outside.
        return kind == ContentType.HANDSHAKE and outer != kind and self.completed is not None

    def _client_messages(self, fragment: bytes) -> None:
        try:
            for kind, body in self._messages.feed(fragment):
                if kind == HandshakeType.CLIENT_HELLO:
                    self.hello = ClientHello.parse(body)
                    self.after = "client-hello"
                elif kind == HandshakeType.CLIENT_KEY_EXCHANGE:
                    self.after = "client-key-exchange"
        except Malformed as error:
            self.fault = (CLIENT, error)

    def _alert(self, side: int, fragment: bytes, when: float) -> None:
        if len(fragment) != 2:
            self.hidden = side if self.hidden is None else self.hidden
            self._is_late(LateAlert(side, when))
            return
        alert = Alert.parse(fragment)
        self._is_late(LateAlert(side, when, name=alert.name))
        if self.alert is None and (alert.fatal or alert.description == 0):
            self.alert = (side, alert)

    def _is_late(self, alert: LateAlert) -> None:
        if self.completed is not None and self.late is None:
            self.late = alert

    def _finish(self, side: int, when: float) -> None:
        if self.completed is not None:
            return  # renegotiation, which clients of Remote Desktop do not do
        self._finished[side] = True
        self.after = "client-finished" if side == CLIENT else "server-finished"
        if all(self._finished):
            self._complete(when)

    def _application(self, side: int, fragment: bytes, when: float) -> None:
        if self.completed is not None:
            if len(fragment) in _HIDDEN_ALERTS and not self.is_older:
                self.hidden = side
                self._is_late(LateAlert(side, when, guessed=True))
                return
            self.traffic[side].count(len(fragment), when)
        elif side == CLIENT and self.flight.hello is not None and not self.is_older:
            # TLS 1.3: the first encrypted record of the client is its Finished, or an alert instead of it.
            if len(fragment) in _HIDDEN_ALERTS:
                self.hidden = CLIENT
                return
            self.after = "client-finished"
            self._complete(when)

    def _complete(self, when: float) -> None:
        self.completed = when
        self.after = "handshake"


def _decryption(secrets: Secrets) -> Decryption:
    from rdpdoctor.readers.capture.decrypt import Decryption  # cryptography is slow to import

    return Decryption(secrets)
