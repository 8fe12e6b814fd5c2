"""Which of many are the same machine. The order in which they come makes no difference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdpdoctor.readers.joined.names import SHORT, Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(slots=True)
class Group:
    """members: places in what was given. assumed: members of a second machine that may well be another."""

    machine: Machine
    members: list[int] = field(default_factory=list)
    assumed: list[int] = field(default_factory=list)

    def take(self, other: Group, assumed: bool = False) -> None:
        self.machine = self.machine.with_(other.machine)
        self.members += other.members
        self.assumed += other.members if assumed else other.assumed


def groups(machines: Sequence[Machine], seen: Sequence[bool], apart: Machine) -> list[Group]:
    """seen: whether connections to it were seen: what names nobody is about that one, if there is one such.
    apart: machines that are nobody's other name, since they are clients.

    An address and a name are taken for one machine only where there is one of each. Groups come in the order
    of their first members.
    """
    found = _sure(machines)
    nameless = [place for place, machine in enumerate(machines) if machine == Machine()]
    names = [one for one in found if not one.machine.addresses and one.machine.same(apart) is not True]
    addresses = [one for one in found if not one.machine.names]
    if len(names) == len(addresses) == 1:
        kept, other = addresses[0], names[0]
        if any(seen[place] for place in other.members) and not any(seen[place] for place in kept.members):
            kept, other = other, kept
        kept.take(other, assumed=True)
        found.remove(other)
    homes = [one for one in found if any(seen[place] for place in one.members)] or found
    if nameless:
        if len(homes) == 1:
            homes[0].take(Group(Machine(), nameless))
        else:
            found.append(Group(Machine(), nameless))
    return sorted(found, key=lambda one: min(one.members))


def _sure(machines: Sequence[Machine]) -> list[Group]:
    """One group for all that have a name or an address in common, whoever has it in common with whom."""
    roots = _Roots()
    for place, machine in enumerate(machines):
        for token in _tokens(machine):
            roots.join(place, token)
    # A short name is that of the one machine with such a full name; of none, where there are several.
    full: dict[str, set[object]] = defaultdict(set)
    for machine in machines:
        for name in machine.names:
            if "." in name:
                full[_short(name)].add(roots.of(("name", name)))
    for short, owners in full.items():
        if len({roots.of(owner) for owner in owners}) == 1:
            roots.join(next(iter(owners)), ("short", short))
    found: dict[object, Group] = {}
    for place, machine in enumerate(machines):
        if machine != Machine():
            found.setdefault(roots.of(place), Group(Machine())).take(Group(machine, [place]))
    return sorted(found.values(), key=lambda one: (sorted(one.machine.names), sorted(one.machine.addresses)))


def _tokens(machine: Machine) -> Iterable[object]:
    for name in machine.names:
        yield ("name", name) if "." in name else ("short", _short(name))
    for address in machine.addresses:
        yield ("address", address)


def _short(name: str) -> str:
    return name.partition(".")[0][:SHORT]


class _Roots:
    """Union of sets (Tarjan)."""

    def __init__(self) -> None:
        self._parents: dict[object, object] = {}

    def of(self, one: object) -> object:
        parent = self._parents.setdefault(one, one)
        while parent != one:
            self._parents[one] = above = self._parents[parent]
            one, parent = parent, above
        return one

    def join(self, one: object, other: object) -> None:
        self._parents[self.of(one)] = self.of(other)
