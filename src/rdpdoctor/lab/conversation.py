"""How an RDP endpoint of the lab talks: the machines in order, planted faults between their messages."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from rdpdoctor.connection.machine import Ended
from rdpdoctor.connection.server.credssp import CredSspServer, Identity, Refused
from rdpdoctor.connection.server.responder import Requested, Responder, choose
from rdpdoctor.connection.server.sketch import TlsSketch
from rdpdoctor.connection.server.tls import TlsAccepted, TlsServer
from rdpdoctor.lab import certificates, hello
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import Alert, ContentType, Record, Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdpdoctor.connection.server.base import ServerMachine
    from rdpdoctor.connection.server.tls import ServerChannel
    from rdpdoctor.lab.peer import Peer
    from rdpdoctor.lab.scenario import Answer, Fault, Nla, Plan, When

#: Seconds a client may take for one stage.
STAGE = 60.0
_HYBRID = nego.Protocol.HYBRID | nego.Protocol.HYBRID_EX


class Over(Exception):
    """The conversation has come to its end."""


@dataclass(slots=True)
class Visit:
    """One connection, as far as faults look at it. `number` counts from 1; `at_once` includes this one."""

    number: int
    address: str
    at_once: int
    log: Callable[[str], None]
    max_segment: int | None = None
    cookie: str | None = None
    requested: int = 0
    hello: hello.Seen = field(default_factory=hello.Seen)

    def befits(self, when: When, answer: int) -> bool:
        """`answer`: bytes that we are about to send."""
        return all(
            (
                when.every is None or self.number % when.every == 0,
                when.turn is None or self.number % when.turn[1] == when.turn[0],
                when.after is None or self.number > when.after,
                when.over is None or self.at_once > when.over,
                when.address is None or self.address == when.address,
                when.cookie is None or _cookie_fits(when.cookie, self.cookie),
                not when.requested or self.requested in when.requested,
                when.segment_over is None or (self.max_segment or 0) > when.segment_over,
                when.answer_over is None or answer > when.answer_over,
                when.sni is None or self.hello.names_host == when.sni,
                when.joined is None or self.hello.joined == when.joined,
            )
        )


def _cookie_fits(wanted: str, cookie: str | None) -> bool:
    match wanted:
        case "any":
            return cookie is not None
        case "none":
            return cookie is None
    if wanted.startswith("!"):
        return cookie is not None and cookie.casefold() != wanted[1:].casefold()
    return cookie is not None and cookie.casefold() == wanted.casefold()


class Conversation:
    def __init__(self, plan: Plan, peer: Peer, visit: Visit) -> None:
        self._plan = plan
        self._peer = peer
        self._visit = visit

    async def run(self) -> None:
        """From the first byte to the end that the plan gives it. Raise Gone where the client goes before."""
        try:
            await self._strike("connect")
            selected, early = await self._initiation()
            await self._strike("confirm")
            if selected is None:
                await self._over("close")
            if selected == nego.Protocol.RDP:
                await self._over("silence")  # MCS would follow, and nobody here speaks it
            await self._nla(await self._tls(early), selected)
        except Over:
            pass

    async def _initiation(self) -> tuple[int | None, bytes]:
        """The protocol selected, None for a failure; and what came behind the request already."""
        machine = Responder(self._answer, STAGE)
        confirm = await self._begin(machine)
        requested = machine.outcome
        if not isinstance(requested, Requested):
            self._visit.log(f"no request: {_ending(requested)}")
            await self._over("close")
        self._visit.cookie, self._visit.requested = requested.cookie, requested.protocols or 0
        self._visit.log(_told(requested))
        await self._say("request", confirm)
        match requested.confirm:
            case None:
                return nego.Protocol.RDP, machine.leftover
            case nego.NegotiationResponse(selected):
                return selected, machine.leftover
        return None, machine.leftover

    def _answer(self, request: nego.ConnectionRequestData) -> nego.Confirm | None:
        plan = self._plan.x224
        protocols = request.negotiation.protocols if request.negotiation else 0
        fixed = plan.always or plan.answers.get(protocols)
        if fixed is not None:
            return _confirm(fixed, plan.flags)
        if request.negotiation is None and nego.Protocol.RDP in plan.accepts:
            return None  # a client that does not negotiate gets an answer that does not either
        return choose(plan.accepts, protocols, plan.flags)

    async def _tls(self, early: bytes) -> ServerChannel:
        tls = self._plan.tls
        certificate = self._plan.certificates[self._visit.number % len(self._plan.certificates)]
        machine: ServerMachine
        if tls.suites:
            chain = certificates.chain(certificate)
            machine = TlsSketch(tls.versions, tls.suites, chain, os.urandom(32), STAGE)
        else:
            machine = TlsServer(certificates.context(tls, certificate), STAGE)
        heard, reads = bytearray(), self._peer.reads
        answer = await self._begin(machine, early, heard)
        self._visit.hello = hello.seen(bytes(heard), self._peer.reads - reads)
        self._visit.log(f"{self._visit.hello}, {len(answer)} bytes in answer")
        await self._say("hello", answer)
        await self._go_on(machine)
        if not isinstance(machine.outcome, TlsAccepted):
            self._visit.log(f"no TLS: {_ending(machine.outcome)}")
            await self._over("close")
        self._visit.log(f"{machine.outcome.version} with {machine.outcome.suite}")
        await self._strike("handshake")
        return machine.outcome.channel

    async def _nla(self, channel: ServerChannel, selected: int) -> None:
        if not selected & _HYBRID:
            await self._over("silence")
        clock = datetime.now(UTC) + timedelta(seconds=self._plan.nla.clock)
        machine = CredSspServer(channel, _identity(self._plan.nla), os.urandom(8), clock, STAGE)
        answer = await self._begin(machine)
        await self._say("negotiate", answer)
        if machine.challenged:
            self._visit.log("NTLM challenge sent")
            await self._strike("challenge")
        await self._go_on(machine)
        self._visit.log(f"CredSSP: {_ending(machine.outcome)}")
        await self._over("close")

    async def _begin(
        self, machine: ServerMachine, early: bytes = b"", heard: bytearray | None = None
    ) -> bytes:
        """The machine's first output, unsent. `heard` collects what came for it."""
        now = asyncio.get_running_loop().time()
        machine.begin(now)
        if early:
            machine.receive(early, now)
        if heard is not None:
            heard += early
        return await self._peer.advance(machine, heard)

    async def _go_on(self, machine: ServerMachine) -> None:
        """To the machine's end, without faults."""
        while output := await self._peer.advance(machine):
            await self._peer.send(output)

    def _fault(self, point: str, answer: bytes = b"") -> Fault | None:
        size = len(answer)
        return next(
            (f for f in self._plan.faults if f.at == point and self._visit.befits(f.when, size)), None
        )

    async def _strike(self, point: str) -> None:
        """A fault that strikes where the client expects nothing of us."""
        if (fault := self._fault(point)) is not None:
            await self._do(fault, b"")

    async def _say(self, point: str, answer: bytes) -> None:
        fault = self._fault(point, answer) if answer else None
        if fault is not None:
            await self._do(fault, answer)
        elif answer:
            await self._peer.send(answer)

    async def _do(self, fault: Fault, answer: bytes) -> None:
        self._visit.log(f"the planted fault: {fault.does} at {fault.at}")
        await asyncio.sleep(fault.wait)
        match fault.does:
            case "drip":
                await self._peer.send(answer, fault.pace)
                return
            case "cut":
                await self._peer.send(answer[: fault.length])
            case "say":
                await self._peer.send(fault.payload)
            case "alert":
                alert = Alert(2, fault.alert).encode()
                await self._peer.send(Record(ContentType.ALERT, Version.TLS12, alert).encode())
                await self._over("close")
            case "flood":
                await self._peer.flood(fault.payload)
            case _:
                await self._over(fault.does)
        await self._over(fault.then)

    async def _over(self, how: str) -> NoReturn:
        await self._peer.end(how)
        raise Over


