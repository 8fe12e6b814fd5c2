"""What the fields of an event hold: the client's address, the user, the session, the status."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from rdpdoctor.knowledge import events as known
from rdpdoctor.readers.eventlog.event import Event, number
from rdpdoctor.readers.eventlog.table import AUDIT, LSA, SCHANNEL, SERVICES, SESSIONS, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands for "none" in such fields.
_NOBODY = frozenset({"", "-", "LOCAL", "0.0.0.0", "::", "%%1833"})
_HERE = ("127.0.0.1", "::1")
_PORT = re.compile(r"^(\d+\.\d+\.\d+\.\d+):\d+$|^\[([^\]]+)\](?::\d+)?$")
#: The service without which nobody gets in: by its own name, which is in no language, or as Windows shows it,
#: in English first. Others have these words in their names, and more.
_SERVICE_NAMES = (
    *("termservice", "remote desktop services", "remotedesktopdienste", "services bureau à distance"),
    *("servicios de escritorio remoto", "servizi desktop remoto", "serviços de área de trabalho remota"),
    *("extern bureaublad-services", "usługi pulpitu zdalnego", "службы удаленных рабочих столов"),
)


#: How CredSSP calls the server of a Remote Desktop connection; it serves others besides.
_SERVICE = "TERMSRV/"
#: Sign-ins that a program of the machine itself asks for, not a peer: the name of the process that does.
_OWN_LOGON = ("advapi", "user32", "seclogo", "chap")
#: Destination port, protocol and direction of a try to connect: TCP, inbound.
_KNOCK = ("3389", "6", "%%14592")
#: What LocalSessionManager 40 means by its reason: the numbers of ERRINFO (MS-RDPBCGR 2.2.5.1.1).
TAKEN = "session.taken-over"
_LIMITS: Mapping[int, str] = {3: "session.idle-limit", 4: "session.time-limit", 5: TAKEN}

#: Processes in whose name TLS works for others, Remote Desktop among them.
_ANYBODY = frozenset({"lsass", "svchost", "system"})


@cache
def _fields(provider: str, identity: int) -> Mapping[str, str]:
    row = known.find(identity, provider)
    return row.fields if row is not None else {}


@cache
def says(provider: str, identity: int) -> str:
    """The event in a few words; empty where nothing is known of it."""
    row = known.find(identity, provider)
    return row.says if row is not None else ""


def kind(event: Event) -> Kind | None:
    """How the event counts; of one id the reason may tell."""
    found = kind_of(event.provider, event.id)
    if found is not None and found.means == "session.disconnected":
        means = _LIMITS.get(status(event) or 0)
        return replace(found, means=means, weight="cuts") if means is not None else found
    if found is not None and event.provider == AUDIT and event.id == 4625 and "LogonType" not in event.data:
        # It may be a service's or one to a share, so it ends no connection.
        return replace(found, means=f"network-{found.means}", weight="warns")
    return found


def told(event: Event) -> str:
    """The event in a few words, with what its reason says."""
    plain = says(event.provider, event.id)
    reason = status(event)
    if plain and reason in _LIMITS and event.provider == SESSIONS:
        from rdpdoctor.knowledge.codes import family

        code = next((one for one in family("errinfo").codes if one.number == reason), None)
        return f"{plain}: {code.says}" if code is not None else plain
    return plain


def value(event: Event, role: str) -> str:
    """Empty where the event has none. Builds differ in blanks and case of the names."""
    name = _fields(event.provider, event.id).get(role)
    if name is None:
        return ""
    found = event.data.get("Binary" if name == "binary" else name)
    if found is None:
        plain = name.replace(" ", "").lower()
        found = next((text for key, text in event.data.items() if key.replace(" ", "").lower() == plain), "")
    return found.strip()


def client(event: Event) -> str | None:
    """The client's address without port and zone; None for the console and where it is not told."""
    text = value(event, "address")
    return _address(text) if text else None


@lru_cache(4096)
def _address(text: str) -> str | None:
    if text.upper() in _NOBODY:
        return None
    found = _PORT.match(text)
    text = (found[1] or found[2]) if found else text
    return text.partition("%")[0].removeprefix("::ffff:").rstrip(".").lower()


