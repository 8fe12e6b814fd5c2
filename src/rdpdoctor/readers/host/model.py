"""What files say of a machine, whatever their kind: plain values, not judged yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdpdoctor.facts import Observation

#: Rows of one kind that are kept. A server has some hundreds of firewall rules and values.
MOST = 5_000
#: Characters of one text that are kept.
LONGEST = 2_000


class HostError(ValueError):
    """The file as a whole is nothing that tells of a machine; says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of the registry. value: a number, or text (bytes in hexadecimal, lines joined by a line
    break); None where the file says that it was deleted, or must not be told.
    """

    key: str
    name: str
    value: int | str | None
    by_policy: bool | None = None  # None: the key tells


@dataclass(frozen=True, slots=True)
class Service:
    """state: running stopped starting stopping paused; start: auto manual disabled; None: not told."""

    name: str
    state: str | None = None
    start: str | None = None
    pid: int | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    protocol: str
    address: str
    port: int
    pid: int | None = None
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """Times are ISO 8601, UTC. usages: OIDs; None where any is allowed, or it is not told.

    readable: whether NETWORK SERVICE may read the key's file; None where it is not told. opened: whether
    whoever asked could open the key, for which one must be an administrator.
    """

    store: str | None
    thumbprint: str
    subject: str | None = None
    issuer: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    has_key: bool | None = None
    readable: bool | None = None
    key: str | None = None
    key_bits: int | None = None
    signature: str | None = None
    usages: tuple[str, ...] | None = None
    opened: bool | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of Windows' firewall. default: allow or block, for what no rule names."""

    name: str
    enabled: bool | None = None
    blocks_all: bool | None = None
    default: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of Windows' firewall for what comes in. profiles: empty for all; ports: None where not told."""

    name: str
    enabled: bool
    action: str
    protocol: str
    ports: tuple[str, ...] | None
    remote: tuple[str, ...]
    profiles: tuple[str, ...]
    group: str = ""
    program: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A line of `qwinsta`. listener: its number is beyond those of sessions, and it is not down."""

    name: str
    id: int
    listener: bool
    user: bool


@dataclass(frozen=True, slots=True)
class Adapter:
    name: str
    mtu: int | None = None
    vpn: bool = False
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """What the time service says. synced: it follows some other clock; offset_s: from the one asked."""

    source: str | None = None
    stratum: int | None = None
    synced: bool | None = None
    offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """What `Test-NetConnection` found on the client."""

    host: str
    address: str | None
    port: int
    opened: bool
    pinged: bool | None


@dataclass(slots=True)
class Raw:
    """Everything that one file says."""

    kinds: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)  # PowerShell's objects in a text
    computer: str | None = None
    collected: str | None = None
    system: str | None = None
    build: int | None = None
    role: str | None = None
    port: int | None = None
    bound: str | None = None  # thumbprint of the certificate that the listener is bound to
    #: Whether the registry's part about Remote Desktop was there as a whole, so that what lacks is absent.
    listener_key: bool | None = None
    settings: list[Setting] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    members: int | None = None  # of Remote Desktop Users
    listeners: list[Listener] | None = None
    owner: int | None = None  # the process of TermService, by the list of listeners
    part: bool = False  # of the listeners only, so that what lacks is not absent
    sessions: list[Session] | None = None
    certificates: list[Certificate] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)  # those that were listed whole
    profiles: list[Profile] = field(default_factory=list)
    rules: list[Rule] | None = None
    adapters: list[Adapter] = field(default_factory=list)
    clock: Clock | None = None
    tested: list[Tested] = field(default_factory=list)
    licensing: dict[str, Any] = field(default_factory=dict)
    update: tuple[str, str | None] | None = None  # the latest one and its day
    events: list[Observation] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def tells_of_server(self) -> bool:
        """Whether it looked at a machine from inside, and not from another one."""
        return bool(self.settings or self.services or self.listeners or self.sessions or self.rules)

    def lose(self, what: str) -> None:
        if what not in self.lost and len(self.lost) < 20:
            self.lost.append(what[:200])
