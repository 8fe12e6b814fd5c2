"""What the journal would gain if an experiment ended in this way or that. Pure.

An attempt is imagined after the walk's: as far as it came, or one step further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.probes.base import MCS_TAGS, NLA_ENDINGS, TLS_ENDINGS, X224_ENDINGS, walk_failed_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rdpdoctor.facts import Value
    from rdpdoctor.probes.context import Context

_STEPS = ("x224.selected", "x224.plain", "x224.failure", "tls.completed", "nla.challenged", "nla.answered")
_ENDINGS = (*X224_ENDINGS, *TLS_ENDINGS, *NLA_ENDINGS, *MCS_TAGS)
#: The answer of a server with everything a current client wants, by the stage that had died.
_PASSING: dict[str, tuple[str, dict[str, Value]]] = {
    "x224": ("x224.selected", {"selected": 8, "flags": 0x1F, "elapsed_ms": 1.0}),
    "tls": (
        "tls.completed",
        {
            "hello": "client",
            "version": "TLS 1.3",
            "suite": "TLS_AES_256_GCM_SHA384",
            "elapsed_ms": 1.0,
        },
    ),
    "nla": ("nla.challenged", {"version": 6, "elapsed_ms": 1.0}),
}


Rows: TypeAlias = "tuple[Observation, ...]"


def alike(context: Context, numbers: Iterable[int], role: str, variant: str, **changed: Value) -> Rows:
    """As the walk went, once for each number. changed: arguments of its rows that differ."""
    rows = [row for row in _walk(context) if row.tag in (*_STEPS, *_ENDINGS)]
    return _imagined(rows, numbers, role, variant, changed)


def passing(context: Context, numbers: Iterable[int], role: str, variant: str, **changed: Value) -> Rows:
    """As the walk went, but the stage at which it died passes."""
    stage = walk_failed_at(context) or "x224"
    tag, args = _PASSING.get(stage, _PASSING["x224"])
    before = [row for row in _walk(context) if row.tag in _STEPS]
    asked = next((row for row in _walk(context) if row.tag.startswith("x224.")), None)
    who: dict[str, Value] = {
        name: asked.args[name] for name in ("address", "requested", "cookie") if asked and name in asked.args
    }
    if stage != "x224":
        who = {name: value for name, value in who.items() if name == "address"}
    last = Observation(tag, {**who, **args}, Stage(stage) if stage in _PASSING else Stage.X224)
    rows = [row for row in (*before, last) if row.tag != "x224.failure"]
    return _imagined(rows, numbers, role, variant, changed)


def dropped(context: Context, numbers: Iterable[int], role: str, variant: str, **changed: Value) -> Rows:
    """Closed right after the connection request, where the walk had passed."""
    asked = next((row for row in _walk(context) if row.tag in ("x224.selected", "x224.plain")), None)
    if asked is None:
        return ()
    kept = {name: asked.args[name] for name in ("address", "requested", "cookie") if name in asked.args}
    args: dict[str, Value] = {
        **kept,
        "after": "connection-request",
        "sent": 40,
        "received": 0,
        "elapsed_ms": 1.0,
    }
    row = Observation("x224.closed", args, Stage.X224)
    return _imagined([row], numbers, role, variant, changed)


def fared(context: Context, rows: Sequence[Observation]) -> str:
    """What new attempts amount to beside the walk: `same`, `passes`, `some-pass`, `some-fail`, `otherwise`,
    `unknown`.
    """
    stage = walk_failed_at(context)
    deaths = (*_ENDINGS, "x224.failure")
    walked = next((row.tag for row in _walk(context) if row.tag in deaths), None)
    ends = [row.tag for row in rows if row.tag in deaths]
    reached = f"{stage or 'x224'}."
    passed = any(row.tag in _STEPS and row.tag not in deaths and row.tag.startswith(reached) for row in rows)
    if passed and ends and stage is not None and all(tag.startswith(f"{stage}.") for tag in ends):
        return "some-pass"
    if stage is None:
        return "same" if passed and not ends else "some-fail" if ends else "unknown"
    if passed:
        return "passes"
    if not ends:
        return "unknown"
    return "same" if set(ends) == {walked} else "otherwise"


def _walk(context: Context) -> list[Observation]:
    return [row for row in context.journal if row.args.get("role") == "walk"]


def _imagined(
    rows: Iterable[Observation], numbers: Iterable[int], role: str, variant: str, changed: Mapping[str, Value]
) -> Rows:
    """Numbered from a million on: no real attempt comes to that."""
    told = list(rows)
    return tuple(
        Observation(row.tag, {**row.args, **_who(number, role, variant), **changed}, row.stage)
        for number in numbers
        for row in told
    )


def _who(number: int, role: str, variant: str) -> dict[str, Value]:
    return {"attempt": 1_000_000 + number, "role": role, "variant": variant, "at_once": 1}
