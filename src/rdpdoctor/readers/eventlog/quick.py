"""One event as Windows itself writes it (Event Viewer, `wevtutil`, `ToXml`): always in one order, so that one
pattern reads it some times quicker than a parser. What is written in any other way is left to `xml.py`.
"""

from __future__ import annotations

import re

from rdpdoctor.readers.eventlog.event import Event, activity_of, clean, moment

#: Blanks are never given back, else a long run of them is divided among all these in every way there is.
_SPACE = r"\s*+"
_EVENT = re.compile(
    _SPACE.join(
        (
            r"<Event xmlns='[^'<&]*'>",
            r"<System>",
            r"<Provider Name='(?P<provider>[^'<&]*)'[^<>&]*/>",
            r"<EventID(?: Qualifiers='\d*')?>(?P<id>\d{1,5})</EventID>",
            r"(?:<Version>\d*</Version>)?",
            r"<Level>(?P<level>\d*)</Level>",
            r"(?:<Task>\d*</Task>)?",
            r"(?:<Opcode>\d*</Opcode>)?",
            r"(?:<Keywords>\w*</Keywords>)?",
            r"<TimeCreated SystemTime='(?P<time>[^'<&]*)' ?/>",
            r"<EventRecordID>(?P<record>\d{0,19})</EventRecordID>",
            r"(?:<Correlation(?: ActivityID='(?P<activity>[^'<&]*)')?(?: RelatedActivityID='[^'<&]*')? ?/>)?",
            r"(?:<Execution [^<>&]*/>)?",
            r"<Channel>(?P<channel>[^<&]*)</Channel>",
            r"<Computer>(?P<computer>[^<&]*)</Computer>",
            r"(?:<Security[^<>&]*/>)?",
            r"</System>",
            r"(?>(?:<(?P<kind>EventData|UserData)>(?P<data>[^&]*?)</(?P=kind)>)?)",
            r"(?:<(?:EventData|UserData) ?/>)?",
            r"(?:<RenderingInfo [^<>&]*>.*</RenderingInfo>)?",
            r"</Event>",
        )
    ),
    re.DOTALL,
)
_DATA = r"<Data(?: Name='([^'<&]*)')? ?(?:/>|>([^<&]*)</Data>)|<(Binary)>([^<&]*)</Binary>"
_INNER = r"<(\w+)(?: ?/>|>([^<&]*)</\w+>)"
_EACH_DATA, _EACH_INNER = re.compile(_DATA), re.compile(_INNER)
_ALL_DATA, _ALL_INNER = (re.compile(rf"(?:\s*+(?:{one}))*+\s*+") for one in (_DATA, _INNER))
_WRAPPED = re.compile(r"\s*+<(\w+)(?: [^<>&]*)?>(.*)</\1>\s*+", re.DOTALL)


def parse(text: str) -> Event | None:
    """None where it is written in another way, or damaged."""
    head = _EVENT.fullmatch(text)
    if head is None:
        return None
    data = _values(head["kind"] or "", head["data"] or "")
    if data is None:
        return None
    record = head["record"]
    level = head["level"]
    return Event(
        clean(head["provider"]),
        int(head["id"]),
        moment(head["time"]),
        clean(head["channel"]),
        clean(head["computer"]),
        int(record) if record else None,
        activity_of(head["activity"]),
        int(level) if level in tuple("012345") else 0,
        data,
    )


def _values(kind: str, text: str) -> dict[str, str] | None:
    data: dict[str, str] = {}
    if kind == "UserData":
        wrapped = _WRAPPED.fullmatch(text)
        if wrapped is None or _ALL_INNER.fullmatch(wrapped[2]) is None:
            return None
        for name, value in _EACH_INNER.findall(wrapped[2]):
            data.setdefault(name, clean(value))
        return data if len(data) <= 200 else None
    if _ALL_DATA.fullmatch(text) is None:
        return None
    place = 0
    for name, value, binary, bits in _EACH_DATA.findall(text):
        if not name and not binary:
            place += 1
            name = f"#{place}"
        data.setdefault(name or binary, clean(bits if binary else value))
    return data if len(data) <= 200 else None
