"""What fuzzing found, each mended and kept small."""

from __future__ import annotations

from tests.fuzz.targets import capture, events
from tests.readers.capture.craft import PUSH, RST, START, SYN, ethernet, ip, pcap, tcp
from tests.readers.eventlog import exports
from tests.readers.eventlog.test_formats import STORY


def test_an_end_that_speaks_to_itself() -> None:
    """Both directions have one key, which was forgotten twice."""
    for flags, payload in ((SYN, b""), (RST, b""), (PUSH, b"SSH-2.0-a\r\n"), (PUSH, b"\x03\0\0\x13\x0e\xe0")):
        packet = ethernet(ip("10.0.0.1", "10.0.0.1", tcp((50_000, 50_000), 1, 0, flags, payload)))
        capture(pcap([(START, packet), (START + 1, packet)]))


def test_an_empty_line_in_a_table() -> None:
    events(exports.german_csv(STORY) + b"\r\n\r\n")
