"""The bytes of a recording in large blocks, unpacked on the way where they are gz or zst."""

from __future__ import annotations

import gzip
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rdpdoctor.readers.capture.model import CaptureError

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1 << 20
MARGIN = 256  # what the fast look at a packet may need beyond its end
_WINDOW = 1 << 27  # bytes of memory that a zst frame may ask for
_FRAME = 18  # bytes of a zst frame's header at most
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED = (_GZIP, _ZSTD)


class Source:
    """Reads forwards only. `fault` says what ended it early; `progress` hears how many bytes of the file are
    done.
    """

    def __init__(self, file: BinaryIO, most: int, progress: Callable[[int], None] | None = None) -> None:
        self._raw = file
        self._progress = progress
        self._left = most
        self._most = most
        self.fault = ""
        self._errors: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, ValueError)
        self._head = file.read(4)
        self._promised = 0
        self._file = self._unpacked(file)

    def _unpacked(self, file: BinaryIO) -> BinaryIO:
        if self._head[:2] == _GZIP:
            self._head, rest = b"", _Joined(self._head, file)
            return cast("BinaryIO", gzip.GzipFile(fileobj=cast("BinaryIO", rest), mode="rb"))
        if self._head == _ZSTD:
            frame = self._head + file.read(_FRAME - len(self._head))
            self._head, rest = b"", _Joined(frame, file)
            unpacked, error, self._promised = _zstd(rest, frame)
            self._errors += (error,)
            return unpacked
        return file

    @property
    def done(self) -> int:
        """Unpacked bytes that were read."""
        return self._most - self._left

    def peek(self, size: int) -> bytes:
        """The next bytes, which `read` gives again."""
        head, self._head = self._head, b""
        self._head = head + (self.read(size - len(head)) if len(head) < size else b"")
        return self._head[:size]

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end. Never raises: a damaged archive ends early."""
        parts = [self._head[:size]] if self._head else []
        self._head = self._head[size:]
        size -= sum(map(len, parts))
        while size > 0 and not self.fault:
            try:
                part = self._some(min(size, BLOCK, self._left + 1))
            except self._errors as error:
                self.fault = (
                    f"the file could not be read to its end: {str(error)[:200] or type(error).__name__}"
                )
                break
            if not part:
                if self.done < self._promised:
                    self.fault = (
                        f"the file is cut off: {self._promised - self.done:,} bytes of it are missing"
                    )
                break
            if len(part) > self._left:
                self.fault = f"more than {self._most:,} bytes come out of it; the rest was not read"
                part = part[: self._left]
            self._left -= len(part)
            size -= len(part)
            parts.append(part)
        if self._progress is not None:
            self._tell()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, size: int) -> bytes:
        """Of what is packed, no more than is ready: damage would take the rest of a large read with it."""
        return self._file.read(size) if self._file is self._raw else cast("Any", self._file).read1(size)

    def skip(self, size: int) -> int:
        """Read and forget. Return how many bytes there were."""
        left = size
        while left > 0 and (part := self.read(min(left, BLOCK))):
            left -= len(part)
        return size - left

    def _tell(self) -> None:
        assert self._progress is not None
        try:
            self._progress(self._raw.tell())
        except OSError:  # a pipe
            self._progress = None


class Window:
    """The part of a source that is at hand: `size` bytes of `data`, and behind the source's end some more to
    look at. cut: it ended within what was asked for.
    """

    __slots__ = ("_source", "cut", "data", "ended", "size")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.data, self.size = b"", 0
        self.ended = self.cut = False

    def move(self, at: int, more: int) -> bool:
        """Forget what stands before `at`, and read a block and `more` bytes. False where nothing follows."""
        gone = at - self.size
        if gone > 0:
            if self.ended or self._source.skip(gone) < gone:
                self.cut = True
                return False
            self.data, at, self.size = b"", 0, 0
        fresh = b"" if self.ended else self._source.read(BLOCK + more)
        if not fresh:
            if self.ended:
                self.cut = at < self.size
                return False
            self.ended = True
        self.data = self.data[at:] + (fresh or bytes(MARGIN))
        self.size += len(fresh) - at
        return True


class _Joined:
    """The bytes that said what it is, then the file."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.read(size)
        count = len(self._head) if size < 0 else size
        part, self._head = self._head[:count], self._head[count:]
        return part

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    @property
    def closed(self) -> bool:
        return False

    def flush(self) -> None:
        pass


def _zstd(file: _Joined, frame: bytes) -> tuple[BinaryIO, type[Exception], int]:
    """The unpacked bytes, the error of damage, and how many there are, where the file says so. Python has
    zstd from 3.14 on; before that a package does, which is installed wherever it has wheels.
    """
    module = _first("compression.zstd", "zstandard")
    if module is None:
        raise CaptureError(
            "it is packed with zstd; unpack it first, or install the Python package `zstandard`"
        )
    if module.__name__ == "zstandard":
        reader = module.ZstdDecompressor(max_window_size=_WINDOW)
        return reader.stream_reader(file, read_across_frames=True), module.ZstdError, _size(module, frame)
    return module.ZstdFile(file, "rb"), module.ZstdError, 0  # it raises EOFError itself


def _size(module: Any, frame: bytes) -> int:
    """What the header says of the bytes behind it, 0 where it says nothing: the package ends a cut file as if
    it were whole.
    """
    try:
        return max(int(module.frame_content_size(frame)), 0)
    except module.ZstdError:
        return 0


def _first(*names: str) -> Any:
    """The first of these modules that this Python has."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
