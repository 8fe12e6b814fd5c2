"""`qwinsta` (`query session`): sessions and listeners, in columns under names of any language.

A listener has a number from 65,536 on; its state is a word of the language, of which only the English one for
what does not listen is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import Session

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_LISTENERS = 65_536
#: A mark for one's own session, name, user, number, state.
_LINE = re.compile(r"^[> ](\S*)\s+(?:(\S[^\n]{0,22}?)\s+)?(\d{1,10})\s{1,3}\S+")
#: WTSDown, the state of a listener that failed (WTS_CONNECTSTATE_CLASS).
_DOWN = re.compile(r"^[> \t]{0,20}rdp-tcp[ \t]+655\d\d[ \t]+Down\b", re.IGNORECASE)
_HEAD = re.compile(r"^\s?\S+\s+\S+\s+ID\s+\S+", re.MULTILINE)
#: Every whole list has it, under this name in every language. What pasted it may have moved it to the right.
_SERVICES = re.compile(r"^([ \t]{0,16}?)[> ]services\s+0\s", re.MULTILINE)
#: Its state may have been wrapped away.
_LISTENER = re.compile(r"^[> \t]{0,20}rdp-tcp[ \t]+(6553[6-9]|655[4-9]\d)\b", re.MULTILINE)
_MOST = 1_000


def sniff(text: str) -> bool:
    return _SERVICES.search(text) is not None or (
        _HEAD.search(text) is not None
        and re.search(r"^[> ](?:console|rdp-tcp)\b", text, re.MULTILINE) is not None
    )


def read(text: str, raw: Raw) -> None:
    if not sniff(text):
        return
    whole = _SERVICES.search(text)
    margin = len(whole[1]) if whole is not None else 0
    found: list[Session] = []
    for line in text.splitlines():
        match = _LINE.match(line[margin : 200 + margin])
        if match is not None and len(found) < _MOST:
            number = int(match[3])
            listens = number >= _LISTENERS and _DOWN.match(line[:200]) is None
            found.append(Session(match[1], number, listens, bool(match[2])))
    broken = _LISTENER.search(text)
    if broken is not None and not any(one.id >= _LISTENERS for one in found):
        found.append(Session("rdp-tcp", int(broken[1]), True, False))
    if not found:
        return
    raw.kinds.append("qwinsta")
    if whole is not None or any(one.id >= _LISTENERS for one in found):
        raw.sessions = (raw.sessions or []) + found
    else:  # of one user or one name, so that what lacks is not absent
        raw.lose("listeners, which this list of sessions leaves out")
