"""The same with one thing changed: another cookie, smaller segments, a split hello, no name in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.net.dial import can_limit_segments
from rdpdoctor.probes import foretell
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import (
    TCP_TAGS,
    TLS_TAGS,
    X224_TAGS,
    Experiment,
    Phase,
    Probe,
    known_otherwise,
    walk_ending,
    walk_failed_at,
)
from rdpdoctor.probes.context import NEUTRAL_COOKIE, Context

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation

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
    """What can be changed about the message that the walk died on."""
    own, died_at = context.cookie, walk_failed_at(context)
    changes = []
    if died_at == "x224" or context.settings.everything:
        cookies = [_Change("no-cookie", None), _Change("neutral-cookie", NEUTRAL_COOKIE)]
        changes += [change for change in cookies if change.cookie != own]
    if died_at == "tls" or context.settings.everything:
        changes.append(_Change("split-hello", own, split_first=True))
        if _is_name(context.host):
            changes.append(_Change("no-sni", own, sni=False))
        if can_limit_segments():
            changes.append(_Change("small-segments", own, max_segment=_SMALL_SEGMENT))
    return changes


def _is_name(host: str) -> bool:
    return not host.replace(".", "").isdigit() and ":" not in host


async def _try(context: Context, change: _Change) -> None:
    async with Attempt(
        context, "variant", variant=change.variant, cookie=change.cookie, max_segment=change.max_segment
    ) as attempt:
        await attempt.proceed(split_first=change.split_first, sni=change.sni)


def offers(context: Context) -> tuple[Experiment, ...]:
    return tuple(
        Experiment(
            id=change.variant,
            seconds=context.another(),
            connections=1,
            outcomes={
                "passes": foretell.passing(context, [0], "variant", change.variant, **_cookie(change)),
                "same": foretell.alike(context, [0], "variant", change.variant, **_cookie(change)),
            },
            run=partial(_try, context, change),
            concerns=partial(_is_of, change.variant),
            judge=partial(foretell.fared, context),
        )
        for change in _changes(context)
    )


def _is_of(variant: str, row: Observation) -> bool:
    return row.args.get("variant") == variant


def _cookie(change: _Change) -> dict[str, str | None]:
    return {"cookie": change.cookie} if change.variant.endswith("cookie") else {}


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    return "" if known_otherwise(context) is not None or walk_ending(context) is None else None


PROBE = Probe(
    id="variants",
    title="Try the same with one thing changed",
    phase=Phase.EXPERIMENT,
    emits=(*TCP_TAGS, *X224_TAGS, *TLS_TAGS),
    connections=3,
    due=due,
    offers=offers,
)
