"""`rdpdoctor explain`: every way to type a code, what is said of it, and what no input can do."""

from __future__ import annotations

import io
import json
import sys
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rdpdoctor.cli import codes as option
from rdpdoctor.cli.main import main
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.asking import Reading, read
from rdpdoctor.knowledge.codes import every_code
from rdpdoctor.knowledge.codes.reading import LONGEST, Asked
from rdpdoctor.report.explain.build import explain
from rdpdoctor.report.explain.json import dumps, to_json
from rdpdoctor.report.explain.text import render
from rdpdoctor.report.page import Page
from tests.cli.test_imports import imported
from tests.command import control_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["explain", *words]) == code
    out, err = capsys.readouterr()
    assert err == ""
    assert control_bytes(out) == []
    return out


def as_json(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    value = json.loads(said(capsys, "--json", *words, code=code))
    assert isinstance(value, dict)
    assert value["schema"] == "rdpdoctor.explain/1"
    return value


DIALOG = (
    "This computer can't connect.\n\nError code: 0x904\r\nExtended error code: 0x7\nTimestamp (UTC): 1/2/26"
)
PAIR = ["disconnectReasonAtClientWinsockFDCLOSE", "exDiscReasonServerDeniedConnection"]


@pytest.mark.parametrize(
    ("words", "symbols"),
    [
        (["0x904"], PAIR[:1]),
        (["2308"], PAIR[:1]),
        (["0x904", "0x7"], PAIR),
        (["0x904 0x7"], PAIR),
        (["0x904/0x7"], PAIR),
        ([DIALOG], PAIR),
        (DIALOG.split(), PAIR),
        (["ERRINFO_LICENSE_NO_LICENSE_SERVER"], ["ERRINFO_LICENSE_NO_LICENSE_SERVER"]),
        (["0xC000006D"], ["STATUS_LOGON_FAILURE"]),
        (["-1073741715"], ["STATUS_LOGON_FAILURE"]),
        (["--", "-1073741715"], ["STATUS_LOGON_FAILURE"]),
        (["status_logon_failure"], ["STATUS_LOGON_FAILURE"]),
        (["50331676"], [None]),
        (["SSL_CERT_NOT_ON_SERVER"], ["SSL_CERT_NOT_ON_SERVER"]),
        (["0x80075A00"], ["E_PROXY_REAUTH_NAP_FAILED"]),
        (["an alert 40 came"], ["handshake_failure"]),
        (["This could be due to CredSSP\nencryption oracle remediation."], ["SEC_E_UNSUPPORTED_FUNCTION"]),
    ],
)
def test_every_habit(
    words: Sequence[str], symbols: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    value = as_json(capsys, *words)
    assert [code["meanings"][0]["symbol"] for code in value["codes"]] == symbols
    assert all(code["known"] for code in value["codes"])
    text = said(capsys, *words)
    for symbol in symbols:
        assert (symbol or "0x300001C") in text


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    text = resources.files("rdpdoctor.report.schema").joinpath("explain-1.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "text",
    [
        *("0x904/0x7", "263", "0x905", "STATUS_LOGON_FAILUR", "event 1057", "event 64999", "1057", "Enabled"),
        *(
            "SecurityLayer=0",
            "enablerdsaadauth",
            "password 51:b:00",
            "An internal error has occurred",
            "no words",
        ),
        "\u202eevent 1057\x1b[2J 0x904",
    ],
)
def test_every_answer_fits_the_schema(text: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(dumps(explain(read(text), load()))))


def test_the_schema_notices_what_is_missing(validator: jsonschema.Draft202012Validator) -> None:
    value = json.loads(dumps(explain(read("event 1057"), load())))
    del value["topics"][0]["sources"]
    assert not validator.is_valid(value)


def test_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    value = as_json(capsys, "event 1057")
    [topic] = value["topics"]
    assert topic["causes"][0] == {"id": "certificate.key-unusable", "how": "names"}
    assert value["causes"][0]["id"] == "certificate.key-unusable"
    assert "Id=1057" in value["next"][0]["command"]
    text = said(capsys, "Schannel", "36870")
    for words in ("private key", "counts as      a failure", "System", "Get-WinEvent", "proves not"):
        assert words in text
    assert "unknown" in said(capsys, "event 64999", code=3)


def test_a_bare_number_may_be_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    value = as_json(capsys, "4625")
    assert value["codes"] == []
    assert [topic["name"] for topic in value["topics"]] == ["event 4625"]
    both = as_json(capsys, "263")
    assert both["codes"][0]["known"]
    assert [topic["name"] for topic in both["topics"]] == ["event 263"]
    assert as_json(capsys, "0x107")["topics"] == []
    assert as_json(capsys, "an alert 40 came")["topics"] == []


def test_a_setting_and_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "SecurityLayer")
    for words in (
        "Require use of specific security layer",
        "beats the local",
        "0 lowers security",
        "reg query",
    ):
        assert words in text
    assert "Standard RDP security only" in said(capsys, "SecurityLayer=0")
    assert as_json(capsys, "SecurityLayer=0")["causes"][0]["id"] == "security-layer.rdp-only"
    assert as_json(capsys, "SecurityLayer=2")["causes"] == []
    assert "nothing wrong with it" in said(capsys, "SecurityLayer=2")
    assert as_json(capsys, "enablecredsspsupport:i:0")["causes"][0]["id"] == "nla.required"
    assert len(as_json(capsys, "Enabled")["topics"]) == 9


def test_a_whole_rdp_file_is_told_by_what_is_wrong_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        "full address:s:srv01",
        "enablecredsspsupport:i:0",
        "audiomode:i:0",
        "authentication level:i:0",
        "domain:s:x",
    ]
    text = said(capsys, "\n".join([*lines, "username:s:jo", "compression:i:1"]))
    assert text.splitlines()[0].startswith("enablecredsspsupport")
    assert text.count("\nmeans ") == 2
    assert "cannot verify" in text
    assert "also " in text


