"""Sentences with holes: `{name}` or `{name:how}`, filled from named arguments.

Only a brace right before a lower-case name is a hole, so that PowerShell blocks can stand in a sentence as
they are. A part in square brackets that has a hole is left out where there is nothing for it. What fills a
hole may come from a hostile peer: it is cut here, and escaped by whoever puts it on a screen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_HOLE = re.compile(r"\{([a-z][a-z0-9_]*)(?::([a-z]+))?\}")
#: What is left out where a hole in it has nothing to fill it with: `The log[ of {computer}] says`.
_OPTIONAL = re.compile(r"\[([^\[\]]*\{[a-z][a-z0-9_]*(?::[a-z]+)?\}[^\[\]]*)\]")
_LONGEST = 120
_PROTOCOLS = {
    0x00: "standard RDP security",
    0x01: "TLS",
    0x02: "CredSSP (HYBRID)",
    0x04: "RDSTLS",
    0x08: "CredSSP (HYBRID_EX)",
    0x10: "Entra sign-in (RDSAAD)",
}
_CHANGES = {
    "no-cookie": "no cookie is sent",
    "neutral-cookie": "another cookie is sent",
    "user-cookie": "the user's cookie is sent",
    "small-segments": "segments are small",
    "split-hello": "the ClientHello comes in two pieces",
    "no-sni": "the ClientHello names no server",
}
_VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
_FAILURES = {
    1: "SSL_REQUIRED_BY_SERVER",
    2: "SSL_NOT_ALLOWED_BY_SERVER",
    3: "SSL_CERT_NOT_ON_SERVER",
    4: "INCONSISTENT_FLAGS",
    5: "HYBRID_REQUIRED_BY_SERVER",
    6: "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
}


def holes(template: str) -> list[tuple[str, str]]:
    """The names and formats a template wants, in order."""
    return [(match[1], match[2] or "") for match in _HOLE.finditer(template)]


def fill(template: str, args: Mapping[str, Any]) -> str | None:
    """None where a hole has nothing to fill it with: no value, or an empty one."""
    if "[" in template:
        template = _OPTIONAL.sub(lambda match: match[1] if _full(match[1], args) else "", template)
    if not _full(template, args):
        return None
    return _HOLE.sub(lambda match: formatted(args[match[1]], match[2] or ""), template)


def _full(template: str, args: Mapping[str, Any]) -> bool:
    return not any(args.get(name) in (None, "", [], ()) for name, _ in holes(template))


def first_that_fits(templates: Iterable[str], args: Mapping[str, Any]) -> str:
    return next((text for template in templates if (text := fill(template, args)) is not None), "")


def formatted(value: Any, how: str = "") -> str:
    known = FORMATS.get(how)
    text = known(value) if known is not None else _plain(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def listed(values: Sequence[Any]) -> str:
    """`a`, `a and b`, `a, b and c`; long lists are cut."""
    words = [_plain(value) for value in values[:8]]
    if len(values) > 8:
        words.append(f"{len(values) - 8} more")
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, list | tuple):
        return listed(value)
    return str(value)[: _LONGEST + 1]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _ms(value: Any) -> str:
    number = _number(value)
    if number >= 10_000:
        return f"{number / 1000:.0f} s"
    if number >= 1000:
        return f"{number / 1000:.1f} s"
    return f"{number:.0f} ms" if number >= 1 else "under 1 ms"


def _span(value: Any) -> str:
    """Seconds, whatever their sign, in the unit a person would choose."""
    seconds = abs(_number(value))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"


def _days(value: Any) -> str:
    days = int(abs(_number(value)))
    return "less than a day" if days == 0 else f"{days} day{'' if days == 1 else 's'}"


def _protocol(value: Any) -> str:
    number = int(_number(value))
    if number in _PROTOCOLS:
        return _PROTOCOLS[number]
    parts = [name for bit, name in _PROTOCOLS.items() if bit and number & bit]
    return " + ".join(parts) if parts else f"protocol 0x{number:x}"


def _failure(value: Any) -> str:
    number = int(_number(value))
    return f"{number} ({_FAILURES.get(number, 'a code nobody documents')})"


def _hex(value: Any) -> str:
    return f"0x{int(_number(value)):X}"


def _date(value: Any) -> str:
    return str(value)[:10]


def _moment(value: Any) -> str:
    """To the minute, from ISO 8601 in UTC."""
    return f"{str(value)[:16].replace('T', ' ')} UTC"


def _change(value: Any) -> str:
    return _CHANGES.get(str(value), "something is changed")


def _words(value: Any) -> str:
    return str(value).replace("-", " ")


def _literal(value: Any) -> str:
    """A host as it stands before `:port`."""
    return f"[{value}]" if ":" in str(value) else str(value)


def _names(value: Any) -> str:
    """Names of one list, thumbprints among them cut to what tells them apart."""
    words = [str(word) for word in value] if isinstance(value, list | tuple) else [str(value)]
    return listed([f"{word[:12]}…" if len(word) >= 40 and "." not in word else word for word in words])


def _tls(value: Any) -> str:
    """TLS versions of one list, three or more in a row as a range: `TLS 1.0 to 1.3`, `TLS 1.0 and 1.2`."""
    words = (
        [word for word in value if isinstance(word, str)] if isinstance(value, list | tuple) else [str(value)]
    )
    places = [_VERSIONS.index(word) for word in words if word in _VERSIONS]
    if len(places) == len(words) > 2 and places == list(range(places[0], places[0] + len(places))):
        last = words[-1] if words[0].startswith("SSL") else words[-1].removeprefix("TLS ")
        return f"{words[0]} to {last}"
    same = bool(words) and words[0].startswith("TLS ")
    return listed([word.removeprefix("TLS ") if index and same else word for index, word in enumerate(words)])


FORMATS = {
    "ms": _ms,
    "span": _span,
    "days": _days,
    "protocol": _protocol,
    "failure": _failure,
    "hex": _hex,
    "date": _date,
    "moment": _moment,
    "tls": _tls,
    "change": _change,
    "words": _words,
    "names": _names,
    "literal": _literal,
}
