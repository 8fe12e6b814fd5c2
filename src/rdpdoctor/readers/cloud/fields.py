"""Values of exported JSON, whatever their types turn out to be.

Azure's portal and REST write `sourceAddressPrefix` inside `properties`, its command line writes it without,
PowerShell writes `SourceAddressPrefix`: keys are compared in lower case, and `properties` is looked through.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud.model import Ports, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.readers.cloud.model import Span

#: Characters of a name that are kept.
LONGEST = 120


def fields(value: Any) -> dict[str, Any]:
    """An object's members by name in lower case; empty for what is no object."""
    if not isinstance(value, dict):
        return {}
    found = {key.lower(): member for key, member in value.items()}
    inner = found.get("properties")
    if isinstance(inner, dict):
        found |= {key.lower(): member for key, member in inner.items()}
    return found


def items(value: Any) -> list[Any]:
    """A list's items. PowerShell writes a list of one as the one, and some lists as {value, Count}."""
    if value is None or value == "":
        return []
    if isinstance(value, dict) and len(value) == 2 and {key.lower() for key in value} == {"value", "count"}:
        value = fields(value)["value"]
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A name or the like; PowerShell writes some enumerations as {value, Value}."""
    if isinstance(value, dict):
        value = fields(value).get("value")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and abs(value) >= 2**63:
        return ""
    return str(value).strip()[:LONGEST]


def texts(*values: Any) -> list[str]:
    """All words in texts and lists of texts; PowerShell writes some lists as one text."""
    return [
        part
        for value in values
        for item in items(value)
        if isinstance(item, str | int) and not isinstance(item, bool)
        for part in str(item if isinstance(item, str) else text(item)).replace(",", " ").split()
    ]


def number(value: Any) -> int | None:
    if isinstance(value, str) and len(value) <= 12 and value.isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def last_part(identity: Any) -> str:
    """The name at the end of a resource's path."""
    return text(str(identity).rstrip("/").rpartition("/")[2]) if isinstance(identity, str) else ""


def identified(value: Any) -> list[str]:
    """Names of the resources that a list refers to."""
    rows = (fields(item) for item in items(value))
    return [name for row in rows if (name := last_part(row.get("id")) or text(row.get("name")))]


def network(word: str) -> Span | None:
    """A block or an address; None for anything else. Host bits are ignored, as clouds ignore them."""
    if len(word) > 64 or not word.isascii() or (not word[:1].isalnum() and not word.startswith(":")):
        return None
    try:
        return span(ip_network(word, strict=False))
    except ValueError:
        return None


def port_range(word: str) -> Ports | None:
    """`3389`, `3380-3390`, or `*`."""
    if word in ("*", "Any", "any"):
        return 0, 65535
    first, dash, last = word.partition("-")
    low, high = number(first.strip()), number(last.strip() if dash else first.strip())
    if low is None or high is None or not 0 <= low <= high <= 65535:
        return None
    return low, high


def protocols(word: str) -> frozenset[str]:
    """Which of TCP and UDP a protocol's name or number means."""
    known: Mapping[str, tuple[str, ...]] = {
        "tcp": ("tcp",), "6": ("tcp",), "udp": ("udp",), "17": ("udp",),
        "*": ("tcp", "udp"), "all": ("tcp", "udp"), "any": ("tcp", "udp"), "-1": ("tcp", "udp"),
    }  # fmt: skip
    return frozenset(known.get(word.lower(), ()))
