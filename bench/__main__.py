"""`python -m bench`: each tool's median, the ratios of one run, and whether the answers were right.

Exit 1 where a wanted ratio was missed or rdpdoctor was wrong.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench import answers, captures, diagnosis, logs
from bench.measure import Contender, alternate, peak_megabytes
from bench.servers import fleet
from bench.table import Table

if TYPE_CHECKING:
    from bench.servers import Fleet

HERE = Path(__file__).parent
RDPDOCTOR = str(Path(sys.executable).with_name("rdpdoctor.exe" if os.name == "nt" else "rdpdoctor"))
TUNED = ("-T5", "--min-hostgroup", "50", "--max-hostgroup", "50", "--min-parallelism", "50")
SKIPPED = "not installed, left out"


def nmap_argv(truth: Fleet, *options: str) -> list[str]:
    # The + makes the script run on a port that is not RDP's own.
    script = ["-p", str(truth.port), "--script", "+rdp-enum-encryption"]
    return ["nmap", "-n", "-Pn", "-sT", *script, *options, *truth.hosts]


def one_server(table: Table, truth: Fleet, rounds: int) -> None:
    table.title("One healthy xrdp on loopback, whole process")
    check = [RDPDOCTOR, "check", *truth.targets, "--json"]
    ours, nmap = Contender("rdpdoctor", check), Contender("nmap rdp-enum-encryption", nmap_argv(truth))
    there = shutil.which("nmap") is not None
    alternate([ours, nmap] if there else [ours], rounds)
    table.row(ours, answers.rdpdoctor(ours.runs[-1].stdout, truth))
    if there:
        table.row(nmap, answers.nmap(nmap.runs[-1].stdout, truth))
        table.wanted("rdpdoctor / nmap", ours.median / nmap.median, 0.5)
    else:
        print(f"  nmap: {SKIPPED}")
    if (peak := peak_megabytes(check)) is not None:
        table.wanted("peak memory of one check", peak, 80, " MB")


def many_servers(table: Table, truth: Fleet, rounds: int) -> None:
    table.title(f"{len(truth.hosts)} healthy xrdp on 127.0.1.1 and on, one process")
    ours = Contender("rdpdoctor", [RDPDOCTOR, "check", *truth.targets, "--jsonl"])
    nmap = Contender("nmap rdp-enum-encryption, tuned", nmap_argv(truth, *TUNED))
    alternate([ours], 1)  # says how many connections the floor has to make
    kinds, all_kinds = _connections(ours, truth)
    counts = [f"--{kind}={count}" for kind, count in sorted(kinds.items())]
    floor = Contender("bare asyncio loop", [sys.executable, str(HERE / "floor.py"), *counts, *truth.targets])
    there = shutil.which("nmap") is not None
    ours.runs.clear()
    alternate([ours, nmap, floor] if there else [ours, floor], rounds)
    table.row(ours, answers.rdpdoctor(ours.runs[-1].stdout, truth))
    if there:
        table.row(nmap, answers.nmap(nmap.runs[-1].stdout, truth))
    table.row(floor, answers.floor(floor.runs[-1].stdout, all_kinds))
    each = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"  connections to each server by rdpdoctor and the bare loop: {sum(kinds.values())} ({each})")
    if there:
        table.wanted("rdpdoctor / nmap", ours.median / nmap.median, 0.2)
    else:
        print(f"  nmap: {SKIPPED}")
    table.wanted("rdpdoctor / bare loop", ours.median / floor.median, 2.5)


def _connections(ours: Contender, truth: Fleet) -> tuple[Counter[str], Counter[str]]:
    """By kind: what the median server was asked, and that for all servers."""
    found = sorted(
        (answers.connections(report) for report in answers.reports(ours.runs[-1].stdout)), key=Counter.total
    )
    if not found:
        raise SystemExit(f"error: rdpdoctor gave no report: {ours.runs[-1].stderr[-500:]}")
    kinds = found[len(found) // 2]
    return kinds, Counter({kind: count * len(truth.hosts) for kind, count in kinds.items() if count})


def start(table: Table, rounds: int) -> None:
    table.title("Start")
    ours, bare = (
        Contender("rdpdoctor --help", [RDPDOCTOR, "--help"]),
        Contender("python -c pass", [sys.executable, "-c", "pass"]),
    )
    alternate([ours, bare], rounds)
    for contender in (ours, bare):
        table.row(contender, "" if contender.runs[-1].exit == 0 else f"exit {contender.runs[-1].exit}")
    table.wanted("rdpdoctor --help − python -c pass", ours.median - bare.median, 0.15, " s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each tool (default 5)")
    parser.add_argument("--hosts", type=int, default=50, help="servers of the fleet (default 50)")
    parts = ("start", "diagnosis", "captures", "captures-hard", "captures-2gb", "logs", "one", "many")
    parser.add_argument("--only", choices=parts, help="one part")
    parser.add_argument("--megabytes", type=float, default=150, help="size of the capture (default 150)")
    options = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores{load}; "
        f"{options.rounds} rounds"
    )
    table = Table()
    if options.only in (None, "start"):
        start(table, 2 * options.rounds)
    if options.only in (None, "diagnosis"):
        diagnosis.measure(table, options.rounds)
    if options.only in (None, "captures"):
        captures.compare(table, min(options.rounds, 3), options.megabytes)
    if options.only in (None, "captures-hard"):
        captures.hard(table, 1)
    if options.only in (None, "captures-2gb"):
        captures.huge(table)
    if options.only in (None, "logs"):
        logs.compare(table, min(options.rounds, 3), options.megabytes)
    if options.only in (None, "one", "many"):
        missing = [name for name in ("xrdp", "setpriv") if shutil.which(name) is None]
        if missing:
            print(f"\nno servers to compare on: {' and '.join(missing)} {SKIPPED}")
            return 0 if table.held else 1
        with fleet(options.hosts) as servers:
            if options.only in (None, "one"):
                one_server(table, servers.first(1), options.rounds)
            if options.only in (None, "many"):
                many_servers(table, servers, options.rounds)
    return 0 if table.held else 1


if __name__ == "__main__":
    sys.exit(main())
