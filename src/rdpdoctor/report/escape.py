"""The one place where text from peers is made safe for a terminal.

What comes out of `visible` has no control character, escape sequence, bidirectional control, invisible
character or lone surrogate, and every character of it exists in the output's encoding. What was taken out is
shown as an escape (`\\x1b`, `\\u202e`); a backslash of the text itself stays as it is, since DOMAIN\\user
must stay readable.
"""

from __future__ import annotations

import unicodedata

#: Control, format (bidi, zero width, tags), surrogate, private, unassigned; separators but for the space.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
#: Letters and marks by category that show nothing: fillers, variation selectors, the empty Braille cell.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_MARKS = frozenset({"Mn", "Me"})
#: Real scripts stack two marks on one letter; more of them paint over the lines around.
_STACKED = 2
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: Plain stand-ins where an encoding lacks the character.
_PLAIN = {
    "\u2713": "+",  # check mark
    "\u2717": "x",  # ballot x
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2192": "->",
    "\u2190": "<-",
    "\u00b7": "-",  # middle dot
    "\u2022": "*",
    "\u2026": "...",
    "\u00b1": "+/-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u00d7": "x",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u00b5": "u",
}


def visible(text: str, limit: int | None = None, encoding: str = "utf-8") -> str:
    """`text` fit for a terminal of that encoding, at most `limit` cells wide; `…` ends what was cut."""
    room = None if limit is None else limit - len(encodable("…", encoding))
    shown: list[str] = []
    used = fits = 0  # cells so far; pieces that leave room for the ellipsis
    marks = _STACKED  # a mark with nothing under it would sit on our own layout
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if _is_hidden(character, category) or marks > _STACKED:
            piece = _escaped(character)
        else:
            piece = encodable(character, encoding)
        shown.append(piece)
        if limit is None or room is None:
            continue
        used += cells(piece)
        if used <= room:
            fits = len(shown)
        elif used > limit:  # stops here: 60 kB are not walked to show 80 cells
            return "".join(shown[:fits]) + encodable("…", encoding)[: max(limit, 0)]
    return "".join(shown)


def cells(text: str) -> int:
    """Columns that visible text takes on a terminal."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def encodable(text: str, encoding: str) -> str:
    """`text` in characters the encoding has: its own, a plain stand-in, or an escape."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_encodable(character, encoding) for character in text)
    except LookupError:  # an encoding nobody knows
        return encodable(text, "ascii")
    return text


def _encodable(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(character) or _escaped(character)
    return character


def _is_hidden(character: str, category: str) -> bool:
    if character == " ":
        return False
    return (
        category in _HIDDEN
        or character in _BLANK
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
