"""Journals of any length, of the shapes that cost a diagnosis most. One length always gives one journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.facts import Journal, Observation, Source, Target
from rdpdoctor.knowledge import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STARTED = "2026-11-22T10:00:00.000Z"
_DULL: Mapping[str, Any] = {"str": "", "int": 0, "float": 1.0, "bool": False, "list": [], "object": {}}
_SOURCES = tuple(Source)
_ATTEMPT: Mapping[str, Any] = {"address": "10.0.4.21", "role": "repeat", "variant": "ordinary", "at_once": 1}


def journal(shape: str, length: int) -> Journal:
    made = Journal(Target("srv01.corp.example", "srv01.corp.example"), STARTED, 30_000.0)
    made.extend(SHAPES[shape](number) for number in range(length))
    return made


def _row(tag: str, number: int, source: Source = Source.PROBE, **args: Any) -> Observation:
    """With a dull value for each argument that is not named."""
    declared = load().tags[tag]
    dull = {
        name: None if kind.endswith("?") else _DULL[kind]
        for name, kind in declared.args.items()
        if name not in _ATTEMPT
    }
    of_it = {**_ATTEMPT, "attempt": number} if "attempt" in declared.args else {}
    return Observation(tag, {**dull, **of_it, **args}, declared.stage, source, float(number))


def _certificate(number: int) -> Observation:
    return _row(
        "tls.certificate", number, subject="CN=srv01", common_name=f"srv{number}", issuer=f"CN=ca{number}",
        not_before="2026-09-01T00:00:00Z", not_after="2027-03-01T00:00:00Z", key="RSA", key_bits=2048,
        sha256=f"{number:064x}", names=[f"n{place}.corp.example" for place in range(20)], hello="client",
    )  # fmt: skip


def _any_tag(number: int) -> Observation:
    tags = [name for name, tag in load().tags.items() if not tag.derived]
    return _row(tags[number % len(tags)], number, _SOURCES[number % len(_SOURCES)])


#: name → the observation with a number.
SHAPES: Mapping[str, Callable[[int], Observation]] = {
    "attempts that all close": lambda number: _row("x224.closed", number, requested=11),
    "attempts that pass and fail, on many addresses": lambda number: _row(
        "x224.closed" if number % 2 else "x224.selected",
        number,
        address=f"10.{number % 7}.{number // 250}.{number % 250}",
        requested=11,
        at_once=1 + number % 9,
    ),
    "attempts with as many requests": lambda number: _row(
        "x224.failure", number, requested=number, code=number % 7
    ),
    "attempts changed in as many ways": lambda number: _row(
        "tls.closed" if number % 2 else "tls.completed",
        number,
        variant=f"v{number}" if number else "ordinary",
        hello="client",
    ),
    "hellos of one attempt": lambda number: _row("tls.closed", number, attempt=1, hello=f"hello {number}"),
    "one attempt with all endings": lambda number: _row(
        ("x224.closed", "x224.reset")[number % 2], number, attempt=1
    ),
    "certificates": _certificate,
    "challenges of as many computers": lambda number: _row(
        "nla.challenged",
        number,
        version=6,
        dns_computer=f"\u00e4{number}.corp.example",
        skew_ms=1000.0 * number,
    ),
    "dials": lambda number: _row(
        "tcp.silent" if number % 3 else "tcp.connected", number, address=f"a{number}"
    ),
    "look-ups": lambda number: _row(
        "dns.resolved", number, addresses=[f"{number}.{each}" for each in range(8)]
    ),
    "codes": lambda number: _row("code.shown", number, Source.CODE, reason=number, extended=number),
    "every tag by turns, from every source": _any_tag,
    "tags nobody knows": lambda number: Observation(
        f"moon.{number}", {"x": number}, load().tags["tcp.silent"].stage, _SOURCES[number % len(_SOURCES)]
    ),
}
