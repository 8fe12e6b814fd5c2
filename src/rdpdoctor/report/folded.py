"""Reports that say the same of one server: for people the first of them, and of the others whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Page

#: Of fewer reports each is shown; clients that are named; strangers that are many.
_FEWEST, _NAMED, _MANY = 3, 5, 5


@dataclass(slots=True)
class Folded:
    report: Report
    others: list[Report] = field(default_factory=list)


def folded(reports: Sequence[Report]) -> list[Folded]:
    """In the order in which they came."""
    groups: dict[object, list[Report]] = {}
    for report in reports:
        cause = report.causes[0] if report.causes else None
        key = (
            report.target.host,
            report.target.port,
            report.verdict.status,
            report.verdict.stage,
            (cause.id, cause.confidence) if cause is not None else None,
        )
        groups.setdefault(key, []).append(report)
    made: list[Folded] = []
    for alike in groups.values():
        if len(alike) < _FEWEST:
            made += map(Folded, alike)
        else:
            made.append(Folded(alike[0], alike[1:]))
    return made


def tail(one: Folded, page: Page) -> str:
    """What stands below the report: lines, each with its end. Empty where it stands for itself."""
    if not one.others:
        return ""
    names = [_client(report) for report in one.others]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    said = f"The same for {len(names)} other clients: {', '.join(names[:_NAMED])}{more}."
    lines = page.wrap(f"{said} With -v each has its report.", page.width, 4)
    strangers = sum(map(_stranger, (_client(one.report), *names)))
    if one.report.verdict.stage == "nla" and one.report.verdict.status == "failing" and strangers >= _MANY:
        lines += page.wrap(
            f"{strangers} addresses of the Internet failed to sign in, so the port is open to anybody, and "
            "somebody may be guessing passwords. Let in only who must, by a VPN or a gateway.",
            page.width,
            4,
        )
    return "".join(f"{line}\n" for line in lines)


def _client(report: Report) -> str:
    return report.target.input.rpartition(" from ")[2]


def _stranger(name: str) -> bool:
    try:
        return ip_address(name).is_global
    except ValueError:
        return False
