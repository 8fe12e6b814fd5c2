"""Whole `.rdp` files: healthy ones as clients and portals write them, and ones with a fault each."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.target import TargetError, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Verdict = Callable[[bytes], tuple[str, str, Path]]

#: Remote Desktop Connection of Windows 11, saved as it is.
MSTSC = """\
screen mode id:i:2
use multimon:i:0
desktopwidth:i:1920
desktopheight:i:1080
session bpp:i:32
winposstr:s:0,3,0,0,800,600
compression:i:1
keyboardhook:i:2
audiocapturemode:i:0
videoplaybackmode:i:1
connection type:i:7
networkautodetect:i:1
bandwidthautodetect:i:1
displayconnectionbar:i:1
enableworkspacereconnect:i:0
remoteappmousemoveinject:i:1
disable wallpaper:i:0
allow font smoothing:i:0
allow desktop composition:i:0
disable full window drag:i:1
disable menu anims:i:1
disable themes:i:0
disable cursor setting:i:0
bitmapcachepersistenable:i:1
full address:s:srv01.corp.example
audiomode:i:0
redirectprinters:i:1
redirectlocation:i:0
redirectcomports:i:0
redirectsmartcards:i:1
redirectwebauthn:i:1
redirectclipboard:i:1
redirectposdevices:i:0
autoreconnection enabled:i:1
authentication level:i:2
prompt for credentials:i:0
negotiate security layer:i:1
remoteapplicationmode:i:0
alternate shell:s:
shell working directory:s:
gatewayhostname:s:
gatewayusagemethod:i:4
gatewaycredentialssource:i:4
gatewayprofileusagemethod:i:0
promptcredentialonce:i:0
gatewaybrokeringtype:i:0
use redirection server name:i:0
rdgiskdcproxy:i:0
kdcproxyname:s:
enablerdsaadauth:i:0
"""
#: Exported by the client for macOS.
MAC = """\
gatewaybrokeringtype:i:0
use redirection server name:i:0
disable themes:i:0
disable cursor setting:i:0
disable menu anims:i:1
remoteapplicationcmdline:s:
redirected video capture encoding quality:i:0
audiocapturemode:i:0
prompt for credentials on client:i:0
remoteapplicationprogram:s:
gatewayusagemethod:i:2
screen mode id:i:2
use multimon:i:0
authentication level:i:2
desktopwidth:i:0
desktopheight:i:0
redirectclipboard:i:1
loadbalanceinfo:s:
enablecredsspsupport:i:1
promptcredentialonce:i:0
redirectprinters:i:0
autoreconnection enabled:i:1
administrative session:i:0
redirectsmartcards:i:1
authoring tool:s:
alternate shell:s:
remoteapplicationmode:i:0
disable full window drag:i:1
gatewayusername:s:
shell working directory:s:
audiomode:i:0
username:s:corp\alice
allow font smoothing:i:1
connect to console:i:0
gatewayhostname:s:
camerastoredirect:s:
drivestoredirect:s:
session bpp:i:32
disable wallpaper:i:0
full address:s:srv01.corp.example
gatewayaccesstoken:s:
"""
#: A RemoteApp of RD Web Access.
RD_WEB = """\
redirectclipboard:i:1
redirectprinters:i:1
redirectcomports:i:0
redirectsmartcards:i:1
devicestoredirect:s:*
drivestoredirect:s:*
redirectdrives:i:1
session bpp:i:32
prompt for credentials on client:i:1
span monitors:i:1
use multimon:i:1
remoteapplicationmode:i:1
server port:i:3389
allow font smoothing:i:1
promptcredentialonce:i:1
videoplaybackmode:i:1
audiocapturemode:i:1
gatewayusagemethod:i:2
gatewayprofileusagemethod:i:1
gatewaycredentialssource:i:0
full address:s:RDCB01.CORP.EXAMPLE
alternate shell:s:||calc
remoteapplicationprogram:s:||calc
gatewayhostname:s:rdgw.corp.example
remoteapplicationname:s:Calculator
remoteapplicationcmdline:s:
workspace id:s:RDCB01.corp.example
use redirection server name:i:1
loadbalanceinfo:s:tsv://MS Terminal Services Plugin.1.QuickSessionCollection
alternate full address:s:RDCB01.CORP.EXAMPLE
"""
#: A desktop of Azure Virtual Desktop.
AVD = """\
gatewayusagemethod:i:1
gatewayprofileusagemethod:i:1
authentication level:i:1
gatewaybrokeringtype:i:1
wvd endpoint pool:s:00000000-0000-0000-0000-000000000001
geo:s:EU
armpath:s:/subscriptions/0/resourcegroups/rg/providers/Microsoft.DesktopVirtualization/hostpools/hp
aadtenantid:s:00000000-0000-0000-0000-000000000002
full address:s:rdgateway.example
alternate full address:s:rdgateway.example
resourceprovider:s:arm
gatewayhostname:s:afdfp-rdgateway.example:443
loadbalanceinfo:s:mth://localhost/0/1
workspace id:s:00000000-0000-0000-0000-000000000003
promptcredentialonce:i:1
gatewaycredentialssource:i:0
remoteapplicationprogram:s:||1
remoteapplicationmode:i:0
devicestoredirect:s:*
drivestoredirect:s:*
targetisaadjoined:i:1
enablerdsaadauth:i:0
"""
#: Downloaded from Azure's portal.
PORTAL = "full address:s:20.50.1.2:3389\nprompt for credentials:i:1\nadministrative session:i:1\n"
SECRET = "D08C9DDF0115"
GATEWAY = "gatewayhostname:s:gw\ngatewayusagemethod:i:1\n"


@pytest.fixture
def verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verdict:
    def read(data: bytes) -> tuple[str, str, Path]:
        path = tmp_path / "a.rdp"
        path.write_bytes(data)
        main(["read", str(path), "--json"])
        told = capsys.readouterr()
        assert SECRET not in told.out + told.err
        found = json.loads(told.out)["verdict"]
        return found["status"], found["summary"], path

    return read


@pytest.mark.parametrize(
    ("text", "encoding", "target"),
    [
        (MSTSC, "utf-16", ("srv01.corp.example", 3389, None)),
        (MSTSC, "utf-16-le", ("srv01.corp.example", 3389, None)),
        (MSTSC, "utf-16-be", ("srv01.corp.example", 3389, None)),
        (MSTSC, "utf-8-sig", ("srv01.corp.example", 3389, None)),
        (MAC, "utf-8", ("srv01.corp.example", 3389, None)),
        (RD_WEB, "utf-16", ("RDCB01.CORP.EXAMPLE", 3389, "rdgw.corp.example")),
        (AVD, "utf-8", ("rdgateway.example", 3389, "afdfp-rdgateway.example:443")),
        (PORTAL, "utf-8", ("20.50.1.2", 3389, None)),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_healthy(verdict: Verdict, text: str, encoding: str, target: object, end: str) -> None:
    """A file alone shows no connection; nothing is wrong with it."""
    status, summary, path = verdict(text.replace("\n", end).encode(encoding))
    assert status == "unknown", summary
    found = parse_target(str(path))
    assert (found.host, found.port, found.gateway) == target


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (f"password 51:b:01000000{SECRET}", "holds a secret (password 51)"),
        (f"password:s:{SECRET}", "holds a secret (password)"),
        (f"gatewayaccesstoken:s:{SECRET}", "holds a secret (gatewayaccesstoken)"),
        ("authentication level:i:0", "servers that it cannot verify"),
        ("enablecredsspsupport:s:0", "enablecredsspsupport of the .rdp file is of the type s"),
        ("enablecredsspsupport:i:no", "enablecredsspsupport of the .rdp file holds no number"),
        ("desktopwidth:i:0x780", "desktopwidth of the .rdp file holds no number"),
        ("server port:i:0", "server port of the .rdp file holds no number"),
        ("server port:i:99999", "server port of the .rdp file holds no number"),
        ("full address:s:srv01:3390\nserver port:i:3391", "the one in the address counts (3390)"),
        ("full address:s:10.0.0.4\nenablerdsaadauth:i:1", "names the computer by its address 10.0.0.4"),
        ("full address:s:https://srv01/", "names no computer (https://srv01/)"),
        ("full address:s:two words", "names no computer (two words)"),
        ("full address:s:a\nfull address:s:b", "full address stands twice"),
        ("gatewayusagemethod:i:1\ngatewayprofileusagemethod:i:1", "through a gateway and names none"),
        (f"{GATEWAY}gatewayprofileusagemethod:i:0", "use their own settings"),
        ("signscope:s:Full Address\nsignature:s:AQABAAEAAAA=", "its signature cannot be read"),
        ("signscope:s:Full Address,Server Port\nsignature:s:AQAB", "signed with a line that it has no more"),
        ("signscope:s:Server Port\nserver port:i:3389\nsignature:s:AQAB", "but not its line full address"),
    ],
)  # fmt: skip
def test_a_fault_each(verdict: Verdict, lines: str, says: str) -> None:
    own = "" if lines.startswith("full address") else "full address:s:srv01\n"
    status, summary, _ = verdict(f"{own}{lines}\n".encode())
    assert status == "degraded"
    assert says in summary


@pytest.mark.parametrize(
    ("lines", "target"),
    [
        ("full address:s:[2001:db8::5]:3390", ("2001:db8::5", 3390)),
        ("full address:s:2001:db8::5", ("2001:db8::5", 3389)),
        ("full address:s:\nalternate full address:s:srv02", ("srv02", 3389)),
        ("full address:s:  srv01  \nserver port:i:3391", ("srv01", 3391)),
        ("full address:s:srv01:3390\nserver port:i:3391", ("srv01", 3390)),
        ("\n\n\nfull address:s:srv01\n\n\0\0", ("srv01", 3389)),
        ("full address:s:srv01\nalternate shell:s:" + "A" * 500_000, ("srv01", 3389)),
        ("username:s:bob", "names no computer"),
        ("full address:s:srv01\nserver port:i:0", "names no port"),
        ("full address:s:https://srv01/", "is a URL"),
        ("full address:s:srv01\x1b[31mX", "srv01\\x1b[31mX"),
        ("full address:s:" + "A" * 500_000, "longer than"),
    ],
)
def test_as_a_target(tmp_path: Path, lines: str, target: object) -> None:
    path = tmp_path / "a.rdp"
    path.write_bytes(f"{lines}\n".encode("utf-16"))
    if isinstance(target, str):
        with pytest.raises(TargetError, match=re.escape(target)):
            parse_target(str(path))
        return
    found = parse_target(str(path))
    assert (found.host, found.port) == target
