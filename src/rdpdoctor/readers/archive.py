"""Zip archives, one file at a time, and files packed with gz or zst. Names in archives are only shown:
nothing is written where one of them says.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    #: How many bytes of a file are worth unfolding, by its first 64 KiB.
    Worth = Callable[[bytes], int]

#: Bytes that all archives of one call may unfold to, and entries of one of them.
UNFOLDED, ENTRIES = 2 * 2**30, 10_000
_IN_MEMORY, _BLOCK, _HEAD = 8 * 2**20, 2**20, 64 * 2**10
#: Bytes of an archive's list of files. Python takes ten times as many to read it.
_LONGEST_LIST = 8 * 2**20
_ENCRYPTED = 0x1
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class ArchiveError(ValueError):
    """It cannot be read at all; says why."""


@dataclass(slots=True)
class Member:
    """size: as unfolded, which the archive only claims. modified: seconds since 1970."""

    name: str
    size: int
    modified: float
    _file: BinaryIO

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        with self._file:
            yield self._file


class _Bounded:
    """An archive's file, of which nobody reads more at once than its list of files may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > _LONGEST_LIST:
            raise zipfile.BadZipFile("its list of files is too long")
        return self._file.read(_LONGEST_LIST if size < 0 else size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@dataclass(slots=True)
class Archive:
    """The bounds of all archives of one call. left: bytes that may still come out of them."""

    left: int = field(default_factory=lambda: UNFOLDED)

    def members(
        self, file: BinaryIO, skipped: list[str], shown: str, worth: Worth | None = None
    ) -> Iterator[Member]:
        """Ordinary files in the archive's order. What is left out is added to `skipped`, a sentence each; of
        the same content once more, as whatever packs a loop of links makes it, the number.
        """
        try:
            archive = zipfile.ZipFile(cast("BinaryIO", _Bounded(file)))
        except _FAULTS as error:
            raise ArchiveError(f"it is damaged: {error}") from error
        with archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if len(entries) > ENTRIES:
                skipped.append(
                    f"`{shown}`: of {len(entries):,} files only the first {ENTRIES:,} are looked at"
                )
            entries, copies = _once(entries[:ENTRIES])
            if copies:
                skipped.append(
                    f"`{shown}`: of {copies:,} more {'file' if copies == 1 else 'files'} the content is the "
                    "same as that of others in it, and counts once"
                )
            for entry in entries:
                name = f"`{shown}: {entry.filename}`"
                if entry.flag_bits & _ENCRYPTED:
                    skipped.append(f"{name} is encrypted, and left out")
                elif not _ordinary(entry):
                    skipped.append(f"{name} is no ordinary file, and left out")
                elif self.left <= 0:
                    skipped.append(f"{name} and what follows is left out: no more is unfolded")
                    return
                else:
                    member = self._member(archive, entry, skipped, name, worth)
                    if member is not None:
                        yield member

    def unfolded(
        self, file: BinaryIO, skipped: list[str], shown: str, modified: float, worth: Worth | None = None
    ) -> Member | None:
        """What a file packed with gz or zst holds. Raise ValueError where nothing here unpacks it."""
        from rdpdoctor.readers.capture.source import Source

        source = Source(file, self.left)
        held, size = self._spooled(source.read, worth)
        if source.fault:
            skipped.append(f"`{shown}` is read as far as it goes: {source.fault}")
        return _member(shown, size, modified, held)

    def kept(
        self, pipe: BinaryIO, skipped: list[str], shown: str, modified: float, worth: Worth | None = None
    ) -> Member | None:
        """What comes out of a pipe, within the same bounds."""
        held, size = self._spooled(pipe.read, worth)
        if self.left < 0:
            skipped.append(f"`{shown}` is longer than what is read, and is cut off")
        return _member(shown, size, modified, held)

    def _member(
        self,
        archive: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        skipped: list[str],
        name: str,
        worth: Worth | None,
    ) -> Member | None:
        """A size that lies ends where the bounds do."""
        inside: BinaryIO | None = None
        fault: Exception | None = None

        def read(size: int) -> bytes:
            nonlocal inside, fault
            try:
                inside = inside or cast("BinaryIO", archive.open(entry))
                return inside.read(size)
            except _FAULTS as error:
                fault = error
                return b""

        held, size = self._spooled(read, worth)
        if inside is not None:
            inside.close()
        if fault is not None:
            skipped.append(f"{name} is damaged, and read as far as it goes: {fault}")
        elif self.left < 0:
            skipped.append(f"{name} unfolds to more than is read, and is cut off")
        try:
            modified = datetime(*entry.date_time, tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            modified = 0.0
        return _member(entry.filename, size, modified, held)

    def _spooled(self, read: Callable[[int], bytes], worth: Worth | None) -> tuple[BinaryIO, int]:
        """On disk where it is large. Of what nobody reads no more is unfolded than shows that."""
        held = cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - Member closes it
        try:
            return held, self._copied(read, held, worth)
        except BaseException:
            held.close()
            raise

    def _copied(self, read: Callable[[int], bytes], held: BinaryIO, worth: Worth | None) -> int:
        wanted = size = 0
        while block := read(min(_BLOCK if size else _HEAD, self.left + 1)):
            if not size:
                wanted = self.left if worth is None else worth(block)
            self.left -= len(block)
            if self.left < 0:
                break
            size += held.write(block)
            if size >= wanted:
                break
        held.seek(0)
        return size


def _once(entries: list[zipfile.ZipInfo]) -> tuple[list[zipfile.ZipInfo], int]:
    """Each content once, and how many are left. By sums that reading checks: where one lies, that is said."""
    first: dict[object, zipfile.ZipInfo] = {}
    for entry in entries:
        sums = (entry.CRC, entry.file_size) if _plain(entry) else id(entry)
        first.setdefault(sums, entry)
    return list(first.values()), len(entries) - len(first)


def _plain(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > 0 and not entry.flag_bits & _ENCRYPTED and _ordinary(entry)


def _ordinary(entry: zipfile.ZipInfo) -> bool:
    return stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)


def _member(name: str, size: int, modified: float, held: BinaryIO) -> Member | None:
    """None where nothing came out."""
    if size:
        return Member(name, size, modified, held)
    held.close()
    return None
