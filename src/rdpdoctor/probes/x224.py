"""Connection initiation as a current client does it (MS-RDPBCGR 1.3.1.1), on the walk's connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.probes.base import X224_TAGS, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context


async def run(context: Context) -> None:
    assert context.walk is not None
    await context.walk.initiate()


PROBE = Probe(
    id="x224",
    title="Negotiate the protocol",
    phase=Phase.WALK,
    emits=X224_TAGS,
    connections=0,
    due=lambda context: None if context.walk is not None else "no connection",
    run=run,
)
