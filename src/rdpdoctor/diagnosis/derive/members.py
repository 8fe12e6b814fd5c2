"""Where some identical attempts fail: do the failing ones share an address, a certificate or a computer
name?

That one address refuses does not explain why the walk, which connected elsewhere, died later: `explains`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import names
from rdpdoctor.diagnosis.derive.addresses import outcomes
from rdpdoctor.diagnosis.derive.endings import STAGES
from rdpdoctor.diagnosis.derive.handshakes import ACCEPTABLE
from rdpdoctor.diagnosis.view import Args, Attempt, View, derived, text
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


def derive(view: View) -> Iterator[Observation]:
    yield from _by_dial(view)
    for stage in STAGES:
        fared = view.fates(stage)
        fates = [(attempt, step.passed) for attempt, step in fared]
        if len({passed for _, passed in fates}) < 2:
            continue
        for by in ("address", "certificate", "computer"):
            found = _split(fates, by)
            if found is not None:
                rows = [step.row for _, step in fared]
                args: Args = {
                    "at": stage.value,
                    "by": by,
                    **found,
                    "explains": _died_at(view) in (None, stage),
                }
                yield derived("members", Stage.PATH, args, rows)
                break


def _died_at(view: View) -> Stage | None:
    """Where the walk ended that had connected: at a step that failed, or with an answer no client accepts."""
    walk = view.walk
    if walk is None:
        return None
    for stage in STAGES:
        step = walk.at(stage)
        if step is not None and (not step.passed or step.row.tag == "x224.failure"):
            return stage
    version = "" if (tls := walk.at(Stage.TLS)) is None else text(tls.row, "version")
    return Stage.TLS if version and version not in ACCEPTABLE else None


def _by_dial(view: View) -> Iterator[Observation]:
    """Addresses of one name of which some take connections and some do not.

    An address this machine could not even try (no IPv6 here, say) is nobody's fault, and what a loopback name
    stands for besides where the server listens is no farm.
    """
    fates = outcomes(view)
    good = [address for address, outcome in fates.items() if outcome == "connected"]
    bad = [address for address, outcome in fates.items() if outcome in ("refused", "rejected", "silent")]
    if (
        not good
        or not bad
        or (all(names.is_loopback(address) for address in fates) and names.is_loopback(view.target.host))
    ):
        return
    rows = list(view.all("tcp.refused", "tcp.rejected", "tcp.silent", "tcp.connected"))
    args: Args = {
        "at": "tcp",
        "by": "address",
        "bad": bad,
        "good": good,
        "failed": len(bad),
        "passed": len(good),
        "explains": _died_at(view) is None,
    }
    yield derived("members", Stage.PATH, args, rows)


def _split(fates: list[tuple[Attempt, bool]], by: str) -> dict[str, list[str] | int] | None:
    """None unless every failing attempt bears names that no passing one bears."""
    good: dict[str, int] = {}
    bad: dict[str, int] = {}
    for attempt, passed in fates:
        name = {"address": attempt.address, "certificate": attempt.certificate, "computer": attempt.computer}[
            by
        ]
        if not name:
            return None
        side = good if passed else bad
        side[name] = side.get(name, 0) + 1
    if good.keys() & bad.keys():
        return None
    return {"bad": list(bad), "good": list(good), "failed": sum(bad.values()), "passed": sum(good.values())}
