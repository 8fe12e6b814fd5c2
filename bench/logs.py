"""Reading large event logs: against the library's bare iteration, `for row in PyEvtxParser(path).records()`
with nothing done to a row, which has the library write each record as XML. Both read the same file, each in a
process of its own, one after the other in pairs; a rate is records a second of processor time (user and
system, of all threads) from opening the file to the last one, ours with attempts put together. Of
"connections only" every record is of interest, and only the latest of each id are taken apart
(`evtx.MOST_ALIKE`), the rest is counted.
"""

from __future__ import annotations

import json
import statistics
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Contender, alternate, peak_megabytes

if TYPE_CHECKING:
    from bench.measure import Run
    from bench.table import Table

_LOGS = Path(__file__).parents[2] / "shared" / "captures" / "evtx"
#: What administrators send, made of the recorded logs' own chunks. The last holds only what is of interest.
_MADE = {
    "System": ("host-system-1056-1067", "lab-system-nothing-rdp", "system-termdd-50-56"),
    "Security": ("lab-security-4624-type10",),
    "RdpCoreTS": ("sandbox-listener-rdpcorets",),
    "connections only": ("damaged-rcm-261-1149",),
}
_BARE = """
import json, sys, time
from evtx import PyEvtxParser
began, count = time.process_time(), 0
rows = PyEvtxParser(sys.argv[1]).records()
while True:
    try:
        for row in rows:
            count += 1
        break
    except RuntimeError:
        pass
print(json.dumps([count, time.process_time() - began]))
"""
_OURS = """
import json, sys, time
from evtx import PyEvtxParser
from rdpdoctor.readers.eventlog import read_events
began = time.process_time()
((_, tally),) = read_events(sys.argv[1]).tallies
print(json.dumps([tally.records, time.process_time() - began]))
"""
_HEADER, _CHUNK = 4096, 65536


def compare(table: Table, rounds: int, megabytes: float) -> None:
    if not _LOGS.is_dir():
        print("\nno recorded event logs at hand, left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, files in _MADE.items():
            path = Path(folder) / "log.evtx"
            _write(path, files, megabytes)
            ours = Contender("rdpdoctor", [sys.executable, "-c", _OURS, str(path)])
            bare = Contender("evtx, bare", [sys.executable, "-c", _BARE, str(path)])
            alternate([ours, bare], rounds)
            (count, _), (there, theirs) = _median(ours), _median(bare)
            table.title(f"An event log of {megabytes:g} MB, {there:,} records, {name}")
            table.row(ours, "right" if count == there else f"{count:,} records")
            table.row(bare, f"{there / theirs:,.0f} records a second")
            pairs = zip(map(_said, ours.runs), map(_said, bare.runs), strict=True)
            share = statistics.median(slow[1] / quick[1] for slow, quick in pairs)
            table.wanted(f"time of rdpdoctor / bare (rate {1 / share:.2f})", share, 1.25)
            if (peak := peak_megabytes(ours.argv)) is not None:
                table.wanted("peak memory", peak, 500, " MB")


def _median(contender: Contender) -> tuple[int, float]:
    runs = [_said(run) for run in contender.runs]
    return runs[0][0], statistics.median(seconds for _, seconds in runs)


def _said(run: Run) -> tuple[int, float]:
    count, seconds = json.loads(run.stdout)
    return count, seconds


def _write(path: Path, names: tuple[str, ...], megabytes: float) -> None:
    chunks = []
    for name in names:
        data = (_LOGS / f"{name}.evtx").read_bytes()
        pieces = [data[at : at + _CHUNK] for at in range(_HEADER, len(data) - _CHUNK + 1, _CHUNK)]
        chunks += [piece for piece in pieces if piece.startswith(b"ElfChnk\0")]
    wanted = int(megabytes * 1e6) // _CHUNK
    head = bytearray(data[:_HEADER])
    struct.pack_into("<QQ", head, 8, 0, wanted - 1)
    struct.pack_into("<H", head, 42, wanted & 0xFFFF)
    struct.pack_into("<I", head, 124, zlib.crc32(bytes(head[:120])))
    with path.open("wb") as file:
        file.write(head)
        for number in range(wanted):
            file.write(chunks[number % len(chunks)])
