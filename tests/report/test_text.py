"""The report for people, compared with files that were looked at.

RDPDOCTOR_REGENERATE=1 writes them anew; look at the difference before committing it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdpdoctor.diagnosis.model import Confidence, NextStep
from rdpdoctor.facts import Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.remedies import remedies
from rdpdoctor.report.escape import cells
from rdpdoctor.report.mend import mend_of
from rdpdoctor.report.text import SCREEN, Page, render
from tests.report import samples

if TYPE_CHECKING:
    from rdpdoctor.report.model import Report

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = [60, 80, 120]
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

PAGES = {f"{width}": Page(width) for width in WIDTHS} | {
    "80-ascii": Page(80, "ascii"),
    "80-cp1252": Page(80, "cp1252"),
    "80-verbose": Page(80, verbose=True),
    "60-verbose": Page(60, verbose=True),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", samples.ALL)
def test_looks_as_it_did(name: str, page: str) -> None:
    text = render(samples.ALL[name](), PAGES[page])
    file = GOLDEN / f"{name}-{page}.txt"
    if os.environ.get("RDPDOCTOR_REGENERATE"):
        file.write_text(text, "utf-8", newline="\n")
    assert text == file.read_text("utf-8")


def test_every_golden_file_is_of_use() -> None:
    wanted = {f"{name}-{page}.txt" for name in samples.ALL for page in PAGES}
    assert {file.name for file in GOLDEN.iterdir()} == wanted


@pytest.mark.parametrize("name", ["healthy", "degraded"])
def test_a_narrow_screen_scrolls_before_a_fact_is_cut(name: str) -> None:
    stages = render(samples.ALL[name](), Page(40)).split("\n\n")[1]
    assert "\u2026" not in stages


@pytest.mark.parametrize("name", ["key-unusable", "healthy", "degraded", "unreachable", "unknown"])
@pytest.mark.parametrize(("width", "most"), [(60, SCREEN + 4), (80, SCREEN), (120, SCREEN)])
def test_usual_reports_fit_one_screen(name: str, width: int, most: int) -> None:
    assert len(render(samples.ALL[name](), Page(width)).splitlines()) <= most


def laid_out(report: Report, page: Page) -> list[str]:
    """The lines that may not be wider than the page: all but the commands."""
    commands = [piece.text for step in report.next for piece in pieces(step.text) if piece.command]
    kept = {"  " + page.show(command) for command in commands}
    lines = render(report, page).splitlines()
    return [line for line in lines if line not in kept and not line.startswith("  rdpdoctor explain ")]


@pytest.mark.parametrize("name", samples.ALL)
@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [40, 60, 61, 79, 80, 100, 120, 300])
def test_no_line_is_wider_than_the_terminal(name: str, width: int, verbose: bool) -> None:
    for line in laid_out(samples.ALL[name](), Page(width, verbose=verbose)):
        assert cells(line) <= width
        assert line == line.rstrip()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("key-unusable", "FAILS at tls"),
        ("healthy", "WORKS"),
        ("degraded", "WORKS, with a warning at tls"),
        ("unreachable", "UNREACHABLE at tcp"),
        ("unknown", "CANNOT TELL"),
        ("crowded", "FAILS at tls"),
    ],
)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_line_says_whether_it_works(name: str, answer: str, width: int) -> None:
    assert answer in render(samples.ALL[name](), Page(width)).splitlines()[0]


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_nothing_of_a_peer_acts_on_the_terminal(verbose: bool, colour: bool, encoding: str) -> None:
    text = render(samples.hostile(), Page(80, encoding, colour, verbose))
    text.encode(encoding)
    left = _ANSI.sub("", text) if colour else text
    assert {c for c in left if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} == {"\n"}
    # Only the codes that the report itself uses: bold, dim, and five colours.
    codes = {code for sequence in _ANSI.findall(text) for code in sequence[2:-1].split(";")}
    assert codes <= {"0", "1", "2", "31", "32", "33", "36"}
    assert "title" not in text or r"\x1b]0;title" in text


@pytest.mark.parametrize("name", samples.ALL)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    report = samples.ALL[name]()
    plain, coloured = render(report, Page(80)), render(report, Page(80, colour=True))
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert [line.rstrip() for line in _ANSI.sub("", coloured).splitlines()] == plain.splitlines()


def test_the_long_form_has_all_the_evidence() -> None:
    report = samples.key_unusable()
    text = render(report, Page(80, verbose=True))
    for number, row in enumerate(report.observations):
        assert re.search(rf"^ *{number} .*{re.escape(row.tag)}", text, re.MULTILINE)
    words = " ".join(text.split())
    for said in (
        "for Every hello ends alike: no alert, no certificate. (medium; tls.closed #4 #5 #6 #7)",
        "for Closed (FIN) during the handshake. (strong; tls.closed #4)",
        "against It dies alike when the ClientHello comes in pieces. (strong; tls.closed #5)",
        "against No round trip is odd. (weak; looked for in vain, beside tcp.connected #2)",
        "against All alike. (decisive; tls.closed #5 #6 #7)",
        "given Closed (FIN) during the handshake. (tls.closed #4)",
        "prior usual",
        "limit Far more speaks for another cause.",
    ):
        assert said in words
    assert "MS-RDPBCGR 5.4.5" in text
    for cause in report.causes:
        assert cause.id in text


@pytest.mark.parametrize("page", [Page(40), Page(80), Page(120), Page(80, "ascii"), Page(60, verbose=True)])
def test_each_command_of_ours_can_be_pasted(page: Page) -> None:
    base = samples.key_unusable()
    tells = [tell for cause in load().causes.values() for tell in cause.tell]
    for tell in [*tells, *(tell for tells in load().steps.values() for tell in tells)]:
        step = NextStep(tell.kind, tell.id, tell.text, ())
        lines = render(replace(base, next=(step,)), page).splitlines()
        for piece in pieces(tell.text):
            assert ("  " + piece.text in lines) == piece.command


def test_a_command_of_a_journal_is_escaped_and_bounded() -> None:
    hostile = NextStep("evidence", "x", f"Run: `{samples.HOSTILE}` `{'a' * 60_000}` `open", ())
    text = render(replace(samples.key_unusable(), next=(hostile,)), Page(80))
    assert "\n  " + Page(80).show(samples.HOSTILE) + "\n" in text
    assert "`open" in text
    assert len(text) < 6000


@pytest.mark.parametrize("name", sorted(set(samples.ALL) - {"hostile"}))
@pytest.mark.parametrize("width", [80, 120])
def test_the_verdict_and_the_first_why_are_never_cut(name: str, width: int) -> None:
    report = samples.ALL[name]()
    text = " ".join(render(report, Page(width)).split())
    assert " ".join(report.verdict.summary.split()) in text
    for cause in report.causes[:1]:
        assert " ".join(cause.why.split()) in text


def test_a_time_is_shown_only_where_one_was_measured() -> None:
    stages = (samples.stage("dns", "ok", "known"), samples.stage("tcp", "ok", "open", 0.02))
    text = render(replace(samples.healthy(), stages=stages), Page(80))
    assert re.search(r"dns +known$", text, re.MULTILINE)
    assert re.search(r"open +<0.1 ms$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("typed", "host", "shown"),
    [
        (
            "b\u00fccher.example:3390",
            "xn--bcher-kva.example",
            "b\u00fccher.example (xn--bcher-kva.example) · 10.0.4.21:3390",
        ),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example · 10.0.4.21:3390"),
        ("B\u00fcro.rdp", "srv01", "srv01 · 10.0.4.21:3390"),
        ("SRV01:3390", "srv01", "srv01 · 10.0.4.21:3390"),
        ("10.0.4.21:3390", "10.0.4.21", "10.0.4.21:3390 · FAILS"),
    ],
)
def test_a_target_is_named_as_typed_and_as_asked_for(typed: str, host: str, shown: str) -> None:
    report = replace(samples.key_unusable(), target=Target(typed, host, 3390))
    assert render(report, Page(100)).startswith(shown)


def test_a_mend_is_named_only_where_there_is_one() -> None:
    assert "Mend " not in render(samples.key_unusable(), Page(80))
    report = samples.key_unusable(remedies=True)
    text = render(report, Page(80))
    remedy = remedies()["listener-certificate-renew"]
    assert f"Mend             {remedy.title} ({remedy.risk} risk):" in text
    assert "\n  rdpdoctor explain certificate.key-unusable\n" in text
    unproven = replace(report.causes[0], confidence=Confidence.POSSIBLE)
    assert "Mend " not in render(replace(report, causes=(unproven,)), Page(80))
    unheard = replace(report.causes[0], remedies=("of-a-newer-version",))
    assert "Mend " not in render(replace(report, causes=(unheard,)), Page(80))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=())), st.integers(40, 130))
def test_any_words_can_be_laid_out(words: str, width: int) -> None:
    report = samples.key_unusable()
    cause = samples.cause("a.b", "likely", words, words, (0,), (), (), (words,))
    changed = type(report)(
        report.target, words, report.started, 1.0, report.verdict,
        (samples.stage("tls", "failed", words, 1.0), samples.stage("nla", "skipped", "", None, words)),
        report.observations, (cause,), report.next,
    )  # fmt: skip
    for verbose in (False, True):
        for line in laid_out(changed, Page(width, verbose=verbose)):
            assert cells(line) <= width


def test_what_goes_into_a_file_is_not_cut() -> None:
    report = samples.key_unusable()
    long = replace(report.causes[-1], why="It was seen. " * 40, confidence=Confidence.POSSIBLE)
    report = replace(report, causes=(report.causes[0], long))
    assert "…" in render(report, Page(60))
    assert "…" not in render(report, Page(60, whole=True))


def test_a_cause_of_many_kinds_has_no_single_remedy() -> None:
    [first, *_] = samples.key_unusable().causes
    wide = load().causes["server.closes-early"]
    said = mend_of([replace(first, id=wide.id, remedies=wide.remedies, confidence=Confidence.LIKELY)])
    assert said == "Which kind it is decides what helps: `rdpdoctor explain server.closes-early`"
