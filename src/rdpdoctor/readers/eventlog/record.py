"""One record of EVTX, from the XML that the library `evtx` writes of it, always in one shape: quickly, since
a log has hundreds of thousands. XML of other origin is read by `xml.py`.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import TYPE_CHECKING

from rdpdoctor.readers.eventlog import xml
from rdpdoctor.readers.eventlog.event import LONGEST, Event, activity_of, moment
from rdpdoctor.readers.eventlog.table import WANTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rdpdoctor.readers.eventlog.tally import Tally

_SPACE = r"\s*"
_SYSTEM = re.compile(
    _SPACE.join(
        (
            r'<Provider Name="([^"]*)"[^>]*>',
            r"</Provider>",
            r"<EventID[^>]*>(\d+)</EventID>",
            r"(?:<Version>\d*</Version>\s*)?<Level>(\d*)</Level>(?:\s*<(?:Task|Opcode|Keywords)>[^<]*</\w+>)*",
            r'<TimeCreated SystemTime="([^"]*)">',
            r"</TimeCreated>",
            r"<EventRecordID>(\d*)</EventRecordID>",
            r'(?:<Correlation(?: ActivityID="([^"]*)")?[^>]*>\s*</Correlation>\s*)?',
            r"(?:<Execution[^>]*>\s*</Execution>)?",
            r"<Channel>([^<]*)</Channel>",
            r"<Computer>([^<]*)</Computer>",
        )
    )
)
# Between tags stands a value without any: whatever a value holds is escaped.
_VALUES = re.compile(r'<(?:Data(?: Name="([^"]*)")?|(\w+))>([^<]*)</(?!EventData>|UserData>)')

#: Sign-ins of interest: at a desktop (10), at a locked one (7), and what NLA refused (3).
_LOGONS = {">4624<": ("10<", "7<"), ">4625<": ("10<", "7<", "3<")}
_LOGON_TYPE = 'Name="LogonType">'
_NAME = '<Provider Name="'


def _tree(words: Mapping[str, str]) -> str:
    """A pattern for any of these words, each with a pattern behind it, that looks at each character once."""
    heads: dict[str, dict[str, str]] = {}
    for word, behind in words.items():
        heads.setdefault(word[:1], {})[word[1:]] = behind
    branches = [rest[""] if not head else re.escape(head) + _tree(rest) for head, rest in heads.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


@cache
def _matcher(place: int) -> Callable[[str], object]:
    between = r'"[^>]*>\s*</Provider>\s*<EventID[^>]*'
    ids = {name: between + _tree({f">{one}<": "" for one in kinds}) for name, kinds in WANTED.items()}
    return re.compile(rf"(?s:.{{{place}}})" + _tree(ids)).match


def matcher(text: str) -> Callable[[str], object]:
    """Whether a record is of interest, as far as provider and id tell: one match at the place where the
    provider's name stands, which is the same in each record. Most are not, and this runs for each.
    """
    return _matcher(text.find(_NAME) + len(_NAME))


def parse(text: str, tally: Tally) -> Event | None:
    """None where it is a sign-in of no interest, or no event."""
    end = text.find("</EventID>")
    kinds = _LOGONS.get(text[end - 5 : end + 1])
    if kinds is not None and not text.startswith(kinds, text.find(_LOGON_TYPE) + len(_LOGON_TYPE)):
        return None
    head = _SYSTEM.search(text)
    if head is None:
        return xml.parse(text, tally)
    provider, identity, level, time, record, activity, channel, computer = head.groups()
    data: dict[str, str] = {}
    place = 0
    for name, tag, value in _VALUES.findall(text, text.find("</System>", head.end())):
        if not name and not tag:
            place += 1
            name = f"#{place}"
        if "&" in value:
            value = unescape(value)
        data.setdefault(name or tag, value if len(value) < LONGEST else value[:LONGEST])
    return Event(
        provider,
        int(identity),
        moment(time),
        channel,
        computer,
        int(record) if record else None,
        activity_of(activity),
        int(level or 0),
        data,
    )
