"""What DNS itself says of a name, past the system's resolver with its hosts file and cache."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from rdpdoctor.net import background

if TYPE_CHECKING:
    from dns.message import Message

Outcome: TypeAlias = Literal[
    "addresses", "nxdomain", "no-data", "servfail", "refused", "silent", "no-server", "failed"
]

_MOST_ADDRESSES = 16
_MOST_SERVERS = 3
_MOST_SUFFIXES = 3
_PORT = 53


@dataclass(frozen=True, slots=True)
class DnsSaid:
    """outcome: "no-server" where the system has no DNS server, or none may be asked. elapsed: seconds."""

    outcome: Outcome
    addresses: list[str]
    elapsed: float


async def ask_dns(name: str, timeout: float) -> DnsSaid:  # noqa: ASYNC109
    """A and AAAA of `name`, from the DNS servers that the system is configured with. timeout: seconds."""
    if _stays_here(name):
        return DnsSaid("no-server", [], 0.0)
    began = time.perf_counter()
    try:
        # dnspython takes a tenth of a second to import: in the thread it does not hold up the rest.
        said = await background.call(lambda: _ask_configured(name, timeout), timeout + 0.2)
    except TimeoutError:
        said = DnsSaid("silent", [], 0.0)
    return replace(said, elapsed=time.perf_counter() - began)


def _stays_here(name: str) -> bool:
    """localhost and what is under it must not be asked of DNS (RFC 6761 section 6.3)."""
    return name.rstrip(".").lower().rpartition(".")[2] == "localhost"


def _ask_configured(name: str, timeout: float) -> DnsSaid:
    import dns.exception
    import dns.resolver

    ends = time.perf_counter() + timeout
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return DnsSaid("no-server", [], 0.0)
    except (dns.exception.DNSException, OSError, ValueError):
        return DnsSaid("failed", [], 0.0)
    servers = [address for server in resolver.nameservers if (address := _plain(str(server)))]
    suffixes = [suffix.to_text() for suffix in list(resolver.search)[:_MOST_SUFFIXES]]
    said = DnsSaid("no-server", [], 0.0)
    for full in _candidates(name, suffixes):
        said = ask_servers(full, servers, ends, resolver.port or _PORT)
        if said.outcome not in ("nxdomain", "no-data"):
            break
    return said


def _plain(server: str) -> str | None:
    """dnspython also knows DNS over HTTPS and the like; those are named by a URL or with a port."""
    address = server.removeprefix("Do53:").rpartition("@")[0] or server
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def _candidates(name: str, suffixes: list[str]) -> list[str]:
    """A single label is tried with the search suffixes first, as systems do (resolv.conf(5), ndots:1)."""
    absolute = name.removesuffix(".") + "."
    if "." in name:
        return [absolute]
    return [f"{name}.{suffix.strip('.')}." for suffix in suffixes if suffix.strip(".")] + [absolute]


def ask_servers(name: str, servers: list[str], ends: float, port: int = _PORT) -> DnsSaid:
    """Blocks until `ends` (of `perf_counter`). The first that answers decides; else the last failure."""
    servers = servers[:_MOST_SERVERS]
    outcome: Outcome = "no-server"
    for index, server in enumerate(servers):
        # The servers that are left share the time that is left.
        share = (ends - time.perf_counter()) / (len(servers) - index)
        if share <= 0:
            return DnsSaid("silent", [], 0.0)
        outcome, addresses = _ask(name, server, share, port)
        if outcome in ("addresses", "nxdomain", "no-data"):
            return DnsSaid(outcome, addresses, 0.0)
    return DnsSaid(outcome, [], 0.0)


def _ask(name: str, server: str, timeout: float, port: int) -> tuple[Outcome, list[str]]:
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    ends = time.perf_counter() + timeout
    addresses: list[str] = []
    outcome: Outcome = "failed"
    for kind, share in (("A", 0.5), ("AAAA", 1.0)):
        left = (ends - time.perf_counter()) * share
        if left <= 0:
            outcome = "silent"
            break
        try:
            answer, _ = dns.query.udp_with_fallback(
                dns.message.make_query(name, kind), server, timeout=left, port=port, ignore_unexpected=True
            )
        except dns.exception.Timeout:
            outcome = "silent"
            break
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            outcome = "failed"
            break
        rcode = answer.rcode()
        if rcode == dns.rcode.NXDOMAIN:
            outcome = "nxdomain"
            break
        if rcode != dns.rcode.NOERROR:
            outcome = {dns.rcode.SERVFAIL: "servfail", dns.rcode.REFUSED: "refused"}.get(rcode, "failed")  # type: ignore[assignment]
            break
        addresses += _found(answer, kind)
        outcome = "no-data"
    return ("addresses", addresses[:_MOST_ADDRESSES]) if addresses else (outcome, [])


def _found(answer: Message, kind: str) -> list[str]:
    import dns.rdatatype

    wanted = dns.rdatatype.from_text(kind)
    records = (record for rrset in answer.answer if rrset.rdtype == wanted for record in rrset)
    return [str(getattr(record, "address", "")) for record in islice(records, _MOST_ADDRESSES)]