def test_a_secret_is_never_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ("password 51:b:0102DEADBEEF", "gatewayaccesstoken:s:0102DEADBEEF"):
        assert "DEADBEEF" not in said(capsys, words)
        assert "DEADBEEF" not in said(capsys, "-v", words)
        assert "DEADBEEF" not in json.dumps(as_json(capsys, words))
        assert "secret" in said(capsys, words)


def test_a_dialog_brings_the_code_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    value = as_json(capsys, "The remote computer requires Network Level\nAuthentication, which")
    assert [topic["kind"] for topic in value["topics"]] == ["dialog"]
    assert [code["hex"] for code in value["codes"]] == ["0xB09"]
    assert value["causes"][0]["id"] == "nla.required"
    assert value["next"][0]["command"] == "rdpdoctor check HOST --code 0xB09"


def test_words_that_are_nothing_known_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no code, event, setting or dialog" in said(capsys, "hello", "there", code=3)
    value = as_json(capsys, "hello", "there", code=3)
    assert value["codes"] == value["topics"] == value["causes"] == []
    assert value["next"][0]["command"] == "rdpdoctor check HOST"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_gist_of_the_pair_is_on_the_first_screen(columns: int) -> None:
    made = explain(read("0x904/0x7"), load())
    lines = render(made, Page(columns=columns)).splitlines()
    first = "\n".join(lines[: 24 if columns >= 80 else 30])
    for words in ("in short", "socket closed", "server denied connection", "proves not", "fits causes"):
        assert words in first
    assert len(lines) <= (60 if columns >= 80 else 80)
    verbose = render(made, Page(columns=columns, verbose=True))
    for words in ("instead", "breaks", "right when", "source", "the NT 4.0"):
        assert words in verbose
        assert words != "instead" or words not in first


def test_the_pair_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    value = as_json(capsys, "0x904/0x7")
    assert value["next"][0]["command"] == "rdpdoctor check HOST --code 0x904 0x7"
    assert value["causes"][0]["by"] == "code"
    assert {cause["by"] for cause in value["causes"]} == {"code"}
    assert {cause["by"] for cause in as_json(capsys, "0x10C9")["causes"]} == {"stage"}
    assert {row["id"] for row in value["remedies"]} == {
        *("renew-certificate", "restart-termservice", "rename-machinekeys", "security-layer-0", "nla-off"),
        *("tls-1-0-on", "allow-encryption-oracle-2", "firewall-off", "delete-graceperiod"),
    }
    assert all(row["sources"] for row in [*value["remedies"], *value["claims"]])
    text = said(capsys, "-v", "0x904/0x7")
    for words in ("proves not", "Rename or delete the folder MachineKeys", "right when", "breaks", "instead"):
        assert words in text
    assert "{host}" not in text
    assert as_json(capsys, "0x1B07")["remedies"] == []


def test_all_meanings_of_one_number_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = as_json(capsys, "263")["codes"]
    assert [meaning["family"] for meaning in code["meanings"]] == ["reason", "extended", "errinfo"]
    _, second = as_json(capsys, "0x904", "263")["codes"]
    assert [meaning["family"] for meaning in second["meanings"]] == ["extended", "errinfo", "reason"]
    text = said(capsys, "-v", "263")
    assert "exDiscReasonLicenseClientEndedProtocol" in text
    assert "ERRINFO_LICENSE_CLIENT_ENDED_PROTOCOL" in text