def _confirm(answer: Answer, flags: int) -> nego.Confirm | None:
    if answer.fail is not None:
        return nego.NegotiationFailure(answer.fail)
    return None if answer.select is None else nego.NegotiationResponse(answer.select, flags)


def _identity(plan: Nla) -> Identity:
    return Identity(
        plan.computer,
        plan.domain,
        plan.dns_computer,
        plan.dns_domain,
        plan.dns_tree,
        plan.os,
        plan.version,
        plan.status,
        plan.error,
    )


def _told(requested: Requested) -> str:
    asked = "nothing" if requested.protocols is None else "+".join(nego.protocol_names(requested.protocols))
    match requested.confirm:
        case None:
            answer = "plain confirm"
        case nego.NegotiationResponse(selected):
            answer = "selects " + "+".join(nego.protocol_names(selected))
        case nego.NegotiationFailure():
            answer = f"failure {requested.confirm.name}"
        case _:
            answer = "something else"
    return f"asked for {asked}, cookie {requested.cookie!r}: {answer}"


def _ending(outcome: object) -> str:
    match outcome:
        case Ended():
            return f"{outcome.how.value} after {outcome.after} {outcome.detail}".rstrip()
        case Refused(status):
            return f"sign-in refused with {status:#010x}"
    return repr(outcome)
