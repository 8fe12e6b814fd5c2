"""The registry of a real implementation: values planted with `reg import` in Wine come out of `reg export`,
and of the keys that the collector asks, as they went in.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.collector import script
from rdpdoctor.readers.host import read_host
from tests.readers.host.craft import bundle, judged, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.real, pytest.mark.slow]

_TS = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server"
_LISTENER = rf"{_TS}\WinStations\RDP-Tcp"
_POLICY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"
_SERVICE = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TermService"
_TLS = (
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server"
)
_THUMBPRINT = "00112233445566778899aabbccddeeff00112233"
#: key, name, as a .reg file writes it, as it must come out
PLANTED: tuple[tuple[str, str, str, int | str], ...] = (
    (_TS, "fDenyTSConnections", "dword:00000000", 0),
    (_TS, "TSServerDrainMode", "dword:00000002", 2),
    (_LISTENER, "PortNumber", "dword:00000d3e", 3390),
    (_LISTENER, "MaxInstanceCount", "dword:ffffffff", 0xFFFFFFFF),
    (_LISTENER, "SSLCertificateSHA1Hash", f"hex:{','.join(re.findall('..', _THUMBPRINT))}", _THUMBPRINT),
    (_SERVICE, "ObjectName", r'"NT AUTHORITY\\NetworkService"', r"NT AUTHORITY\NetworkService"),
    (
        rf"{_SERVICE}\Parameters",
        "ServiceDll",
        f"hex(2):{','.join(re.findall('..', '%SystemRoot%é.dll'.encode('utf-16-le').hex() + '0000'))}",
        "%SystemRoot%é.dll",
    ),
    (_POLICY, "fDenyTSConnections", "dword:00000001", 1),
    (_POLICY, "LicenseServers", '"lic01,lic02"', "lic01,lic02"),
    (_TLS, "Enabled", "dword:00000000", 0),
    (
        r"HKEY_CURRENT_USER\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services",
        "UseProxy",
        "dword:00000001",
        1,
    ),
)
_KINDS = {"REG_DWORD": "DWord", "REG_SZ": "String", "REG_EXPAND_SZ": "ExpandString", "REG_BINARY": "Binary"}


class Wine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "WINEPREFIX": str(folder / "prefix"),
            "WINEDEBUG": "-all",
            "DISPLAY": "",
        }

    def run(self, *words: str, check: bool = True) -> bytes:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, timeout=180, check=check
        )
        return done.stdout


@pytest.fixture(scope="module")
def wine() -> Iterator[Wine]:
    if shutil.which("wine") is None or shutil.which("wineserver") is None:
        pytest.skip("Wine is not installed (Debian: apt-get install --no-install-recommends wine wine64)")
    # A prefix has some hundred megabytes, which pytest's own folders would keep.
    with tempfile.TemporaryDirectory(prefix="wine") as folder:
        made = Wine(Path(folder))
        made.run("wine", "wineboot", "-i")
        try:
            lines = ["Windows Registry Editor Version 5.00"]
            for key, name, value, _ in PLANTED:
                lines += ["", f"[{key}]", f'"{name}"={value}']
            (made.folder / "planted.reg").write_bytes("\r\n".join([*lines, ""]).encode("utf-16"))
            made.run("wine", "reg", "import", "planted.reg")
            yield made
        finally:
            made.run("wineserver", "-k", check=False)
            made.run("wineserver", "-w", check=False)


def told(data: bytes) -> set[tuple[str, str, int | str | None]]:
    """Key, name and value, of what is known."""
    rows = [row for row in read_host(data).observations if row.tag == "host.setting"]
    found: set[tuple[str, str, int | str | None]] = set()
    for row in rows:
        path = (
            str(row.args["path"])
            .replace("HKLM\\", "HKEY_LOCAL_MACHINE\\")
            .replace("HKCU\\", "HKEY_CURRENT_USER\\")
        )
        number, value = row.args["number"], row.args["value"]
        assert isinstance(value, str)
        found.add((path.lower(), str(row.args["name"]), number if isinstance(number, int) else value))
    return found


def planted(*keys: str) -> set[tuple[str, str, int | str | None]]:
    return {(key.lower(), name, value) for key, name, _, value in PLANTED if key.startswith(keys or "HKEY")}


@pytest.mark.parametrize("key", [_TS, _SERVICE, _POLICY, _TLS, r"HKEY_CURRENT_USER\SOFTWARE\Policies"])
def test_what_was_planted_comes_out_of_an_export(wine: Wine, key: str) -> None:
    wine.run("wine", "reg", "export", key, "out.reg", "/y")
    found = told((wine.folder / "out.reg").read_bytes())
    assert planted(key)
    assert planted(key) <= found


def asked(wine: Wine, keys: Sequence[str]) -> list[dict[str, object]]:
    """What stands in these keys, in the shape in which the collector writes it."""
    queries = [
        f'reg query "{key.removesuffix(chr(92) + "*")}" {"/s" if key.endswith("*") else ""}'.replace(
            ":\\", "\\", 1
        )
        for key in keys
    ]
    (wine.folder / "ask.bat").write_text(
        "\r\n".join(["@echo off", "chcp 65001 >nul", *queries, "exit /b 0", ""])
    )
    answer = wine.run("wine", "cmd", "/c", "ask.bat").decode("utf-8", "replace")
    rows: list[dict[str, object]] = []
    path = ""
    for line in answer.splitlines():
        found = re.fullmatch(r"    (.+?)    (REG_\w+)    (.*)", line)
        if line.startswith("HKEY_"):
            path = line.replace("HKEY_LOCAL_MACHINE", "HKLM").replace("HKEY_CURRENT_USER", "HKCU").strip()
        elif found is not None and found[2] in _KINDS:
            value: object = found[3]
            if found[2] == "REG_DWORD":
                value = int(found[3], 16)
                # As .NET has it: with a sign.
                value = value - 2**32 if value >= 2**31 else value
            elif found[2] == "REG_BINARY":
                value = found[3].lower()
            rows.append({"path": path, "name": found[1], "type": _KINDS[found[2]], "value": value})
    return rows


def test_what_was_planted_is_found_in_the_keys_that_the_collector_asks(wine: Wine) -> None:
    keys = re.findall(r"^    '(HK[^']+)'$", script(), re.MULTILINE)
    data = json.dumps(bundle(registry=asked(wine, keys), role=None)).encode()
    wanted = {one for one in planted() if one[1] != "ServiceDll"}  # cmd's code page may lack its letters
    assert wanted <= told(data)
    causes = standing(judged(data))
    assert causes["rdp.disabled"] == causes["port.changed"] == "confirmed"
    assert "tls.version-mismatch" in causes, "other versions may be on by default"
    assert "session.limit" in causes
    assert (
        "policy value fDenyTSConnections = 1"
        in {one.id: one for one in judged(data).causes}["rdp.disabled"].why
    )
