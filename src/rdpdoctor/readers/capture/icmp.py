"""ICMP errors that quote a TCP connection (RFC 792, RFC 4443)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.capture import ip
from rdpdoctor.readers.capture.flow import Rejection

if TYPE_CHECKING:
    from collections.abc import Mapping

#: (type, code) → the names of tag tcp.rejected, and two that are no rejection.
_V4: Mapping[tuple[int, int], str] = {
    (3, 0): "net-unreachable",
    (3, 1): "host-unreachable",
    (3, 3): "port-unreachable",
    (3, 4): "too-big",
    (3, 9): "net-prohibited",
    (3, 10): "host-prohibited",
    (3, 13): "admin-prohibited",
    (11, 0): "ttl-exceeded",
}
_V6: Mapping[tuple[int, int], str] = {
    (1, 0): "net-unreachable",
    (1, 1): "admin-prohibited",
    (1, 3): "host-unreachable",
    (1, 4): "port-unreachable",
    (1, 5): "admin-prohibited",
    (1, 6): "admin-prohibited",
    (2, 0): "too-big",
    (3, 0): "ttl-exceeded",
}
_HEADER = 8


def parse(packet: ip.Packet, data: bytes, when: float) -> tuple[bytes, Rejection] | None:
    """The key of the quoted packet's connection, and what is said of it; None for any other ICMP."""
    at = packet.at
    if packet.end - at < _HEADER + 20:
        return None
    kind, code = data[at], data[at + 1]
    older = packet.protocol == ip.ICMP
    errors = (3, 11) if older else (1, 2, 3)
    if kind not in errors:
        return None
    quoted = ip.parse(data, at + _HEADER, packet.end)
    if quoted is None or quoted.protocol != ip.TCP or quoted.end - quoted.at < 4:
        return None
    name = (_V4 if older else _V6).get((kind, code), "other")
    mtu = None
    if name == "too-big":
        mtu = int.from_bytes(data[at + 6 : at + 8] if older else data[at + 4 : at + 8], "big") or None
    offender = ip.address(packet.addresses[: len(packet.addresses) // 2])
    return quoted.addresses + data[quoted.at : quoted.at + 4], Rejection(name, offender, when, mtu)
