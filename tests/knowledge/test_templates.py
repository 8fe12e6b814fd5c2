"""Sentences with holes."""

from __future__ import annotations

from typing import Any

import pytest

from rdpdoctor.knowledge import templates


@pytest.mark.parametrize(
    ("template", "args", "filled"),
    [
        ("no holes", {}, "no holes"),
        ("{name} is off", {"name": "srv01"}, "srv01 is off"),
        ("{name} is off", {}, None),
        ("{name} is off", {"name": None}, None),
        ("after {t:ms}", {"t": 0.4}, "after under 1 ms"),
        ("after {t:ms}", {"t": 14.2}, "after 14 ms"),
        ("after {t:ms}", {"t": 2400.0}, "after 2.4 s"),
        ("after {t:ms}", {"t": 30000}, "after 30 s"),
        ("{t:span}", {"t": -7200.0}, "2 hours"),
        ("{t:span}", {"t": 1.0}, "1 second"),
        ("{t:days}", {"t": -1.5}, "1 day"),
        ("{t:days}", {"t": 0.2}, "less than a day"),
        ("{c:hex}", {"c": 0xC000006D}, "0xC000006D"),
        ("{p:protocol}", {"p": 8}, "CredSSP (HYBRID_EX)"),
        ("{p:protocol}", {"p": 0x0B}, "TLS + CredSSP (HYBRID) + CredSSP (HYBRID_EX)"),
        ("{p:protocol}", {"p": 0x4000}, "protocol 0x4000"),
        ("{c:failure}", {"c": 3}, "3 (SSL_CERT_NOT_ON_SERVER)"),
        ("{c:failure}", {"c": 99}, "99 (a code nobody documents)"),
        ("{v:tls}", {"v": ["TLS 1.0", "TLS 1.2", "TLS 1.3"]}, "TLS 1.0, 1.2 and 1.3"),
        ("{v:tls}", {"v": ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]}, "TLS 1.0 to 1.3"),
        ("{v:tls}", {"v": ["SSL 3.0", "TLS 1.0", "TLS 1.1"]}, "SSL 3.0 to TLS 1.1"),
        ("{v:tls}", {"v": ["SSL 3.0", "TLS 1.0"]}, "SSL 3.0 and TLS 1.0"),
        ("{v:tls}", {"v": ["TLS 1.2"]}, "TLS 1.2"),
        ("{w}", {"w": []}, None),
        ("{w}", {"w": ["a", "b"]}, "a and b"),
        ("{d:date}", {"d": "2026-11-22T10:00:00Z"}, "2026-11-22"),
        ("{x}", {"x": 3.0}, "3"),
        ("{x}", {"x": True}, "yes"),
        ("Get-X | % { $_.Id } @{ a=1 } {host}", {"host": "h"}, "Get-X | % { $_.Id } @{ a=1 } h"),
        # What fills a hole is not read again.
        ("{a}", {"a": "{b}", "b": "no"}, "{b}"),
    ],
)
def test_fill(template: str, args: dict[str, Any], filled: str | None) -> None:
    assert templates.fill(template, args) == filled


def test_what_a_peer_says_is_cut() -> None:
    filled = templates.fill("for {names}", {"names": ["x" * 60_000] * 100})
    assert filled is not None
    assert len(filled) < 200


@pytest.mark.parametrize("how", templates.FORMATS)
@pytest.mark.parametrize("value", ["text", 1, -2.5, True, [], ["a"], {"a": 1}, float("1e300")])
def test_no_format_minds_the_wrong_type(how: str, value: Any) -> None:
    assert isinstance(templates.formatted(value, how), str)
