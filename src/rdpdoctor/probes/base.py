"""What a probe is: when it runs, what it may write, what it costs, and how it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rdpdoctor.facts import Observation
    from rdpdoctor.probes.context import Context


class Phase(Enum):
    """Probes of one phase run in the order of the tuple; of experiments, those that are worth it."""

    WALK = 1  # one connection, step by step, as a client would
    COMPARE = 2  # the same with other requests: what the server would take
    EXPERIMENT = 3  # the same with one thing changed, where its result would separate causes


@dataclass(frozen=True, slots=True)
class Experiment:
    """One question that connections of ours can answer.

    seconds, connections: what it costs, as far as the walk lets us guess. outcomes: by their names, what the
    journal would gain. concerns: whether an observation made meanwhile is its own. judge: the name of the
    outcome that its own observations amount to. alone: only with no other connection of ours open.
    """

    id: str
    seconds: float
    connections: int
    outcomes: Mapping[str, tuple[Observation, ...]]
    run: Callable[[], Awaitable[None]]
    concerns: Callable[[Observation], bool]
    judge: Callable[[Sequence[Observation]], str]
    alone: bool = False


def nothing(_: Context) -> tuple[Experiment, ...]:
    return ()


async def at_rest(_: Context) -> None:
    """What a probe that only offers experiments does by itself."""


@dataclass(frozen=True, slots=True)
class Probe:
    """emits: the tags it can write. connections: the most it opens by itself on an ordinary target.

    `due` says why the probe has nothing to do ("" = not worth a word), or None where it has. One of the phase
    EXPERIMENT does not `run` but `offers`.
    """

    id: str
    title: str
    phase: Phase
    emits: tuple[str, ...]
    connections: int
    due: Callable[[Context], str | None]
    run: Callable[[Context], Awaitable[None]] = at_rest
    offers: Callable[[Context], tuple[Experiment, ...]] = nothing


TCP_TAGS = ("tcp.connected", "tcp.refused", "tcp.rejected", "tcp.silent", "tcp.failed", "tcp.measured")
X224_TAGS = (
    "x224.selected",
    "x224.plain",
    "x224.failure",
    "x224.closed",
    "x224.reset",
    "x224.silent",
    "x224.stalled",
    "x224.malformed",
    "x224.declined",
)
TLS_ENDINGS = (
    "tls.closed",
    "tls.reset",
    "tls.silent",
    "tls.stalled",
    "tls.malformed",
    "tls.alerted",
    "tls.rejected",
)
CERTIFICATE_TAGS = ("tls.certificate", "tls.certificate-unreadable", "tls.chain")
TLS_TAGS = ("tls.completed", *TLS_ENDINGS, *CERTIFICATE_TAGS)
NLA_ENDINGS = (
    "nla.error",
    "nla.closed",
    "nla.reset",
    "nla.silent",
    "nla.stalled",
    "nla.malformed",
    "nla.alerted",
)
MCS_TAGS = ("mcs.closed", "mcs.reset")
X224_ENDINGS = tuple(tag for tag in X224_TAGS if tag not in ("x224.selected", "x224.plain", "x224.failure"))


def walk_failed_at(context: Context) -> str | None:
    """The first word of the walk's ending ("x224", "tls", "nla", "mcs"), or None while it has not failed."""
    for row in context.journal:
        if row.args.get("role") == "walk" and row.tag in (
            *X224_ENDINGS,
            "x224.failure",
            *TLS_ENDINGS,
            *NLA_ENDINGS,
        ):
            return row.tag.split(".", 1)[0]
    return None


def walk_ending(context: Context) -> str | None:
    """How the walk ended: "closed", "silent" …, or None."""
    for row in context.journal:
        if row.args.get("role") == "walk" and row.tag in (
            *X224_ENDINGS,
            *TLS_ENDINGS,
            *NLA_ENDINGS,
            *MCS_TAGS,
        ):
            return row.tag.split(".", 1)[1]
    return None


def known_otherwise(context: Context) -> str | None:
    """The protocol that the walk's first answer resembles, where that is clearly not Remote Desktop's."""
    for row in context.journal.tagged("x224.malformed"):
        known = row.args.get("looks_like")
        if row.args.get("role") == "walk" and isinstance(known, str) and known != "text":
            return known
    return None
