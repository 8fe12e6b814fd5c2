"""`make fuzz`: each target in turn under atheris, in a process of its own; the input that breaks one is kept.

python -m tests.fuzz [NAME...] [--seconds 30] [--memory 500] [--keep DIRECTORY]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import zlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

_ONE = "--one"
#: Of so many inputs one goes all the way to a report, which takes much longer than to read it.
_WHOLE = 256
#: What counts as a hang, in seconds of one input; libFuzzer slows readers down by about ten.
_HANG = 20


def main() -> int:
    if sys.argv[1:2] == [_ONE]:
        _fuzz(sys.argv[2], sys.argv[3:])
        return 0
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("--memory", type=int, default=500, help="MB that each may take")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where findings are kept")
    given = parser.parse_args()
    if unknown := set(given.names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    found = 0
    for name in given.names or TARGETS:
        found += _run(name, TARGETS[name], given.seconds, given.memory, given.keep)
    return 1 if found else 0


def _run(name: str, target: Target, seconds: int, memory: int, keep: Path) -> int:
    """1 where an input broke it."""
    keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        options = [
            *(f"-max_total_time={seconds}", f"-rss_limit_mb={memory}", f"-timeout={_HANG}"),
            *(f"-artifact_prefix={keep}/{name}-", "-print_final_stats=1", "-verbosity=1"),
            f"-max_len={max(2 * len(max(target.seeds, key=len)), 4096)}",
        ]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", _ONE, name, *options, corpus],
            capture_output=True, check=False, timeout=seconds + 300,
        )  # fmt: skip
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    runs = re.findall(r"number_of_executed_units:\s*(\d+)|^Done (\d+) runs", said, re.MULTILINE)
    count = max((int(one or other) for one, other in runs), default=0)
    edges = re.findall(r"cov: (\d+)", said)
    covered = f"{edges[0]} to {edges[-1]} edges" if edges else "no coverage"
    took = time.monotonic() - began
    verdict = "ok" if done.returncode == 0 else "FOUND"
    print(f"{name:10} {count:>9,} inputs in {took:4.0f} s, {covered}  {verdict}", flush=True)
    if done.returncode:
        telling = [line for line in said.splitlines() if not line.startswith(("#", "INFO", "stat::"))]
        print("\n".join(telling[-60:]), file=sys.stderr)
    return int(done.returncode != 0)


def _fuzz(name: str, options: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["rdpdoctor"]):
        from tests.fuzz.targets import TARGETS, whole

    target = TARGETS[name]

    def one(data: bytes) -> None:
        target.run(data)
        if target.file is not None and zlib.crc32(data) % _WHOLE == 0:
            whole(target.file(data))

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
