"""Who may sign in: user rights of a security template, and members of Remote Desktop Users.

`secedit /export /areas USER_RIGHTS` and a policy's `GptTmpl.inf` have, below `[Privilege Rights]`, lines like
`SeRemoteInteractiveLogonRight = *S-1-5-32-544,*S-1-5-32-555` (MS-GPSB 2.2.6); `Select-String` puts file and
line before them. `net localgroup` has its members between a ruler and the line that says that it is done.
"""

from __future__ import annotations

import re
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from rdpdoctor.knowledge.settings.registry import RIGHTS
from rdpdoctor.readers.host.model import LONGEST, MOST, Setting
from rdpdoctor.readers.host.words import key

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_SECTION = re.compile(r"^[ \t]*\[Privilege Rights\][ \t]*$", re.MULTILINE | re.IGNORECASE)
_RIGHT = re.compile(
    r"^(?:[^\n=]{0,300}:\d{1,6}:|[> \t]{0,9})(Se(?:Deny)?(?:RemoteInteractive|Network)LogonRight)"
    r"[ \t]{0,9}=[ \t]{0,9}([^\n]*(?:\n[ \t]*(?:,?\*?S-1-[\d,*S -]+)(?=\n|\Z))*)",
    re.MULTILINE,
)
_ANY_RIGHT = re.compile(r"^[> \t]*Se[A-Z][A-Za-z]{1,50}(?:Right|Privilege)[ \t]*=", re.MULTILINE)
#: Windows has some 35 rights that somebody holds; templates of policies seldom set so many.
_WHOLE = 20
REMOTE_USERS = "S-1-5-32-555"
#: As Windows calls the group in its languages.
_NAMES = frozenset(
    map(
        key,
        (
            "Remote Desktop Users",
            "Remotedesktopbenutzer",
            "Utilisateurs du Bureau à distance",
            "Usuarios de escritorio remoto",
            "Utenti desktop remoto",
        ),
    )
)
_RULER = re.compile(r"^-{60,90}[ \t]*\n", re.MULTILINE)
#: `Alias name     Remote Desktop Users`, in the language of Windows.
_ALIAS = re.compile(r"^\S[^\n]{2,19}? {2,30}(\S[^\n]{2,60})$", re.MULTILINE)
_GROUP = r"Get-LocalGroupMember\b[^\n|]{0,40}(?:S-1-5-32-555|Remote Desktop Users)[^\n]{0,40}"
_OF_GROUP = re.compile(_GROUP, re.IGNORECASE)
#: A prompt with the command, and the next prompt, with nothing in between.
_NOBODY = re.compile(
    rf"^[ \t]{{0,16}}PS [^\n>]{{1,200}}> ?{_GROUP}\n\s{{0,99}}?^[ \t]{{0,16}}PS ",
    re.MULTILINE | re.IGNORECASE,
)
#: Characters before a ruler in which the group's name stands, and after it.
_BEFORE, _AFTER = 600, 1 << 18


def read(text: str, raw: Raw) -> None:
    _rights(text, raw)
    _members(text, raw)


def _rights(text: str, raw: Raw) -> None:
    found = {one[1]: _accounts(one[2]) for one in islice(_RIGHT.finditer(text), MOST)}
    whole = _SECTION.search(text) is not None
    if not found and not whole:
        return
    raw.kinds.append("user rights")
    if whole and sum(1 for _ in islice(_ANY_RIGHT.finditer(text), MOST)) >= _WHOLE:
        found.setdefault("SeRemoteInteractiveLogonRight", "")  # an export leaves out what nobody holds
    raw.settings += [Setting(RIGHTS, name, accounts) for name, accounts in found.items()]


def _accounts(text: str) -> str:
    """SIDs and names, split by commas."""
    parts = (part.strip().strip("*").strip() for part in re.sub(r"\n[ \t]*", "", text).split(","))
    return ",".join(part for part in parts if part)[:LONGEST]


def _members(text: str, raw: Raw) -> None:
    counts = [
        _listed(text[ruler.end() : ruler.end() + _AFTER])
        for ruler in islice(_RULER.finditer(text), 50)
        if any(
            key(one) in _NAMES
            for one in _ALIAS.findall(text[max(0, ruler.start() - _BEFORE) : ruler.start()])[:20]
        )
    ]
    if _NOBODY.search(text) is not None:
        counts.append(0)
    rows = sum("objectclass" in row and "principalsource" in row for row in raw.rows)
    if rows and _OF_GROUP.search(text) is not None:
        counts.append(rows)
    elif rows:
        raw.lose("of which group these are the members; with the command before them it is told")
    if rows or counts:
        raw.kinds.append("group members")
    raw.members = counts[-1] if counts else raw.members


def _listed(text: str) -> int:
    """Members, down to the last line, a sentence."""
    lines = takewhile(str.strip, text.split("\n"))
    return sum(1 for _ in takewhile(lambda line: not line.rstrip().endswith((".", "\u3002")), lines))
