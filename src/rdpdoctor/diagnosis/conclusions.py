"""The derived observations, as the judges of the stages look them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdpdoctor.facts import Observation, Stage


class Conclusions:
    """Arguments by tag, without the word `derived`. They are our own, so their types can be relied on."""

    def __init__(self, rows: list[Observation]) -> None:
        self._by_tag: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            self._by_tag.setdefault(row.tag.removeprefix("derived."), []).append(row.args)

    def each(self, tag: str) -> Iterator[Mapping[str, Any]]:
        yield from self._by_tag.get(tag, ())

    def the(self, tag: str) -> Mapping[str, Any] | None:
        return next(self.each(tag), None)

    def at(self, tag: str, stage: Stage) -> Mapping[str, Any] | None:
        return next((args for args in self.each(tag) if args.get("at") == stage), None)
