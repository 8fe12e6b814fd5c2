"""Files, folders and archives into readings: each file is recognised by its content, and read by its reader.

Nothing that a file says is followed, run or fetched. How many files there are, how deep, and how much they
unfold to is bounded here; how much of each is looked at, its reader bounds.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rdpdoctor.readers.archive import UNFOLDED, Archive, ArchiveError
from rdpdoctor.readers.joined.model import Reading
from rdpdoctor.readers.kinds import KNOWN, Kind, kind_of, unknown
from rdpdoctor.readers.pipes import STDIN, is_pipe, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rdpdoctor.readers.capture import Stream
    from rdpdoctor.readers.eventlog import Collected, EventLog

#: Files of one call, folders in each other, and bytes of a file that is read whole (journals).
MOST_FILES, DEEPEST, LARGEST = 5000, 8, 64 * 2**20
#: Archives in each other.
_NESTED = 2
_HEAD = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever reads wants to know of the files. source: the address that cloud rules are asked about.
    port: of Remote Desktop, there and in recordings; None: the usual one.
    """

    source: str | None = None
    port: int | None = None
    keylog: bytes = b""


@dataclass(slots=True)
class Gathered:
    """log: all event logs. unread: (file, why) of those that are no evidence. skipped: what was not even
    opened, a sentence each.
    """

    readings: list[Reading] = field(default_factory=list)
    log: EventLog | None = None
    unread: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Ear:
    """Hears how far the reading is. stop: end it where it is; what was read by then counts. waiting: for
    what somebody else writes, so that only he or an interrupt ends it.
    """

    stop = waiting = False

    def file(self, name: str, size: int) -> None:
        """The next file begins; size in bytes."""

    def read(self, count: int) -> None:
        """So many bytes of it more are read."""

    def found(self, what: str) -> None:
        """Something that failed, in words, long before everything is read."""


def gather(paths: Sequence[str], asked: Asked | None = None, ear: Ear | None = None) -> Gathered:
    """Everything of the files that can be read. Never raises on what they hold."""
    run = _Run(asked or Asked(), ear or Ear())
    for path in paths:
        run.path(Path(path), path, 0)
    if run.logs is not None:
        run.found.log = run.logs.log()
    return run.found


