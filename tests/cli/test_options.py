"""What the options of a check become."""

from __future__ import annotations

from typing import Any

import pytest

from rdpdoctor.check import Settings, ShownCode
from rdpdoctor.cli import check
from rdpdoctor.cli.main import main
from rdpdoctor.facts import Target


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `check_targets` was called with; nothing is checked."""
    calls: list[tuple[Any, ...]] = []

    def check_targets(*arguments: Any, **named: Any) -> int:
        calls.append(arguments)
        return 0

    monkeypatch.setattr(check, "check_targets", check_targets)
    return calls


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["srv01", "--code", "0x904", "0x7"], [(0x904, 7)]),
        (["srv01", "--code", "0x904/0x7"], [(0x904, 7)]),
        (["srv01", "--code", "2308", "7"], [(2308, 7)]),
        (["srv01", "--code", "0X904"], [(0x904, None)]),
        (["srv01", "--code", "-2147023170"], [(0x800706BE, None)]),
        (["srv01", "--code", "0xC000006D"], [(0xC000006D, None)]),
        (["srv01", "--code", "0x904", "--code", "516", "0"], [(0x904, None), (516, 0)]),
        (["srv01", "--code", "disconnectReasonAtClientWinsockFDCLOSE", "0x7"], [(0x904, 7)]),
        (["srv01", "--code", "exdiscreasonserverdeniedconnection"], [(None, 7)]),
        (["--code", "0x904", "0x7", "--", "srv01"], [(0x904, 7)]),
        (["--code", "0x904", "0x7", "srv01"], [(0x904, 7)]),
        (["check", "--code", "0x904", "0x7", "--timeout", "3", "srv01"], [(0x904, 7)]),
    ],
)
def test_codes(words: list[str], codes: list[tuple[int, int]], called: list[tuple[Any, ...]]) -> None:
    assert main(words) == 0
    [(targets, settings, _, _)] = called
    assert [target.host for target in targets] == ["srv01"]
    assert [(code.reason, code.extended) for code in settings.codes] == codes


def test_everything_at_once(called: list[tuple[Any, ...]]) -> None:
    words = (
        "srv01 --jsonl srv02:3390 --timeout 2.5 -v --answer via=vpn --answer others=no --user alice --suites"
    )
    assert main([*words.split(), "--no-experiments", "--code", "0x904", "0x7"]) == 0
    [(targets, settings, wanted, verbose)] = called
    assert targets == [Target("srv01", "srv01", 3389), Target("srv02:3390", "srv02", 3390)]
    answers, codes = {"via": "vpn", "others": "no"}, (ShownCode("0x904 0x7", 0x904, 7),)
    assert settings == Settings(2.5, codes, answers, "alice", experiments=False, all_suites=True)
    assert (wanted, verbose) == ("jsonl", True)


def test_nothing_but_a_target(called: list[tuple[Any, ...]]) -> None:
    assert main(["srv01"]) == main(["check", "srv01"]) == 0
    assert called[0] == called[1] == ([Target("srv01", "srv01", 3389)], Settings(), "text", False)


def test_a_host_that_is_called_like_a_command(called: list[tuple[Any, ...]]) -> None:
    assert main(["check", "list", "--json"]) == 0
    assert called[0][0] == [Target("list", "list", 3389)]
