"""One file in, one Capture out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rdpdoctor.readers.capture import pcap, pcapng
from rdpdoctor.readers.capture.model import Capture, CaptureError, Limits, Stream, Totals
from rdpdoctor.readers.capture.source import PACKED, Source
from rdpdoctor.readers.capture.tracker import KEY_LOG, Tracker
from rdpdoctor.readers.capture.unanswered import unanswered

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_CAPTURE = "it is no recording of packets: neither pcap nor pcapng"
_NAMES = {
    b"\x54\x52\x53\x4e": "snoop",
    b"GMBU": "Microsoft Network Monitor",
    b"\xa1\xb2\xcd\x34": "modified pcap",
    b"\x34\xcd\xb2\xa1": "modified pcap",
}


def is_capture(head: bytes) -> bool:
    """By a file's first four bytes. gz and zst may hold one."""
    return head[:4] in pcap.MAGIC or head[:4] == pcapng.MAGIC or head.startswith(PACKED)


def read_capture(
    file: str | Path | BinaryIO,
    limits: Limits | None = None,
    *,
    keylog: bytes = b"",
    progress: Callable[[int], None] | None = None,
    told: Callable[[Stream], None] | None = None,
) -> Capture:
    """All Remote Desktop connections of a recording, oldest first.

    keylog: lines of a TLS key log; connections that it names are told on any port. progress hears how many
    bytes of the file are done; told, of each connection, soon after its end, as it is known then. Raise
    CaptureError where nothing can be read, OSError where the file cannot be opened; what is damaged further
    on is told in `Capture.lost`.
    """
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return read_capture(opened, limits, keylog=keylog, progress=progress, told=told)
    limits = limits or Limits()
    tracker, totals, lost = Tracker(limits), Totals(), list[str]()

    def block(done: int) -> None:
        if progress is not None:
            progress(done)
        if told is not None and totals.end is not None:
            for stream in tracker.early(totals.end):
                told(stream)

    source = Source(file, limits.unpacked, block)
    section = pcapng.Section(lost)
    if keylog:
        section.secrets.append((KEY_LOG, keylog))
        tracker.want(section.secrets)
    head = source.peek(4)
    if head == pcapng.MAGIC:
        pcapng.read(source, tracker, totals, section, lost)
    elif head in pcap.MAGIC:
        pcap.read(source, tracker, totals, lost)
    elif not head:
        raise CaptureError(source.fault or "it is empty, or nothing of it can be unpacked")
    else:
        name = _NAMES.get(head)
        raise CaptureError(f"it is a file of {name}, which is not read here" if name else _NO_CAPTURE)
    section.finish()
    tracker.finish(totals.end or 0.0)
    totals.bytes, totals.tcp_flows, totals.streams = source.done, tracker.tcp_flows, len(tracker.streams)
    if source.fault:
        lost.append(source.fault)
    lost += [f"{count:,} {what}" for what, count in tracker.lost.items()]
    silent = unanswered(tracker.held.values(), totals.end or 0.0, tracker.tcp_flows)
    return Capture(tuple(tracker.streams), tuple(lost), totals, tuple(section.secrets), silent)
