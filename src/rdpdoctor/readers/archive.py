"""Zip archives, one file at a time. Their members' names are only shown: nothing is written where one of them
says.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that all archives of one call may unfold to, and entries of one of them.
UNFOLDED, ENTRIES = 2 * 2**30, 10_000
_IN_MEMORY, _BLOCK = 8 * 2**20, 2**20
_ENCRYPTED = 0x1
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


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


@dataclass(slots=True)
class Archive:
    """The bounds of all archives of one call. left: bytes that may still come out of them."""

    left: int = field(default_factory=lambda: UNFOLDED)

    def members(self, file: BinaryIO, skipped: list[str], shown: str) -> Iterator[Member]:
        """Ordinary files in the archive's order. What is left out is added to `skipped`, a sentence each."""
        try:
            archive = zipfile.ZipFile(file)
        except (*_FAULTS, OSError) as error:
            raise ArchiveError(f"it is damaged: {error}") from error
        with archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > ENTRIES:
                skipped.append(
                    f"`{shown}`: of {len(entries):,} files only the first {ENTRIES:,} are looked at"
                )
            for entry in entries[:ENTRIES]:
                name = f"`{shown}: {entry.filename}`"
                if entry.flag_bits & _ENCRYPTED:
                    skipped.append(f"{name} is encrypted, and left out")
                elif stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
                    skipped.append(f"{name} is no ordinary file, and left out")
                elif entry.file_size > self.left:
                    skipped.append(f"{name} unfolds to more than is read, and is left out")
                else:
                    member = self._member(archive, entry, skipped, name)
                    if member is not None:
                        yield member

    def _member(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, skipped: list[str], name: str
    ) -> Member | None:
        """On disk where it is large. A size that lies ends where the bounds do."""
        spooled = cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - Member closes it
        try:
            with archive.open(entry) as inside:
                while block := inside.read(min(_BLOCK, self.left + 1)):
                    self.left -= len(block)
                    if self.left < 0:
                        skipped.append(f"{name} unfolds to more than is read, and is cut off")
                        break
                    spooled.write(block)
        except _FAULTS as error:
            skipped.append(f"{name} is damaged, and read as far as it goes: {error}")
        if not spooled.tell():
            spooled.close()
            return None
        size = spooled.tell()
        spooled.seek(0)
        try:
            modified = datetime(*entry.date_time, tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            modified = 0.0
        return Member(entry.filename, size, modified, spooled)
