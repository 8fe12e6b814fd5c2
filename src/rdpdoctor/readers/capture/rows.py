"""A connection that has come to its end, as a Stream with its observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.machine import How
from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.readers.capture import ip
from rdpdoctor.readers.capture.model import Stream
from rdpdoctor.readers.capture.session import established, looked, reached
from rdpdoctor.readers.capture.telling import looks_like, ms
from rdpdoctor.readers.capture.tls import CLIENT, SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.readers.capture.flow import Flow
    from rdpdoctor.readers.capture.walk import Row

#: A SYN that nobody answered within this, although the recording goes on, is one that nobody answers.
_SYN_WAIT = 3.0
_STAGES = {
    **{
        stage.value: stage
        for stage in (Stage.TCP, Stage.X224, Stage.TLS, Stage.NLA, Stage.MCS, Stage.GATEWAY)
    },
    "tcp.measured": Stage.PATH,
    "flow.request": Stage.X224,
    "flow.hello": Stage.TLS,
    "flow.credssp": Stage.NLA,
    "flow.alert": Stage.NLA,
    "flow.licensing": Stage.LICENSING,
}
_ROLE = "walk"  # each is a client's own; which of several counts is for whoever puts them together
_OPENINGS = ("connected", "refused", "rejected", "silent")


def stream_of(flow: Flow, now: float, origin: float) -> Stream:
    """now, origin: when the recording ends and began."""
    client, server = map(ip.address, flow.addresses)
    told = [*flow.walk.rows, *(flow.walk.inside.rows if flow.walk.inside is not None else ())]
    rows = sorted([*_tcp(flow, now, server), *told, *_about(flow, now)], key=lambda row: row[2])
    who = {
        "attempt": flow.number,
        "address": server,
        "role": _ROLE,
        "variant": "ordinary",
        "at_once": flow.at_once,
    }
    return Stream(
        number=flow.number,
        kind="middle" if flow.walk.kind == "unseen" and (flow.middle or _spoke(flow)) else flow.walk.kind,
        client=client,
        server=server,
        client_port=flow.ports[0],
        port=flow.ports[1],
        start=flow.start,
        end=flow.last,
        observations=tuple(_observation(row, who, origin) for row in rows),
        tunnel=flow.walk.tunnel,
    )


def _spoke(flow: Flow) -> bool:
    """Something was said, of which nothing can be read."""
    return any(half.bytes or half.missing or half.lacking for half in flow.halves)


def _observation(row: Row, who: dict[str, Any], origin: float) -> Observation:
    tag, args, when = row
    room, _, name = tag.partition(".")
    stage = _STAGES.get(tag) or _STAGES.get(room, Stage.PATH)
    alone = room == "tcp" and name in _OPENINGS
    return Observation(
        tag, args if alone else {**who, **args}, stage, Source.CAPTURE, ms(max(0.0, when - origin))
    )


def _tcp(flow: Flow, now: float, server: str) -> Iterator[Row]:
    """How the connection came to be, or did not."""
    where: dict[str, Any] = {"address": server, "port": flow.ports[1]}
    died = {**where, "role": _ROLE, "at_once": flow.at_once}
    if flow.answered is not None:
        yield "tcp.connected", {**where, "rtt_ms": ms(_round_trip(flow))}, flow.answered
    elif flow.refused is not None:
        yield "tcp.refused", {**died, "elapsed_ms": ms(flow.refused - flow.start)}, flow.refused
    elif flow.rejections and flow.rejections[0].icmp != "too-big":
        first = flow.rejections[0]
        icmp = "other" if first.icmp == "ttl-exceeded" else first.icmp
        args = {"icmp": icmp, "offender": first.offender, "on_link": False}
        yield "tcp.rejected", {**died, **args, "elapsed_ms": ms(first.when - flow.start)}, first.when
    elif flow.syns and flow.end is None and not flow.halves[SERVER].packets and not flow.one_sided:
        waited = now - flow.start
        if waited >= _SYN_WAIT:
            yield "tcp.silent", {**died, "waited_ms": ms(waited)}, flow.start


def _round_trip(flow: Flow) -> float:
    """From the last SYN to its answer, and on to the client's ACK: one of the two is the way to whoever
    recorded it.
    """
    assert flow.answered is not None
    first = max(0.0, flow.answered - flow.asked)
    second = max(0.0, flow.opened - flow.answered_last) if flow.opened is not None else 0.0
    return first + second


def _about(flow: Flow, now: float) -> Iterator[Row]:
    client, server = flow.halves
    if flow.answered is not None or flow.middle:
        yield "tcp.measured", _measured(flow), flow.last
        yield "flow.packets", _packets(flow), flow.last
    for rejection in flow.rejections:
        args = {"icmp": rejection.icmp, "offender": rejection.offender, "mtu": rejection.mtu}
        yield "flow.icmp", {**args, "opened": flow.answered is not None}, rejection.when
    yield from _application(flow)
    if flow.walk.kind == "other":
        sample = flow.walk.sample
        yield "flow.other", {"looks_like": looks_like(sample), "sample": sample.hex()}, flow.start
    if flow.middle or flow.one_sided or client.lacking or server.lacking:
        missing = {"client_missing": client.lacking, "server_missing": server.lacking}
        yield (
            "flow.incomplete",
            {"from_middle": flow.middle, "one_sided": flow.one_sided, **missing},
            flow.start,
        )
    yield _end(flow, now)


def _measured(flow: Flow) -> dict[str, Any]:
    client, server = flow.halves
    sizes = [size for size in (client.mss, server.mss) if size]
    return {
        "rtt_ms": ms(_round_trip(flow)) if flow.answered is not None else None,
        "rtt_variation_ms": None,
        "retransmits": client.retransmits + server.retransmits + max(0, flow.syns - 1),
        "mss": min(sizes) if sizes else None,
    }


def _packets(flow: Flow) -> dict[str, Any]:
    args: dict[str, Any] = {"syns": flow.syns}
    for name, half in zip(("client", "server"), flow.halves, strict=True):
        args |= {
            f"{name}_packets": half.packets,
            f"{name}_bytes": half.bytes,
            f"{name}_retransmits": half.retransmits,
            f"{name}_late": half.late,
            f"{name}_duplicates": half.duplicates,
            f"{name}_zero_windows": half.zero_windows,
            f"{name}_unacknowledged": max(0, half.end - half.acked),
            f"{name}_vanished": half.vanished if flow.answered is not None else 0,
        }
    return args


def _application(flow: Flow) -> Iterator[Row]:
    """What went each way after the handshake, and whether that was a session."""
    walk = flow.walk
    inside = walk.tls if walk.tls is not None and walk.tls.completed is not None else walk.plain
    if inside is None:
        return
    traffic = inside.traffic
    times = [moment for each in traffic for moment in (each.first, each.last) if moment is not None]
    began = min(times, default=inside.began)
    args = {
        "client_records": traffic[CLIENT].records,
        "server_records": traffic[SERVER].records,
        "client_bytes": flow.halves[CLIENT].bytes,
        "server_bytes": flow.halves[SERVER].bytes,
        "seconds": round(max(0.0, max(filter(None, walk.last), default=began) - began), 3),
        "established": established(flow),
        "looked": looked(flow),
    }
    yield "flow.session", args, began


def _end(flow: Flow, now: float) -> Row:
    walk, end = flow.walk, flow.end
    args: dict[str, Any] = {"at": reached(flow).value, "after": walk.after}
    if end is None:
        return "flow.open", {**args, "idle_ms": ms(max(0.0, now - flow.last))}, flow.last
    args |= {
        "by": "client" if end.side == CLIENT else "server",
        "how": "reset" if end.how is How.RESET else "closed",
        "idle_ms": None if end.idle is None else ms(end.idle),
        "ttl": end.ttl,
        "usual_ttl": end.usual_ttl,
        "foreign": end.usual_ttl is not None and end.how is How.RESET and end.ttl != end.usual_ttl,
        "then": None if flow.then is None else flow.then.value,
    }
    return "flow.ended", args, end.when
