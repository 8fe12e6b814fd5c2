"""Nothing that a peer says may reach a terminal as anything but visible text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.report.escape import cells, encodable, visible

ENCODINGS = ["utf-8", "cp1252", "ascii", "latin-1", "koi8-r", "shift_jis"]
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()))


def dangerous(text: str) -> list[str]:
    """What a terminal would act on, or not show."""
    return [
        character
        for character in text
        if character != " "
        and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
    ]


@given(ANYTHING, st.sampled_from(ENCODINGS))
def test_no_character_that_acts_or_hides_survives(text: str, encoding: str) -> None:
    shown = visible(text, None, encoding)
    assert dangerous(shown) == []
    shown.encode(encoding)


@given(ANYTHING, st.integers(0, 100), st.sampled_from(ENCODINGS))
def test_it_never_takes_more_cells_than_allowed(text: str, limit: int, encoding: str) -> None:
    shown = visible(text, limit, encoding)
    assert cells(shown) <= limit
    assert dangerous(shown) == []


@given(ANYTHING, st.sampled_from(ENCODINGS))
def test_what_is_visible_stays_as_it_is(text: str, encoding: str) -> None:
    shown = visible(text, None, encoding)
    assert visible(shown, None, encoding) == shown


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_is_untouched(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x9b2Jb", r"a\x9b2Jb"),
        ("a\r\n\tb\x00\x7f", r"a\r\n\tb\x00\x7f"),
        ("invoice\u202egnp.exe", r"invoice\u202egnp.exe"),
        ("\u2066left\u2069", r"\u2066left\u2069"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("soft\u00adhyphen", r"soft\xadhyphen"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("wide\u3000space\u00a0", r"wide\u3000space\xa0"),
        ("\ud800lone", r"\ud800lone"),
        ("private\ue000", r"private\ue000"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("selector\ufe0f\U000e0100", r"selector\ufe0f\U000e0100"),
        ("filler\u3164\u2800", r"filler\u3164\u2800"),
        ("DOMAIN\\user", r"DOMAIN\user"),
        ("Müller 日本", "Müller 日本"),
        (
            "e\u0301 stays, e\u0301\u0302\u0303\u0304 piles up",
            "e\u0301 stays, e\u0301\u0302\\u0303\\u0304 piles up",
        ),
        ("\u0301on nothing", r"\u0301on nothing"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_cut_text_ends_in_an_ellipsis_and_never_within_an_escape() -> None:
    assert visible("abcdef", 6) == "abcdef"
    assert visible("abcdefg", 6) == "abcde…"
    assert visible("abc\u202edefg", 6) == "abc…"
    assert visible("日本語テスト", 6) == "日本…"
    assert visible("abcdefg", 6, "ascii") == "abc..."
    assert visible("a" * 10_000_000, 3) == "aa…"


def test_an_encoding_without_the_character_gets_a_stand_in_or_an_escape() -> None:
    assert encodable("✓ → é…", "cp1252") == "+ -> é…"
    assert encodable("✓ → é…", "ascii") == r"+ -> \xe9..."
    assert encodable("✓", "no-such-encoding") == "+"
