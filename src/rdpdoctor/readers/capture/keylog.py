"""TLS secrets as browsers, OpenSSL and Windows' helpers write them down: lines of NSS's key log.

`LABEL client_random secret`, the last two in hex (draft-ietf-tls-keylogfile; the old label CLIENT_RANDOM has
the master secret of TLS 1.2 and older).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MASTER = "CLIENT_RANDOM"
#: By side: client, then server.
HANDSHAKE = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
TRAFFIC = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")
_SIZES = {MASTER: (48,)} | dict.fromkeys((*HANDSHAKE, *TRAFFIC), (32, 48))

_LINE = re.compile(rb"^([A-Z_0-9]{1,40}) ([0-9a-fA-F]{64}) ([0-9a-fA-F]{64,96})[ \t\r]*$", re.MULTILINE)
_CONNECTIONS = 100_000
_SESSIONS = 10_000


class Secrets:
    """By the client's random; of very many connections, the latest.

    A session that is resumed has the master secret of the one it resumes.
    """

    __slots__ = ("_known", "_sessions")

    def __init__(self) -> None:
        self._known: dict[bytes, dict[str, bytes]] = {}
        self._sessions: dict[bytes, bytes] = {}

    def __repr__(self) -> str:
        return f"<secrets of {len(self._known)} connections>"

    def add(self, lines: bytes) -> set[bytes]:
        """Return the randoms of these lines. Of two lines for the same, the later counts; what is no line of
        a key log is passed over.
        """
        randoms = set()
        for label, random, secret in _LINE.findall(lines):
            name = label.decode("ascii")
            if len(secret) // 2 not in _SIZES.get(name, ()) or len(secret) % 2:
                continue
            key = bytes.fromhex(random.decode("ascii"))
            self._known.setdefault(key, {})[name] = bytes.fromhex(secret.decode("ascii"))
            randoms.add(key)
            if len(self._known) > _CONNECTIONS:
                oldest = next(iter(self._known))
                del self._known[oldest]
                randoms.discard(oldest)
        return randoms

    def of(self, random: bytes) -> Mapping[str, bytes]:
        return self._known.get(random, {})

    def resumable(self, session: bytes, master: bytes) -> None:
        """`session`: an id or a ticket that stands for this master secret from now on."""
        if session and len(self._sessions) < _SESSIONS:
            self._sessions[session] = master

    def resumed(self, session: bytes) -> bytes | None:
        return self._sessions.get(session)
