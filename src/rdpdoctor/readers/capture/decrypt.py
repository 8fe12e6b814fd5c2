"""One TLS connection read with its secrets: records of both sides go in, plain bytes come out.

Follows the handshake by itself (full, resumed, renegotiated; TLS 1.0 to 1.3) and judges nothing: where the
secret is missing or wrong, it stops, and the connection stays as it looks from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import keylog
from rdpdoctor.readers.capture.protection import Modern, Suite, WrongKey, keys_of
from rdpdoctor.wire.cursor import Cursor
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import MAX_CERTIFICATES, ClientHello, ServerHello
from rdpdoctor.wire.tls_record import ContentType, HandshakeReader, HandshakeType, Version

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.keylog import Secrets
    from rdpdoctor.readers.capture.protection import Reader

CLIENT, SERVER = 0, 1
_EXT_ENCRYPT_THEN_MAC = 22  # RFC 7366
_EXT_TICKET = 35  # RFC 5077
_KEY_UPDATE = 24  # RFC 8446 4.6.3


class Decryption:
    """Give it each record in order (`record`).

    fault: why nothing more is read: "" while all is well, else "missing", "wrong" (the secret), "unknown"
    (the cipher), "broken" (the handshake). opened: a record has been read with a key. chain: the server's
    certificates, where TLS 1.3 hides them.
    """

    def __init__(self, secrets: Secrets) -> None:
        self.fault = ""
        self.opened = False
        self.chain: tuple[bytes, ...] = ()
        self._secrets = secrets
        self._hello: ClientHello | None = None
        self._answer: ServerHello | None = None
        self._suite: Suite | None = None
        self._modern = False
        self._messages = (HandshakeReader(), HandshakeReader())
        self._old: list[Reader | None] = [None, None]
        self._new: tuple[list[Modern], list[Modern]] = ([], [])
        self._begun = [False, False]
        self._ticket = b""

    def record(self, side: int, kind: int, fragment: bytes) -> tuple[int, bytes] | None:
        """Content type and plain bytes, decrypted where they were not plain; None where that cannot be."""
        if self.fault:
            return None
        try:
            opened = self._open(side, kind, fragment)
            if opened is not None and opened[0] == ContentType.HANDSHAKE:
                for message, body in self._messages[side].feed(opened[1]):
                    self._message(side, message, body)
            elif opened is not None and opened[0] == ContentType.CHANGE_CIPHER_SPEC and not self._modern:
                self._change(side)
        except WrongKey:
            self.fault = "wrong"
        except Malformed:
            self.fault = "broken"
        else:
            return opened
        return None

    def _open(self, side: int, kind: int, fragment: bytes) -> tuple[int, bytes] | None:
        if self._modern:
            return self._open_modern(side, kind, fragment)
        reader = self._old[side]
        if reader is None:
            return kind, fragment
        opened = reader.open(kind, fragment)
        self.opened = True
        return opened

    def _open_modern(self, side: int, kind: int, fragment: bytes) -> tuple[int, bytes] | None:
        """The first key that fits: a side goes from its handshake's to its traffic's and never back."""
        if kind != ContentType.APPLICATION_DATA:
            return kind, fragment
        readers = self._new[side]
        for at, reader in enumerate(readers):
            try:
                opened = reader.open(kind, fragment)
            except WrongKey:
                continue
            del readers[:at]
            self._begun[side] = self.opened = True
            return opened
        if len(readers) > 1 or (readers and self._begun[side]):
            raise WrongKey
        return None  # the handshake, of which only the key of what follows is known

    # ---- the handshake

    def _message(self, side: int, kind: int, body: bytes) -> None:
        if side == CLIENT and kind == HandshakeType.CLIENT_HELLO:
            self._hello = ClientHello.parse(body)
        elif side == SERVER and kind == HandshakeType.SERVER_HELLO:
            answer = ServerHello.parse(body)
            if not answer.is_retry_request:
                self._answered(answer)
        elif side == SERVER and kind == HandshakeType.NEW_SESSION_TICKET and not self._modern:
            cursor = Cursor("tls", body)
            cursor.take(4, "lifetime")
            self._ticket = cursor.vector(2, "ticket")
        elif side == SERVER and kind == HandshakeType.CERTIFICATE and self._modern:
            self.chain = _chain(body)
        elif kind == _KEY_UPDATE and self._modern and self._new[side]:
            self._new[side][0].update()

    def _answered(self, answer: ServerHello) -> None:
        if self._hello is None:
            raise Malformed("tls", 0, "a ServerHello without a ClientHello")
        self._answer = answer
        self._suite = Suite.of(answer.cipher_suite)
        if self._suite is None or answer.compression:
            self.fault = "unknown"
            return
        self._modern = answer.selected_version >= Version.TLS13
        if not self._modern:
            return
        known = self._secrets.of(self._hello.random)
        for side in (CLIENT, SERVER):
            names = (keylog.HANDSHAKE[side], keylog.TRAFFIC[side])
            self._new[side][:] = [Modern(self._suite, known[name]) for name in names if name in known]
        if not any(self._new):
            self.fault = "missing"

    def _change(self, side: int) -> None:
        """ChangeCipherSpec: from here on this side encrypts, with the keys of the last handshake."""
        if self._hello is None or self._answer is None or self._suite is None:
            raise Malformed("tls", 0, "a change of ciphers without a handshake")
        hello, answer = self._hello, self._answer
        master = self._master(hello, answer)
        if master is None:
            self.fault = "missing"
            return
        etm = answer.extension(_EXT_ENCRYPT_THEN_MAC) is not None
        randoms = hello.random, answer.random
        self._old[side] = keys_of(self._suite, answer.selected_version, master, randoms, side, etm=etm)
        for session in (answer.session_id, self._ticket):
            self._secrets.resumable(session, master)

    def _master(self, hello: ClientHello, answer: ServerHello) -> bytes | None:
        own = self._secrets.of(hello.random).get(keylog.MASTER)
        if own is not None:
            return own
        offered = hello.session_id and hello.session_id == answer.session_id
        ticket = hello.extension(_EXT_TICKET)
        by_ticket = self._secrets.resumed(ticket) if ticket else None
        return by_ticket or (self._secrets.resumed(hello.session_id) if offered else None)


def _chain(body: bytes) -> tuple[bytes, ...]:
    """Certificate of TLS 1.3 (RFC 8446 4.4.2)."""
    cursor = Cursor("tls", body)
    cursor.vector(1, "context")
    entries = cursor.part(3, "certificate list")
    chain: list[bytes] = []
    while entries.left and len(chain) < MAX_CERTIFICATES:
        chain.append(entries.vector(3, "certificate"))
        entries.vector(2, "extensions")
    return tuple(chain)
