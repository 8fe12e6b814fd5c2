"""Was it a session? What is encrypted shows only sizes and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.facts import Stage
from rdpdoctor.readers.capture.tls import CLIENT, SERVER
from rdpdoctor.readers.capture.walk import CHALLENGE, NEGOTIATE, TICKETS

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.flow import Flow
    from rdpdoctor.readers.capture.walk import Walk

#: Until its first picture a server sends some 20 records in less than 6 kB; then it sends pictures.
_RECORDS = 25
_BYTES = 12_000
#: Where the recording lacks bytes, so that nothing can be counted: bytes of either side that only a session
#: needs.
_PICTURES, _INPUT = 100_000, 3_000
#: CredSSP has at most three records of the server, the basic settings one more.
_NOT_YET = 4
#: What a server says between the end of the connection sequence and its first picture is less.
_PICTURE = 1000


def reached(flow: Flow) -> Stage:
    """The stage in which it was at its end, as far as one can tell from outside."""
    walk = flow.walk
    if walk.kind == "unseen" and flow.answered is None:
        return Stage.TCP
    if established(flow):
        return Stage.FINALIZATION
    if walk.inside is not None and walk.inside.stage is not None:
        return walk.inside.stage
    if walk.stage is Stage.NLA and walk.tls is not None and walk.tls.traffic[SERVER].records > _early(walk):
        return Stage.MCS
    return walk.stage


def established(flow: Flow) -> bool | None:
    """None where it could be either: it had begun, and nothing shows a picture."""
    walk = flow.walk
    if walk.plain is not None and walk.plain.drawn:
        return True
    if walk.inside is not None and walk.inside.stage is not None:
        if walk.inside.drawn or not walk.read_inside:
            return walk.inside.drawn or None
        return False
    inside = walk.tls if walk.tls is not None else walk.plain
    if inside is None:
        return False
    client, server = inside.traffic
    if client.records and server.records >= _RECORDS and flow.halves[SERVER].bytes >= _BYTES:
        return True
    if server.finalized is not None and server.bytes - server.finalized >= _PICTURE:
        return True
    if walk.blind and flow.halves[SERVER].end >= _PICTURES and flow.halves[CLIENT].end >= _INPUT:
        return True
    if flow.halves[SERVER].missing or flow.halves[CLIENT].missing or walk.blind:
        return None
    return False if server.records <= _early(walk) else None


def looked(flow: Flow) -> bool:
    """The client asked for an NTLM challenge (MS-NLMP 2.2.1.1, 2.2.1.2), got one, and never answered it: who
    only wants to know what the server says of itself.
    """
    walk = flow.walk
    if walk.stage is not Stage.NLA or walk.tls is None:
        return False
    client, server = walk.tls.traffic
    return client.records == 1 and client.bytes <= NEGOTIATE and server.latest >= CHALLENGE


def _early(walk: Walk) -> int:
    """The most records of a server that may still be in CredSSP."""
    modern = walk.tls is not None and not walk.tls.is_older
    return _NOT_YET + (TICKETS if modern else 0)
