"""What people type, and what is made of it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.target import TargetError, parse_target

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "srv01": ("srv01", 3389),
    "srv01.corp.example:3390": ("srv01.corp.example", 3390),
    "srv01.corp.example.": ("srv01.corp.example.", 3389),
    " srv01 ": ("srv01", 3389),
    "WIN_SRV-01": ("WIN_SRV-01", 3389),
    "10.0.4.21": ("10.0.4.21", 3389),
    "10.0.4.21:1": ("10.0.4.21", 1),
    "10.0.4.21:65535": ("10.0.4.21", 65535),
    "::1": ("::1", 3389),
    "2001:db8:0:0::5": ("2001:db8::5", 3389),
    "[2001:db8::5]": ("2001:db8::5", 3389),
    "[2001:db8::5]:3390": ("2001:db8::5", 3390),
    "[fe80::1%eth0]:3390": ("fe80::1%eth0", 3390),
    "münchen.example": ("xn--mnchen-3ya.example", 3389),
    "xn--mnchen-3ya.example:99": ("xn--mnchen-3ya.example", 99),
    "a" * 63 + ".example": ("a" * 63 + ".example", 3389),
}

BAD = [
    "",
    "   ",
    ":3389",
    "srv01:",
    "srv01:0",
    "srv01:65536",
    "srv01:-1",
    "srv01:+5",
    "srv01:rdp",
    "srv01:3389:1",
    "srv01:99999999999999999999",
    "srv01:٣٣٨٩",
    "a..b",
    ".srv01",
    "srv01..",
    ".",
    "-srv01",
    "srv01-",
    "srv 01",
    "srv01\x1b[2J",
    "srv01\x00",
    "a" * 64,
    ".".join(["a" * 60] * 5),
    "256.1.1.1",
    "1.2.3",
    "12345",
    "xn--a",
    "xn--\N{SNOWMAN}",
    "bücher..example",
    "\N{ZERO WIDTH JOINER}",
    "[::1",
    "[::1]x",
    "[srv01]:3389",
    "[10.0.4.21]:3389",
    "[::1]:0",
    "fe80::1%\x1b[2J",
    "rdp://srv01",
    "https://srv01/",
    "user@srv01",
    "\\\\srv01",
    "srv01/rdp",
    "missing-file.rdp",
]


@pytest.mark.parametrize(("text", "wanted"), GOOD.items())
def test_good(text: str, wanted: tuple[str, int]) -> None:
    target = parse_target(text)
    assert (target.host, target.port) == wanted
    assert target.input == text


@pytest.mark.parametrize("text", BAD)
def test_bad_is_told_with_a_hint(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    for line in (str(caught.value), caught.value.hint):
        assert line
        assert line.isprintable()
        assert len(line) < 200


@given(st.text(max_size=300))
def test_nothing_else_escapes(text: str) -> None:
    try:
        target = parse_target(text)
    except TargetError as error:
        lines = [str(error), error.hint]
    else:
        assert 1 <= target.port <= 65535
        assert target.host.isascii()
        lines = [target.host]
    assert all(line.isprintable() for line in lines)


@given(
    st.text(alphabet=string.ascii_lowercase + string.digits, min_size=1, max_size=20), st.integers(1, 65535)
)
def test_host_and_port_come_back(name: str, port: int) -> None:
    host = f"{name}.example"
    target = parse_target(f"{host}:{port}")
    assert (target.host, target.port) == (host, port)


RDP = "screen mode id:i:2\r\nfull address:s:{address}\r\nusername:s:alice\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("srv01.corp.example", ("srv01.corp.example", 3389)),
        ("srv01:9933", ("srv01", 9933)),
        ("[::1]:9933", ("::1", 9933)),
    ],
)
def test_rdp_file(tmp_path: Path, encoding: str, address: str, wanted: tuple[str, int]) -> None:
    file = tmp_path / "Server One.RDP"
    file.write_bytes(RDP.format(address=address).encode(encoding))
    target = parse_target(str(file))
    assert (target.host, target.port) == wanted


def test_rdp_file_with_a_port_line(tmp_path: Path) -> None:
    file = tmp_path / "a.rdp"
    file.write_text("full address:s:srv01\nserver port:i:3390\n")
    assert parse_target(str(file)).port == 3390
    file.write_text("full address:s:srv01:5\nserver port:i:3390\n")
    assert parse_target(str(file)).port == 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xfea",
        b"\xc3\x28",
        b"full address:i:5\n",
        b"full address:s:\n",
        b"full address:s:a..b\n",
        b"full address:s:srv01\nserver port:i:70000\n",
        b"a:s:b\n" * 300_000,
    ],
)
def test_rdp_file_that_names_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.rdp"
    file.write_bytes(content)
    with pytest.raises(TargetError) as caught:
        parse_target(str(file))
    assert caught.value.hint


def test_rdp_folder(tmp_path: Path) -> None:
    (tmp_path / "a.rdp").mkdir()
    with pytest.raises(TargetError):
        parse_target(str(tmp_path / "a.rdp"))


def test_rdp_file_with_user_and_gateway(tmp_path: Path) -> None:
    file = tmp_path / "a.rdp"
    lines = "full address:s:srv01\nusername:s:{}\ngatewayhostname:s:gw.example\ngatewayusagemethod:i:{}\n"
    file.write_text(lines.format("CORP\\alice", 1))
    target = parse_target(str(file))
    assert (target.user, target.gateway) == ("CORP\\alice", "gw.example")
    file.write_text(lines.format("zo\u00eb", 4), encoding="utf-8")
    target = parse_target(str(file))
    assert (target.user, target.gateway) == (None, None)


def test_rdp_file_whose_port_is_no_number(tmp_path: Path) -> None:
    file = tmp_path / "a.rdp"
    file.write_text("full address:s:srv01\nserver port:i:banana\n")
    with pytest.raises(TargetError, match="server port"):
        parse_target(str(file))
