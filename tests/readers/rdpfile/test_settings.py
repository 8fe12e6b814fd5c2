"""What settings of a `.rdp` file say by themselves, beside a check, and in a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rdpdoctor.cli.main import main
from rdpdoctor.diagnosis import Confidence, Diagnosis, Health
from rdpdoctor.facts import Journal, Stage
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import load as scenario
from rdpdoctor.readers.rdpfile import read_rdp
from rdpdoctor.target import parse_target
from tests.diagnosis.story import Story

CONFIG = Path(__file__).parents[4] / "shared" / "captures" / "config"
GATEWAY = "gatewayhostname:s:gw\ngatewayusagemethod:i:1\n"
with_samples = pytest.mark.skipif(not CONFIG.is_dir(), reason="the files of ../shared/captures are not here")


def odd(text: str) -> dict[str, tuple[str, str | None]]:
    """kind → name and other, of the contradictions."""
    rows = read_rdp(f"full address:s:srv01\n{text}".encode()).observations
    for row in rows:
        assert not faults(row, load().tags), faults(row, load().tags)
    return {
        str(row.args["kind"]): (str(row.args["name"]), row.args["other"])  # type: ignore[misc]
        for row in rows
        if row.tag == "file.contradiction"
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("enablecredsspsupport:s:0\n", "wrong-type"),
        ("enablecredsspsupport:i:maybe\n", "no-number"),
        ("full address:s:srv01:3390\nserver port:i:3391\n", "port-twice"),
        ("full address:s:10.0.0.5\nenablerdsaadauth:i:1\n", "entra-by-address"),
        ("full address:s:[2001:db8::5]:3389\nenablerdsaadauth:i:1\n", "entra-by-address"),
        ("gatewayusagemethod:i:1\ngatewayprofileusagemethod:i:1\n", "gateway-without-name"),
        ("gatewayhostname:s:gw\ngatewayusagemethod:i:0\n", "gateway-not-used"),
        ("gatewayhostname:s:gw\n", "gateway-not-used"),
        (f"{GATEWAY}gatewayprofileusagemethod:i:0\n", "gateway-settings-ignored"),
        ("alternate full address:s:srv02\n", "two-addresses"),
        ("loadbalanceinfo:s:tsv://x\nuse redirection server name:i:0\n", "broker-name-unused"),
        ("password 51:b:00\nprompt for credentials:i:1\n", "password-unused"),
        ("signature:s:AQAB\n", "signature-without-scope"),
        ("signscope:s:Full Address\n", "scope-without-signature"),
        ("signscope:s:Full Address,Server Port\nsignature:s:AQAB\n", "signed-line-missing"),
        ("signscope:s:Server Port\nserver port:i:3389\nsignature:s:AQAB\n", "address-not-signed"),
    ],
)  # fmt: skip
def test_contradictions(text: str, kind: str) -> None:
    assert kind in odd(text)


@pytest.mark.parametrize(
    "text",
    [
        "full address:s:srv01:3390\nserver port:i:3390\n",
        "enablerdsaadauth:i:1\n",
        "full address:s:10.0.0.5\nenablerdsaadauth:i:0\n",
        f"{GATEWAY}gatewayprofileusagemethod:i:1\n",
        "gatewayhostname:s:gw\ngatewayusagemethod:i:2\n",
        "gatewayusagemethod:i:0\n",
        "alternate full address:s:SRV01\n",
        "loadbalanceinfo:s:tsv://x\nuse redirection server name:i:1\n",
        "server port:i:3389\nsignscope:s:Full Address,Server Port\nsignature:s:AQAB\n",
    ],
)
def test_what_goes_together(text: str) -> None:
    assert set(odd(text)) <= {"twice"}


def file_and(story: Story, text: str) -> Diagnosis:
    """The check's story, with a file of these lines before it."""
    journal = Journal(story.journal.target, story.journal.started)
    journal.extend(read_rdp(f"full address:s:srv01\n{text}".encode()).observations)
    journal.extend(story.journal)
    story.journal = journal
    return story.diagnosis()


def insists() -> Story:
    return Story().healthy().matrix({1: ("failure", 5), 0: ("failure", 5)})


def confidence(found: Diagnosis, cause: str) -> Confidence | None:
    return next((each.confidence for each in found.causes if each.id == cause), None)


def test_credssp_turned_off_where_the_server_insists() -> None:
    assert insists().diagnosis().verdict.status is Health.HEALTHY
    found = file_and(insists(), "enablecredsspsupport:i:0\n")
    assert (found.verdict.status, found.verdict.stage) == (Health.FAILING, Stage.X224)
    assert (found.causes[0].id, found.causes[0].confidence) == ("nla.required", Confidence.CONFIRMED)
    assert "enablecredsspsupport:i:0" in found.causes[0].why
    assert file_and(insists(), "enablecredsspsupport:i:1\n").verdict.status is Health.HEALTHY


def test_credssp_turned_off_where_the_server_does_not_insist() -> None:
    offers = Story().healthy().matrix({1: 1, 0: ("failure", 1)})
    found = file_and(offers, "enablecredsspsupport:i:0\n")
    assert found.verdict.status is Health.HEALTHY
    assert confidence(found, "nla.required") is None