@dataclass(slots=True)
class _Run:
    asked: Asked
    ear: Ear
    found: Gathered = field(default_factory=Gathered)
    logs: Collected | None = None
    files: int = 0
    seen: dict[object, str] = field(default_factory=dict)
    archive: Archive = field(default_factory=Archive)

    def path(self, path: Path, shown: str, depth: int) -> None:
        """What a person names may be a link or a pipe; what lies in a folder may not."""
        try:
            if not depth and is_pipe(shown):
                self._pipe(shown)
                return
            status = path.lstat() if depth else path.stat()
        except (OSError, ValueError) as error:
            self.found.unread.append((shown, f"cannot be read: {_why(error)}"))
            return
        if stat.S_ISDIR(status.st_mode):
            self._folder(path, shown, depth)
        elif not stat.S_ISREG(status.st_mode):
            self._leave(shown, "it is no ordinary file", named=not depth)
        elif self._more(shown):
            try:
                with path.open("rb") as file:
                    if self._new((status.st_dev, status.st_ino) if status.st_ino else None, shown):
                        self.file(file, shown, status.st_size, status.st_mtime, named=not depth)
            except OSError as error:
                self.found.unread.append((shown, f"cannot be read: {_why(error)}"))

    def _pipe(self, name: str) -> None:
        shown = "stdin" if name in STDIN else name
        self.files += 1
        self.ear.waiting = True
        try:
            with opened(name) as (pipe, modified):
                member = self.archive.kept(pipe, self.found.skipped, shown, modified, _worth)
        finally:
            self.ear.waiting = False
        if member is None:
            self._leave(shown, unknown(b""), named=True)
            return
        with member.open() as inside:
            self.file(inside, shown, member.size, modified, named=True)

    def file(
        self, file: BinaryIO, shown: str, size: int, modified: float, named: bool, level: int = 0
    ) -> None:
        """named: a person meant this very file. level: how many archives it came out of."""
        self.ear.file(shown, size)
        head = file.read(_HEAD)
        file.seek(0)
        kind = kind_of(head)
        if kind is Kind.ZIP and level < _NESTED:
            self._unpack(file, shown, level + 1)
        elif kind is Kind.ZIP:
            self.found.skipped.append(f"`{shown}` is an archive deep in archives, and left out")
        elif kind is Kind.PACKED:
            self._unfold(file, shown, modified, named, level)
        elif kind is None:
            self._leave(shown, unknown(head), named)
        elif self._new(sha256(head).digest() if kind in _COUNTED and len(head) < _HEAD else None, shown):
            self._read(kind, file, head, shown, modified)

    def _new(self, key: object, shown: str) -> bool:
        """Whether it is the first with this key; None: nobody knows. Twice the same would count twice."""
        if key is not None and key in self.seen:
            self.found.skipped.append(f"`{shown}` is left out, since it is the same as `{self.seen[key]}`")
            return False
        self.seen[key] = shown
        return True

    def _read(self, kind: Kind, file: BinaryIO, head: bytes, shown: str, modified: float) -> None:
        heard = cast("BinaryIO", Heard(file, self.ear))
        try:
            if kind is Kind.EVENTS:
                reading = self._events(heard, shown)
            elif kind is Kind.CAPTURE:
                reading = self._capture(heard, shown)
            else:
                reading = _READERS[kind](heard, shown, self.asked, modified)
        except (ValueError, OSError) as error:  # every reader's own error is a ValueError
            if self.ear.stop:
                self.found.skipped.append(f"`{shown}` is left out, since the reading was stopped in it")
                return
            self.found.unread.append((shown, f"is {_article(kind)}, but {error}"))
        except (MemoryError, RecursionError):
            self.found.unread.append((shown, f"is {_article(kind)}, but too large or too deeply nested"))
        else:
            self.found.readings.append(reading)
            if self.ear.stop:
                self.found.skipped.append(f"`{shown}` is read so far only, since the reading was stopped")

    def _capture(self, file: BinaryIO, shown: str) -> Reading:
        from rdpdoctor.readers.capture import Limits, read_capture
        from rdpdoctor.readers.joined.tries import fate

        def told(stream: Stream) -> None:
            how = fate(stream)
            if how.outcome == "fails":
                self.ear.found(f"{stream.server}:{stream.port} from {stream.client} fails at {how.at}")

        limits = Limits(ports=frozenset({3389, self.asked.port or 3389}))
        found = read_capture(file, limits, keylog=self.asked.keylog, told=told)
        totals = found.totals
        summary = f"{_count(totals.packets, 'packet')}, {_count(totals.streams, 'connection')} of interest"
        return Reading(shown, Kind.CAPTURE.value, capture=found, lost=found.lost, summary=summary)

    def _events(self, file: BinaryIO, shown: str) -> Reading:
        from rdpdoctor.readers.eventlog import Collected

        self.logs = self.logs or Collected()
        tally = self.logs.take(Path(shown).name, file)
        summary = f"{_count(tally.records, 'event')}, {tally.kept:,} of interest"
        return Reading(shown, Kind.EVENTS.value, lost=tuple(tally.lost), summary=summary)

    def _folder(self, path: Path, shown: str, depth: int) -> None:
        if depth >= DEEPEST:
            self.found.skipped.append(f"`{shown}` is more than {DEEPEST} folders deep, and left out")
            return
        try:
            names = sorted(entry.name for entry in path.iterdir())
        except OSError as error:
            self.found.unread.append((shown, f"cannot be read: {_why(error)}"))
            return
        before = self.files
        for name in names:
            if self.files > MOST_FILES or self.ear.stop:
                break
            self.path(path / name, str(Path(shown) / name), depth + 1)
        if not depth and self.files == before:
            self.found.unread.append((shown, "is a folder without files"))

    def _unpack(self, file: BinaryIO, shown: str, level: int) -> None:
        try:
            for member in self.archive.members(file, self.found.skipped, shown, _worth):
                with member.open() as inside:
                    name = f"{shown}: {member.name}"
                    if self.ear.stop or not self._more(name):
                        return
                    self.file(inside, name, member.size, member.modified, named=False, level=level)
        except (ArchiveError, OSError) as error:
            self.found.unread.append((shown, f"is a zip archive, but {error}"))

    def _unfold(self, file: BinaryIO, shown: str, modified: float, named: bool, level: int) -> None:
        member = self.archive.unfolded(file, self.found.skipped, shown, modified, _worth)
        if member is not None:
            with member.open() as inside:
                self.file(inside, shown, member.size, modified, named, level)

    def _more(self, shown: str) -> bool:
        if self.ear.stop:
            return False
        self.files += 1
        if self.files == MOST_FILES + 1:
            self.found.skipped.append(
                f"of more than {MOST_FILES} files, `{shown}` and what follows is left out"
            )
        return self.files <= MOST_FILES

    def _leave(self, shown: str, why: str, named: bool) -> None:
        if named:
            self.found.unread.append((shown, why))
        else:
            self.found.skipped.append(f"`{shown}` is left out: {why}")


