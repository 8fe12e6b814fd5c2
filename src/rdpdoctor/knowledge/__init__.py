"""What is known, as data: tags, causes, sentences, next steps. `load` reads it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge import causes as _causes
from rdpdoctor.knowledge import questions as _questions
from rdpdoctor.knowledge import reach as _reach
from rdpdoctor.knowledge import store, tags, templates
from rdpdoctor.knowledge.causes import Cause, Tell
from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.questions import Question
from rdpdoctor.knowledge.reach import Reach
from rdpdoctor.knowledge.tags import Tag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Cause", "Knowledge", "KnowledgeError", "Question", "Reach", "Tag", "Tell", "build", "load"]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """tags by name, causes by id, both in alphabetical order; steps: stage or verdict → what to look at
    next; questions by key, in the order of their file; reach: by the answer to `machine`.
    """

    tags: Mapping[str, Tag]
    causes: Mapping[str, Cause]
    steps: Mapping[str, tuple[Tell, ...]]
    wording: Mapping[str, tuple[str, ...]]
    questions: Mapping[str, Question]
    reach: Mapping[str, Reach]

    def say(self, key: str, args: Mapping[str, Any] | None = None) -> str:
        """The first sentence under `key` that `args` can fill. KeyError where there is no such key."""
        return templates.first_that_fits(self.wording[key], args or {})


@cache
def load() -> Knowledge:
    """All knowledge of this package. Raises KnowledgeError naming file, key and mend."""
    return build(store.rows())


def load_from(folder: Path) -> Knowledge:
    """The same from another folder of the same shape."""
    return build(store.rows(folder))


def build(rows: Mapping[str, Any]) -> Knowledge:
    """From checked rows (`store.rows`)."""
    return Knowledge(
        tags=MappingProxyType({name: tags.build(row) for name, row in sorted(rows["tags"].items())}),
        causes=MappingProxyType({name: _causes.build(row) for name, row in sorted(rows["causes"].items())}),
        steps=MappingProxyType(
            {key: tuple(map(_causes.build_tell, entries)) for key, entries in rows["next"].items()}
        ),
        wording=MappingProxyType({key: tuple(texts) for key, texts in rows["wording"].items()}),
        questions=MappingProxyType(
            {key: _questions.build(key, row) for key, row in rows["questions"].items()}
        ),
        reach=MappingProxyType({key: _reach.build(row) for key, row in rows["reach"].items()}),
    )
