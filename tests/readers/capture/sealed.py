"""TLS between two ends in memory, spoken into a recording, with the key log of whoever wants to open it."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.connection.tls_server import TLS12, TLS13, server_context

if TYPE_CHECKING:
    from tests.readers.capture.craft import Conversation

NO_ENCRYPT_THEN_MAC = 1 << 19  # SSL_OP_NO_ENCRYPT_THEN_MAC


class Sealed:
    """A handshake first, then `say`. keylog: of all connections made with the same `client` context."""

    def __init__(
        self,
        talk: Conversation,
        version: ssl.TLSVersion = TLS12,
        ciphers: str = "ECDHE-RSA-AES256-GCM-SHA384",
        *,
        options: int = 0,
        before: Sealed | None = None,
    ) -> None:
        """before: resume its session."""
        self._client: ssl.SSLContext
        self.ends: tuple[ssl.SSLObject, ssl.SSLObject]
        self._talk = talk
        self._client = before._client if before is not None else _client_context(version, ciphers, options)
        self._server = server_context(version, version, kind="rsa-2048")
        self._incoming = [ssl.MemoryBIO(), ssl.MemoryBIO()]
        self._outgoing = [ssl.MemoryBIO(), ssl.MemoryBIO()]
        session = before.ends[0].session if before is not None else None
        with TemporaryDirectory() as directory:
            path = Path(directory, "keys")
            self._client.keylog_filename = str(path)
            self.ends = (
                self._client.wrap_bio(self._incoming[0], self._outgoing[0], session=session),
                self._server.wrap_bio(self._incoming[1], self._outgoing[1], server_side=True),
            )
            self._handshake()
            self.keylog = path.read_bytes() if path.exists() else b""

    def _handshake(self) -> None:
        for _ in range(6):
            for side, end in enumerate(self.ends):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                self._record(side)

    def _record(self, side: int) -> None:
        data = self._outgoing[side].read()
        if data:
            self._talk.say(side, data)
            self._incoming[1 - side].write(data)

    def say(self, side: int, data: bytes) -> Sealed:
        self.ends[side].write(data)
        self._record(side)
        assert self.ends[1 - side].read(1 << 20) == data
        return self

    def tickets(self) -> Sealed:
        """Let the client read what the server sent behind its handshake."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.ends[0].read()
        return self


def _client_context(version: ssl.TLSVersion, ciphers: str, options: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what some tests are about
        context.minimum_version = context.maximum_version = version
    context.options |= options
    return context


__all__ = ["NO_ENCRYPT_THEN_MAC", "TLS12", "TLS13", "Sealed"]
