"""Which name belongs to which certificate or computer."""

from __future__ import annotations

import pytest

from rdpdoctor.diagnosis.derive import names


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("srv01.corp.example", "SRV01.Corp.Example.", True),
        ("*.corp.example", "srv01.corp.example", True),
        ("*.corp.example", "a.srv01.corp.example", False),
        ("*.corp.example", "corp.example", False),
        ("*.example", "corp.example", False),
        ("*", "srv01", False),
        ("srv*.corp.example", "srv01.corp.example", False),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("", "srv01", False),
    ],
)
def test_covers(pattern: str, name: str, covered: bool) -> None:
    assert names.covers(pattern, name) is covered


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SRV01", "srv01.corp.example", True),
        ("srv01.corp.example", "srv01.other.example", False),
        ("SRV01", "SRV02", False),
        ("verylongcomputername", "VERYLONGCOMPUTE", True),
        ("", "SRV01", False),
    ],
)
def test_same_computer(one: str, other: str, same: bool) -> None:
    assert names.same_computer(one, other) is same


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("127.0.5.1", True),
        ("::1", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_is_loopback(host: str, loopback: bool) -> None:
    assert names.is_loopback(host) is loopback
