"""The triage questions: what only a person knows, by the key that `--answer` takes."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "questions.toml"
#: The value that says that the person does not know.
UNKNOWN = "unknown"
_KEYS = {"text", "why", "values", "seed", "seconds"}


@dataclass(frozen=True, slots=True)
class Question:
    """values: value → what it means, in the words of whoever answers. why: what it is asked for.

    seed: comes before others that would tell as much. seconds: what it costs a person.
    """

    key: str
    text: str
    why: str
    values: Mapping[str, str]
    seed: bool
    seconds: float

    @property
    def telling(self) -> tuple[str, ...]:
        """The values that are evidence."""
        return tuple(value for value in self.values if value != UNKNOWN)


def build(key: str, row: Mapping[str, Any]) -> Question:
    """From a row that `parse` let pass."""
    values = MappingProxyType(dict(row["values"]))
    return Question(key, row["text"], row["why"], values, row.get("seed", False), float(row["seconds"]))


def parse(document: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the index. Raises KnowledgeError naming key and mend."""
    for key, row in document.items():
        if not isinstance(row, dict) or set(row) - _KEYS:
            raise KnowledgeError(FILE, key, f"a question has {', '.join(sorted(_KEYS))}")
        for name in ("text", "why"):
            if not isinstance(row.get(name), str) or not row[name].strip():
                raise KnowledgeError(FILE, f"{key}.{name}", "write a sentence")
        values = row.get("values")
        if not isinstance(values, dict) or not all(
            isinstance(said, str) and said for said in values.values()
        ):
            raise KnowledgeError(FILE, f"{key}.values", "write a table: value = what it means")
        if len(values) < 3 or list(values)[-1] != UNKNOWN:
            raise KnowledgeError(
                FILE, f"{key}.values", f"give two values at least, and {UNKNOWN} as the last one"
            )
        seconds = row.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            raise KnowledgeError(FILE, f"{key}.seconds", "give the seconds an answer takes, above 0")
        if not isinstance(row.get("seed", False), bool):
            raise KnowledgeError(FILE, f"{key}.seed", "write true or false")
    return dict(document)
