"""A server that ends the connection where the client has the next word, and one that waits for it."""

from __future__ import annotations

import asyncio

import pytest

from rdpdoctor.check import Settings, check
from rdpdoctor.diagnosis import diagnose
from rdpdoctor.facts import Journal, Target
from rdpdoctor.knowledge import load

#: A connection confirm without a negotiation block: standard RDP security (MS-RDPBCGR 2.2.1.2).
PLAIN_CONFIRM = bytes.fromhex("0300000b06d00000123400")


def checked(stays: bool) -> Journal:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\x01\x00\x08\x00")
            writer.write(PLAIN_CONFIRM)
            await writer.drain()
            if stays:
                await reader.read()  # until the client leaves
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> Journal:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await check(Target("here", "127.0.0.1", port), Settings(timeout=10, experiments=False))

    return asyncio.run(run())


@pytest.mark.parametrize("stays", [True, False])
def test_whether_the_server_stays(stays: bool) -> None:
    journal = checked(stays)
    verdict = diagnose(journal, load()).verdict
    seen = [row.tag for row in journal if row.tag.startswith("mcs.")]
    if stays:
        assert seen == []
        assert (verdict.status, verdict.stage) == ("degraded", "x224")
    else:
        assert len(seen) == 1
        assert (verdict.status, verdict.stage) == ("failing", "mcs")
