"""Reading a large recording: against tshark in one pass and two, and a filter that knows the port; how soon
the first finding is shown; and recordings that are hard in their own way.
"""

from __future__ import annotations

import json
import shlex
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Contender, alternate, peak_megabytes, until_line
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


#: As a person starts it: until the first line on stderr that says what was found.
_COMMAND = ("-c", "from rdpdoctor.cli.main import main; raise SystemExit(main())", "read")
#: Of traffic that is hard in its own way: megabytes, and the wanted share of one pass of tshark. The last is
#: nearly all Remote Desktop, every packet of which is told, and counted: half the speed will do.
_HARD = {"short": (150, 0.1), "web": (150, 0.1), "udp": (150, 0.1), "sessions": (500, 0.2)}
_HUGE = 2000


def compare(table: Table, rounds: int, megabytes: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.pcap"
        ours, truth = _ours(table, path, megabytes, "office")
        theirs = _others(str(path))
        alternate([ours, *theirs.values()], rounds)
        table.row(ours, _judge(ours.runs[-1].stdout, truth))
        for contender in theirs.values():
            found = len(contender.runs[-1].stdout.splitlines())
            table.row(contender, f"{found:,} lines")
        for name, limit in (("one pass", 0.1), ("two passes", 0.25), ("filtered", 4.0)):
            if name in theirs:
                table.wanted(f"rdpdoctor / {theirs[name].name}", ours.median / theirs[name].median, limit)
        _peak(table, ours)
        _first(table, path, rounds)


def hard(table: Table, rounds: int) -> None:
    """Each against one pass of tshark, which alone knows as little beforehand."""
    for mix, (megabytes, limit) in _HARD.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{mix}.pcap"
            ours, truth = _ours(table, path, megabytes, mix)
            theirs = _others(str(path)).get("one pass")
            alternate([ours, theirs] if theirs is not None else [ours], rounds)
            table.row(ours, _judge(ours.runs[-1].stdout, truth))
            if theirs is not None:
                table.row(theirs, f"{len(theirs.runs[-1].stdout.splitlines()):,} lines")
                table.wanted(f"rdpdoctor / {theirs.name}", ours.median / theirs.median, limit)
            _peak(table, ours)
            _first(table, path, rounds)


def huge(table: Table) -> None:
    """One that does not fit into the memory that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.pcap"
        ours, truth = _ours(table, path, _HUGE, "office")
        alternate([ours], 1)
        table.row(ours, _judge(ours.runs[-1].stdout, truth))
        _peak(table, ours)
        _first(table, path, 1)


def _ours(table: Table, path: Path, megabytes: float, mix: str) -> tuple[Contender, list[Told]]:
    count, truth = write(path, megabytes, mix)
    what = f"{megabytes:g} MB, {count:,} packets, {len(truth)} of Remote Desktop's connections"
    table.title(f"A capture ({mix}) of {what}")
    return Contender("rdpdoctor", [sys.executable, "-c", _READ, str(path)]), truth


def _peak(table: Table, ours: Contender) -> None:
    if (peak := peak_megabytes(ours.argv)) is not None:
        table.wanted("peak memory", peak, 200, " MB")


def _first(table: Table, path: Path, rounds: int) -> None:
    """From the start of the process to the first finding."""
    found = [until_line([sys.executable, *_COMMAND, str(path)], "so far:") for _ in range(rounds)]
    table.wanted("first finding after", statistics.median(found), 1.0, " s")


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
