"""The floor: a bare asyncio loop that makes connections as rdpdoctor does and does not look at the answers.

A script of its own, with nothing of rdpdoctor imported. For each host it makes `--x224` connections that end
after the connection confirm, `--hello` ones that go on with a ClientHello and read once, and `--tls` ones
with a whole TLS handshake; two at a time on one host. Prints how many of each got that far, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
from collections import Counter

#: TPKT, X.224 connection request, RDP_NEG_REQ asking for TLS (MS-RDPBCGR 2.2.1.1).
REQUEST = bytes.fromhex("030000130ee000000000000100080001000000")
#: xrdp's backlog is 2: with more, the kernel drops a SYN now and then, which costs a whole second.
AT_ONCE = 2
PATIENCE = 20.0


def client_hello(context: ssl.SSLContext) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake ended without a server")


async def connect(host: str, port: int, kind: str, context: ssl.SSLContext, hello: bytes) -> str:
    """`kind` where the connection got as far as that, else "failed"."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(REQUEST)
        confirm = await reader.readexactly(int.from_bytes((await reader.readexactly(4))[2:]) - 4)
        if confirm[1] != 0xD0:
            return "failed"
        if kind == "hello":
            writer.write(hello)
            return kind if await reader.read(65536) else "failed"
        if kind == "tls":
            await writer.start_tls(context)
        return kind
    finally:
        writer.close()


async def host_done(target: str, kinds: list[str], context: ssl.SSLContext, hello: bytes) -> Counter[str]:
    host, _, port = target.rpartition(":")
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str) -> str:
        async with gate:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await connect(host, int(port), kind, context, hello)
            except (OSError, EOFError, TimeoutError):
                return "failed"

    return Counter(await asyncio.gather(*map(one, kinds)))


async def main(targets: list[str], kinds: list[str]) -> Counter[str]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    hello = client_hello(context)
    done = await asyncio.gather(*(host_done(target, kinds, context, hello) for target in targets))
    return sum(done, Counter())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("x224", "hello", "tls"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
    parser.add_argument("targets", nargs="+", metavar="HOST:PORT")
    options = parser.parse_args()
    wanted = ["tls"] * options.tls + ["hello"] * options.hello + ["x224"] * options.x224
    print(json.dumps(asyncio.run(main(options.targets, wanted))))
