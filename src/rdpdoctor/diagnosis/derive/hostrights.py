"""Who may sign in, by user rights and by the members of Remote Desktop Users.

Everything here is about some users. Whether the one who failed is among them, facts of a machine do not say.
Well-known SIDs are those of MS-DTYP 2.4.2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.finding import Finding
from rdpdoctor.diagnosis.view import View, text, whole
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdpdoctor.facts import Observation

MAY, MAY_NOT = "SeRemoteInteractiveLogonRight", "SeDenyRemoteInteractiveLogonRight"
NET, NOT_NET = "SeNetworkLogonRight", "SeDenyNetworkLogonRight"
_KNOWN = {
    "s-1-1-0": "Everyone",
    "s-1-5-11": "Authenticated Users",
    "s-1-5-113": "local accounts",
    "s-1-5-114": "local accounts that are administrators",
    "s-1-5-32-544": "Administrators",
    "s-1-5-32-545": "Users",
    "s-1-5-32-546": "Guests",
    "s-1-5-32-555": "Remote Desktop Users",
    "s-1-5-9": "Enterprise Domain Controllers",
}
_ALL = ("Everyone", "Authenticated Users")
_MANY = (*_ALL, "Users", "Administrators", "Remote Desktop Users")
_GUESTS = ("Guests", "Guest", "Gast", "Invité", "Invitado")
_LOUDEST = (
    "rights.many-denied",
    "rights.group-missing",
    "group.empty",
    "rights.some-denied",
    "rights.network-few",
)
_NAMED = 4
#: Characters of a value that observations keep.
_CUT = 300


def find(view: View, effective: Mapping[str, Observation]) -> Iterator[Finding]:
    """What shuts everybody out, else what shuts out most: where a machine is locked down, several hold and
    all is well.
    """
    found = list(_each(view, effective))
    strict = [one for one in found if one.weight == "breaks"]
    yield from strict or sorted(found, key=lambda one: _LOUDEST.index(one.means))[:1]


def _each(view: View, effective: Mapping[str, Observation]) -> Iterator[Finding]:
    held = {
        name: (row, _accounts(row)) for name, row in effective.items() if name in (MAY, MAY_NOT, NET, NOT_NET)
    }
    # Domain controllers let each other in over the network, and only administrators sign in.
    controller = any("Enterprise Domain Controllers" in who for _, who in held.values())
    if MAY in held:
        row, who = held[MAY]
        if not who:
            yield Finding("rights.nobody", "breaks", Stage.NLA, [row], value=MAY)
        elif not controller and _lacks(row, who):
            yield Finding("rights.group-missing", "notes", Stage.NLA, [row], value=_shown(who))
    if NET in held and _lacks(*held[NET]):
        row, who = held[NET]
        yield Finding("rights.network-few", "notes", Stage.NLA, [row], value=_shown(who) or "nobody")
    for name in (MAY_NOT, NOT_NET):
        if name in held:
            yield from _denied(name, *held[name])
    counts = [row for row in view.all("host.members") if whole(row, "members") is not None]
    if counts and whole(counts[-1], "members") == 0 and not controller:
        yield Finding("group.empty", "notes", Stage.NLA, counts[-1:])


def _denied(right: str, row: Observation, who: list[str]) -> Iterator[Finding]:
    everybody = next((one for one in who if one in _ALL), None)
    many = [one for one in who if one in _MANY]
    if everybody is not None:
        yield Finding("rights.all-denied", "breaks", Stage.NLA, [row], value=everybody, other=right)
    elif many:
        yield Finding("rights.many-denied", "notes", Stage.NLA, [row], value=_shown(many), other=right)
    elif some := [one for one in who if one not in _GUESTS]:
        yield Finding("rights.some-denied", "notes", Stage.NLA, [row], value=_shown(some), other=right)


def _lacks(row: Observation, who: list[str]) -> bool:
    """Whether none of the groups is there that ordinary users of Remote Desktop are in."""
    whole_list = len(text(row, "value") or "") < _CUT
    return whole_list and not {"Remote Desktop Users", "Users", *_ALL} & set(who)


def _accounts(row: Observation) -> list[str]:
    """By name, where that is known."""
    parts = [part.strip() for part in (text(row, "value") or "").split(",") if part.strip()]
    return ["Guest" if part.endswith("-501") else _KNOWN.get(part.lower(), part) for part in parts]


def _shown(who: list[str]) -> str:
    more = len(who) - _NAMED
    return ", ".join(who[:_NAMED]) + (f" and {more} more" if more > 0 else "")
