"""By name and by address: does the name that the server gives itself lead to the same address?

Only a name in the target's own domain is looked up: a stranger does not choose what this machine asks DNS.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.net.resolve import LookupFailed, resolve
from rdpdoctor.probes.base import Experiment, Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.facts import Value
    from rdpdoctor.probes.context import Context

_WAIT = 2.0
_NAME = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+", re.IGNORECASE
)


def _other_name(context: Context) -> str | None:
    """The server's own full name, where it is not the target's but in the same domain."""
    challenge = context.journal.first("nla.challenged")
    own = challenge.args.get("dns_computer") if challenge is not None else None
    host = context.host.casefold().rstrip(".")
    _, dot, domain = host.partition(".")
    if not isinstance(own, str) or len(own) > 253 or not _NAME.fullmatch(own) or not dot:
        return None
    own = own.casefold()
    return own if own != host and own.endswith(f".{domain}") and not domain.isdigit() else None


async def _look(context: Context, name: str) -> None:
    result = context.settings.hosts.get(name) or await resolve(name, context.patience(_WAIT, 0.1))
    if isinstance(result, LookupFailed):
        if result.kind == "not-found":
            context.emit(
                "dns.other-name", name=name, addresses=[], same=None
            )  # nobody knows it: tells nothing
        return
    addresses = list(result if isinstance(result, tuple) else result.addresses)
    context.emit("dns.other-name", name=name, addresses=addresses, same=context.address in addresses)


def offers(context: Context) -> tuple[Experiment, ...]:
    name = _other_name(context)
    if name is None:
        return ()

    def imagined(same: bool) -> tuple[Observation, ...]:
        args: dict[str, Value] = {"name": name, "addresses": [context.address] if same else [], "same": same}
        return (Observation("dns.other-name", args, Stage.DNS),)

    return (
        Experiment(
            id="other-name",
            seconds=0.2,
            connections=0,
            outcomes={"same-address": imagined(True), "another-address": imagined(False)},
            run=partial(_look, context, name),
            concerns=lambda row: row.tag == "dns.other-name",
            judge=lambda rows: (
                "unknown"
                if not rows or rows[0].args["same"] is None
                else "same-address"
                if rows[0].args["same"]
                else "another-address"
            ),
        ),
    )


def due(context: Context) -> str | None:
    return None if context.walk is not None and _other_name(context) is not None else ""


PROBE = Probe(
    id="other-name",
    title="Look up the name the server gives itself",
    phase=Phase.EXPERIMENT,
    emits=("dns.other-name",),
    connections=0,
    due=due,
    offers=offers,
)
