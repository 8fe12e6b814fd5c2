"""Events into attempts to connect: what belongs together, how far it got, and how it ended.

Windows gives one connection's events one activity id, across its logs; UDP's have their own, and older builds
have none. Where ids fail, the session, then the client's address, then nearness in time decide.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage
from rdpdoctor.readers.eventlog import roles
from rdpdoctor.readers.eventlog.event import known, number
from rdpdoctor.readers.eventlog.table import AUDIT, CLIENT, CORE, GATEWAY, LSA, MANAGER, SESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.table import Kind

#: A person may take so long to type a password.
_TYPING = timedelta(seconds=120)
#: Events of one moment, written by several components.
_MOMENT = timedelta(seconds=5)
#: A sign-in over the network that does not say whose it is.
_SIGN_IN = timedelta(seconds=15)
#: Attempts that an event may still belong to.
_RECENT = 64
#: Events of one attempt that are kept for its story.
_STORY = 40

_SIDES = {CLIENT: "client", GATEWAY: "gateway", **dict.fromkeys(LSA, "client")}
_PARTS = frozenset({MANAGER, SESSIONS, CORE, AUDIT, CLIENT, GATEWAY, "TermDD", *LSA})
#: What begins an attempt when nothing else does, by provider and id.
_BEGINS = frozenset({(CORE, 131), (MANAGER, 261), (CLIENT, 1024)})
_REFUSED = (AUDIT, 4625)
#: The type of a sign-in that unlocks a session.
_UNLOCK = "7"
#: The client ended it, a user or an administrator did; 263 comes where it asks for a password, to come again.
_ORDINARY = frozenset({0, 1, 2, 3, 263})
#: Listeners for sandboxes on the same machine have such names.
_LOCAL = re.compile(r"^[0-9A-F]{20}(#|$)")


@dataclass(slots=True)
class Attempt:
    """side: whose log tells: "server", "client" or "gateway". computer: whose log it is. server: whom the
    client or the gateway connected to. outcome: "works", "fails", or "open" where the log does not tell.
    """

    side: str
    computer: str
    began: datetime
    last: datetime
    client: str | None = None
    server: str | None = None
    user: str | None = None
    sessions: set[str] = field(default_factory=set)
    activities: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    means: set[str] = field(default_factory=set)
    decisive: Event | None = None
    outcome: str = "open"
    stage: Stage | None = None
    over: bool = False

    def take(self, event: Event, kind: Kind) -> None:
        self.last = max(self.last, event.time)
        self.client = self.client or roles.client(event)
        self.user = roles.user(event) or self.user
        if (session := roles.session(event)) is not None:
            self.sessions.add(session)
        if event.activity is not None:
            self.activities.add(event.activity)
        if len(self.events) < _STORY:
            self.events.append(event)
        self.means.add(kind.means)
        if self.side == "client":
            self.server = self.server or roles.server(event)
        if self.side == "gateway":
            self.server = roles.value(event, "target") or self.server
        self._judge(event, kind)

    def _judge(self, event: Event, kind: Kind) -> None:
        if kind.weight == "works" and _got_there(event):
            self.outcome, self.decisive, self.stage = "works", event, kind.stage
        elif kind.weight == "fails" and not self._was_in(event):
            self.outcome, self.decisive = "fails", event
            self.stage = Stage.FINALIZATION if self._at_desktop(event, kind) else kind.stage
        elif kind.weight == "cuts":
            self.over = True
            if self.outcome == "open":  # of a session that began before the log does
                self.outcome, self.decisive, self.stage = "works", event, kind.stage
        elif kind.weight == "ends":
            self.over = True
            if kind.means == "client.ended" and self.outcome == "open":
                reason = roles.status(event)
                if reason is not None and reason not in _ORDINARY:
                    self.outcome, self.decisive, self.stage = "fails", event, self._client_stage(reason)

    def _was_in(self, event: Event) -> bool:
        """What fails after a session is its end, not that of an attempt; and who was let in may well be
        refused a share of files.
        """
        return self.outcome == "works" and (self.stage is not Stage.NLA or roles.network(event))

    def _at_desktop(self, event: Event, kind: Kind) -> bool:
        """Who got through NLA, or into a session, and is refused then, is so at the desktop."""
        if kind.stage is not Stage.NLA or self.side != "server" or roles.network(event):
            return False
        return "sign-in.accepted" in self.means or event.data.get("LogonType") == _UNLOCK

    def _client_stage(self, reason: int) -> Stage | None:
        """None where the reason may come from several."""
        from rdpdoctor.knowledge.codes import client_codes

        code = client_codes().get(("reason", reason))
        stages = [Stage(name) for name in code.stages] if code is not None else []
        if len(stages) == 1:
            return stages[0]
        if "client.not-authenticated" in self.means:
            return Stage.NLA
        if {"client.negotiated", "client.state-error"} & self.means:
            return Stage.TLS
        return None


def _got_there(event: Event) -> bool:
    """Whether an event that means success means it here, for a connection from afar."""
    if event.provider == CORE and event.id == 68:
        return (number(event.data.get("FirstGraphicsReceived")) or 0) > 0
    if event.provider == SESSIONS:
        return roles.client(event) is not None
    return True


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """From events of any order, in the order of their beginning. Those without a time are left out."""
    timed = sorted((event for event in events if known(event.time)), key=lambda event: event.time)
    found: list[Attempt] = []
    recent: dict[tuple[str, str], deque[Attempt]] = {}
    for event in timed:
        kind = roles.kind(event) if event.provider in _PARTS else None
        if kind is None or not _is_part(event):
            continue
        side = _SIDES.get(event.provider, "server")
        near = recent.setdefault((event.computer.partition(".")[0].lower(), side), deque(maxlen=_RECENT))
        attempt = next(_homes(event, kind, near), None)
        if attempt is None:
            if not _begins(event, kind):
                continue
            attempt = Attempt(side, event.computer, event.time, event.time)
            found.append(attempt)
            near.append(attempt)
        attempt.take(event, kind)
    return found


def _is_part(event: Event) -> bool:
    name = roles.value(event, "connection") or roles.value(event, "listener")
    return _LOCAL.match(name) is None


def _begins(event: Event, kind: Kind) -> bool:
    if (event.provider, event.id) in _BEGINS:
        return event.data.get("ConnType", "TCP") == "TCP"
    if kind.weight == "works":
        return _got_there(event)
    if kind.weight == "cuts":  # who takes a session over is told by the next attempt
        return roles.session(event) is not None and kind.means != roles.TAKEN
    return kind.weight == "fails" and not roles.network(event)


def _homes(event: Event, kind: Kind, near: deque[Attempt]) -> Iterator[Attempt]:
    """Attempts that the event belongs to, the surest first."""
    begins = (event.provider, event.id) in _BEGINS and event.data.get("ConnType", "TCP") == "TCP"
    latest = list(reversed(near))
    if event.activity is not None and not (begins and event.provider == CLIENT):
        yield from (one for one in latest if event.activity in one.activities)
    if begins:
        # The listener and the component behind it each report the same connection, in either order.
        yield from (
            one
            for one in latest
            if kind.means not in one.means
            and event.time - one.last <= _MOMENT
            and one.means <= {"connection.accepted", "connection.received", "connection.named"}
            and not (event.activity and one.activities)
        )
        return
    if (session := roles.session(event)) is not None and kind.weight in ("works", "ends", "cuts"):
        yield from (one for one in latest if session in one.sessions and not one.over)
    client = roles.client(event)
    # Sessions that only serve to find the user's own end within a moment; the attempt goes on.
    lately = [one for one in latest if event.time - one.last <= (_MOMENT if one.over else _TYPING)]
    if client is not None:
        yield from (one for one in lately if one.client == client and _agrees(one, event))
    if roles.network(event):
        lately = [one for one in lately if event.time - one.last <= _SIGN_IN]
    if event.provider == CLIENT and event.activity is None and kind.weight in ("works", "ends"):
        # One after the other; how long a person took to type, and stayed, is anybody's guess.
        yield from (
            one
            for one in latest[:1]
            if not one.over and not one.activities and one.outcome != "fails" and kind.means not in one.means
        )
    if kind.weight in ("works", "fails") or event.time - _MOMENT <= (
        latest[0].last if latest else event.time
    ):
        yield from (
            one
            for one in lately
            if (one.client is None or client is None) and one.outcome == "open" and _agrees(one, event)
        )


def _agrees(attempt: Attempt, event: Event) -> bool:
    """An activity id of its own means a connection of its own, except for UDP's; another refusal is another
    attempt, also where the log has nothing of connections.
    """
    before = attempt.decisive
    if before is not None and (before.provider, before.id) == (event.provider, event.id) == _REFUSED:
        again = event.time - attempt.last > _MOMENT and not roles.network(event)
        if again or roles.user(event) != attempt.user:
            return False
    if event.activity is None or not attempt.activities:
        return True
    return event.data.get("ConnType", "UDP") != "TCP" and event.provider in (CORE, AUDIT)
