"""What is seen while files are read, and how Ctrl-C ends that: what was read by then counts."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from rdpdoctor.readers.gather import Ear

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds until a bar is shown, between two pictures of it, and until what was found is said beforehand.
_PATIENCE, _PICTURE, _EARLY = 2.0, 0.1, 0.3
#: Bytes of a file in which it is said beforehand even to what is no terminal, whatever the time.
_LARGE = 50 * 10**6
#: Findings that are said before everything is read.
_SAID = 3
_WIDTH = 30
#: Bytes of a file that is read before a bar of its own could be looked at.
_SMALL = 4 * 2**20
_CLEAR = "\r\x1b[K"


@contextmanager
def reading() -> Iterator[Ear]:
    """The first Ctrl-C stops the reading, the second one everything."""
    from rdpdoctor.cli.output import is_terminal

    ear = Bar() if is_terminal(sys.stderr) else Early()
    if current_thread() is not main_thread():  # only there can a signal be caught
        yield ear
        return

    def stop(number: int, frame: object) -> None:
        if ear.stop or ear.waiting:
            raise KeyboardInterrupt
        ear.stop = True

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield ear
    finally:
        signal.signal(signal.SIGINT, before)
        if isinstance(ear, Bar):
            ear.clear()


class Early(Ear):
    """Says the first findings of a large file on stderr, while it is still being read."""

    def __init__(self) -> None:
        self._size = 0
        self._found: dict[str, None] = {}
        self._said = 0

    def file(self, name: str, size: int) -> None:
        self._size = size

    def found(self, what: str) -> None:
        self._found[what] = None
        if self._said < _SAID and self._due():
            self._say()

    def _due(self) -> bool:
        return self._size >= _LARGE

    def _say(self) -> None:
        """One line each that stays; the report that follows says why."""
        from rdpdoctor.report.escape import visible

        for what in list(self._found)[self._said : _SAID]:
            sys.stderr.write(f"so far: {visible(what, 70, 'ascii')}\n")
            self._said += 1
        sys.stderr.flush()


class Bar(Early):
    """One line on stderr, of the file that is being read."""

    def __init__(self) -> None:
        super().__init__()
        self._began = self._drawn = time.monotonic()
        self._name, self._done, self._shown, self._files = "", 0, False, 0

    def file(self, name: str, size: int) -> None:
        super().file(name, size)
        self._name, self._done = name, 0
        self._files += 1

    def read(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._began >= _PATIENCE and now - self._drawn >= _PICTURE:
            self._drawn = now
            self._draw(now - self._began)
        if self._found and not self._said and self._due():
            self._say()

    def _due(self) -> bool:
        return time.monotonic() - self._began >= _EARLY

    def _say(self) -> None:
        self.clear()
        super()._say()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def _draw(self, elapsed: float) -> None:
        from rdpdoctor.report.escape import visible

        name = visible(self._name, 30, "ascii")
        if self._files > 1 and self._size < _SMALL:
            line = f"{self._files} files {elapsed:5.0f} s  {name}"
        else:
            share = min(self._done / self._size, 1.0) if self._size else 0.0
            full = round(share * _WIDTH)
            line = f"[{'#' * full}{'-' * (_WIDTH - full)}] {share:4.0%} {elapsed:3.0f} s  {name}"
        sys.stderr.write(_CLEAR + line[:79])
        sys.stderr.flush()
        self._shown = True
