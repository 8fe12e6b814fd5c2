"""Reading a large recording: against tshark in one pass and two, and a filter that knows the port."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Contender, alternate, peak_megabytes
from bench.traffic import write

if TYPE_CHECKING:
    from bench.table import Table
    from bench.traffic import Told

_READ = """
import json, sys
from rdpdoctor.readers.capture import read_capture
streams = read_capture(sys.argv[1]).streams
print(json.dumps([[stream.port, [row.tag for row in stream.observations]] for stream in streams]))
"""
_FIELDS = (
    "-T",
    "fields",
    "-e",
    "frame.number",
    "-e",
    "rdp.negReq.selectedProtocol",
    "-e",
    "tls.handshake.version",
)


def compare(table: Table, rounds: int, megabytes: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.pcap"
        count, truth = write(path, megabytes)
        table.title(
            f"A capture of {megabytes:g} MB, {count:,} packets, {len(truth)} of Remote Desktop's connections"
        )
        ours = Contender("rdpdoctor", [sys.executable, "-c", _READ, str(path)])
        theirs = _others(str(path))
        alternate([ours, *theirs.values()], rounds)
        table.row(ours, _judge(ours.runs[-1].stdout, truth))
        for contender in theirs.values():
            found = len(contender.runs[-1].stdout.splitlines())
            table.row(contender, f"{found:,} lines")
        for name, limit in (("one pass", 0.1), ("two passes", 0.25), ("filtered", 4.0)):
            if name in theirs:
                table.wanted(f"rdpdoctor / {theirs[name].name}", ours.median / theirs[name].median, limit)
        if (peak := peak_megabytes(ours.argv)) is not None:
            table.wanted("peak memory", peak, 200, " MB")


def _others(path: str) -> dict[str, Contender]:
    if shutil.which("tshark") is None:
        print("  tshark: not installed, left out")
        return {}
    wanted = ("-d", "tcp.port==3389,tpkt", "-Y", "rdp || cotp || tls.handshake")
    found = {
        "one pass": Contender("tshark, one pass", ["tshark", "-r", path, *wanted, *_FIELDS]),
        "two passes": Contender(
            "tshark, two passes", ["tshark", "-2", "-R", "tcp.port==3389", "-r", path, *wanted, *_FIELDS]
        ),
    }
    if shutil.which("tcpdump") is not None:
        line = f"tcpdump -r {shlex.quote(path)} -w - 'tcp port 3389' | tshark -r -"
        found["filtered"] = Contender("tcpdump | tshark, port known", ["sh", "-c", line])
    return found


def _judge(stdout: str, truth: list[Told]) -> str:
    """Every connection found on its port, and those that died in TLS told so."""
    streams = json.loads(stdout)
    ports = sorted(port for port, _ in streams)
    died = sum("tls.closed" in tags for _, tags in streams)
    fits = ports == sorted(told.port for told in truth)
    return "right" if fits and died == sum(told.dies and told.whole for told in truth) else "WRONG"
