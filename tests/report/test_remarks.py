"""What is said about shown codes, and about what was not done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.knowledge.codes import by_symbol, client_codes
from rdpdoctor.report.remarks import code_sentence, remarks
from tests.report import samples


def shown(text: str, reason: object, extended: object) -> Observation:
    args = {"text": text, "reason": reason, "extended": extended}
    return Observation("code.shown", args, Stage.HOST, Source.CODE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            shown("0x904 0x7", 0x904, 7),
            "0x904/0x7 (socket closed/server denied connection) says where it ended, not why.",
        ),
        (shown("2308", 2308, None), "2308 (socket closed) says where it ended, not why."),
        (shown("0xB09", 0xB09, None), "0xB09: the server requires NLA."),
        (shown("0x904 0x3", 0x904, 3), "0x904/0x3: socket closed/idle limit of the server."),
        (
            shown("STATUS_LOGON_FAILURE", 0xC000006D, None),
            "STATUS_LOGON_FAILURE: user name or password wrong, without saying which.",
        ),
        (shown("0x5555", 0x5555, None), "0x5555 is not among the client codes known here."),
        (shown("?", "0x904", [7]), "? is not among the client codes known here."),
    ],
)
def test_a_code_is_put_into_words(row: Observation, sentence: str) -> None:
    assert code_sentence(row) == sentence


def test_what_was_not_done_is_said() -> None:
    assert remarks(samples.unknown()) == [
        "Interrupted: this is what was known by then.",
        "A fault of rdpdoctor itself in dns: ValueError: label too long",
    ]
    assert remarks(samples.unreachable()) == [
        "The time was up before all was tried; --timeout gives more (left: nla)."
    ]
    assert remarks(samples.healthy()) == []


def test_a_warning_is_not_taken_for_the_failure() -> None:
    report = samples.degraded()
    told = replace(report, observations=(*report.observations, shown("2308", 2308, None)))
    assert "The failure did not recur just now. The warning need not be its cause." in remarks(told)
    assert remarks(report) == []


def test_each_code_is_short_and_has_a_source() -> None:
    codes = client_codes()
    assert codes["reason", 0x904].symbol == "disconnectReasonAtClientWinsockFDCLOSE"
    assert codes["extended", 7].symbol == "exDiscReasonServerDeniedConnection"
    for (kind, number), code in codes.items():
        assert (code.kind, code.number) == (kind, number)
        assert 0 <= number < 2**32
        assert 0 < len(code.says) <= 60
        assert code.source
        if code.symbol is not None:
            assert by_symbol(code.symbol.upper()) == code
