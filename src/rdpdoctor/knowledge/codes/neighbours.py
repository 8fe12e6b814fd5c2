"""What stands near a code that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.knowledge.codes import all_by_symbol, every_code, symbols

if TYPE_CHECKING:
    from rdpdoctor.knowledge.codes import Code

MOST = 4
#: Farther away is no neighbour.
_FAR = 0x40
#: Families whose small numbers are near everything and tell nothing.
_SMALL = ("fatal_error", "protocol_bit", "early_user_auth", "logon_error", "avd")
#: The last byte of a disconnect reason groups it; nobody documents that, Microsoft's table shows it.
_GROUPS = {
    0x04: "the transport",
    0x06: "standard RDP security",
    0x07: "TLS and the sign-in (CredSSP)",
    0x08: "the client's core, licensing and memory",
}


def near_number(number: int) -> tuple[Code, ...]:
    """Known codes with the nearest numbers, nearest first."""
    near = [
        (abs(code.number - number), code)
        for code in every_code()
        if code.kind not in _SMALL and code.number is not None and abs(code.number - number) <= _FAR
    ]
    return tuple(code for _, code in sorted(near, key=lambda pair: pair[0])[:MOST])


def near_name(text: str) -> tuple[Code, ...]:
    """Known codes with names that are written alike, or that hold the text."""
    from difflib import get_close_matches

    wanted = text.lower()[:80]
    names = {name.lower(): name for name in symbols()}
    close = get_close_matches(wanted, names, n=MOST, cutoff=0.6)
    if len(wanted) > 3:
        close += [name for name in names if wanted in name and name not in close]
    return tuple(all_by_symbol(name)[0] for name in close[:MOST])


def group(number: int) -> str | None:
    """What an unknown number is probably about, in a sentence; None: nothing is known even of that."""
    if 0x1000 <= number <= 0x7FFF and number & 0xFF not in _GROUPS:
        return "As an extended code it lies in the range of protocol errors that the server reports."
    if 0x100 < number < 0x10000 and (about := _GROUPS.get(number & 0xFF)):
        return f"As a disconnect reason it is one of the group for {about} (its last byte; inferred)."
    if number >> 30 == 3:
        return "It has the shape of a failure status of Windows (NTSTATUS)."
    if number >> 16 == 0x8007:
        return f"It has the shape of an HRESULT around the Win32 error {number & 0xFFFF}."
    if number >> 31:
        return "It has the shape of an HRESULT, a failure status of a Windows component."
    return None
