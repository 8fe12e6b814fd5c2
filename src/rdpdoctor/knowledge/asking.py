"""From what somebody typed or pasted to what it is about: codes, events, settings, dialogs.

Nothing here fails on any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge import alike, dialogs, events
from rdpdoctor.knowledge.codes import all_by_symbol, reading
from rdpdoctor.knowledge.codes.reading import LONGEST, MOST, Asked
from rdpdoctor.knowledge.settings import rdpfile, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.knowledge.dialogs import Said
    from rdpdoctor.knowledge.events import Event
    from rdpdoctor.knowledge.settings.judging import Value

#: Values of one name that are shown: "Enabled" stands in nine places.
ALIKE = 9

_ID = r"[0-9]{1,5}(?![0-9])"
_MORE = r"(?:\s{0,2}(?:,|and|or|/)\s{0,2}[0-9]{1,5}(?![0-9])){0,8}"
_EVENT = re.compile(
    rf"\b(?:event(?:s|_?ids?|\s{{1,3}}ids?|code)?[\s:#='\">]{{1,4}}|id\s?=\s?){_ID}{_MORE}",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"[0-9]{1,5}")
#: A value with its name: a .rdp line, a line of a .reg file, of `reg query`, of PowerShell's Format-List.
_LINE = re.compile(
    r"^[ \t]{0,80}(?:(?P<rdp>[a-z][a-z0-9 ]{1,40}):(?P<type>[sib]):(?P<line>.{0,400})"
    r'|"(?P<reg>[A-Za-z][\w ]{1,40})"=(?:dword:(?P<dword>[0-9a-f]{1,8})|"(?P<text>[^"]{0,400})")'
    r"|(?P<query>[A-Za-z]\w{1,40})\s{1,8}REG_(?:DWORD\s{1,8}0x(?P<hex>[0-9a-f]{1,8})|\w{2,12}\s{1,8}(?P<string>.{0,400}))"
    r"|(?P<name>[A-Za-z]\w{2,40})\s{0,20}[:=]\s{0,3}(?P<number>[0-9]{1,10}))[ \t\r]{0,80}$",
    re.IGNORECASE | re.ASCII | re.MULTILINE,
)
_KEY = re.compile(
    r"^[ \t]{0,80}\[?-?(?P<key>(?:HKEY_|HKLM|HKCU)[^\r\n\]]{3,300})\]?[ \t\r]{0,80}$",
    re.IGNORECASE | re.MULTILINE,
)
#: Value names that are English words, or stand in many keys: in prose they mean something else.
_PLAIN_WORDS = 10  # letters; `SecurityLayer` has 13
_WORD = re.compile(r"[A-Za-z]\w{3,60}", re.ASCII)
_SHORT = {"rdpcorets": "rdpcorets", "lsm": "lsm", "rcm": "rcm", "security": "security", "gateway": "gateway"}
#: Logs of many providers: a number beside one is an event's, whoever writes it.
_CHANNELS = ("system", "application")

_SHORT_TEXT = 200
#: Words that people write around codes.
_JOINING = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "by", "did", "do", "does", "for", "from", "got", "get", "had"),
        *(
            "has",
            "i",
            "in",
            "is",
            "it",
            "my",
            "of",
            "on",
            "or",
            "said",
            "says",
            "say",
            "show",
            "shows",
            "shown",
        ),
        *("that", "the", "then", "this", "to", "was", "what", "with", "came", "comes", "mean", "means"),
        *("code", "codes", "error", "event", "extended", "hresult", "id", "log", "ntstatus", "reason"),
        *("result", "status", "sub", "system"),
    )
)


@dataclass(frozen=True, slots=True)
class AskedEvent:
    """events: every event that may be meant, likeliest first; none: that id is not known."""

    id: int
    events: tuple[Event, ...]


class Given(NamedTuple):
    """A setting, and the value that stood beside it, where one did."""

    setting: registry.Setting | rdpfile.Line
    value: Value
    has_value: bool


@dataclass(frozen=True, slots=True)
class AskedSetting:
    """given: all settings with that name."""

    name: str
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is about. Each part in the order of the text; together none means that nothing is known.

    left: of a short text the words that were not understood.
    """

    codes: tuple[Asked, ...] = ()
    events: tuple[AskedEvent, ...] = ()
    settings: tuple[AskedSetting, ...] = ()
    dialogs: tuple[Said, ...] = ()
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.codes or self.events or self.settings or self.dialogs)


def read(text: str) -> Reading:
    """Everything that `text` is about; only its first 64 KiB are looked at."""
    text = text[:LONGEST]
    if named := _named(text):
        return Reading(settings=(named,))
    found, rest = _values(text)
    asked, rest = _events(rest)
    said = dialogs.said_in(rest) if len(rest.split()) > 1 else ()
    codes = reading.read(rest)
    if len(codes) == 1 and codes[0].number is None and (found or asked):
        codes = tuple(code for code in codes if all_by_symbol(code.text))
    if codes and said and all(one.dialog.last for one in said):
        said = ()
    if not (codes or asked or said or found) and len(text.split()) <= alike.MOST:
        asked, rest = _bare(rest)
    if not found:
        found = _mentioned(rest)
    words: tuple[str, ...] = ()
    if len(text) <= _SHORT_TEXT and len(text.split()) <= alike.MOST and not found and not said:
        if codes or asked:
            words = _not_understood(rest, codes)
        else:
            codes = tuple(Asked(code.symbol or "", code.number, code.kind) for code in alike.codes(text))
            words = () if codes else tuple(text.split())
    return Reading(codes, asked[:MOST], found[:MOST], said[:MOST], words)


