"""What else may listen on a Remote Desktop port: each speaks just enough to be recognised."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rdpdoctor.connection.server.tls import TlsAccepted, TlsServer
from rdpdoctor.lab import certificates

if TYPE_CHECKING:
    from rdpdoctor.lab.peer import Peer
    from rdpdoctor.lab.scenario import Plan

#: Seconds until a client that does not make sense is given up, and the most that is read of it.
_PATIENCE, _LINE = 20.0, 8192
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nServer: lab\r\nContent-Length: 12\r\nConnection: close\r\n\r\nBad Request\n"
)


async def speak(plan: Plan, peer: Peer) -> None:
    match plan.speaks:
        case "ssh":
            await peer.send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
            await _until(peer, b"\n")
        case "vnc":
            await peer.send(b"RFB 003.008\n")
            await _until(peer, b"\n")
        case "http":
            await _until(peer, b"\n")
            await peer.send(_BAD_REQUEST)
        case "tls":
            await _tls(plan, peer)
    await peer.end("close")


async def _until(peer: Peer, mark: bytes) -> None:
    """Read until the client has sent `mark`, or has gone, or has had its time."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    heard = b""
    try:
        while mark not in heard and len(heard) < _LINE and (data := await peer.receive(deadline)):
            heard += data
    except OSError:
        return


async def _tls(plan: Plan, peer: Peer) -> None:
    """TLS from the first byte; what comes inside is not answered."""
    machine = TlsServer(certificates.context(plan.tls, plan.certificates[0]), _PATIENCE)
    machine.begin(asyncio.get_running_loop().time())
    while output := await peer.advance(machine):
        await peer.send(output)
    if isinstance(machine.outcome, TlsAccepted):
        await _until(peer, b"\0")
