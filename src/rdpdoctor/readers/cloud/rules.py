"""The way in: a file of cloud rules becomes observations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.readers.cloud.decide import ALLOW, DENY, SOME
from rdpdoctor.readers.cloud.document import LARGEST, parse
from rdpdoctor.readers.cloud.judge import judge
from rdpdoctor.readers.cloud.model import TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.cloud.judge import Address, Judgement
    from rdpdoctor.readers.cloud.model import Found, Group, JustInTime

#: The source of a row where nobody said from where.
ANYONE = "anyone"
_LOST = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """kind: what the file is, such as `azure nsg`; several where it mixes them. lost: what of it could not be
    used, a phrase each.
    """

    kind: str
    observations: tuple[Observation, ...]
    lost: tuple[str, ...]


def read_rules(given: Path | bytes, source: str | None = None, port: int = 3389) -> Rules:
    """Would a connection from `source` to TCP (and UDP) `port` pass, and which rule decides?

    source: an address; None asks about the Internet at large. Raises OSError; RulesError where the file holds
    no rules; ValueError where `source` is no address.
    """
    address = None if source is None else _plain(ip_address(source))
    found = parse(given if isinstance(given, bytes) else _bytes(given))
    rows = [row for group in found.groups for row in _told(group, port, address)]
    rows += [_just_in_time(one, port) for one in found.just_in_time if one.port[0] <= port <= one.port[1]]
    lost = list(dict.fromkeys(found.lost))
    if len(lost) > _LOST:
        lost[_LOST:] = [f"{len(lost) - _LOST} more like these"]
    rows += [_row("cloud.part-lost", Stage.TCP, what=what) for what in lost]
    return Rules(_kind(found), tuple(rows), tuple(lost))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _plain(address: Address) -> Address:
    """Clouds see an address that IPv6 wraps as what it is."""
    return (address.version == 6 and address.ipv4_mapped) or address


def _kind(found: Found) -> str:
    kinds = {f"{group.provider} {group.kind}": None for group in found.groups}
    kinds |= {"azure jit-policy": None} if found.just_in_time else {}
    return ", ".join(kinds)


def _told(group: Group, port: int, source: Address | None) -> Iterator[Observation]:
    tcp = judge(group, TCP, port, source)
    yield _decides("cloud.rule-decides", Stage.TCP, group, tcp, port, source)
    if tcp.decision.verdict == DENY and (idle := _switched_off(group, port, source)) is not None:
        yield _row(
            "cloud.rule-off", Stage.TCP, provider=group.provider, group=group.name, rule=idle, port=port
        )
    wide = tcp.decision.open if source is None else judge(group, TCP, port, None).decision.open
    if wide is not None:
        args: dict[str, Value] = {"rule": wide.name, "priority": wide.priority, "port": port}
        yield _row("cloud.too-open", Stage.TCP, provider=group.provider, group=group.name, **args)
    yield _decides("cloud.udp-rule-decides", Stage.UDP, group, judge(group, UDP, port, source), port, source)


def _switched_off(group: Group, port: int, source: Address | None) -> str | None:
    """The rule that would let it in, if it were on."""
    for rule in group.off:
        rules = sorted((*group.rules, rule), key=lambda one: (one.priority or 0, one.allow))
        decision = judge(replace(group, rules=tuple(rules)), TCP, port, source).decision
        if rule.allow and decision.rule is rule and decision.verdict != DENY:
            return rule.name
    return None


def _decides(
    tag: str, stage: Stage, group: Group, judged: Judgement, port: int, source: Address | None
) -> Observation:
    decision = judged.decision
    rule = decision.rule
    tells_who = decision.verdict not in (ALLOW,) or source is None
    return _row(
        tag,
        stage,
        provider=group.provider,
        kind=group.kind,
        group=group.name,
        together=group.together,
        verdict=decision.verdict,
        rule=rule.name if rule is not None else None,
        priority=rule.priority if rule is not None else None,
        built_in=rule is None or rule.built_in,
        port=port,
        source=ANYONE if source is None else str(source),
        direction="return" if judged.back else "in",
        passes=list(decision.passes) if tells_who else [],
        doubt=decision.doubt if decision.verdict != SOME else None,
    )


def _just_in_time(one: JustInTime, port: int) -> Observation:
    return _row(
        "cloud.just-in-time", Stage.TCP, machine=one.machine, port=port, asked=one.until is not None,
        until=one.until or None,
    )  # fmt: skip


def _row(tag: str, stage: Stage, **args: Value) -> Observation:
    return Observation(tag, args, stage, Source.CLOUD)