@pytest.mark.parametrize(("flags", "refused"), [(0x1F, False), (0x17, True)])
def test_restricted_admin(flags: int, refused: bool) -> None:
    asked: dict[str, Any] = {"attempt": 1, "role": "walk", "address": "10.0.4.21", "requested": 0x0B}
    story = Story().resolved().dialled().see("x224.selected", **asked, selected=8, flags=flags)
    found = file_and(story, "restrictedadmin:i:1\n")
    cause = confidence(found, "restricted-admin.refused")
    assert cause is (Confidence.CONFIRMED if refused else None)
    assert (found.verdict.status is Health.FAILING) is refused


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("enablerdsaadauth:i:1\n", False),
        ("enablerdsaadauth:i:0\n", True),
        ("full address:s:10.0.0.5\nenablerdsaadauth:i:1\n", True),
    ],
)
def test_entra(text: str, named: bool) -> None:
    story = Story().walk(("failure", 6)).matrix({1: ("failure", 6), 0: ("failure", 6), 0x10: 0x10})
    found = file_and(story, text)
    assert (found.verdict.status is Health.FAILING) is named
    assert confidence(found, "entra.required") is (Confidence.CONFIRMED if named else None)
    if not named:
        assert found.verdict.status is Health.UNKNOWN
        assert not [each for each in found.causes if each.confidence is not Confidence.RULED_OUT]


def test_unsafe_settings_are_a_warning_and_no_cause() -> None:
    found = file_and(insists(), "authentication level:i:0\n")
    assert (found.verdict.status, found.verdict.stage) == (Health.DEGRADED, Stage.HOST)
    assert "cannot verify" in found.verdict.summary


def test_a_file_alone() -> None:
    def alone(text: str) -> Diagnosis:
        return file_and(Story(), text)

    assert alone("").verdict.status is Health.UNKNOWN
    assert "only a .rdp file for srv01" in alone("").verdict.summary
    through = alone("gatewayhostname:s:gw.example\ngatewayusagemethod:i:1\n")
    assert "through the gateway gw.example" in through.verdict.summary
    off = alone("enablecredsspsupport:i:0\n")
    assert off.verdict.status is Health.UNKNOWN
    assert confidence(off, "nla.required") is Confidence.POSSIBLE
    assert alone("authentication level:i:0\n").verdict.status is Health.DEGRADED
    assert alone("full address:s:10.1.1.1\nenablerdsaadauth:i:1\n").verdict.stage is Stage.HOST


def test_a_target_carries_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "a.rdp"
    path.write_text("alternate full address:s:srv01\nenablecredsspsupport:i:0\n")
    target = parse_target(str(path))
    assert target.host == "srv01"
    found = {row.args["name"]: row.args["number"] for row in target.evidence if row.tag == "file.setting"}
    assert found["enablecredsspsupport"] == 0


def test_a_check_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against a server that insists on NLA, with a saved journal that says the same again."""
    path, saved = tmp_path / "a.rdp", tmp_path / "a.jsonl"
    with background(scenario("healthy")) as endpoint:
        address = f"full address:s:{endpoint.addresses[0]}:{endpoint.port}\r\n"
        path.write_text(f"{address}enablecredsspsupport:i:0\r\npassword 51:b:C0FFEE\r\n", encoding="utf-16")
        assert main([str(path), "--json", "--save", str(saved)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"]["stage"] == "x224"
    assert (report["causes"][0]["id"], report["causes"][0]["confidence"]) == ("nla.required", "confirmed")
    assert {row["source"] for row in report["observations"] if row["tag"].startswith("file.")} == {"file"}
    assert "C0FFEE" not in saved.read_text()
    assert main(["read", str(saved), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["causes"] == report["causes"]


@with_samples
@pytest.mark.parametrize(
    ("name", "host", "port", "gateway"),
    [
        ("avd-gateway-1", "rdgateway-r1.wvd.microsoft.com", 3389, "afdfp-rdgateway-r1.wvd.microsoft.com:443"),
        ("avd-gateway-2", "rdgateway-r1.wvd.microsoft.com", 3389, "afdfp-rdgateway-r1.wvd.microsoft.com:443"),
        ("utf16-gateway-port-9933", "testhostname.domain.com", 9933, None),
    ],
)
def test_samples(name: str, host: str, port: int, gateway: str | None) -> None:
    file = read_rdp(CONFIG / f"{name}.rdp")
    assert (file.host, file.port, file.gateway) == (host, port, gateway)
    assert not file.lost
    journal = Story().journal
    journal.extend(file.observations)
    found = Story()
    found.journal = journal
    diagnosis = found.diagnosis()
    assert diagnosis.verdict.status is Health.UNKNOWN
    assert not diagnosis.causes
    assert (
        parse_target(str(CONFIG / f"{name}.rdp")).host,
        parse_target(str(CONFIG / f"{name}.rdp")).port,
    ) == (
        host,
        port,
    )
