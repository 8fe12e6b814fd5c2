"""A live check of a real server, recorded by tcpdump: the recording says what the check saw."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.capture import Capture, read_capture
from tests.command import check

from .conftest import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .processes import Server

    Serve = Callable[[str], Server]

_SERVERS = (
    "xrdp-rdp",
    "xrdp-tls",
    "xrdp-tls-1.3",
    "xrdp-tls-1.0-1.1",
    "xrdp-no-certificate",
    "xrdp-key-mismatch",
    "xrdp-chain",
    "shadow-nla",
    "shadow-all",
)
_ANSWERS = ("x224.selected", "x224.plain", "x224.failure", "x224.closed", "x224.reset", "x224.malformed")
_QUESTION = ("requested", "cookie", "selected", "code")


@contextmanager
def recorded(port: int, path: Path, device: str = "lo", prefix: Sequence[str] = ()) -> Iterator[None]:
    """tcpdump, from when it says that it listens until its last packet is written."""
    options = ["--immediate-mode", "-i", device, "-U", "-s", "0", "-w", str(path)]
    argv = [*prefix, "tcpdump", *options, f"tcp port {port} or icmp"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            if "listening on" not in first:
                pytest.fail(f"tcpdump did not begin: {first} {process.stderr.read()}", pytrace=False)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def written(path: Path, connections: int) -> Capture:
    """The recording, once so many connections are in it from beginning to end: tcpdump lags behind."""
    for _ in range(200):
        capture = read_capture(path)
        ended = [
            row.tag for stream in capture.streams for row in stream.observations if row.tag == "flow.ended"
        ]
        if len(ended) >= connections:
            break
        time.sleep(0.1)
    return capture


def answers(rows: Iterable[Mapping[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (row["tag"], *(row["args"].get(key) for key in _QUESTION)) for row in rows if row["tag"] in _ANSWERS
    )


def captured(capture: Capture) -> list[dict[str, Any]]:
    return [row.to_json() for stream in capture.streams for row in stream.observations]


def certificates(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {row["args"]["sha256"] for row in rows if row["tag"] == "tls.certificate"}


@pytest.mark.parametrize("name", _SERVERS)
def test_a_recorded_check_says_what_the_check_said(serve: Serve, tmp_path: Path, name: str) -> None:
    need({"tcpdump": "tcpdump"}, root=True)
    server = serve(name)
    path = tmp_path / "check.pcap"
    with recorded(server.port, path):
        run = check(server.target)
        live = run.report["observations"]
        made = next(row["args"]["made"] for row in live if row["tag"] == "check.connections")
        capture = written(path, made)
    rows = captured(capture)
    assert capture.lost == ()
    assert len(capture.streams) == made
    assert answers(rows) == answers(live)
    assert certificates(live) - certificates(rows) <= _hidden(live)
    # How each whole handshake of the check ended; what only asks for a version ends with its answer.
    whole = [row for row in live if row["stage"] == "tls" and row["args"].get("hello") == "client"]
    for tag in ("tls.completed", "tls.alerted", "tls.closed", "tls.reset"):
        assert outcomes(whole, tag) <= outcomes(rows, tag), tag


def outcomes(rows: Iterable[Mapping[str, Any]], tag: str) -> Counter[Any]:
    return Counter(row["args"].get("version", row["args"].get("alert")) for row in rows if row["tag"] == tag)


def _hidden(live: Iterable[Mapping[str, Any]]) -> set[str]:
    """Certificates that the check saw inside TLS 1.3, where a recording shows none."""
    modern = any(row["tag"] == "tls.completed" and row["args"]["version"] == "TLS 1.3" for row in live)
    return certificates(live) if modern else set()