def _worth(head: bytes) -> int:
    """How many bytes are unfolded: of what is read as a whole, as many as show that it is too large."""
    kind = kind_of(head)
    if kind is None:
        return 0
    return UNFOLDED if kind in (Kind.CAPTURE, Kind.EVENTS, Kind.ZIP, Kind.PACKED) else LARGEST + 1


class Heard:
    """A file that tells how far it is read, and that ends where the reading is stopped."""

    def __init__(self, file: BinaryIO, ear: Ear) -> None:
        self._file, self._ear = file, ear

    def read(self, size: int = -1) -> bytes:
        if self._ear.stop:
            return b""
        data = self._file.read(size)
        self._ear.read(len(data))
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    read1 = read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _rdp(file: BinaryIO, shown: str, asked: Asked, modified: float) -> Reading:
    from rdpdoctor.readers.rdpfile import read_rdp

    found = read_rdp(file.read(LARGEST))
    return Reading(
        shown, Kind.RDP.value, rows=found.observations, host=found.host, port=found.port, modified=modified,
        lost=found.lost, summary=_count(len(found.settings.values), "setting"),
    )  # fmt: skip


def _rules(file: BinaryIO, shown: str, asked: Asked, modified: float) -> Reading:
    from rdpdoctor.readers.cloud.rules import read_rules

    found = read_rules(file.read(LARGEST), asked.source, asked.port or 3389)
    groups = sum(row.tag == "cloud.rule-decides" for row in found.observations)
    return Reading(
        shown, Kind.RULES.value, rows=found.observations, port=asked.port, modified=modified, lost=found.lost,
        summary=f"{found.kind}, {_count(groups, 'group')}" if groups else found.kind,
    )  # fmt: skip


def _host(file: BinaryIO, shown: str, asked: Asked, modified: float) -> Reading:
    from rdpdoctor.readers.host import read_host

    found = read_host(file.read(LARGEST))
    return Reading(
        shown, Kind.HOST.value, rows=found.observations, host=found.computer, port=found.port,
        modified=modified, lost=found.lost,
        summary=f"{found.kind}, {_count(len(found.observations), 'fact')}",
    )  # fmt: skip


def _journal(file: BinaryIO, shown: str, asked: Asked, modified: float) -> Reading:
    from rdpdoctor.readers.journal import read_journal

    journal, lost = read_journal(file.read(LARGEST + 1), LARGEST)
    summary = _count(len(journal), "observation")
    return Reading(shown, Kind.JOURNAL.value, journal=journal, lost=lost, summary=summary)


#: Of these, what is given twice would have happened twice.
_COUNTED = frozenset({Kind.CAPTURE, Kind.EVENTS, Kind.JOURNAL})
_READERS: dict[Kind, Callable[[BinaryIO, str, Asked, float], Reading]] = {
    Kind.RDP: _rdp,
    Kind.RULES: _rules,
    Kind.HOST: _host,
    Kind.JOURNAL: _journal,
}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _article(kind: Kind) -> str:
    return f"an {kind.value}" if kind.value[0] in "aeiou" else f"a {kind.value}"


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


__all__ = ["KNOWN", "Asked", "Ear", "Gathered", "gather"]
