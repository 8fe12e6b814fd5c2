"""Strict reading of TOML tables: every key is asked for with its type; what nobody asked for is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class ScenarioError(ValueError):
    """A scenario that does not exist or does not say what a scenario must; the text names file and key."""


class Table:
    """One table. Use as a context manager: leaving it complains about keys that were not read."""

    def __init__(self, where: str, rows: dict[str, Any]) -> None:
        self.where = where
        self._rows = rows
        self._read: set[str] = set()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and (left := sorted(set(self._rows) - self._read)):
            raise self.error(left[0], f"is not known here (known: {', '.join(sorted(self._read))})")

    def error(self, key: str, what: str) -> ScenarioError:
        return ScenarioError(f"{self.where}: `{key}` {what}")

    def has(self, key: str) -> bool:
        return key in self._rows

    def keys(self) -> Iterable[str]:
        return self._rows.keys()

    def get(self, key: str, kind: type | tuple[type, ...], what: str) -> Any:
        """The value, or None where it is absent."""
        self._read.add(key)
        value = self._rows.get(key)
        if value is not None and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            raise self.error(key, f"must be {what}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.maybe_text(key)
        if value is None and default is None:
            raise self.error(key, "is missing")
        return value if value is not None else default or ""

    def maybe_text(self, key: str) -> str | None:
        value: str | None = self.get(key, str, "text")
        return value

    def whole(self, key: str, default: int) -> int:
        value = self.maybe_whole(key)
        return default if value is None else value

    def maybe_whole(self, key: str) -> int | None:
        value: int | None = self.get(key, int, "a whole number")
        return value

    def number(self, key: str, default: float) -> float:
        value = self.get(key, (int, float), "a number")
        return default if value is None else float(value)

    def maybe_flag(self, key: str) -> bool | None:
        value: bool | None = self.get(key, bool, "true or false")
        return value

    def choice(self, key: str, known: Collection[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in known:
            raise self.error(key, f"is {value!r}, which is none of: {', '.join(known)}")
        return value

    def texts(self, key: str, known: Collection[str] | None = None) -> tuple[str, ...]:
        values = self.get(key, list, "a list of text") or ()
        for value in values:
            if not isinstance(value, str):
                raise self.error(key, "must be a list of text")
            if known is not None and value not in known:
                raise self.error(key, f"has {value!r}, which is none of: {', '.join(known)}")
        return tuple(values)

    def wholes(self, key: str) -> tuple[int, ...]:
        values = self.get(key, list, "a list of whole numbers") or ()
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise self.error(key, "must be a list of whole numbers")
        return tuple(values)

    def table(self, key: str) -> Table:
        """The table of that name; an empty one where it is absent."""
        return Table(f"{self.where}: {key}", self.get(key, dict, "a table") or {})

    def tables(self, key: str) -> list[Table]:
        rows = self.get(key, list, "a list of tables") or []
        if not all(isinstance(row, dict) for row in rows):
            raise self.error(key, "must be a list of tables")
        return [Table(f"{self.where}: {key}[{number}]", row) for number, row in enumerate(rows)]

    def texts_by_key(self) -> dict[str, str]:
        """Every pair, both sides text."""
        return {key: self.text(key) for key in self._rows}
