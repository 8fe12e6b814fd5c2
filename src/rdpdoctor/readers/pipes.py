"""What comes through a pipe or is pasted. It is kept aside, since readers go back and forth in a file."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

#: `/dev/stdin` is opened by its name only where it is a file: a socket cannot be, and a terminal need not be.
STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
#: Seconds in which somebody has to begin to write into a pipe with a name.
_PATIENCE = 5.0


def is_pipe(name: str) -> bool:
    """Whether what a person named is read to its end, and not as a file. No other device is read at all."""
    if name == "-":
        return True
    mode = Path(name).stat().st_mode
    return stat.S_ISFIFO(mode) or (name in STDIN and not stat.S_ISREG(mode))


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO, float]]:
    """The pipe, and when it was last written into. Raise OSError where nobody writes into it."""
    if name in STDIN:
        if sys.stdin is None:
            raise OSError("there is no stdin")
        yield cast("BinaryIO", Once(sys.stdin.buffer)), os.fstat(sys.stdin.fileno()).st_mtime
        return
    if sys.platform == "win32":  # which has none among its files
        raise OSError("it is no ordinary file")
    from select import select

    with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not select([file], [], [], _PATIENCE)[0]:
            raise OSError("it is a pipe that nobody writes into")
        os.set_blocking(file.fileno(), True)
        yield cast("BinaryIO", Once(file)), os.fstat(file.fileno()).st_mtime


class Once:
    """Ends where it ended: a terminal would wait for a second Ctrl-D, and a third."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._over = file, False

    def read(self, size: int) -> bytes:
        data = b"" if self._over else self._file.read(size)
        self._over = len(data) < size
        return data
