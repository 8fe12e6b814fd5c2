"""What the lab notices about a ClientHello."""

from __future__ import annotations

from dataclasses import dataclass

from rdpdoctor.wire import tls_record
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import ClientHello
from rdpdoctor.wire.tls_record import ContentType, HandshakeType


@dataclass(frozen=True, slots=True)
class Seen:
    """joined: it came in one piece. versions: those it offers; empty where it was none that can be read."""

    joined: bool = False
    names_host: bool = False
    versions: tuple[int, ...] = ()

    def __str__(self) -> str:
        offered = ", ".join(map(tls_record.version_name, self.versions)) or "nothing that can be read"
        name = "with" if self.names_host else "without"
        return f"ClientHello offers {offered}, {name} SNI, in {'one piece' if self.joined else 'pieces'}"


def seen(data: bytes, reads: int) -> Seen:
    """`data` is all that came until we had an answer, in so many `reads`."""
    reader = tls_record.HandshakeReader()
    try:
        while (taken := tls_record.take(data)) is not None:
            record, used = taken
            data = data[used:]
            if record.content_type != ContentType.HANDSHAKE:
                break
            for kind, body in reader.feed(record.fragment):
                if kind == HandshakeType.CLIENT_HELLO:
                    found = ClientHello.parse(body)
                    return Seen(reads == 1, found.server_name is not None, found.offered_versions)
    except Malformed:
        pass
    return Seen(reads == 1)
