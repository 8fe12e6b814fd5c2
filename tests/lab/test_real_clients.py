"""Clients that are not ours, on the lab: it must not only agree with ourselves."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import load
from tests.real.conftest import need

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.lab.endpoint import Endpoint

pytestmark = pytest.mark.real

FREERDP = {"xfreerdp": "freerdp2-x11", "Xvfb": "xvfb", "xvfb-run": "xvfb", "xauth": "xauth"}
NMAP = {"nmap": "nmap"}


def run(*words: str, home: Path) -> str:
    """What it says on both streams. A client that does not end in time is a failure."""
    result = subprocess.run(
        words,
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    return result.stdout


def freerdp(endpoint: Endpoint, home: Path, *options: str) -> str:
    need(FREERDP)
    words = [f"/v:127.0.0.1:{endpoint.port}", "/u:alice", "/p:Secret123", "+auth-only", "/cert:ignore"]
    return run("xvfb-run", "-a", "xfreerdp", *words, "/log-level:DEBUG", "/timeout:8000", *options, home=home)


@pytest.mark.parametrize(
    "name", ["healthy", "healthy-nla-offered", "healthy-tls12", "healthy-tls13", "healthy-in-pieces"]
)
def test_freerdp_signs_in_as_far_as_the_lab_goes(name: str, tmp_path: Path) -> None:
    """Negotiation, TLS, and all of CredSSP and NTLM up to the status that the endpoint refuses it with."""
    with background(load(name)) as endpoint:
        said = freerdp(endpoint, tmp_path)
    assert "STATUS_LOGON_FAILURE [0xC000006D] from server" in said, said[-3000:]
    assert endpoint.faults == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("failure-3", "SSL_CERT_NOT_ON_SERVER"),
        ("failure-5", "HYBRID_REQUIRED_BY_SERVER"),
        ("ntlm-blocked", "0xC0000418"),
    ],
)
def test_freerdp_names_the_fault(name: str, words: str, tmp_path: Path) -> None:
    with background(load(name)) as endpoint:
        said = freerdp(endpoint, tmp_path)
    assert words in said, said[-3000:]
    assert "STATUS_LOGON_FAILURE" not in said
    assert endpoint.faults == []


def test_nmap_reads_the_challenge(tmp_path: Path) -> None:
    need(NMAP)
    with background(load("healthy-nla-offered")) as endpoint:
        script = ["--script", "+rdp-ntlm-info", "-p", str(endpoint.port), "127.0.0.1"]
        said = run("nmap", "-n", "-Pn", "-sT", *script, home=tmp_path)
    for line in (
        "NetBIOS_Domain_Name: CORP",
        "NetBIOS_Computer_Name: SRV01",
        "DNS_Domain_Name: corp.example",
        "DNS_Computer_Name: srv01.corp.example",
        "DNS_Tree_Name: corp.example",
        "Product_Version: 10.0.20348",
    ):
        assert line in said, said


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("healthy-nla-offered", {"CredSSP (NLA)", "CredSSP with Early User Auth", "SSL"}),
        ("healthy", {"CredSSP (NLA)", "CredSSP with Early User Auth"}),
        ("entra-only", set()),
    ],
)
def test_nmap_finds_the_same_protocols(name: str, layers: set[str], tmp_path: Path) -> None:
    need(NMAP)
    with background(load(name)) as endpoint:
        script = ["--script", "+rdp-enum-encryption", "-p", str(endpoint.port), "127.0.0.1"]
        said = run("nmap", "-n", "-Pn", "-sT", *script, home=tmp_path)
    assert f"{endpoint.port}/tcp open" in said
    assert set(re.findall(r"^\|_? +(\S.*): SUCCESS", said, re.MULTILINE)) == layers, said
