"""What every probe of one check shares: the target, the journal, the time left, and our connections."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdpdoctor.facts import Journal, Observation, Source, Stage, Value
from rdpdoctor.net.clock import monotonic
from rdpdoctor.probes.hellos import Hellos

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdpdoctor.net.gate import Gate
    from rdpdoctor.probes.attempt import Attempt

#: Servers log incomplete connections and some defend themselves against many (facts: RemoteConnectionManager
#: 1006).
AT_ONCE = 8
#: Of these, so many may be waiting to be accepted and answered. xrdp listens with a backlog of 2, so that
#: with
#: more a SYN is dropped now and then and comes again a second later, which would look like loss on the path.
OPENING = 2
#: Seconds for an answer in the negotiation.
_SLOW = 1.0
#: The least that a connection costs us and the server, in seconds.
_LEAST = 0.02
TOTAL_HEALTHY = 12
TOTAL_UNHEALTHY = 25

#: mstsc names the user in a cookie when it knows one; this is ours when we know none.
NEUTRAL_COOKIE = "rdpdoctor"


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code the client showed, as typed and as numbers."""

    text: str
    reason: int | None = None
    extended: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants of one check. timeout: seconds for the whole check of one target."""

    timeout: float = 30.0
    codes: tuple[ShownCode, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None  # goes into the cookie, as a client sends it
    experiments: bool = True
    everything: bool = False  # every experiment that can be made, whether it would separate causes or not
    all_suites: bool = False  # list every cipher suite, at one connection each
    hosts: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # name → addresses, instead of a look-up


# Tags whose stage is not their first word.
_ELSEWHERE = {"tcp.measured": Stage.PATH, "service.identified": Stage.X224}
_BESIDE = {
    "probe": Stage.PATH,
    "experiment": Stage.PATH,
    "check": Stage.PATH,
    "code": Stage.HOST,
    "answer": Stage.HOST,
}


def stage_of(tag: str) -> Stage:
    word = tag.split(".", 1)[0]
    return _ELSEWHERE.get(tag) or _BESIDE.get(word) or Stage(word)


@dataclass(slots=True)
class Context:
    """One check of one target while it runs. Times are seconds of the monotonic clock."""

    settings: Settings
    journal: Journal
    began: float
    ends: float
    gate: Gate
    on_observation: Callable[[Observation], None]
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OPENING))
    hellos: Hellos = field(default_factory=lambda: Hellos(None))
    one_at_a_time: bool = False
    compare_wait: float = 4.0  # seconds for one answer, where it is only compared with the walk's
    addresses: list[str] = field(default_factory=list)
    walk: Attempt | None = None  # the first connection, handed from probe to probe
    background: list[asyncio.Task[None]] = field(
        default_factory=list
    )  # slow addresses, until the check's end

    @property
    def host(self) -> str:
        return self.journal.target.host

    @property
    def port(self) -> int:
        return self.journal.target.port

    @property
    def address(self) -> str:
        """Where the walk goes: the address that connected, else the first one."""
        return self.walk.address if self.walk is not None else self.addresses[0]

    @property
    def cookie(self) -> str:
        return self.settings.user or self.journal.target.user or NEUTRAL_COOKIE

    def left(self) -> float:
        """Seconds until the check must end."""
        return max(0.0, self.ends - monotonic())

    def patience(self, longest: float, share: float = 0.25) -> float:
        """How long one stage may wait: `longest`, but never more than its share of the whole, nor than is
        left.
        """
        return max(0.05, min(longest, share * (self.ends - self.began), self.left()))

    def emit(self, tag: str, source: Source = Source.PROBE, **args: Value) -> None:
        at_ms = round((monotonic() - self.began) * 1000, 3)
        observation = Observation(tag, args, stage_of(tag), source, at_ms)
        self.journal.add(observation)
        self.on_observation(observation)

    def crashed(self, what: str, error: BaseException) -> None:
        """A fault of the tool's own in one probe is a result, not the end."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self.emit("probe.crashed", probe=what, error=f"{type(error).__name__}: {error}"[:300])

    def seen(self, *tags: str) -> bool:
        return self.journal.first(*tags) is not None

    async def close(self) -> None:
        """Close what probes have left open, and end what still runs."""
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)
        if self.walk is not None:
            await self.walk.close()

    def another(self) -> float:
        """Seconds that one more attempt like the walk's will take."""
        spent = {
            row.stage: (row.args.get("elapsed_ms"), row.args.get("rtt_ms"))
            for row in self.journal
            if row.args.get("role") == "walk" or row.tag == "tcp.connected"
        }
        took = sum(value for pair in spent.values() for value in pair if isinstance(value, int | float))
        return max(_LEAST, min(took / 1000, self.compare_wait))

    def keep_pace(self, elapsed: float) -> None:
        """A server that takes its time for one connection gets one at a time, and more time."""
        if elapsed > _SLOW:
            self.opening = asyncio.Semaphore(1)
            self.one_at_a_time = True
            self.compare_wait = max(self.compare_wait, 4 * elapsed)

    def allow(self, total: int) -> None:
        """Raise the number of connections this check may make."""
        self.gate.total = max(self.gate.total, total)
