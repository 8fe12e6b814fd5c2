"""`.rdp` files as bytes: encodings, line ends, junk, secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.facts import Journal, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.settings.rdpfile import lines
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.rdpfile import RdpFileError, parse_rdp_file, read_rdp, sniff

TEXT = "screen mode id:i:2\r\nfull address:s:srv01:3390\r\nusername:s:CORP\\alice\r\n"
SECRETS = "password 51:b:01000000D08C9DDF\r\ngatewayaccesstoken:s:eyJhbGciOi\r\nEndpointFedAuth:s:abcdef\r\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.replace("\r\n", "\n").encode(), "utf-8"),
        (TEXT.replace("\r\n", "\r").encode(), "utf-8"),
        (TEXT.replace("alice", "zo\u00eb").encode("cp1252"), "ansi"),
    ],
)
def test_encodings_and_line_ends(data: bytes, encoding: str) -> None:
    file = read_rdp(data)
    assert (file.host, file.port, file.settings.encoding) == ("srv01", 3390, encoding)
    assert file.user in ("CORP\\alice", "CORP\\zo\u00eb")
    assert not file.lost
    assert sniff(data)


def test_names_and_types_in_any_case() -> None:
    settings = parse_rdp_file(b"Full  Address:S: srv01 \nSERVER PORT:I:3390\nloadbalanceinfo:s:tsv://a:b:c\n")
    assert settings.text("full address") == "srv01"
    assert settings.number("server port") == 3390
    assert settings.text("loadbalanceinfo") == "tsv://a:b:c"


def test_the_last_of_two_counts() -> None:
    file = read_rdp(b"full address:s:one\nfull address:s:two\nusername:s:a\nusername:s:b\n")
    assert file.host == "two"
    twice = {
        row.args["name"]: row.args["other"] for row in file.observations if row.args.get("kind") == "twice"
    }
    assert twice == {"full address": "one", "username": None}


@pytest.mark.parametrize(
    "value", ["", "x", "5x", "1_0", "0x10", "\u0663", "1e3", "9" * 5000, "999999999999999999999"]
)
def test_numbers_that_are_none(value: str) -> None:
    settings = parse_rdp_file(f"server port:i:{value}\n".encode())
    assert settings.number("server port") is None or value == "1_0"


def test_secrets_are_not_kept() -> None:
    file = read_rdp((TEXT + SECRETS).encode())
    found = {row.args["name"] for row in file.observations if row.tag == "file.secret"}
    assert found == {"password 51", "gatewayaccesstoken", "endpointfedauth"}
    everything = f"{file!r}"
    for secret in ("D08C9DDF", "eyJhbGciOi", "abcdef"):
        assert secret not in everything


def test_every_secret_that_is_known_is_treated_as_one() -> None:
    secret = [line for line in lines().values() if line.secret]
    assert secret
    for line in secret:
        assert line.name in parse_rdp_file(f"{line.name}:{line.type}:00\n".encode()).secrets


def test_people_are_not_named_in_observations() -> None:
    rows = read_rdp(TEXT.encode()).observations
    assert "alice" not in str([dict(row.args) for row in rows])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfea",
        b"\xc3\x28",
        b"a:x:b\n",
        b"name: value\nother: value\n",
        b"a:s:b\n" * 300_000,
        b"\x00" * 4096,
        b"[section]\nkey=value\n",
    ],
)
def test_what_is_no_rdp_file(data: bytes) -> None:
    with pytest.raises(RdpFileError):
        parse_rdp_file(data)
    assert not sniff(data) or len(data) > 2**20


def test_what_could_not_be_used_is_said() -> None:
    file = read_rdp(b"\xff\xfe" + "full address:s:srv01\r\n".encode("utf-16-le") + b"\x00\xd8x\x00\r")
    assert file.host == "srv01"
    assert any("not text" in what for what in file.lost)
    assert any("1 line without" in what for what in read_rdp(b"full address:s:srv01\nnonsense\n").lost)
    many = read_rdp(b"full address:s:srv01\n" + b"x:i:1\n" * 6000)
    assert any("lines" in what for what in many.lost)
    assert [row.tag for row in many.observations].count("file.part-lost") == len(many.lost)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-16")))
def test_bytes(data: bytes) -> None:
    sniff(data)
    try:
        file = read_rdp(data)
    except RdpFileError:
        return
    assert file.settings.values


NAMES = st.sampled_from(sorted(lines())) | st.text(max_size=8)
LINE = st.tuples(NAMES, st.sampled_from("sibx"), st.text(max_size=12) | st.integers().map(str))


@given(st.lists(LINE, max_size=12), st.sampled_from(["utf-8", "utf-16"]))
def test_made_up_lines(found: list[tuple[str, str, str]], encoding: str) -> None:
    text = "\r\n".join(f"{name}:{kind}:{value}" for name, kind, value in [("a", "s", "b"), *found])
    file = read_rdp(text.encode(encoding))
    for row in file.observations:
        assert not faults(row, load().tags), faults(row, load().tags)
    journal = Journal(Target("srv01", "srv01"), "2026-11-22T10:00:00.000Z")
    journal.extend(file.observations)
    assert list(Journal.from_lines(journal.to_lines())) == list(journal)
