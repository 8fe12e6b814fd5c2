"""What a scenario is: an endpoint with its planted fault, and what a check of it must conclude and must not.

All of it is data; `load` reads it from `scenarios/NAME.toml`, `endpoint` plays it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where in the conversation a fault strikes, in order. `request`, `hello` and `negotiate` strike when that
#: message has come whole, instead of our answer (`cut`, `drip`: on it); the others right after theirs.
POINTS = ("connect", "request", "confirm", "hello", "handshake", "negotiate", "challenge")

#: close: FIN, then read on. reset: RST. silence: read and say nothing. cut: the first `length` bytes of our
#: answer, then `then`. drip: our answer byte by byte, `pace` seconds apart. say: `payload`, then `then`.
#: alert: TLS alert `alert`, then close. flood: `payload` again and again until the client goes.
DEEDS = ("close", "reset", "silence", "cut", "drip", "say", "alert", "flood")

#: What a listener does. absent: SYN gets RST. dropping: SYN gets no answer (Linux only).
LISTENERS = ("listening", "absent", "dropping")

SPEAKS = ("rdp", "http", "ssh", "vnc", "tls")
PROTOCOLS = {"rdp": 0x00, "tls": 0x01, "hybrid": 0x02, "rdstls": 0x04, "hybrid-ex": 0x08, "rdsaad": 0x10}
VERSIONS = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0304}
KEYS = ("rsa-1024", "rsa-2048", "rsa-4096", "ec-p256")
SIGNATURES = ("sha256", "sha1")
USAGES = ("server", "client", "rdp")
NEEDS = ("linux", "many-addresses", "ipv6")
#: What a scenario may combine with causes, or with each other: things that are no fault by themselves.
#: healthy: the server is. code, answer: what the client showed or the user says misleads. slow, pieces: how
#: answers come. many: the name has several addresses. proxy: something forwards the connections.
CIRCUMSTANCES = ("healthy", "code", "answer", "slow", "pieces", "many", "proxy")


@dataclass(frozen=True, slots=True)
class When:
    """Which connections a fault befalls: those for which all that is set here holds.

    every: connection number 3, 6, 9 … for 3. turn: (1, 2) for connections 1, 3, 5 …: number modulo 2 is 1.
    after: connections beyond number so many. over: more than so many are open at once. cookie: "any", "none",
    the mstshash value, or "!" and a value: one that is another. requested: one of these requestedProtocols.
    address: the one connected to.
    segment_over: the segments we may send are larger than this, in bytes; answer_over: so is our answer.
    sni: the ClientHello names the host. joined: it came in one piece.
    """

    every: int | None = None
    after: int | None = None
    over: int | None = None
    cookie: str | None = None
    requested: tuple[int, ...] = ()
    address: str | None = None
    turn: tuple[int, int] | None = None
    segment_over: int | None = None
    answer_over: int | None = None
    sni: bool | None = None
    joined: bool | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """wait: seconds until it strikes."""

    at: str
    does: str
    then: str = "silence"
    wait: float = 0.0
    length: int = 0
    pace: float = 1.0
    alert: int = 80
    payload: bytes = b""
    when: When = field(default_factory=When)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a connection request: a selection, a failure, or a plain confirm where both are None."""

    select: int | None = None
    fail: int | None = None


@dataclass(frozen=True, slots=True)
class Initiation:
    """accepts: protocols, from which the answer follows as on Windows. always, answers: fixed ones instead.

    `answers` is by requestedProtocols; a request without a negotiation counts as 0.
    """

    accepts: frozenset[int] = frozenset({0x01, 0x02, 0x08})
    flags: int = 0x1F
    always: Answer | None = None
    answers: Mapping[int, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certificate:
    """days: validity from and to, counted from now. issuer: name of a lab authority, None for self-signed.

    usages: None leaves the extension out. chain: certificates sent. padding: bytes of organisational units.
    """

    common_name: str = "SRV01"
    names: tuple[str, ...] = ()
    key: str = "rsa-2048"
    signature: str = "sha256"
    days: tuple[int, int] = (-20, 160)
    usages: tuple[str, ...] | None = ("server",)
    issuer: str | None = None
    chain: int = 1
    padding: int = 0


@dataclass(frozen=True, slots=True)
class Tls:
    """versions: lowest and highest. ciphers: OpenSSL's notation.

    suites: where given, OpenSSL has no part in it: a hello is answered with our own bytes as far as
    ServerHelloDone, for versions and suites that no current library speaks.
    """

    versions: tuple[int, int] = (0x0303, 0x0304)
    ciphers: str | None = None
    suites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Nla:
    """version: of CredSSP. os: version as major, minor, build. clock: seconds the server is ahead.

    status: the NTSTATUS that ends each sign-in after the challenge. error: the one instead of a challenge.
    """

    version: int = 6
    computer: str = "SRV01"
    domain: str = "SRV01"
    dns_computer: str = "SRV01"
    dns_domain: str = "SRV01"
    dns_tree: str | None = None
    os: tuple[int, int, int] = (10, 0, 20348)
    clock: float = 0.0
    status: int = 0xC000006D
    error: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """An endpoint. delay: seconds before each answer. segment: bytes a send. serves: so many at a time, and
    the others wait until one of these has gone.

    listeners: by address, one of LISTENERS; "" is for all others. Certificates take turns: connection `n`
    gets number `n` modulo their count. members: who answers instead, the first that fits.
    """

    addresses: tuple[str, ...] = ()
    listeners: Mapping[str, str] = field(default_factory=dict)
    speaks: str = "rdp"
    delay: float = 0.0
    segment: int | None = None
    serves: int | None = None
    x224: Initiation = field(default_factory=Initiation)
    tls: Tls = field(default_factory=Tls)
    certificates: tuple[Certificate, ...] = (Certificate(),)
    nla: Nla = field(default_factory=Nla)
    faults: tuple[Fault, ...] = ()
    members: tuple[Member, ...] = ()

    def listener(self, address: str) -> str:
        return self.listeners.get(address, self.listeners.get("", "listening"))

    def answering(self, address: str, number: int) -> Plan:
        """Who answers connection `number` to `address`: a member, or this one itself."""
        fits = (member.plan for member in self.members if member.answers(address, number))
        return next(fits, self)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the servers behind a name: at its own address, or as connections take turns (see `When`)."""

    plan: Plan
    address: str | None = None
    turn: tuple[int, int] | None = None

    def answers(self, address: str, number: int) -> bool:
        ours = self.address is None or self.address == address
        return ours and (self.turn is None or number % self.turn[1] == self.turn[0])


@dataclass(frozen=True, slots=True)
class Check:
    """How to check the endpoint. host: the name to check by, None for its address. timeout in seconds."""

    host: str | None = None
    code: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """causes: one of them must come first; where none is given, no cause may be left standing.

    also: causes that must be left standing beside it, and that no report may name first.
    forbid: causes that may not be left standing at all (confirmed, likely or possible).
    observed: tags that must be among the observations.
    """

    status: str
    stage: str | None = None
    causes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """combines: what is wrong or misleading at once, where that is several things: causes, CIRCUMSTANCES."""

    name: str
    title: str
    teaches: str
    endpoint: Plan
    expect: Expect
    check: Check = field(default_factory=Check)
    needs: tuple[str, ...] = ()
    combines: tuple[str, ...] = ()
