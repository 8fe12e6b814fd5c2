"""What fuzzing found, each mended and kept small."""

from __future__ import annotations

from tests.fuzz.targets import capture, events, members, whole
from tests.hostile.files import zipped
from tests.readers.capture.craft import (
    PUSH,
    RST,
    START,
    SYN,
    Conversation,
    ethernet,
    framed,
    ip,
    pcap,
    read,
    tcp,
)
from tests.readers.eventlog import exports
from tests.readers.eventlog.test_formats import STORY


def test_an_end_that_speaks_to_itself() -> None:
    """Both directions have one key, which was forgotten twice."""
    for flags, payload in ((SYN, b""), (RST, b""), (PUSH, b"SSH-2.0-a\r\n"), (PUSH, b"\x03\0\0\x13\x0e\xe0")):
        packet = ethernet(ip("10.0.0.1", "10.0.0.1", tcp((50_000, 50_000), 1, 0, flags, payload)))
        capture(pcap([(START, packet), (START + 1, packet)]))


def test_an_empty_line_in_a_table() -> None:
    events(exports.german_csv(STORY) + b"\r\n\r\n")


def test_a_member_without_a_name() -> None:
    """Python's own test for a folder looks at the last letter of the name."""
    data = bytearray(zipped({"ab": b"c"}))
    place = data.index(b"PK\1\2")
    data[place + 28 : place + 30] = bytes(2)
    data[place + 30 : place + 32] = (2).to_bytes(2, "little")  # what was the name counts as more fields
    members(bytes(data))
    whole(bytes(data))


def test_zeros_after_the_last_packet() -> None:
    """Each sixteen of them look like a packet of no length."""
    packets = framed(Conversation().open().close(1).packets)
    found = read(pcap(packets) + bytes(1 << 22))
    assert found.totals.packets < len(packets) + 256
    assert "zeros where packets should be were passed over" in found.lost
