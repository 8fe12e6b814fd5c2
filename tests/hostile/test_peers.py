"""The hostile peers themselves: each starts, meets a plain client, and ends. Needs nothing of the product.

Without this a peer that breaks by itself would look like one that the product handles well.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from .cases import CASES
from .peers import NTLMSSP, Peer, healthy, proxied, ts_request

if TYPE_CHECKING:
    from .kit import Kit

REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")


def visit(peer: Peer, seconds: float = 0.3) -> list[bytes]:
    """Go as far as a client can; what came at each stage, with an empty end where it ended."""
    got = []
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", peer.port), seconds) as plain:
        plain.sendall(REQUEST)
        got.append(plain.recv(4096))
        if got[0][11:12] != b"\x02":
            return got
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain) as secure:
            got.append(secure.getpeercert(binary_form=True) or b"")
            secure.sendall(ts_request(6, NTLMSSP + b"\x01\x00\x00\x00" + bytes(24)))
            got.append(secure.recv(4096))
    return got


@pytest.mark.parametrize("name", CASES)
def test_starts_and_ends(kit: Kit, name: str) -> None:
    with Peer(CASES[name].make(kit)) as peer:
        got = visit(peer)
        assert peer.accepted == 1
    if name in ("healthy", "healthy-tls-1.2"):
        assert len(got) == 3
        assert NTLMSSP in got[2]
    elif name in ("silent", "closes", "closes-at-once", "resets", "resets-at-once"):
        assert b"".join(got) == b""
    elif name.startswith("banner-"):
        assert got[0][:2] != b"\x03\x00"


@pytest.mark.parametrize("how", ["close", "reset", "stall"])
@pytest.mark.parametrize("cut", [0, 7, 19, 400])
def test_cut_ends_where_it_should(kit: Kit, cut: int, how: str) -> None:
    with proxied(healthy(kit.good), cut, how) as peer:
        got = visit(peer)
    assert len(got[0]) == min(cut, 19) if got else cut == 0
    assert len(got) < 2, "the handshake was cut"
