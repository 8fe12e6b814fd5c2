"""Which observations carry which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from rdpdoctor.facts import Observation
    from rdpdoctor.knowledge.rules import Matcher, Rule

#: At most so many observations are shown for one rule, or one cause.
SHOWN_EVIDENCE = 20
#: Observations of one tag that are looked through one by one.
FEW = 50


class Evidence:
    """All observations by tag, and what each matcher found among them (asked once, however many causes ask).

    Many causes ask for other values of the same argument, so where a tag has many observations they are also
    kept by value: the whole stays linear in the length of the journal.
    """

    def __init__(self, observations: Sequence[Observation], concluded_from: int) -> None:
        """From index `concluded_from` on stand our own conclusions; what a file calls derived is no
        evidence.
        """
        self.observations = observations
        self._by_tag: dict[str, list[int]] = {}
        for index, row in enumerate(observations):
            if index >= concluded_from or not row.tag.startswith("derived."):
                self._by_tag.setdefault(row.tag, []).append(index)
        self._by_value: dict[tuple[str, str], dict[Hashable, list[int]]] = {}
        self._found: dict[Matcher, tuple[int, ...]] = {}

    def matches(self, matcher: Matcher) -> tuple[int, ...]:
        """Indexes, at most as many as are shown or needed. Empty where fewer match than the matcher wants."""
        found = self._found.get(matcher)
        if found is None:
            enough = max(SHOWN_EVIDENCE, matcher.count)
            hits: list[int] = []
            for index in self._candidates(matcher):
                if matcher.fits(self.observations[index]):
                    hits.append(index)
                    if len(hits) == enough:
                        break
            found = self._found[matcher] = tuple(hits) if len(hits) >= matcher.count else ()
        return found

    def _candidates(self, matcher: Matcher) -> Sequence[int]:
        """A superset of what matches, in order."""
        rows = self._by_tag.get(matcher.tag, [])
        if len(rows) <= FEW:
            return rows
        for name, kind, wanted in matcher.tests:
            if kind == "is":
                values = self._values(matcher.tag, name)
                return sorted(index for value in dict.fromkeys(wanted) for index in values.get(value, ()))
        return rows

    def _values(self, tag: str, name: str) -> dict[Hashable, list[int]]:
        """Lists and objects are left out: no matcher asks whether an argument equals one."""
        values = self._by_value.get((tag, name))
        if values is None:
            values = self._by_value[tag, name] = {}
            for index in self._by_tag[tag]:
                value = self.observations[index].args.get(name)
                if value is None or isinstance(value, str | int | float):
                    values.setdefault(value, []).append(index)
        return values

    def carrying(self, rule: Rule) -> tuple[int, ...] | None:
        """The observations a rule rests on, or None where it does not hold."""
        if rule.absent:
            if any(self.matches(matcher) for matcher in (*rule.any, *rule.all)):
                return None
            return next((hits for matcher in rule.ran if (hits := self.matches(matcher))), None)
        carried: list[int] = []
        if rule.any:
            carried = [index for matcher in rule.any for index in self.matches(matcher)]
            if not carried:
                return None
        for matcher in rule.all:
            hits = self.matches(matcher)
            if not hits:
                return None
            carried.extend(hits)
        if any(self.matches(matcher) for matcher in rule.unless):
            return None
        return tuple(carried)
