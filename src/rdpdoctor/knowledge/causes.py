"""One cause: what it is, how sure the evidence makes it, and what would tell it from its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.facts import Stage
from rdpdoctor.knowledge.rules import Rule, build_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = ("requires", "confirms", "supports", "opposes", "excludes")


@dataclass(frozen=True, slots=True)
class Tell:
    """A probe, file or question that tells this cause from those in `separates` (empty: from whatever else
    leads).

    on: "server" where all its commands are PowerShell's, for the Windows server itself.
    """

    kind: str  # probe, evidence, question
    id: str
    text: str
    separates: tuple[str, ...]
    on: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """stages: where it shows. suspected: stages whose failure makes people think of it, so that ruling it
    out is news (the same, where a file does not say otherwise).

    effect: "breaks" explains a failed stage, "warns" does not by itself stop a client. prior: bits, 0 =
    common. why: templates, best first, for where no rule that holds has something to `say`; the last one
    has no holes.
    """

    id: str
    title: str
    what: str
    stages: tuple[Stage, ...]
    suspected: tuple[Stage, ...]
    effect: str
    prior: float
    refines: tuple[str, ...]
    masks: tuple[str, ...]
    why: tuple[str, ...]
    requires: tuple[Rule, ...]
    confirms: tuple[Rule, ...]
    supports: tuple[Rule, ...]
    opposes: tuple[Rule, ...]
    excludes: tuple[Rule, ...]
    tell: tuple[Tell, ...]
    remedies: tuple[str, ...]
    sources: tuple[str, ...]


def build(row: Mapping[str, Any]) -> Cause:
    """From a row that `check.cause` let pass."""
    rules = {kind: tuple(map(build_rule, row.get(kind, ()))) for kind in RULES}
    return Cause(
        id=row["id"],
        title=row["title"],
        what=row["what"],
        stages=tuple(map(Stage, row["stages"])),
        suspected=tuple(map(Stage, row.get("suspected", row["stages"]))),
        effect=row.get("effect", "breaks"),
        prior=row["prior"],
        refines=tuple(row.get("refines", ())),
        masks=tuple(row.get("masks", ())),
        why=tuple(row["why"]),
        tell=tuple(map(build_tell, row.get("tell", ()))),
        remedies=tuple(row.get("remedies", ())),
        sources=tuple(row["sources"]),
        **rules,
    )


def build_tell(row: Mapping[str, Any]) -> Tell:
    return Tell(row["kind"], row["id"], row["text"], tuple(row.get("separates", ())), row.get("on", ""))
