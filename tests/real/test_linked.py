"""One recording of a real server, rewritten to every link type that is read, is diagnosed alike."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from rdpdoctor.cli.read import judged
from rdpdoctor.readers.gather import gather
from rdpdoctor.readers.joined import join
from tests.command import check
from tests.readers.capture.craft import block, enhanced, interface, pcap, section
from tests.readers.capture.links import LINKS

from .conftest import need
from .test_recorded import recorded, written

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.report.model import Report

    from .processes import Server
    from .test_recorded import Serve

_ETHERNET = 14


def packets(path: Path) -> list[tuple[float, bytes]]:
    """The packets of IP that tcpdump wrote on loopback."""
    data, at, found = path.read_bytes(), 24, []
    while at < len(data):
        seconds, part, length, _ = struct.unpack_from("<IIII", data, at)
        found.append((seconds + part / 1e6, data[at + 16 + _ETHERNET : at + 16 + length]))
        at += 16 + length
    return found


def diagnosed(path: Path, data: bytes) -> list[Report]:
    path.write_bytes(data)
    gathered = gather([str(path)])
    assert not gathered.unread
    assert not any(one.lost for one in gathered.readings)
    reports = [judged(one.journal) for one in join(gathered.readings, gathered.log)]
    assert all(report.observations for report in reports)
    return [
        # All but how large the file was.
        replace(report, observations=tuple(row for row in report.observations if row.tag != "flow.read"))
        for report in reports
    ]


def checked(server: Server, folder: Path) -> Path:
    """A recording of one check."""
    path = folder / "check.pcap"
    with recorded(server.port, path):
        report = check(server.target).report
        made = next(
            row["args"]["made"] for row in report["observations"] if row["tag"] == "check.connections"
        )
        written(path, made)
    return path


def test_every_link_type_gives_the_same_diagnosis(serve: Serve, tmp_path: Path) -> None:
    need({"tcpdump": "tcpdump"}, root=True)
    server = serve("xrdp-no-certificate")
    file = tmp_path / "rewritten"
    sent = packets(checked(server, tmp_path))
    plain = diagnosed(file, pcap(sent, linktype=101))
    assert [one.verdict.status for one in plain] == ["failing"]
    for name, (linktype, frame) in LINKS.items():
        frames = [(when, frame(packet)) for when, packet in sent]
        for order, nano in (("<", False), (">", True)):
            rewritten = diagnosed(file, pcap(frames, linktype=linktype, order=order, nano=nano))
            assert rewritten == plain, f"{name}, {order}"
        blocks = [enhanced(when, packet) for when, packet in frames]
        assert diagnosed(file, section() + interface(linktype) + b"".join(blocks)) == plain, f"{name}, pcapng"


def test_sections_and_interfaces_by_turns(serve: Serve, tmp_path: Path) -> None:
    """As Windows' recorders write it: an interface for each adapter, and now and then a new section."""
    need({"tcpdump": "tcpdump"}, root=True)
    server = serve("xrdp-tls")
    file = tmp_path / "rewritten"
    sent = packets(checked(server, tmp_path))
    plain = diagnosed(file, pcap(sent, linktype=101))
    kinds = list(LINKS.values())
    data = b""
    for at, (when, packet) in enumerate(sent):
        order = "<>"[at // 50 % 2]
        if at % 50 == 0:
            data += section(order) + b"".join(interface(linktype, order=order) for linktype, _ in kinds)
            data += block(0x0BAD, b"of somebody else", order)
        number = at % len(kinds)
        data += enhanced(when, kinds[number][1](packet), number=number, order=order)
    assert diagnosed(file, data) == plain
