"""The name: what the system's resolver says, and what DNS itself says where the two could differ."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any

from rdpdoctor.net.clock import ms
from rdpdoctor.net.resolve import LookupFailed, ask_dns, resolve
from rdpdoctor.probes.base import Phase, Probe

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_WAIT = 6.0
_DNS_WAIT = 2.0
# When the system has answered, DNS is only asked whether it agrees, and that is worth no waiting.
_GRACE = 0.25


async def run(context: Context) -> None:
    name = context.host
    fixed = context.settings.hosts.get(name)
    if fixed:
        context.addresses = list(fixed)
        context.emit("dns.resolved", name=name, addresses=list(fixed), via="system", elapsed_ms=0.0)
        return
    if _is_address(name):
        context.addresses = [name]
        context.emit("dns.resolved", name=name, addresses=[name], via="literal", elapsed_ms=0.0)
        return
    asking = asyncio.create_task(ask_dns(name, context.patience(_DNS_WAIT, 0.1)))
    try:
        result = await resolve(name, context.patience(_WAIT, 0.3))
        if isinstance(result, LookupFailed):
            tag = {"not-found": "dns.not-found", "silent": "dns.silent"}.get(result.kind, "dns.failed")
            extra: dict[str, Any] = {} if tag == "dns.silent" else {"error": result.error}
            context.emit(tag, name=name, **extra, elapsed_ms=ms(result.elapsed))
        else:
            context.addresses = list(result.addresses)
            context.emit(
                "dns.resolved",
                name=name,
                addresses=list(result.addresses),
                via=result.via,
                elapsed_ms=ms(result.elapsed),
            )
        done, _ = await asyncio.wait({asking}, timeout=None if isinstance(result, LookupFailed) else _GRACE)
        if done and (said := asking.result()).outcome != "no-server":
            context.emit(
                "dns.server-said",
                name=name,
                outcome=said.outcome,
                addresses=list(said.addresses),
                elapsed_ms=ms(said.elapsed),
            )
    finally:
        asking.cancel()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


PROBE = Probe(
    id="dns",
    title="Look the name up",
    phase=Phase.WALK,
    emits=("dns.resolved", "dns.not-found", "dns.failed", "dns.silent", "dns.server-said"),
    connections=0,
    due=lambda _: None,
    run=run,
)
