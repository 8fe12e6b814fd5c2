"""A TLS server over MemoryBIO: OpenSSL's own handshake, without a socket (RFC 8446, RFC 5246)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import ClassVar

from rdpdoctor.connection.machine import How
from rdpdoctor.connection.server.base import ServerMachine
from rdpdoctor.facts import Stage

#: More than any handshake's messages from a client, certificates included.
MAX_RECEIVED = 256 * 1024
_CHUNK = 16 * 1024


class ServerChannel:
    """The encrypted way after the handshake: plain text in and out, bytes of the wire beside it."""

    def __init__(self, tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self.closed = False  # by close_notify, or because what came was no TLS

    def encrypt(self, plain: bytes) -> bytes:
        """`plain` as records, with whatever TLS itself has to say."""
        if plain:
            self._tls.write(plain)
        return self._outgoing.read()

    def feed(self, cipher: bytes) -> None:
        self._incoming.write(cipher)

    def read(self) -> bytes:
        """All plain text that is complete."""
        plain = bytearray()
        try:
            while not self.closed:
                piece = self._tls.read(_CHUNK)
                self.closed = not piece
                plain += piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # also SSLZeroReturnError: close_notify
            self.closed = True
        return bytes(plain)


@dataclass(frozen=True, slots=True)
class TlsAccepted:
    """`version` as OpenSSL names it ("TLSv1.3"), `suite` too."""

    version: str
    suite: str
    elapsed: float
    channel: ServerChannel


class TlsServer(ServerMachine):
    """Answers one handshake. Ends REJECTED where OpenSSL would not go on; its alert is in the output."""

    stage: ClassVar[Stage] = Stage.TLS

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(timeout, "connection-confirm")
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def _advance(self, data: bytes, now: float) -> None:
        if self._received > MAX_RECEIVED:
            self._end(How.MALFORMED, now, detail=f"over {MAX_RECEIVED} bytes of handshake", sample=data)
            return
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._output += self._outgoing.read()
            self._after = "server-hello" if self._output or self._sent else self._after
        except ssl.SSLError as error:
            self._output += self._outgoing.read()
            how = How.ALERTED if "ALERT" in (error.reason or "") else How.REJECTED
            self._end(how, now, detail=error.reason or str(error))
        else:
            self._output += self._outgoing.read()
            # What came behind the client's Finished is in the BIO already: the channel's next read has it.
            suite = self._tls.cipher()
            channel = ServerChannel(self._tls, self._incoming, self._outgoing)
            name = suite[0] if suite else ""
            self._finish(TlsAccepted(self._tls.version() or "", name, now - self._began, channel))
