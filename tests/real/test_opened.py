"""openssl's own client and server, recorded by tcpdump, opened with the client's key log."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.readers.capture import Capture, read_capture

from .conftest import need
from .test_recorded import recorded

if TYPE_CHECKING:
    from pathlib import Path

_REQUEST = b"GET /KdcProxy HTTP/1.0\r\n\r\n"
_MODERN = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_CCM = ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256")
_OLD = ("ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA256", "ECDHE-RSA-AES256-SHA384")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def serve(folder: Path, port: int) -> subprocess.Popen[str]:
    """openssl's server, which answers any request with a page."""
    pair = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "own.pem"))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *pair, "-subj", "/CN=srv01"]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    argv = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www"]
    argv += ["-key", str(folder / "key.pem"), "-cert", str(folder / "own.pem")]
    argv += ["-ciphersuites", ":".join(_MODERN + _CCM), "-cipher", "ALL:@SECLEVEL=0"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ACCEPT"):
            break
    return process


def ask(port: int, keys: Path, *options: str, updates: int = 0) -> None:
    """updates: new keys of TLS 1.3, asked of both sides, before the request."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-keylogfile", str(keys), *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe) as client:
        assert client.stdin is not None
        assert client.stderr is not None
        for _ in range(updates):
            client.stdin.write(b"K\n")
            client.stdin.flush()
            while b"KEYUPDATE" not in (line := client.stderr.readline()):
                assert line, "the client ended before it changed its keys"
        client.stdin.write(_REQUEST)
        client.stdin.flush()
        client.stderr.read()  # until the server has closed
        client.wait(20)


def opened(path: Path, keys: Path) -> Capture:
    """The recording, once the connection's end is in it: tcpdump lags behind."""
    for _ in range(200):
        capture = read_capture(path, keylog=keys.read_bytes())
        if any(row.tag == "flow.ended" for stream in capture.streams for row in stream.observations):
            break
        time.sleep(0.1)
    return capture


@pytest.mark.parametrize(
    ("options", "updates"),
    [
        *((("-tls1_3", "-ciphersuites", suite), 0) for suite in _MODERN + _CCM),
        (("-tls1_3",), 2),
        (("-tls1_3", "-groups", "secp521r1:X25519"), 0),
        *((("-tls1_2", "-cipher", suite), 0) for suite in _OLD),
    ],
)
def test_a_recorded_connection_is_opened(options: tuple[str, ...], updates: int, tmp_path: Path) -> None:
    need({"openssl": "openssl", "tcpdump": "tcpdump"}, root=True)
    port, path, keys = free_port(), tmp_path / "it.pcap", tmp_path / "keys"
    server = serve(tmp_path, port)
    try:
        with recorded(port, path):
            ask(port, keys, *options, updates=updates)
            capture = opened(path, keys)
    finally:
        server.kill()
        server.wait(20)
        if server.stdout is not None:
            server.stdout.close()
    assert capture.lost == ()
    rows = [row for stream in capture.streams for row in stream.observations]
    (answer,) = (row.args for row in rows if row.tag == "gateway.http")
    assert (answer["status"], answer["method"], answer["path"]) == (200, "GET", "/KdcProxy")
    (certificate,) = (row.args for row in rows if row.tag == "tls.certificate")
    assert certificate["common_name"] == "srv01"
