"""Which machine is meant: by its names, its addresses, or both."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of a computer's NetBIOS name.
SHORT = 15


@dataclass(frozen=True, slots=True)
class Machine:
    """names: in lower case. Either may be empty: then that is not known."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    @staticmethod
    def of(words: Iterable[str | None]) -> Machine:
        """Names and addresses, told apart here."""
        names, addresses = set(), set()
        for word in filter(None, words):
            bare = word.strip().strip("[]").rstrip(".").lower()
            try:
                addresses.add(str(ip_address(bare.partition("%")[0])))
            except ValueError:
                names.add(bare)
        return Machine(frozenset(names - {""}), frozenset(addresses))

    @staticmethod
    def all_of(machines: Iterable[Machine]) -> Machine:
        """One that goes by all of their names. There may be thousands."""
        names, addresses = set[str](), set[str]()
        for one in machines:
            names |= one.names
            addresses |= one.addresses
        return Machine(frozenset(names), frozenset(addresses))

    def with_(self, other: Machine) -> Machine:
        return Machine(self.names | other.names, self.addresses | other.addresses)

    def same(self, other: Machine) -> bool | None:
        """None where nobody can tell: a name and an address say nothing about each other."""
        if self.addresses & other.addresses:
            return True
        if self.names and other.names:
            return any(_alike(one, two) for one in self.names for two in other.names)
        return False if self.addresses and other.addresses else None


def _alike(one: str, two: str) -> bool:
    """`srv01` and `srv01.corp.example` are one machine, two full names only where they are equal."""
    if "." in one and "." in two:
        return one == two
    return one.partition(".")[0][:SHORT] == two.partition(".")[0][:SHORT]