def _not_understood(text: str, codes: tuple[Asked, ...]) -> tuple[str, ...]:
    if len(codes) == 1 and codes[0].number is None:
        return ()
    words = (word.strip(".,;:!?()[]\"'=#/") for word in reading.left(text).split())
    return tuple(word for word in words if word and word.lower() not in _JOINING)


def _named(text: str) -> AskedSetting | None:
    """A text that is nothing but the name of a setting, a policy or a path."""
    name = " ".join(text.split()).strip("\"'` ")
    if not name or len(name) > 400:
        return None
    rows: list[registry.Setting | rdpfile.Line] = list(registry.by_name(name)[:ALIKE])
    if line := rdpfile.find(name):
        rows.append(line)
    return AskedSetting(name, tuple(Given(row, None, False) for row in rows)) if rows else None


def _values(text: str) -> tuple[tuple[AskedSetting, ...], str]:
    """Settings with a value, and the text without them."""
    keys = [(match.start(), match["key"]) for match in _KEY.finditer(text)]
    found: list[AskedSetting] = []
    cut: list[tuple[int, int]] = []
    for match in _LINE.finditer(text):
        key = next((key for at, key in reversed(keys) if at < match.start()), None)
        if asked := _valued(match, key):
            found.append(asked)
            cut.append(match.span())
            if len(found) >= MOST:
                break
    if found:
        cut += [match.span() for match in _KEY.finditer(text)]
    return tuple(found), _without(text, cut)


def _valued(match: re.Match[str], key: str | None) -> AskedSetting | None:
    if match["rdp"]:
        line = rdpfile.find(match["rdp"])
        value = match["line"].strip()
        return AskedSetting(line.name, (Given(line, value, True),)) if line else None
    name = match["reg"] or match["query"] or match["name"]
    digits = match["dword"] or match["hex"]
    given: Value = int(digits, 16) if digits else match["text"] or match["string"]
    if match["number"]:
        given = int(match["number"])
    there = registry.find(key, name) if key else None
    rows = (there.setting,) if there else registry.by_name(name)[:ALIKE]
    if not rows and match["name"] and (line := rdpfile.find(name)):
        return AskedSetting(line.name, (Given(line, match["number"], True),))
    return AskedSetting(name, tuple(Given(row, given, True) for row in rows)) if rows else None


def _events(text: str) -> tuple[tuple[AskedEvent, ...], str]:
    """Events that a text names, and the text without them."""
    ids: dict[int, None] = {}
    cut: list[tuple[int, int]] = []
    names = [
        (log, match.span())
        for name, log in (*_providers().items(), *((name, "") for name in _CHANNELS))
        for match in re.finditer(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)
    ]
    for match in (*_EVENT.finditer(text), *_beside_name(text)):
        for digits in _NUMBER.findall(match[0]):
            ids.setdefault(int(digits))
        cut.append(match.span())
        if len(ids) >= MOST:
            break
    if ids:
        cut += [span for _, span in names]
    logs = {log for log, _ in names}
    found = []
    for number in ids:
        meant = events.by_id(number)
        named = tuple(event for event in meant if event.log in logs)
        found.append(AskedEvent(number, named or meant))
    return tuple(found), _without(text, cut)


def _bare(text: str) -> tuple[tuple[AskedEvent, ...], str]:
    """Numbers that are no code, beside words that are no log: `Schanel 36870`."""
    found = [
        (AskedEvent(int(match[0]), meant), match.span())
        for match in re.finditer(r"(?<![\w.])[0-9]{1,5}(?![\w.])", text)
        if (meant := events.by_id(int(match[0])))
    ][:MOST]
    return tuple(event for event, _ in found), _without(text, [span for _, span in found])


def _beside_name(text: str) -> Iterator[re.Match[str]]:
    """The numbers of `Schannel 36870`, `TermDD: 56`, `System 1057`."""
    names = "|".join(re.escape(name) for name in sorted((*_providers(), *_CHANNELS), key=len, reverse=True))
    for match in re.finditer(rf"\b(?:{names})(?:/\w+)?[\s:#,-]{{1,3}}(?=[0-9])", text, re.IGNORECASE):
        if number := re.compile(r"[0-9]{1,5}(?![0-9a-zA-Z.:])").match(text, match.end()):
            yield number


@cache
def _providers() -> dict[str, str]:
    """What people call a log's provider, in lower case → the log."""
    found = dict(_SHORT)
    for name in events.LOGS:
        log = events.log(name)
        for known in (log.provider, *log.aliases):
            found[known.lower()] = name
            found[known.lower().rpartition("-")[2]] = name
    return found


def _mentioned(text: str) -> tuple[AskedSetting, ...]:
    """Settings with names that nobody would write by chance."""
    found: dict[str, AskedSetting] = {}
    for match in _WORD.finditer(text):
        name = match[0]
        if (
            len(name) >= _PLAIN_WORDS
            and name.lower() not in found
            and not name.islower()
            and not name.isupper()
        ):
            if rows := registry.by_name(name):
                found[name.lower()] = AskedSetting(
                    name, tuple(Given(row, None, False) for row in rows[:ALIKE])
                )
        elif len(name) > _PLAIN_WORDS and name.islower() and (line := rdpfile.find(name)) and _coined(name):
            found.setdefault(name, AskedSetting(name, (Given(line, None, False),)))
        if len(found) >= MOST:
            break
    return tuple(found.values())


def _coined(name: str) -> bool:
    """A name of a .rdp file that is no English word."""
    return name not in ("compression",)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
