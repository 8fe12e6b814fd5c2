"""pcap and pcapng in all their kinds, packed ones, cut ones and damaged ones."""

from __future__ import annotations

import gzip
import io
import random
import struct
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.readers.capture import CaptureError, Limits, is_capture, read_capture
from rdpdoctor.readers.capture.source import BLOCK
from tests.readers.capture.craft import (
    START,
    Conversation,
    args,
    block,
    enhanced,
    framed,
    interface,
    pcap,
    pcapng,
    read,
    section,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PACKETS = framed(Conversation().open().ask().confirm().hello().close(1).packets)
WANTED = ["tcp.connected", "x224.selected", "flow.ended", "tls.closed"]


def story(data: bytes) -> list[str]:
    capture = read(data)
    assert len(capture.streams) == 1
    assert capture.lost == ()
    return sorted(tags(capture.streams[0]))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap(order: str, nano: bool) -> None:
    data = pcap(PACKETS, order=order, nano=nano)
    assert is_capture(data[:4])
    assert story(data) == sorted(WANTED)
    capture = read(data)
    assert capture.totals.packets == len(PACKETS)
    assert capture.totals.start == pytest.approx(START + 0.01, abs=1e-5)
    assert capture.totals.end == pytest.approx(PACKETS[-1][0], abs=1e-5)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str) -> None:
    data = pcapng(PACKETS, order)
    assert is_capture(data[:4])
    assert story(data) == sorted(WANTED)
    assert read(data).totals.packets == len(PACKETS)


def test_sections_of_either_order_and_interfaces_of_several_types() -> None:
    half = len(PACKETS) // 2
    first = section() + interface(101) + interface(1)
    first += b"".join(enhanced(when, frame[14:]) for when, frame in PACKETS[:4])
    first += b"".join(enhanced(when, frame, number=1) for when, frame in PACKETS[4:half])
    second = section(">") + interface(1, order=">")
    second += b"".join(enhanced(when, frame, order=">") for when, frame in PACKETS[half:])
    assert story(first + second) == sorted(WANTED)


@pytest.mark.parametrize(("code", "unit"), [(9, 1e9), (0x80 | 20, 2.0**20), (3, 1e3)])
def test_time_resolutions(code: int, unit: float) -> None:
    options = struct.pack("<HHB3xHHqHH", 9, 1, code, 14, 8, 1000, 0, 0)
    blocks = [enhanced(when - 1000, frame, unit=unit) for when, frame in PACKETS]
    capture = read(section() + interface(options=options) + b"".join(blocks))
    assert capture.totals.end == pytest.approx(PACKETS[-1][0], abs=2e-3)


def test_simple_and_old_packet_blocks() -> None:
    simple = [block(3, struct.pack("<I", len(frame)) + frame) for _, frame in PACKETS]
    assert "x224.selected" in story(section() + interface() + b"".join(simple))
    old = [
        block(2, struct.pack("<HHIIII", 0, 0, 0, round(when), len(frame), len(frame)) + frame)
        for when, frame in PACKETS
    ]
    assert "x224.selected" in story(section() + interface() + b"".join(old))


def test_blocks_that_are_no_packets() -> None:
    names = block(4, struct.pack("<HH", 1, 8) + bytes([10, 0, 0, 2]) + b"srv\0")
    statistics = block(5, struct.pack("<III", 0, 0, 0) + struct.pack("<HHQHH", 5, 8, 7, 0, 0))
    secrets = block(10, struct.pack("<II", 0x544C534B, 4) + b"abcd")
    unknown = block(0x0BAD, bytes(40))
    data = pcapng(PACKETS)
    capture = read(data[:28] + data[28:48] + names + secrets + unknown + data[48:] + statistics)
    assert sorted(tags(capture.streams[0])) == sorted(WANTED)
    assert capture.secrets == ((0x544C534B, b"abcd"),)
    assert capture.lost == ("the recorder itself had dropped 7 packets",)


def test_gz() -> None:
    assert story(gzip.compress(pcap(PACKETS))) == sorted(WANTED)
    both = gzip.compress(pcap(PACKETS[:5])) + gzip.compress(
        pcap(PACKETS)[24:][sum(16 + len(f) for _, f in PACKETS[:5]) :]
    )
    assert story(both) == sorted(WANTED)


def zstd() -> Callable[[bytes], bytes] | None:
    name = "compression.zstd" if find_spec("compression") is not None else "zstandard"
    return import_module(name).compress if find_spec(name.partition(".")[0]) is not None else None


