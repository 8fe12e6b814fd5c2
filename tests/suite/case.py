"""What the suite plays: a scenario of the lab, a real server or a network, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.knowledge import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rdpdoctor.lab.scenario import Check, Expect

    from .house import House

    #: One check, with every experiment there is where it is asked so.
    Play: TypeAlias = Callable[[bool], Awaitable["Played"]]

KINDS = ("lab", "server", "network")


@dataclass(frozen=True, slots=True)
class Case:
    """open: starts what must be started in the main thread, and says how to play it. lacks: why this machine
    cannot play it, or "".
    """

    name: str
    kind: str
    title: str
    check: Check
    expect: Expect
    open: Callable[[House], Play]
    combines: tuple[str, ...] = ()
    lacks: str = ""
    facts: dict[str, str] = field(default_factory=dict)  # arguments of derived.server

    @property
    def healthy(self) -> bool:
        return self.expect.status == "healthy"

    @property
    def planted(self) -> str:
        """What the report has to name first; for a healthy server, nothing."""
        return self.expect.causes[0] if self.expect.causes and not self.healthy else "healthy"

    @property
    def right(self) -> frozenset[str]:
        """Every cause that it is right to name: expected, planted, or wider than one of these."""
        named = (*self.expect.causes, *self.expect.also, *self.combines)
        known = load().causes
        return frozenset(named).union(*(known[name].refines for name in named if name in known))


@dataclass(frozen=True, slots=True)
class Played:
    """faults: of the lab itself. took, timeout: seconds."""

    report: dict[str, Any]
    took: float
    timeout: float
    faults: tuple[str, ...] = ()

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Cause and confidence of those left standing, best first."""
        rows = self.report["causes"]
        return [(row["id"], row["confidence"]) for row in rows if row["confidence"] != "ruled-out"]

    @property
    def first(self) -> str:
        """The cause that the report names. On a healthy server only one that it stands by counts as named."""
        standing = self.causes
        if self.report["verdict"]["status"] == "healthy":
            standing = [row for row in standing if row[1] != "possible"]
        return standing[0][0] if standing else "none"

    @property
    def tags(self) -> set[str]:
        return {row["tag"] for row in self.report["observations"]}

    @property
    def connections(self) -> int:
        """How many the check made."""
        rows = [row for row in self.report["observations"] if row["tag"] == "check.connections"]
        return int(rows[0]["args"]["made"]) if rows else 0

    def told(self) -> str:
        """For a failing test: what happened."""
        verdict = self.report["verdict"]
        lines = [f"{verdict['status']} at {verdict['stage']} after {self.took:.1f} s: {verdict['summary']}"]
        lines += [
            f"  {cause['confidence']:10} {cause['id']}: {cause['why']}" for cause in self.report["causes"]
        ]
        for row in self.report["observations"]:
            if row["tag"] not in ("tcp.connected", "tcp.measured", "tls.certificate"):
                lines.append(f"  {row['tag']} {row['args']}"[:300])
        return "\n".join(lines)


def wrong(case: Case, played: Played) -> list[str]:
    """Everything that is not as the case has it."""
    expect, report = case.expect, played.report
    verdict, standing = report["verdict"], [name for name, _ in played.causes]
    found = list(played.faults)
    if not stage_right(case, played):
        found.append(f"{verdict['status']} at {verdict['stage']}, not {expect.status} at {expect.stage}")
    if not top_right(case, played):
        found.append(f"first of {played.causes}, not {expect.causes or 'nothing'}")
    if not expect.causes:
        found += [f"{name} must not be left standing" for name in standing if name not in case.right]
    found += [f"no {name} in {standing}" for name in expect.also if name not in standing]
    found += [f"{name} must not be left standing" for name in expect.forbid if name in standing]
    found += [f"no {tag} was observed" for tag in expect.observed if tag not in played.tags]
    found += [f"{tag} was observed" for tag in ("probe.crashed", "check.out-of-time") if tag in played.tags]
    found += _other_facts(case, played)
    return found


def _other_facts(case: Case, played: Played) -> list[str]:
    rows = [row["args"] for row in played.report["observations"] if row["tag"] == "derived.server"]
    said = rows[0] if rows else {}
    return [
        f"{name} is {said.get(name)}, not {value}"
        for name, value in case.facts.items()
        if said.get(name) != value
    ]


def stage_right(case: Case, played: Played) -> bool:
    verdict = played.report["verdict"]
    return (verdict["status"], verdict["stage"]) == (case.expect.status, case.expect.stage)


def top_right(case: Case, played: Played) -> bool:
    """Of a healthy server no cause may be likely or confirmed; of any other the first must be a right one."""
    if case.healthy:
        return played.first == "none"
    return played.first in case.expect.causes
