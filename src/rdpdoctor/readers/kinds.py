"""What kind of file it is, by how its content begins, whatever its name."""

from __future__ import annotations

import re
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
    PACKED = "packed file"


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
    "also gz, zst, zip and folders, and - for stdin"
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: What people send that is not read here: its first bytes, and what to do with it.
_OTHERS = {
    b"MSCF": "it is a .cab archive; unpack it first, on Windows with `expand -F:* FILE FOLDER`",
    b"7z\xbc\xaf": "it is a 7z archive; unpack it first",
    b"Rar!": "it is a rar archive; unpack it first",
    b"\xfd7zXZ": "it is packed with xz; unpack it first",
    b"BZh": "it is packed with bzip2; unpack it first",
}
_TAR = slice(257, 262)
#: The first event of a Windows trace, behind the head of its first buffer: version, whether it is of 32 or 64
#: bits, flags (SYSTEM_TRACE_HEADER in ntwmi.h of Windows' driver kit).
_TRACE = re.compile(rb"[\x01\x02]\x00[\x01\x02]\xc0")
_TRACE_AT = 72
_TRACE_SAYS = (
    "it is a Windows trace (.etl); make a capture of it first, with `pktmon etl2pcap FILE` where pktmon "
    "recorded it, with etl2pcapng where `netsh trace` did"
)
_MARK, _BUNDLE = b'"rdpdoctor.', b'"rdpdoctor.bundle/'
_PEEK = 64 * 2**10


def kind_of(head: bytes) -> Kind | None:
    """head: the first 64 KiB. None for what is not known here. Recordings are unpacked as they are read."""
    from rdpdoctor.readers.capture.source import PACKED

    if head.startswith(PACKED):
        inside = _unfolded(head)
        if inside is not None and (inside.startswith(PACKED) or kind_of(inside) is None):
            return None
        return Kind.CAPTURE if inside is None or _is_capture(inside) else Kind.PACKED
    if _is_capture(head):
        return Kind.CAPTURE
    if head.startswith(_ZIP):
        return Kind.ZIP
    if not head.strip():
        return None
    return _text(head)


def unknown(head: bytes) -> str:
    """What is said of a file of no known kind."""
    if not head:
        return "it is empty"
    if head[_TAR] == b"ustar":
        return "it is a tar archive; unpack it first"
    if _TRACE.match(head, _TRACE_AT):
        return _TRACE_SAYS
    said = (what for magic, what in _OTHERS.items() if head.startswith(magic))
    return next(said, "it is no kind of file that is known here")


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


def _unfolded(head: bytes) -> bytes | None:
    """Its beginning; None where nothing here unpacks it, which the reader of recordings says."""
    from io import BytesIO

    from rdpdoctor.readers.capture import CaptureError
    from rdpdoctor.readers.capture.source import Source

    try:
        return Source(BytesIO(head), _PEEK).read(_PEEK)
    except CaptureError:
        return None