def test_zst() -> None:
    pack = zstd()
    if pack is None:
        with pytest.raises(CaptureError, match="unpack it first, or install"):
            read(b"\x28\xb5\x2f\xfd" + bytes(20))
        return
    packed = pack(pcap(PACKETS))
    assert story(packed) == sorted(WANTED)
    with pytest.raises(CaptureError):
        read(packed[:-9])


def test_a_damaged_archive_gives_what_it_has() -> None:
    capture = read(gzip.compress(pcap(PACKETS))[:-9])
    assert any("could not be read to its end" in words for words in capture.lost)


def test_a_bomb_is_left() -> None:
    packed = gzip.compress(pcap(PACKETS) + bytes(5_000_000))
    capture = read(packed, Limits(unpacked=1_000_000))
    assert capture.totals.bytes <= 1_000_000
    assert any("1,000,000 bytes" in words for words in capture.lost)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"snoop\0\0\0", bytes(100), b"\xd4\xc3\xb2\xa1\0\0"])
def test_what_is_no_recording(data: bytes) -> None:
    with pytest.raises(CaptureError):
        read(data)


def test_a_link_type_that_nobody_reads() -> None:
    capture = read(pcap(PACKETS, linktype=189))
    assert capture.streams == ()
    assert capture.lost == ("link type 189 (USB) is not known here; its packets were not read",)


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_cut_at_every_index(make: Callable[[list[tuple[float, bytes]]], bytes]) -> None:
    """A prefix gives a prefix of the story, and says that it is one where it ends within a packet."""
    data = make(PACKETS)
    whole = read(data).totals.packets
    clean = 0
    start = 24 if make is pcap else 28
    for length in range(start, len(data)):
        capture = read(data[:length])
        assert capture.totals.packets < whole
        clean += not capture.lost
    assert clean == whole if make is pcap else clean == whole + 1  # after the block of the interface, too


def test_a_damaged_record_is_passed_over() -> None:
    packets = PACKETS * 3
    data = bytearray(pcap(packets))
    at = 24 + sum(16 + len(frame) for _, frame in packets[: len(PACKETS) + 2])
    data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    capture = read(bytes(data))
    assert capture.totals.packets == len(packets) - 1
    assert "a damaged record" in capture.lost[0]


def test_a_damaged_block_is_passed_over() -> None:
    packets = PACKETS * 3
    data = bytearray(pcapng(packets))
    at = 48 + sum(len(enhanced(when, frame)) for when, frame in packets[: len(PACKETS) + 2])
    data[at + 4 : at + 8] = b"\x03\x00\x00\x00"
    capture = read(bytes(data))
    assert capture.totals.packets == len(packets) - 1
    assert "a damaged block" in capture.lost[0]


def test_records_across_blocks_of_reading() -> None:
    """Frames of other traffic large enough to lie across what is read at once, told and not told."""
    noise = [(START, bytes(12) + b"\x08\x06" + bytes(size)) for size in (60_000, 7, 131_072, 99_999)] * 12
    packets = (
        noise
        + PACKETS
        + noise
        + framed(Conversation(ports=(50001, 3389), now=START + 9).open().ask().close(1).packets)
    )
    for make in (pcap, pcapng):
        data = make(packets)
        assert len(data) > 3 * BLOCK
        capture = read(data)
        assert capture.totals.packets == len(packets)
        assert [stream.client_port for stream in capture.streams] == [50000, 50001]
        assert args(capture.streams[1], "x224.closed")["received"] == 0


def test_progress() -> None:
    heard: list[int] = []
    data = pcap(PACKETS)
    read_capture(io.BytesIO(data), progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == len(data)


@pytest.mark.parametrize("pack", [gzip.compress, zstd()], ids=["gz", "zst"])
def test_a_packed_file_that_is_cut_gives_all_that_came_before(pack: Callable[[bytes], bytes] | None) -> None:
    """Neither does the cut take a block with it, nor does the file pass for a whole one."""
    if pack is None:
        pytest.skip("nothing packs zst here")
    noise = [(START, random.Random(number).randbytes(60_000)) for number in range(8)]
    packed = pack(pcap([*PACKETS, *noise]))
    assert read(packed).lost == ()
    cut = read(packed[:400_000])
    assert cut.totals.packets >= len(PACKETS) + 3
    assert any("could not be read to its end" in words or "cut off: " in words for words in cut.lost)
