"""The safest remedy of the leading cause, and the command that tells all about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.model import Confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.diagnosis.model import RankedCause
    from rdpdoctor.knowledge.remedies import Remedy

_RISKS = ("low", "medium", "high")
_STANDING = (Confidence.CONFIRMED, Confidence.LIKELY)


def mend_of(causes: Sequence[RankedCause]) -> str | None:
    """None unless the first cause is likely or confirmed and something mends it: nobody is told to change a
    machine for what is merely possible.
    """
    if not causes or causes[0].confidence not in _STANDING:
        return None
    remedy = safest(causes[0].remedies)
    if remedy is None:
        return None
    if len(causes[0].remedies) > 1 and _has_kinds(causes[0].id):
        return f"Which kind it is decides what helps: `rdpdoctor explain {causes[0].id}`"
    return f"{remedy.title} ({remedy.risk} risk): `rdpdoctor explain {causes[0].id}`"


def _has_kinds(name: str) -> bool:
    """Whether other causes are special cases of this one: it is too wide for one remedy."""
    from rdpdoctor.knowledge import load

    return any(name in cause.refines for cause in load().causes.values())


def safest(names: Sequence[str]) -> Remedy | None:
    """Of the lowest risk; of several, the first named. A test that costs security for a while is none."""
    if not names:
        return None
    from rdpdoctor.knowledge.remedies import remedies  # a file of its own, read only where a cause names one

    known = remedies()
    found = [remedy for name in names if (remedy := known.get(name)) is not None and not remedy.diagnostic]
    return min(found, key=lambda remedy: _RISKS.index(remedy.risk), default=None)
