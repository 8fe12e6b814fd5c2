"""Rules of any cloud in one form.

A source is a span of addresses, or a name whose addresses the file does not tell (a service tag, a security
group, a prefix list): what is known of such a name is where its addresses may lie, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

#: IP version, first and last address as numbers.
Span: TypeAlias = "tuple[int, int, int]"
#: First and last port.
Ports: TypeAlias = "tuple[int, int]"

ALL_PORTS: Ports = (0, 65535)
TCP, UDP = "tcp", "udp"
BOTH = frozenset({TCP, UDP})


class RulesError(ValueError):
    """The file holds no rules that can be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Named:
    """A source by name. within: where its addresses may lie; empty: anywhere. clients: people are there.
    unread: it is what stands in place of a source, and could not be read.
    """

    name: str
    within: tuple[Span, ...] = ()
    clients: bool = True
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """priority: as the cloud shows it; None where it has none. narrow: it applies to some machines or client
    ports only, or part of it could not be read. built_in: made by the cloud, not by a person.
    """

    name: str
    allow: bool
    priority: int | None
    spans: tuple[Span, ...]
    named: tuple[Named, ...] = ()
    ports: tuple[Ports, ...] = (ALL_PORTS,)
    protocols: frozenset[str] = BOTH
    narrow: bool = False
    built_in: bool = False

    @property
    def unread(self) -> bool:
        """Whether it may mean anybody."""
        return any(one.unread for one in self.named)

    def concerns(self, protocol: str, ports: Ports) -> bool:
        """Whether it is about all of these ports: a rule for a part of them is asked part by part."""
        first, last = ports
        return protocol in self.protocols and any(low <= first and last <= high for low, high in self.ports)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that decide together, in the order in which they are asked; what none is about, is denied.

    kind: nsg, effective-nsg, security-group, network-acl or firewall. back: the rules for the answers, where
    the cloud keeps no state. together: it and its siblings in the file all apply, and all must allow. whole:
    False where rules of it are missing. idle: the file says that it is attached to nothing. off: rules that
    are switched off.
    """

    provider: str
    kind: str
    name: str
    rules: tuple[Rule, ...]
    back: tuple[Rule, ...] | None = None
    together: bool = False
    whole: bool = True
    idle: bool = False
    off: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class JustInTime:
    """A machine's port under just-in-time access (Azure). until: the latest end of the requests, as written;
    None without a request.
    """

    machine: str
    port: Ports
    until: str | None


@dataclass(slots=True)
class Found:
    """What a file holds. lost: what of it could not be used, a phrase each."""

    groups: list[Group] = field(default_factory=list)
    just_in_time: list[JustInTime] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def span(network: IPv4Network | IPv6Network) -> Span:
    return network.version, int(network.network_address), int(network.broadcast_address)


def spans(*texts: str) -> tuple[Span, ...]:
    return tuple(span(ip_network(text)) for text in texts)


ANY_V4, ANY_V6 = spans("0.0.0.0/0", "::/0")
EVERYWHERE = (ANY_V4, ANY_V6)
#: Where machines of private networks are (RFC 1918, 6598, 4193).
PRIVATE = spans("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
#: What is routed on the Internet, roughly: all that the IANA registries reserve for nothing else.
PUBLIC: tuple[Span, ...] = (
    *((4, first, last) for first, last in (
        (0x01000000, 0x09FFFFFF),  # 1.0.0.0 to 9.255.255.255
        (0x0B000000, 0x643FFFFF),  # 11.0.0.0 to 100.63.255.255
        (0x64800000, 0x7EFFFFFF),  # 100.128.0.0 to 126.255.255.255
        (0x80000000, 0xA9FDFFFF),  # 128.0.0.0 to 169.253.255.255
        (0xA9FF0000, 0xAC0FFFFF),  # 169.255.0.0 to 172.15.255.255
        (0xAC200000, 0xC0A7FFFF),  # 172.32.0.0 to 192.167.255.255
        (0xC0A90000, 0xDFFFFFFF),  # 192.169.0.0 to 223.255.255.255
    )),
    *spans("2000::/3"),
)  # fmt: skip
