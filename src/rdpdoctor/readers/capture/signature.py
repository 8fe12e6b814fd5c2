"""Is this Remote Desktop? By the first bytes of a connection, whatever its port."""

from __future__ import annotations

import re

_HEAD = 11  # TPKT and the fixed part of a connection request
#: What may follow it: a negotiation block, `Cookie:`, a routing token (MS-RDPBCGR 2.2.1.1). Other users of
#: X.224 write parameters of X.224 there (0xC0 to 0xC2).
_BEHIND = b"\x01\x06Ctm"
_REQUEST = re.compile(rb"\x03\x00[\x00-\x10][\s\S][\x06-\xfe]\xe0\x00\x00")
_ISO_TSAP = 102

_PROXY2 = b"\r\n\r\n\x00\r\nQUIT\n"
_FIRST = frozenset(b"\x03\x04\x05CP\r")  # of a request, and of what carries one (`tunnel`)
_NO_FLAGS = bytes(4)  # of a preconnection blob
#: Where a connection request may come after something else.
_SEARCHED = 4096


def is_nothing(data: bytes) -> bool:
    """A quick look at a connection's first bytes: neither a request nor what may come before one."""
    return len(data) > _HEAD and data[0] not in _FIRST and not data.startswith(_NO_FLAGS, 4)


def may_become_request(data: bytes) -> bool:
    """Too short to tell, and nothing against it."""
    return len(data) < _HEAD and data[:2] == b"\x03\x00"[: len(data)] and (len(data) < 6 or data[5] == 0xE0)


def is_request(data: bytes, port: int = 0) -> bool:
    """An X.224 connection request as Remote Desktop's clients write it, in its TPKT."""
    if len(data) < _HEAD or data[:2] != b"\x03\x00" or data[5] != 0xE0:
        return False
    length, indicator = data[2] << 8 | data[3], data[4]
    if length < _HEAD or not 6 <= indicator <= length - 5:
        return False
    return data[_HEAD] in _BEHIND if len(data) > _HEAD else port != _ISO_TSAP


def is_confirm(data: bytes) -> bool:
    """A connection confirm with a negotiation block: the recording begins just after the request."""
    return len(data) >= 12 and data[:3] == b"\x03\x00\x00" and data[5] == 0xD0 and data[11] in (2, 3)


def is_client_hello(data: bytes) -> bool:
    return len(data) >= 6 and data[0] == 22 and data[1] == 3 and data[5] == 1


def tunnel(data: bytes) -> str:
    """What a connection begins with that may carry another one inside; "" for anything else."""
    if len(data) >= 3 and data[0] == 5 and len(data) == 2 + data[1]:
        return "socks"
    if len(data) >= 9 and data[0] == 4 and data[1] in (1, 2) and data[-1] == 0:
        return "socks"
    if data.startswith(b"CONNECT "):
        return "connect"
    if data.startswith((b"PROXY ", _PROXY2)):
        return "proxy"
    if len(data) >= 16 and int.from_bytes(data[:4], "little") >= 16 and data[4:8] == bytes(4):
        # RDP_PRECONNECTION_PDU (MS-RDPEPS 2.2.1): cbSize, flags, version
        return "preconnection" if data[8:12] in (b"\x01\x00\x00\x00", b"\x02\x00\x00\x00") else ""
    return ""


def find_request(data: bytes | bytearray) -> int:
    """Where in the beginning of a tunnel a connection request stands, or -1."""
    found = _REQUEST.search(data, 0, _SEARCHED)
    return found.start() if found else -1