def server(event: Event) -> str | None:
    """Whom a client wanted to connect to."""
    if event.provider in LSA:
        return event.data.get("#1", "").removeprefix(_SERVICE).partition(":")[0].strip("[]") or None
    if event.id not in (1024, 1102):
        return None
    return event.data.get("Value", "").strip() or None


def session(event: Event) -> str | None:
    return value(event, "session") or None


def user(event: Event) -> str | None:
    """The account without its domain, in lower case: logs write one now with and now without."""
    text = value(event, "user")
    if text:
        text = text.rpartition("\\")[2].partition("@")[0].lower()
    return None if not text or text.upper() in _NOBODY else text


def masked(name: str | None) -> str | None:
    """Enough to recognise one's own name by."""
    return f"{name[0]}…{name[-1]}" if name and len(name) > 2 else ("…" if name else None)


def status(event: Event) -> int | None:
    """The code an event gives, the more exact one where it gives two."""
    if event.provider == "TermDD":
        return _driver_status(event.data.get("Binary", ""))
    sub = number(value(event, "substatus"))
    if sub:
        return sub
    return number((value(event, "status") or value(event, "reason")).removeprefix("%%"))


def _driver_status(binary: str) -> int | None:
    """The last four bytes, little endian; drivers write an NTSTATUS with D for C (Microsoft's blog on 56)."""
    try:
        found = int.from_bytes(bytes.fromhex(binary[-8:]), "little") if len(binary) >= 8 else 0
    except ValueError:
        return None
    if found >> 28 not in (0xC, 0xD):
        return None
    return found & 0x0FFFFFFF | 0xC0000000


def concerns_us(event: Event) -> bool:
    """Whether an event that any program may cause is about Remote Desktop."""
    if event.provider == SERVICES:
        binary = event.data.get("Binary", "")
        try:
            own = bytes.fromhex(binary[:200]).decode("utf-16-le", "ignore")
        except ValueError:
            own = ""
        own = own.strip("\0")
        named = (
            own.partition("/")[0] if own[:1].isalpha() and own.isprintable() else event.data.get("param1", "")
        )
        ours = named.strip().lower() in _SERVICE_NAMES
        # That it runs ends what was said of it before; every machine that goes down stops it.
        return ours and (event.id != 7036 or event.data.get("param2") == "running" or "/4" in own)
    if event.provider == SCHANNEL and event.data.get("Type", "").lower() == "client":
        return False  # of a program that connects to others; who is connected to has the server's
    if event.provider in LSA:
        return event.data.get("#1", _SERVICE).upper().startswith(_SERVICE)
    if event.provider == SCHANNEL and (process := value(event, "process").lower().removesuffix(".exe")):
        return "termservice" in process or process in _ANYBODY
    if event.provider == AUDIT and event.id in (5152, 5157):
        data = event.data
        return (data.get("DestPort"), data.get("Protocol"), data.get("Direction")) == _KNOCK
    if event.provider == AUDIT:
        return event.id not in (4624, 4625) or _remote(event)
    # The console's session is no connection, nor is one of a listener for sandboxes.
    return event.data.get("#1", event.data.get("Session")) != "Console"


def network(event: Event) -> bool:
    """Whether it is a sign-in over the network, NLA's or any other: to files, to a web page."""
    return event.provider == AUDIT and event.data.get("LogonType") == "3"


def _remote(event: Event) -> bool:
    """A sign-in of type 10 is one at a remote desktop. 7 unlocks a desktop, which may be the machine's own; 3
    is any over the network, NLA's too: who was let in that way is told better by 1149. Of some the type
    cannot be read.
    """
    kind = event.data.get("LogonType")
    if kind == "7":
        return client(event) not in (None, *_HERE)
    if kind not in ("3", None):
        return kind == "10"
    by = event.data.get("LogonProcessName", "").strip().lower()
    return (
        event.id == 4625
        and not by.startswith(_OWN_LOGON)
        and event.data.get("ProcessName", "-").strip() in ("", "-")
        and client(event) not in _HERE
    )
