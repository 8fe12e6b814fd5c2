"""Calls that cannot be interrupted, such as the system's resolver: in a thread that nobody must wait for.

A ThreadPoolExecutor will not do: its threads are joined when the process exits, so that a resolver which
hangs for a minute would hang Ctrl-C for a minute too.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def call(function: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109
    """What `function` returns or raises. TimeoutError after `timeout` seconds; a late answer is dropped."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def deliver(value: T | None, error: BaseException | None) -> None:
        if answer.done():  # too late
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, error = None, None
        try:
            value = function()
        except BaseException as caught:  # raised again, over there
            error = caught
        try:
            loop.call_soon_threadsafe(deliver, value, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    threading.Thread(target=run, daemon=True, name="rdpdoctor-background").start()
    async with asyncio.timeout(timeout):
        return await answer
