"""What kind of file it is, by how its content begins, whatever its name."""

from __future__ import annotations

import zlib
from enum import StrEnum


class Kind(StrEnum):
    """The value is how it is spoken of."""

    CAPTURE = "recording of packets"
    EVENTS = "event log"
    RDP = ".rdp file"
    HOST = "file with facts of a machine"
    RULES = "file of cloud rules"
    JOURNAL = "saved check"
    ZIP = "zip archive"


PLURALS = {
    Kind.CAPTURE.value: "recordings of packets",
    Kind.EVENTS.value: "event logs",
    Kind.RDP.value: ".rdp files",
    Kind.HOST.value: "files with facts of a machine",
    Kind.RULES.value: "files of cloud rules",
    Kind.JOURNAL.value: "saved checks",
}
#: For whoever gave something else.
KNOWN = (
    "captures (pcap, pcapng), event logs (.evtx or exports), .rdp files, bundles of `rdpdoctor collect`, "
    ".reg and policy exports, console output, cloud rules (JSON), checks of --save FILE; "
    "also gz, zip and folders"
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MARK, _BUNDLE = b'"rdpdoctor.', b'"rdpdoctor.bundle/'
_PEEK = 64 * 2**10


def kind_of(head: bytes) -> Kind | None:
    """head: the first 64 KiB. None for what is not known here."""
    if head.startswith(_GZIP):
        inside = kind_of(_unfolded(head))
        return inside if inside in (Kind.CAPTURE, Kind.HOST, None) else None
    if head.startswith(_ZSTD) or _is_capture(head):
        return Kind.CAPTURE
    if head.startswith(_ZIP):
        return Kind.ZIP
    if not head.strip():
        return None
    return _text(head)


def _text(head: bytes) -> Kind | None:
    """The surest signs first: what consoles print looks like many things."""
    from rdpdoctor.readers import eventlog, host, rdpfile
    from rdpdoctor.readers.cloud.sniff import sniff as is_rules

    if _says_ours(head):
        return Kind.JOURNAL
    if rdpfile.sniff(head):
        return Kind.RDP
    facts = host.sniff(head)
    if facts not in (None, "console"):
        return Kind.HOST
    if is_rules(head):
        return Kind.RULES
    if eventlog.format_of(head) is not None:
        return Kind.EVENTS
    return Kind.HOST if facts is not None else None


def _is_capture(head: bytes) -> bool:
    from rdpdoctor.readers.capture import is_capture

    return is_capture(head)


def _says_ours(head: bytes) -> bool:
    """A journal's header, or a report that somebody took for one; also as UTF-16."""
    line = head.split(b"\n", 1)[0].replace(b"\0", b"")[:200]
    return (
        line.lstrip(b"\xef\xbb\xbf\xff\xfe \t{").startswith(b'"schema"')
        and _MARK in line
        and _BUNDLE not in line
    )


def _unfolded(head: bytes) -> bytes:
    engine = zlib.decompressobj(wbits=31)
    try:
        return engine.decompress(head, _PEEK)
    except zlib.error:
        return b""
