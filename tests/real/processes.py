"""Start a server, wait until it listens, and surely end it with everything it started. Linux only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: How long a server may take until it listens, in seconds. Two busy cores are slow.
READY = 20.0


class ServerDied(RuntimeError):
    """The server ended, or did not listen in time; the text ends with its own last words."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens. `pid` is also its process group."""

    host: str
    port: int
    pid: int = 0
    log: Path | None = None

    @property
    def target(self) -> str:
        return f"{self.host}:{self.port}"


def lacking(programs: Mapping[str, str], *, root: bool = False) -> str:
    """What this machine lacks, or "". `programs` maps a command to the Debian package that brings it."""
    if sys.platform != "linux":
        return "needs Linux"
    absent = sorted({package for command, package in programs.items() if shutil.which(command) is None})
    if absent:
        return f"needs the Debian packages {' '.join(absent)}"
    return "needs root, for network namespaces" if root and os.geteuid() != 0 else ""


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on now. Another may take it before you: start again then."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def listens(pid: int, port: int) -> bool:
    """Whether something listens on this TCP port in that process's network namespace.

    Read from /proc rather than tried with a connection: shadow and weston start a session for one.
    """
    for table in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        if any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows):
            return True
    return False


@contextlib.contextmanager
def group(
    argv: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run in a process group of its own; at the end the whole group is killed.

    `setpriv --pdeathsig` ends it too when the test run itself is killed. Enter from the main thread.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes], grace: float = 1.0) -> None:
    """SIGTERM to the group, then SIGKILL to what is left of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def wait_listening(
    process: subprocess.Popen[bytes],
    port: int,
    log: Path,
    at_home: Callable[[int], bool] | None = None,
) -> None:
    """`at_home(pid)` says whether the process has entered its network namespace yet. Raise ServerDied."""
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerDied(f"{process.args!r} ended with {process.returncode}:\n{last_words(log)}")
        if (at_home is None or at_home(process.pid)) and listens(process.pid, port):
            return
        time.sleep(0.02)
    raise ServerDied(f"{process.args!r} does not listen on {port} after {READY:.0f} s:\n{last_words(log)}")


def last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        return log.read_text(errors="replace")[-2000:]
    return "(no log)"
