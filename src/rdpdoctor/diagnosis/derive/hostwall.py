"""What Windows' own firewall does with a connection to one port.

A rule that blocks beats one that allows; what no rule names, the profile decides. Of several profiles in use
each network has its own, so that the port is shut for some as soon as one of them shuts it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.finding import Finding
from rdpdoctor.diagnosis.view import View, flag, text, words
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdpdoctor.facts import Observation

_FEW = 3
_ABOUT = re.compile(r"\bRDP|Remote ?Desktop|Terminal Serv|\b3389\b", re.IGNORECASE)
PROFILES = ("domain", "private", "public")


def find(view: View, port: int) -> Iterator[Finding]:
    """Nothing where rules were not looked at."""
    wall = next((row for row in view.all("host.firewall") if flag(row, "known")), None)
    if wall is None:
        return
    rules = [row for row in view.all("host.firewall-rule") if flag(row, "enabled") and _meant(row, port)]
    profiles = {text(row, "name"): row for row in view.all("host.firewall-profile")}
    # A profile may stand in two rows, one about its state, one about its use.
    active = [
        name for name in PROFILES if any(_is_active(row, name) for row in view.all("host.firewall-profile"))
    ]
    asked = active or list(PROFILES)
    fates = {name: _fate(name, rules, _settled(view, name), port) for name in asked}
    shut = [name for name in asked if fates[name][0] == "deny"]
    some = [name for name in asked if fates[name][0] == "some"]
    rows = [wall, *(row for _, row in fates.values() if row is not None), *profiles.values()]
    loose = None if flag(wall, "whole") else _loose(view)
    if loose is not None:
        yield Finding("firewall.may-block", "notes", Stage.TCP, [wall, loose], value=text(loose, "name"))
    where = " and ".join(shut)
    if len(shut) == len(asked):
        rule = next((row for _, row in fates.values() if row is not None), None)
        name = text(rule, "name") if rule is not None else None
        sealed = all(_settled(view, each)[1] for each in shut)
        if loose is not None and name is None and not rules:
            return
        certain = flag(wall, "whole") is True or name is not None or (sealed and bool(active))
        weight = "breaks" if certain else "notes"
        means = "firewall.blocks-all" if sealed else "firewall.rule-blocks" if name else "firewall.shut"
        where = where if active else "any profile"
        yield Finding(means, weight, Stage.TCP, rows, value=where, number=port, other=name)
    elif shut:
        yield Finding("firewall.profile", "notes", Stage.TCP, rows, value=where, number=port)
    elif some:
        remote = fates[some[0]][1]
        who = ", ".join(words(remote, "remote")[:4]) if remote is not None else ""
        yield Finding("firewall.some", "notes", Stage.TCP, rows, value=who or "some addresses", number=port)
    else:
        yield Finding("firewall.open", "good", Stage.TCP, rows, number=port)


def _loose(view: View) -> Observation | None:
    """A rule that is on and blocks, whose ports were not told: one about Remote Desktop, by its name, or one
    of few that somebody looked for.
    """
    rules = list(view.all("host.firewall-rule"))
    return next(
        (
            row
            for row in rules
            if flag(row, "enabled")
            and text(row, "action") == "block"
            and row.args.get("ports") is None
            and text(row, "protocol") in ("tcp", "any")
            and (len(rules) <= _FEW or _ABOUT.search(text(row, "name") or ""))
        ),
        None,
    )


def _is_active(row: Observation, name: str) -> bool:
    return text(row, "name") == name and flag(row, "active") is True


def _meant(row: Observation, port: int) -> bool:
    if text(row, "protocol") not in ("tcp", "any"):
        return False
    ports = row.args.get("ports")
    if ports is None:
        return False
    return not ports or any(_covers(one, port) for one in words(row, "ports"))


def _covers(span: str, port: int) -> bool:
    low, dash, high = span.partition("-")
    if not low.isdecimal() or not (high.isdecimal() if dash else True) or len(span) > 11:
        return False
    return int(low) <= port <= int(high if dash else low)


def _settled(view: View, name: str) -> tuple[bool | None, bool, str]:
    """Of a profile: whether it is on, whether it blocks whatever rules say, and what it does else."""
    on, blocks, default = None, False, "block"
    for row in view.all("host.firewall-profile"):
        if text(row, "name") == name:
            on = flag(row, "enabled") if flag(row, "enabled") is not None else on
            blocks = blocks or flag(row, "blocks_all") is True
            default = text(row, "default") or default
    return on, blocks, default


def _fate(
    name: str, rules: Sequence[Observation], settled: tuple[bool | None, bool, str], port: int
) -> tuple[str, Observation | None]:
    """allow, deny or some, and the rule that says so."""
    on, blocks_all, default = settled
    if on is False:
        return "allow", None
    if blocks_all:
        return "deny", None
    here = [row for row in rules if not words(row, "profiles") or name in words(row, "profiles")]
    named = [row for row in here if row.args.get("ports")]
    blocking = next(
        (row for row in named if text(row, "action") == "block" and not words(row, "remote")), None
    )
    if blocking is not None:
        return "deny", blocking
    allowing = [row for row in here if text(row, "action") == "allow"]
    anyone = next((row for row in allowing if not words(row, "remote")), None)
    if anyone is not None or default == "allow":
        return "allow", anyone
    return ("some", allowing[0]) if allowing else ("deny", None)
