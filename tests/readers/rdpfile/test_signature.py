"""Signatures of `.rdp` files: by whom, until when, and whether a signed line was changed since."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdpdoctor.diagnosis import Diagnosis, Health, diagnose
from rdpdoctor.facts import Journal, Stage, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.rdpfile import read_rdp
from rdpdoctor.readers.rdpfile.signature import look
from tests.readers.rdpfile.sign import Signer, signed, signer, with_openssl

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = with_openssl
LINES = ["full address:s:srv01", "alternate full address:s:srv01", "server port:i:3390", "audiomode:i:0"]
SCOPE = "Full Address,Alternate Full Address,Server Port"
NOW = "2026-11-22T10:00:00.000Z"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("keys"), "Office Publisher")


def told(lines: list[str], encoding: str = "utf-16", end: str = "\r\n") -> dict[str, Any]:
    file = read_rdp((end.join(lines) + end).encode(encoding))
    (row,) = [row for row in file.observations if row.tag == "file.signature"]
    assert not faults(row, load().tags)
    return dict(row.args)


def judged(lines: list[str], started: str = NOW) -> Diagnosis:
    journal = Journal(Target("a.rdp", "srv01"), started)
    journal.extend(read_rdp("\r\n".join(lines).encode("utf-16")).observations)
    return diagnose(journal, load())


@pytest.mark.parametrize(
    ("options", "encoding", "end"),
    [
        (["-noattr"], "utf-16", "\r\n"),  # as Microsoft's tool signs
        ([], "utf-16", "\r\n"),  # with attributes, as .NET does
        (["-noattr"], "utf-8", "\n"),  # saved again by an editor; what is signed is not the file's bytes
        ([], "utf-8-sig", "\r\n"),
        (["-md", "sha1"], "utf-16", "\r\n"),
        (["-md", "sha512", "-noattr"], "utf-16", "\r\n"),
    ],
)
def test_as_it_was_signed(office: Signer, options: list[str], encoding: str, end: str) -> None:
    args = told(signed(office, LINES, SCOPE, *options), encoding, end)
    assert (args["state"], args["signer"], args["lines"]) == ("unchanged", "Office Publisher", 3)
    assert args["self_signed"] is True
    assert args["begins"] < args["ends"]


@pytest.mark.parametrize("options", [["-noattr"], []])
@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("full address:s:srv01", "full address:s:evil", "changed"),
        ("server port:i:3390", "server port:i:3389", "changed"),
        ("audiomode:i:0", "audiomode:i:2", "unchanged"),  # it is not among the signed ones
        ("signscope:s:Full Address,", "signscope:s:", "changed"),
        ("alternate full address:s:srv01", "alternate full address:s:srv01 ", "unchanged"),
    ],
)
def test_changed_since(office: Signer, options: list[str], before: str, after: str, state: str) -> None:
    lines = "\n".join(signed(office, LINES, SCOPE, *options))
    assert before in lines
    place = lines.index(f"\n{before}") + 1 if f"\n{before}" in lines else 0
    changed = lines[:place] + lines[place:].replace(before, after, 1)
    assert told(changed.split("\n"))["state"] == state


def test_a_line_that_stands_twice_counts_as_the_client_takes_it(office: Signer) -> None:
    lines = signed(office, LINES, SCOPE)
    assert told([*lines, "server port:i:3391"])["state"] == "changed"


def test_a_key_on_a_curve(tmp_path: Path) -> None:
    by = signer(tmp_path, "Curve", key=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"))
    assert told(signed(by, LINES, SCOPE))["state"] == "unchanged"


def test_a_way_that_is_not_known_here(office: Signer) -> None:
    assert told(signed(office, LINES, SCOPE, "-md", "sha224"))["state"] == "unknown"


def test_another_signer_under_the_same_serial(tmp_path: Path, office: Signer) -> None:
    first, second = (signer(tmp_path, name, "-set_serial", "7") for name in ("One", "Two"))
    mixed = Signer(first.key, first.certificate)
    good = base64.b64decode("".join(signed(mixed, LINES, SCOPE)[-1].split(":", 2)[2].split()))
    other = base64.b64decode("".join(signed(second, LINES, SCOPE)[-1].split(":", 2)[2].split()))
    # The certificate of one beside the signature of the other, of the same length.
    ours, theirs = (one.index(b"\x02\x01\x07") for one in (good, other))
    assert len(good) == len(other)
    end = good.rindex(b"\x31\x82")
    swapped = good[:ours] + other[theirs : theirs + end - ours] + good[end:]
    lines = [*LINES, f"signscope:s:{SCOPE}", f"signature:s:{base64.b64encode(swapped).decode()}"]
    assert told(lines)["state"] in ("broken", "unreadable")


def test_without_its_certificate(office: Signer) -> None:
    args = told(signed(office, LINES, SCOPE, "-nocerts"))
    assert (args["state"], args["signer"]) == ("unknown", None)


@pytest.mark.parametrize(
    "value", ["AQAB", "%%%", "MAA=", "AAAA" * 4000, base64.b64encode(b"\x30\x80\0\0").decode()]
)
def test_what_is_no_signature(value: str) -> None:
    assert told([*LINES, f"signscope:s:{SCOPE}", f"signature:s:{value}"])["state"] == "unreadable"


def test_cut_anywhere_and_flipped_anywhere(office: Signer) -> None:
    """No bit of it can be changed without being seen, and nothing is raised."""
    lines = {line.partition(":")[0]: line for line in signed(office, LINES, SCOPE, "-noattr")}
    scope = [name.lower() for name in SCOPE.split(",")]
    data = base64.b64decode("".join(lines["signature"].split(":", 2)[2].split()))

    def state(blob: bytes) -> str:
        return look(base64.b64encode(blob).decode(), scope, lines).state

    assert state(data) == "unchanged"
    for end in range(0, len(data), 13):
        assert state(data[:end]) == "unreadable"
    for at in range(len(data) - 200, len(data)):  # the signature's own bytes
        assert state(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]) == "changed"
    for at in range(12, len(data), 17):
        state(data[:at] + bytes((data[at] ^ 0x55,)) + data[at + 1 :])


@given(st.text(max_size=300))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(value: str) -> None:
    assert look(value, ["full address"], {}).state in ("unreadable", "unknown", "changed")


@pytest.mark.parametrize(
    ("change", "started", "says"),
    [
        (("srv01", "evil"), NOW, "was changed after Office Publisher signed it"),
        (("audiomode:i:0", "audiomode:i:1"), NOW, None),
        (
            ("x", "x"),
            "2099-01-01T00:00:00.000Z",
            "of Office Publisher, who signed the .rdp file, ended on 20",
        ),
    ],
)
def test_what_it_comes_to(office: Signer, change: tuple[str, str], started: str, says: str | None) -> None:
    lines = signed(office, LINES, SCOPE)
    found = judged(
        [lines[0].replace(*change), *(line.replace(*change) for line in lines[1:4]), *lines[4:]], started
    )
    if says is None:
        assert found.verdict.status is Health.UNKNOWN
        return
    assert (found.verdict.status, found.verdict.stage) == (Health.DEGRADED, Stage.HOST)
    assert says in found.verdict.summary
