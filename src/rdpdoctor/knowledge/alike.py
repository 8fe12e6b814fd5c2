"""What words that name nothing exactly may be about: codes by the words they mean, causes by title, ids by
their spelling.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge.codes import KINDS, every_code
from rdpdoctor.knowledge.remedies import remedies

if TYPE_CHECKING:
    from rdpdoctor.knowledge import Knowledge
    from rdpdoctor.knowledge.codes import Code

#: Words of a text that is searched for; a longer one is prose.
MOST = 6
_SHOWN = 8
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_EMPTY = frozenset(
    ("a", "an", "the", "is", "are", "was", "there", "of", "for", "to", "in", "on", "error", "my")
)


class Named(NamedTuple):
    """A cause or a remedy that may be meant."""

    id: str
    title: str


def _words(text: str) -> frozenset[str]:
    """In lower case, American and singular, without those that say nothing."""
    found = (word.lower().replace("licence", "license").rstrip("s") for word in _CAMEL.findall(text))
    return frozenset(word for word in found if word and word not in _EMPTY)


def codes(text: str) -> tuple[Code, ...]:
    """Codes whose name and meaning have all these words, two at least; the shortest first, a number once."""
    wanted = _words(text)
    if len(wanted) < 2 or len(text.split()) > MOST:
        return ()
    found = [code for code in every_code() if code.symbol and wanted <= _words(f"{code.symbol} {code.says}")]
    found.sort(key=lambda code: (len(wanted ^ _words(code.says)), KINDS.index(code.kind)))
    once: dict[int | str, Code] = {}
    for code in found:
        once.setdefault(code.symbol or "" if code.number is None else code.number, code)
    return tuple(once.values())[:3]


def named(text: str, knowledge: Knowledge) -> tuple[Named, ...]:
    """Ids that are written alike; else causes whose id or title has all these words."""
    from difflib import get_close_matches

    if len(text.split()) > MOST:
        return ()
    titles = {name: cause.title for name, cause in knowledge.causes.items()}
    known = titles | {name: remedy.title for name, remedy in remedies().items()}
    word = text.strip().lower()[:80]
    coined = "." in word or "-" in word  # else it is some other word: a line of a .rdp file, say
    if close := get_close_matches(word, known, 3, 0.8) if coined else []:
        return tuple(Named(name, known[name]) for name in close)
    wanted = _words(text)
    found = [name for name, title in titles.items() if wanted and wanted <= _words(f"{name} {title}")]
    return tuple(Named(name, titles[name]) for name in found[:_SHOWN])
