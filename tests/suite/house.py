"""What cases need that must start from the main thread: real servers, networks, certificates."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from tests.real.servers import Workshop

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")


class House:
    """Everything that is entered here ends with it, last in first out."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()

    def __enter__(self) -> House:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def enter(self, manager: AbstractContextManager[T]) -> T:
        return self._stack.enter_context(manager)

    @cached_property
    def shop(self) -> Workshop:
        shop = Workshop(self._directory)
        self._stack.callback(shop.close)
        return shop
