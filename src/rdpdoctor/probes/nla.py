"""CredSSP (MS-CSSP) up to the server's NTLM challenge, on the walk's connection. No credentials are
involved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.probes.base import NLA_ENDINGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context


async def run(context: Context) -> None:
    assert context.walk is not None
    await context.walk.credssp()


def due(context: Context) -> str | None:
    if context.walk is None or context.walk.established is None:
        return "no TLS"
    return None if context.walk.wants_credssp else "the server did not select CredSSP"


PROBE = Probe(
    id="nla",
    title="Start CredSSP, read the server's challenge",
    phase=Phase.WALK,
    emits=("nla.challenged", "nla.answered", *NLA_ENDINGS),
    connections=0,
    due=due,
    run=run,
)