@pytest.mark.parametrize("text", ["904", "error 904", "error code 904"])
def test_a_lost_0x_is_given_back(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = as_json(capsys, text)["codes"]
    assert (code["number"], code["typed"]) == (0x904, "904")
    shown = " ".join(said(capsys, text).split())
    assert "0x904, as dialogs write it" in shown
    assert "decimal number 904 (0x388)" in shown
    assert as_json(capsys, "2308")["codes"][0]["taken"] is None
    assert as_json(capsys, "905", code=3)["codes"][0]["number"] == 905


def test_what_was_not_understood_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "foo: this was not understood" in said(capsys, "0x904", "0x7", "foo")
    assert "0x90G4: this was not understood" in said(capsys, "0x904", "0x90G4", code=3)
    assert "not understood" not in said(capsys, "0x904 and extended 7")
    assert as_json(capsys, "0xDEADBEEF", code=3)["codes"][0]["neighbours"] == []


@pytest.mark.parametrize(
    "text",
    [
        "CredSSP encryption oracle remediation",
        "An authentication error has occurred.\nThe function requested is not supported\n\n"
        "Remote computer: srv01\nThis could be due to CredSSP encryption oracle remediation.",
    ],
)
def test_the_words_of_a_dialog_say_more_than_its_code(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = as_json(capsys, text)
    assert value["causes"][0]["id"] == "credssp.oracle"
    assert "Get-HotFix" in value["next"][1]["text"]


def test_an_unknown_code_says_so_and_shows_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = as_json(capsys, "0x905", code=3)["codes"]
    assert code["known"] is False
    assert {"0x904", "0x906"} <= {near["hex"] for near in code["neighbours"]}
    text = said(capsys, "STATUS_LOGON_FAILUR", code=3)
    assert "not among the codes known here" in text
    assert "STATUS_LOGON_FAILURE" in text
    assert "unknown" in said(capsys, "0x904", "0x905", code=3)
    assert "unknown" in said(capsys, "99999999999", code=3)


def test_each_command_that_is_advised_can_be_given() -> None:
    """For every code: what `next` says goes through the parser of `--code`, and comes to this very number."""
    knowledge = load()
    for code in every_code():
        asked = Asked(code.symbol or "") if code.symbol else Asked(str(code.number), code.number, code.kind)
        made = explain(Reading((asked,)), knowledge)
        command = (made.next[0].command or "").split()
        assert command[:3] == ["rdpdoctor", "check", "HOST"]
        if command[3:]:
            [shown], rest = option.shown_codes([command[4:]], may_end_in_targets=False)
            assert rest == []
            assert made.codes[0].meanings[0].code.number in (shown.reason, shown.extended)


def test_the_option_takes_codes_as_logs_print_them() -> None:
    [shown], rest = option.shown_codes([["c000006d", "cafe0001"]], may_end_in_targets=True)
    assert (shown.reason, rest) == (0xC000006D, ["cafe0001"])
    [shown], _ = option.shown_codes([["80090304"]], may_end_in_targets=False)
    assert shown.reason == 0x80090304


def test_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for raw in (
        DIALOG.encode(),
        DIALOG.encode("utf-16"),
        b"\xff\x00\x80 Error code: 0x904",
        b"\xef\xbb\xbf2308",
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert as_json(capsys, "-")["codes"][0]["number"] == 0x904


def test_a_flood_is_cut(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raw = b"Error code: 0x904 " + b"A_" * 10 * LONGEST
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert main(["explain", "-"]) == 0
    assert capsys.readouterr().err == "only the first 64 KiB are looked at\n"


def test_json_needs_no_rich_and_nothing_of_the_network() -> None:
    code, modules = imported("explain", "0x904", "--json")
    assert code == 0
    assert modules & {"rich", "asyncio", "ssl", "cryptography", "rdpdoctor.check"} == set()


NASTY = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["error", "code", "extended", "0x904", "-1", "alert", ":", "\x1b[31m", "\u202e", "\ud800"]
    )
    | st.text(max_size=8)
    | st.integers(-(2**40), 2**40).map(str)
    | st.integers(0, 2**40).map(hex),
    max_size=30,
).map(" ".join)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY, st.sampled_from(["utf-8", "ascii", "cp1252"]), st.integers(1, 200))
@example("\x1b]0;x\x07_A", "utf-8", 80)
@example("\u202eSTATUS_X", "cp1252", 40)
def test_no_text_breaks_it_or_reaches_the_terminal(text: str, encoding: str, columns: int) -> None:
    made = explain(read(text), load())
    shown = render(made, Page(columns=columns, encoding=encoding))
    assert control_bytes(shown) == []
    shown.encode(encoding)
    assert control_bytes(json.dumps(to_json(made), indent=2)) == []


@pytest.mark.parametrize("word", ["\x1b[2J", "A_\u202e", "a\x00b", "\ud800"])
def test_a_word_that_is_no_code_is_escaped(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown" in said(capsys, word, code=3)
