"""Whether something else than Remote Desktop lives on the port: its banner, its answer to HTTP, its answer
to TLS.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.net.clock import monotonic
from rdpdoctor.net.dial import DialFailed, dial
from rdpdoctor.net.gate import Exhausted
from rdpdoctor.probes.attempt import TCP_WAIT
from rdpdoctor.probes.base import X224_ENDINGS, Experiment, Phase, Probe, known_otherwise
from rdpdoctor.probes.telling import looks_like
from rdpdoctor.wire.tls_hello import client_hello
from rdpdoctor.wire.tls_record import HandshakeType, Version, handshake_records
from rdpdoctor.wire.tls_suites import MODERN, for_version

if TYPE_CHECKING:
    from rdpdoctor.net.connection import Connection
    from rdpdoctor.probes.context import Context

_LISTEN = 1.0  # services that speak first do so at once
_ANSWER = 2.0
_ENOUGH = 256
_HTTP = b"GET / HTTP/1.0\r\n\r\n"


def due(context: Context) -> str | None:
    if context.walk is None:
        return "no connection"
    died = any(row.args.get("role") == "walk" for row in context.journal.tagged(*X224_ENDINGS))
    return None if died else ""


def offers(context: Context) -> tuple[Experiment, ...]:
    """Where the walk's answer has said it already, this costs no connection."""
    known = known_otherwise(context)
    outcomes: dict[str, tuple[Observation, ...]] = {} if known else {"nothing": ()}
    for protocol in (known,) if known else ("http", "tls"):
        seen = {"protocol": protocol, "banner": ""}
        outcomes[protocol] = (Observation("service.identified", seen, Stage.X224),)
    return (
        Experiment(
            id="identify",
            seconds=0.0 if known else _LISTEN + context.another(),
            connections=0 if known else 2,
            outcomes=outcomes,
            run=partial(run, context),
            concerns=lambda row: row.tag == "service.identified",
            judge=lambda rows: str(rows[0].args.get("protocol")) if rows else "nothing",
        ),
    )


async def run(context: Context) -> None:
    if (known := known_otherwise(context)) is not None:
        rows = context.journal.tagged("x224.malformed")
        context.emit(
            "service.identified", protocol=known, banner=_text(bytes.fromhex(str(rows[0].args["sample"])))
        )
        return
    async with asyncio.TaskGroup() as group:
        spoken = group.create_task(_ask(context, _HTTP, _LISTEN))
        encrypted = group.create_task(_ask(context, _tls_question(context.host), 0.0))
    for answer in (spoken.result(), encrypted.result()):
        if answer and answer[:2] != b"\x03\x00" and (protocol := looks_like(answer)) is not None:
            banner = "" if protocol == "tls" else _text(answer)
            context.emit("service.identified", protocol=protocol, banner=banner)
            return


def _tls_question(host: str) -> bytes:
    hello = client_hello(Version.TLS12, for_version(MODERN, Version.TLS12), host, os.urandom(32))
    return handshake_records(HandshakeType.CLIENT_HELLO, hello.encode(), Version.TLS10)


async def _ask(context: Context, question: bytes, listen: float) -> bytes:
    """What comes by itself within `listen` seconds, else what comes after `question`."""
    try:
        async with context.gate.slot():
            connection = await dial(context.address, context.port, context.patience(TCP_WAIT, 0.1))
            if isinstance(connection, DialFailed):
                return b""
            with connection:
                if listen and (banner := await _receive(connection, context, listen)):
                    return banner
                await connection.send(question, monotonic() + context.patience(_ANSWER))
                return await _receive(connection, context, _ANSWER)
    except (ConnectionResetError, TimeoutError, Exhausted):
        return b""


async def _receive(connection: Connection, context: Context, wait: float) -> bytes:
    """The first bytes within `wait` seconds; none where none came."""
    try:
        return await connection.receive(_ENOUGH, monotonic() + context.patience(wait))
    except TimeoutError:
        return b""


def _text(data: bytes) -> str:
    return data[:80].decode("latin-1")


PROBE = Probe(
    id="identify",
    title="Ask who lives on the port",
    phase=Phase.EXPERIMENT,
    emits=("service.identified",),
    connections=2,
    due=due,
    offers=offers,
)
