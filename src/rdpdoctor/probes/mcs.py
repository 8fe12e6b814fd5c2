"""Whether the server stays, where the client has the next word and needs no account for it (MS-RDPBCGR
1.3.1.1).

Nothing is sent. Without CredSSP the client would now send its MCS Connect Initial; a server that ends the
connection
before that has ended the walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.probes.base import MCS_TAGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context


async def run(context: Context) -> None:
    assert context.walk is not None
    await context.walk.linger()


def due(context: Context) -> str | None:
    walk = context.walk
    if walk is None or walk.selected is None or (walk.over_tls and walk.established is None):
        return "no connection"
    return "CredSSP comes first" if walk.wants_credssp else None


PROBE = Probe(
    id="mcs",
    title="See whether the server waits for the client",
    phase=Phase.WALK,
    emits=MCS_TAGS,
    connections=0,
    due=due,
    run=run,
)
