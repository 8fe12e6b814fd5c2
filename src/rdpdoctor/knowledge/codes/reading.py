"""From what somebody typed or pasted to the codes in it. Nothing here fails on any text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rdpdoctor.knowledge.codes import all_by_symbol, by_number

#: Characters that are looked at.
LONGEST = 64 * 1024
#: Codes in one text.
MOST = 16

_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|-?[0-9]{1,10}", re.IGNORECASE | re.ASCII)
#: As Windows' logs print a status: eight hexadecimal digits.
_EIGHT = re.compile(r"[0-9a-f]{8}", re.IGNORECASE | re.ASCII)
_PARTS = re.compile(r"[\s/,;+]+")
_SYMBOL = re.compile(
    r"(?<![A-Za-z0-9_])[A-Za-z][A-Za-z0-9]{0,60}_[A-Za-z0-9_]+|(?:exDisc|disconnect)Reason[A-Za-z0-9]+"
)
_VALUE = r"(0x\s?[0-9a-f]{1,8}|[0-9a-f]{8}|-?[0-9]{1,10})(?![0-9a-z.:])"
_SAID = r"[\s:=#(]{1,6}(?:is\s)?"
#: A number in prose means something only with a word before it; which word tells its family.
_LABELLED = re.compile(
    rf"(?P<extended>\bextended(?:\s+(?:error|disconnect|reason|code)){{0,3}}){_SAID}{_VALUE}"
    rf"|(?P<tls_alert>\balert(?:\s+(?:code|description|number))?){_SAID}{_VALUE}"
    rf"|(?P<neg_failure>\b(?:negotiation\s+failure|neg_failure|failure\s*code)(?:\s+code)?){_SAID}{_VALUE}"
    rf"|(?P<any>\b(?:error|reason|status|code|hresult|ntstatus|result)){_SAID}{_VALUE}"
    r"|(?P<bare>(?<![0-9a-z])(?:0x\s?[0-9a-f]{1,8}|[8c][0-9a-f]{7}))(?![0-9a-z])",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One code that was asked for: a number (unsigned, 32 bits), or a name.

    family: what the words around it say it is, where they do; "extended" also behind a first number.
    """

    text: str
    number: int | None = None
    family: str | None = None


def read(text: str) -> tuple[Asked, ...]:
    """The codes in `text`, in its order and each once. One word that is no code comes back as a name."""
    text = text[:LONGEST]
    words = [word for word in _PARTS.split(text) if word]
    found = _listed(words[: MOST * 2]) if len(words) <= MOST * 2 else None
    if found is None:
        found = _pasted(text)
    if not found:
        found = [Asked(words[0])] if len(words) == 1 else []
    once: dict[tuple[int | str, str | None], Asked] = {}
    for asked in found:
        key = asked.text.lower() if asked.number is None else asked.number
        once.setdefault((key, asked.family), asked)
    return tuple(once.values())[:MOST]


def left(text: str) -> str:
    """What of a text is no code."""
    if _listed(_PARTS.split(text.strip())) is not None:
        return ""
    text = _LABELLED.sub(lambda match: match[0] if _bare(match) is None else " ", text)
    return _SYMBOL.sub(lambda match: " " if all_by_symbol(match[0]) else match[0], text)


def unsigned(text: str) -> int | None:
    """None: it does not fit into 32 bits, with or without a sign.

    Eight digits without a prefix are hexadecimal where they cannot be, or are not known as, anything else.
    """
    bare = _EIGHT.fullmatch(text)
    if bare and (not text.isdigit() or (text[0] == "8" and by_number(int(text, 16)))):
        return int(text, 16)
    number = int(text, 16 if text[:2].lower() == "0x" else 10)
    return number % 2**32 if -(2**31) <= number < 2**32 else None


def is_number(word: str) -> bool:
    return bool(_NUMBER.fullmatch(word) or (_EIGHT.fullmatch(word) and any(map(str.isdigit, word))))


def _listed(words: list[str]) -> list[Asked] | None:
    """Words that are all codes: the second of two numbers is the extended one. None: it is prose."""
    found: list[Asked] = []
    for word in words:
        if is_number(word):
            number = unsigned(word)
            if number is None:
                found.append(Asked(word))
                continue
            second = len(words) == 2 and len(found) == 1 and number < 0x10000
            found.append(Asked(word, number, "extended" if second else None))
        elif all_by_symbol(word) or (_SYMBOL.fullmatch(word) and word.upper() == word):
            found.append(Asked(word))
        else:
            return None
    return found


def _bare(match: re.Match[str]) -> str | None:
    """The number that _LABELLED found; None: it is eight letters, or digits of some other thing."""
    value = "".join(next(value for value in match.groups()[::-1] if value).split())
    if _EIGHT.fullmatch(value) and (match["bare"] or not value.isdigit()):
        known = by_number(int(value, 16)) if match["bare"] else any(map(str.isdigit, value))
        return value if known else None
    return value


def _pasted(text: str) -> list[Asked]:
    """Codes in prose: numbers behind a word for them, hexadecimal numbers, and known names."""
    at: list[tuple[int, Asked]] = []
    for match in _LABELLED.finditer(text):
        value = _bare(match)
        if value is None:
            continue
        label = next(name for name, said in match.groupdict().items() if said)
        number = unsigned(value)
        kind = label if label in ("extended", "tls_alert", "neg_failure") else None
        at.append((match.start(), Asked(value, number, kind)))
        if len(at) >= MOST:
            break
    for match in _SYMBOL.finditer(text):
        if all_by_symbol(match[0]):
            at.append((match.start(), Asked(match[0])))
            if len(at) >= 2 * MOST:
                break
    return [asked for _, asked in sorted(at, key=lambda pair: pair[0])]
