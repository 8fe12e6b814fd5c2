"""RDP-UDP by its outside: who asked to begin, and whether anybody answered (MS-RDPEUDP 2.2.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from rdpdoctor.facts import Observation, Source, Stage, Value
from rdpdoctor.readers.capture import ip
from rdpdoctor.readers.capture.model import Stream

_PORT = (3389).to_bytes(2, "big")
_FLOWS = 2000
_SYN, _ACK = 0x0001, 0x0004


@dataclass(slots=True)
class _Flow:
    start: float
    end: float
    client: int = 0
    server: int = 0
    syns: int = 0
    answers: int = 0
    answered: float | None = None
    asked: list[float] = field(default_factory=list)


class Datagrams:
    """Flows by the key of the client's packets: addresses, then ports."""

    def __init__(self) -> None:
        self._flows: dict[bytes, _Flow] = {}
        self.left_out = 0

    def take(self, key: bytes, payload: bytes, when: float) -> bool:
        """False where it is of no interest."""
        from_client = key[-2:] == _PORT
        if not from_client and key[-4:-2] != _PORT:
            return False
        size = (len(key) - 4) // 2
        client = key if from_client else key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]
        flow = self._flows.get(client)
        if flow is None:
            if len(self._flows) >= _FLOWS:
                self.left_out += 1
                return True
            flow = self._flows[client] = _Flow(when, when)
        flow.end = max(flow.end, when)
        opens = payload[:4] == b"\xff\xff\xff\xff"
        flags = int.from_bytes(payload[6:8], "big") if len(payload) >= 8 else 0
        if from_client:
            flow.client += 1
            if opens and flags & _SYN:
                flow.syns += 1
                flow.asked.append(when) if len(flow.asked) < 8 else None
        else:
            flow.server += 1
            flow.answered = when if flow.answered is None else flow.answered
            flow.answers += flags & (_SYN | _ACK) == _SYN | _ACK
        return True

    def streams(self, number: int, origin: float) -> list[Stream]:
        """Numbered from `number` on."""
        return [
            _stream(number + index, key, flow, origin)
            for index, (key, flow) in enumerate(self._flows.items(), 1)
        ]


def _stream(number: int, key: bytes, flow: _Flow, origin: float) -> Stream:
    size = (len(key) - 4) // 2
    client, server = ip.address(key[:size]), ip.address(key[size : 2 * size])
    ports = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
    args: dict[str, Value] = {
        "address": server,
        "port": ports[1],
        "syns": flow.syns,
        "answers": flow.answers,
        "client_datagrams": flow.client,
        "server_datagrams": flow.server,
        "waited_ms": round((flow.end - flow.start) * 1000, 3),
    }
    at = round(max(0.0, flow.start - origin) * 1000, 3)
    row = Observation("flow.udp", args, Stage.UDP, Source.CAPTURE, at)
    return Stream(number, "udp", client, server, *ports, flow.start, flow.end, (row,))
