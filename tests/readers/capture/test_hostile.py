"""Files that somebody made to harm, or that a disk did: never a crash, never a hang, never much memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.capture import Capture, CaptureError, Limits
from rdpdoctor.readers.capture.link import FINDERS
from tests.readers.capture.craft import (
    ACK,
    PUSH,
    RST,
    START,
    SYN,
    Conversation,
    block,
    ethernet,
    framed,
    interface,
    ip,
    pcap,
    pcapng,
    read,
    section,
    tcp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TALK = Conversation().open().ask().confirm().hello().handshake().data(0, 90).data(1, 300).close(1)
_PLAIN = (
    Conversation(ports=(50001, 13389))
    .open()
    .ask(0)
    .confirm(0)
    .say(0, b"\x03\0\0\x0b\x02\xf0\x80\x04\x01\0\1")
)
PACKETS = framed(_TALK.packets + _PLAIN.say(1, b"\x00\x05abc").close(0).packets)
FILES = {"pcap": pcap(PACKETS), "pcapng": pcapng(PACKETS)}


def harmless(data: bytes, limits: Limits | None = None) -> Capture | None:
    """Read it; what comes out is as declared."""
    try:
        capture = read(data, limits)
    except CaptureError:
        return None
    declared = load().tags
    for stream in capture.streams:
        for row in stream.observations:
            assert faults(row, declared) == []
    return capture


@pytest.mark.parametrize("kind", FILES)
def test_every_bit_of_a_sample_flipped(kind: str) -> None:
    data = bytearray(FILES[kind])
    for at in range(0, len(data), 3):
        bit = 1 << at % 8
        data[at] ^= bit
        harmless(bytes(data))
        data[at] ^= bit


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(FILES)),
    edits=st.lists(
        st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=5
    ),
    cut=st.integers(0, 400),
)
def test_any_bytes_overwritten(kind: str, edits: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(FILES[kind])
    for at, new in edits:
        at %= len(data)
        data[at : at + len(new)] = new
    harmless(bytes(data[: len(data) - cut]))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([data[:48] for data in FILES.values()]), st.binary(max_size=600))
def test_anything_after_a_header(head: bytes, rest: bytes) -> None:
    harmless(head + rest)


@settings(max_examples=200, deadline=None)
@given(
    linktype=st.sampled_from(sorted(FINDERS)),
    frames=st.lists(st.binary(max_size=90), max_size=8),
)
def test_any_frame_of_any_link(linktype: int, frames: list[bytes]) -> None:
    capture = harmless(pcap([(START, frame) for frame in frames], linktype=linktype))
    assert capture is not None
    assert capture.totals.packets == len(frames)


@settings(max_examples=150, deadline=None)
@given(
    port=st.sampled_from([3389, 9999]),
    says=st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=60)), max_size=8),
    begin=st.integers(0, 3),
)
def test_any_conversation(port: int, says: list[tuple[int, bytes]], begin: int) -> None:
    """After nothing, the request, the confirm, or the hello."""
    talk = Conversation(ports=(50000, port)).open()
    steps: list[Callable[[], Conversation]] = [talk.ask, talk.confirm, talk.hello]
    for step in steps[:begin]:
        step()
    for side, payload in says:
        talk.say(side, payload)
    capture = harmless(pcap(framed(talk.close(0).packets)))
    assert capture is not None
    assert len(capture.streams) == (1 if port == 3389 or begin else len(capture.streams))


def test_blocks_of_no_length_and_of_all_lengths() -> None:
    for length in (0, 4, 8, 11, 13, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 25):
        for kind in (1, 5, 6, 10, 99, 0x0A0D0D0A):
            bad = struct.pack("<II", kind, length) + bytes(200)
            harmless(section() + interface() + bad)
            harmless(section() + bad)


def test_options_that_lie() -> None:
    harmless(section() + interface(options=struct.pack("<HH", 9, 60_000)) + block(5, b"\0"))
    harmless(section() + interface(options=struct.pack("<HHBBBB", 9, 1, 255, 0, 0, 0)) + FILES["pcapng"][48:])
    harmless(section() + interface(options=struct.pack("<HHB3x", 9, 1, 0x7F)) + FILES["pcapng"][48:])


# ---- amounts

_MEASURE = """
import os, resource, sys
from rdpdoctor.readers.capture import read_capture
capture = read_capture(sys.argv[1])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if os.path.exists("/proc/self/status"):  # Linux counts what the parent had before this program was loaded
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(peak // 1024, len(capture.streams), capture.lost)
"""


def _syns(count: int, port: int) -> Iterator[tuple[float, bytes]]:
    for number in range(count):
        source = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield START + number / 1000, ethernet(ip(source, "192.168.0.1", tcp((40000, port), 1, 0, SYN)))


def _requests(count: int) -> Iterator[tuple[float, bytes]]:
    """Connections that are all told, never end, and leave their ClientHello half said."""
    for number in range(count):
        talk = Conversation(
            f"10.{number >> 8 & 255}.{number & 255}.1", ports=(40000, 9000), now=START + number
        )
        talk.open().ask().confirm().say(0, b"\x16\x03\x01\x40\x00" + bytes(14_000))
        yield from framed(talk.packets)


def _holes(count: int) -> Iterator[tuple[float, bytes]]:
    """Connections with a hole and all that a window holds behind it."""
    for number in range(count):
        talk = Conversation(f"10.{number >> 8 & 255}.{number & 255}.1", now=START + number).open()
        for at in range(100, 120_000, 1300):
            talk.add(talk.raw(0, PUSH | ACK, bytes(1300), seq=talk.numbers[0] + at))
        yield from framed(talk.packets)


def _scan(count: int) -> Iterator[tuple[float, bytes]]:
    for number in range(count):
        talk = Conversation(
            ports=(1024 + number % 60_000, 3389), now=START + number / 100, numbers=[number, 7]
        )
        talk.send(0, SYN)
        talk.send(1, RST | ACK)
        yield from framed(talk.packets)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is counted in kB on Linux only")
@pytest.mark.parametrize(
    ("name", "packets", "streams"),
    [
        ("syns to anywhere", lambda: _syns(120_000, 443), 0),
        ("syns to the port", lambda: _syns(40_000, 3389), 10_000),
        ("a scan of the port", lambda: _scan(15_000), 10_000),
        ("half a hello each", lambda: _requests(1500), 1500),
        ("a hole each", lambda: _holes(300), 300),
    ],
)
def test_memory_is_bounded(
    tmp_path: object, name: str, packets: Callable[[], Iterator[tuple[float, bytes]]], streams: int
) -> None:
    path = os.path.join(str(tmp_path), "many.pcap")
    with open(path, "wb") as file:
        file.write(pcap(packets()))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, path], capture_output=True, text=True, timeout=120, check=True
    )
    megabytes, count, *_ = done.stdout.split()
    assert int(count) == streams
    assert int(megabytes) < 200
