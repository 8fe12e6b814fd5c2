"""The same with one thing changed, where the walk died: another cookie, smaller segments, a split hello, no
SNI.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rdpdoctor.net.dial import can_limit_segments
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import (
    TCP_TAGS,
    TLS_TAGS,
    X224_TAGS,
    Phase,
    Probe,
    known_otherwise,
    walk_ending,
    walk_failed_at,
)
from rdpdoctor.probes.context import NEUTRAL_COOKIE, Context

# Below IPv6's smallest MTU (RFC 8200: 1280 bytes) less headers and a tunnel's own, so any path carries it.
_SMALL_SEGMENT = 536


@dataclass(frozen=True, slots=True)
class _Change:
    variant: str
    cookie: str | None
    max_segment: int | None = None
    split_first: bool = False
    sni: bool = True


def _changes(context: Context) -> list[_Change]:
    """Which changes could make a difference to how the walk died."""
    failed_at, how, own = walk_failed_at(context), walk_ending(context), context.cookie
    if how is None or known_otherwise(context) is not None:
        return []
    if failed_at == "x224":
        changes = [_Change("no-cookie", None)]
        if own != NEUTRAL_COOKIE:
            changes.append(_Change("neutral-cookie", NEUTRAL_COOKIE))
        return changes
    if failed_at != "tls":
        return []
    changes = []
    if how in ("silent", "stalled") and can_limit_segments():
        changes.append(_Change("small-segments", own, max_segment=_SMALL_SEGMENT))
    if how in ("silent", "stalled", "reset", "closed"):
        changes.append(_Change("split-hello", own, split_first=True))
        if _is_name(context.host):
            changes.append(_Change("no-sni", own, sni=False))
    return changes


def _is_name(host: str) -> bool:
    return not host.replace(".", "").isdigit() and ":" not in host


async def run(context: Context) -> None:
    async def one(change: _Change) -> None:
        attempt = Attempt(
            context, "variant", variant=change.variant, cookie=change.cookie, max_segment=change.max_segment
        )
        async with attempt:
            if attempt.connected and await attempt.initiate() and attempt.over_tls:
                await attempt.handshake(split_first=change.split_first, sni=change.sni)

    async with asyncio.TaskGroup() as group:
        for change in _changes(context):
            group.create_task(one(change))


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return None if _changes(context) else ""


PROBE = Probe(
    id="variants",
    title="Try the same with one thing changed",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS),
    connections=3,
    due=due,
    run=run,
)
