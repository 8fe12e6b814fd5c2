"""The TLS handshake as a current client does it, and the server's certificate, on the walk's connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.probes.base import TLS_TAGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context


async def run(context: Context) -> None:
    assert context.walk is not None
    await context.walk.handshake()


PROBE = Probe(
    id="tls",
    title="Make the TLS handshake, read the certificate",
    phase=Phase.WALK,
    emits=TLS_TAGS,
    connections=0,
    due=lambda context: (
        None if context.walk is not None and context.walk.over_tls else "the server did not select TLS"
    ),
    run=run,
)
