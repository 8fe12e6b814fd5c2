"""One connection of ours, and how far it got. Each step writes down what it saw and says whether to go on.

Probes share connections through this: the one that opened an attempt may leave it to the next, which takes
it further.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.initiation import Initiation
from rdpdoctor.connection.machine import Ended
from rdpdoctor.net.clock import monotonic, ms
from rdpdoctor.net.dial import Connection, DialFailed, dial
from rdpdoctor.net.drive import drive
from rdpdoctor.net.gate import Exhausted
from rdpdoctor.probes import telling
from rdpdoctor.wire import nego

if TYPE_CHECKING:
    from rdpdoctor.connection.credssp import Answered, Challenged
    from rdpdoctor.connection.hello import HelloAnswered
    from rdpdoctor.connection.tls import TlsEstablished
    from rdpdoctor.probes.context import Context

#: What a current client asks for (mstsc on Windows 10 and 11): TLS, CredSSP, CredSSP with early user
#: authorization.
ORDINARY = int(nego.Protocol.SSL | nego.Protocol.HYBRID | nego.Protocol.HYBRID_EX)
_OVER_TLS = int(
    nego.Protocol.SSL
    | nego.Protocol.HYBRID
    | nego.Protocol.HYBRID_EX
    | nego.Protocol.RDSTLS
    | nego.Protocol.RDSAAD
)
_CREDSSP = int(nego.Protocol.HYBRID | nego.Protocol.HYBRID_EX)

#: Longest waits in seconds. A server under load answers within these; beyond them a client has given up too.
TCP_WAIT, X224_WAIT, TLS_WAIT, NLA_WAIT = 8.0, 6.0, 8.0, 8.0
_LINGER = 0.05
_LINGER_BYTES = 65536
_OPENING_WAIT = 0.5


class Attempt:
    """Use as an async context manager; inside it is connected, or `connected` is False and the journal says
    why.
    """

    def __init__(
        self,
        context: Context,
        role: str,
        *,
        variant: str = "ordinary",
        requested: int = ORDINARY,
        cookie: str | None = None,
        address: str | None = None,
        max_segment: int | None = None,
    ) -> None:
        self.context = context
        self.role, self.variant = role, variant
        self.requested, self.cookie = requested, cookie
        self.address = address or context.address
        self.max_segment = max_segment
        self.number = 0
        self.at_once = 1
        self.selected: int | None = None
        self.established: TlsEstablished | None = None
        self._connection: Connection | None = None
        self._stack = AsyncExitStack()
        self._opening = False

    async def __aenter__(self) -> Attempt:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def over_tls(self) -> bool:
        return self.selected is not None and bool(self.selected & _OVER_TLS)

    @property
    def wants_credssp(self) -> bool:
        return self.selected is not None and bool(self.selected & _CREDSSP)

    async def open(self) -> bool:
        """Connect. False where that failed, or where the check may make no more connections."""
        try:
            await self.context.opening.acquire()
            self._opening = True
            slot = await self._stack.enter_async_context(self.context.gate.slot())
            self.number, self.at_once = slot.number, slot.at_once
            wait = self.context.patience(TCP_WAIT)
            result = await dial(self.address, self.context.port, wait, max_segment=self.max_segment)
            if isinstance(result, DialFailed):
                tag, args = telling.dial_failed(result)
                where: dict[str, Any] = {"address": self.address, "port": self.context.port}
                self.context.emit(tag, **where, role=self.role, at_once=self.at_once, **args)
                return False
            self._connection = result
        except Exhausted:
            return False
        finally:
            if self._connection is None:
                await self._release()
        self.context.emit(
            "tcp.connected", address=self.address, port=self.context.port, rtt_ms=ms(result.rtt)
        )
        return True

    async def close(self) -> None:
        """Say goodbye, and what the kernel measured."""
        connection, self._connection = self._connection, None
        if connection is not None:
            info = connection.tcp_info()
            if info is not None:
                self.context.emit(
                    "tcp.measured",
                    **self._who(),
                    rtt_ms=info.rtt_ms,
                    rtt_variation_ms=info.rtt_variation_ms,
                    retransmits=info.retransmits,
                    mss=info.mss,
                )
            connection.close()
        await self._release()

    async def _release(self) -> None:
        self._let_next_open()
        await self._stack.aclose()

    def _let_next_open(self) -> None:
        if self._opening:
            self._opening = False
            self.context.opening.release()

    # ---- the steps

    async def proceed(self, *, split_first: bool = False, sni: bool = True, credssp: bool = False) -> None:
        """As far through initiation and TLS as it goes, and on into CredSSP where that is wanted."""
        if not self.connected or not await self.initiate() or not self.over_tls:
            return
        if await self.handshake(split_first=split_first, sni=sni) and credssp and self.wants_credssp:
            await self.credssp()

    async def initiate(self) -> bool:
        """X.224 connection request and confirm. True where the server selected a protocol."""
        token = nego.Cookie(self.cookie) if self.cookie else None
        request = nego.ConnectionRequestData(token=token, negotiation=nego.NegotiationRequest(self.requested))
        # Who is not answered within this has long been accepted, or never will be: others need not wait.
        hurry = _OPENING_WAIT if not self.context.one_at_a_time else self.context.left()
        late = asyncio.get_running_loop().call_later(hurry, self._let_next_open)
        outcome = await drive(self._live(), Initiation(request, self._patience(X224_WAIT)))
        late.cancel()
        if not self.context.one_at_a_time:
            self._let_next_open()
        if self.role == "walk" and not isinstance(outcome, Ended):
            self.context.keep_pace(outcome.elapsed)
        tag, args = telling.x224_outcome(outcome)
        self._tell(tag, requested=self.requested, cookie=self.cookie, **args)
        if tag not in ("x224.selected", "x224.plain"):
            return False
        self.selected = args.get("selected", 0)
        return True

    async def handshake(self, *, split_first: bool = False, sni: bool = True) -> bool:
        """A whole TLS handshake as a current client makes it."""
        from rdpdoctor.connection.tls import TlsHandshake

        name = self.context.host if sni else None
        machine = TlsHandshake(name, self._patience(TLS_WAIT), split_first=split_first)
        outcome = await drive(self._live(), machine)
        if isinstance(outcome, Ended):
            self._tell_tls_ended(outcome, "client")
            self._tell_certificates(machine.chain_seen, "client")
            return False
        self.established = outcome
        spoken = {"version": outcome.version, "suite": outcome.suite, "elapsed_ms": ms(outcome.elapsed)}
        self._tell("tls.completed", hello="client", **spoken)
        self._tell_certificates(outcome.chain, "client")
        return True

    async def hello(self, version: int, suites: tuple[int, ...]) -> HelloAnswered | Ended:
        """Our own ClientHello with `version` as its highest; nothing after the server's first flight."""
        from rdpdoctor.connection.hello import HelloProbe
        from rdpdoctor.wire.tls_hello import client_hello
        from rdpdoctor.wire.tls_record import version_name
        from rdpdoctor.wire.tls_suites import suite_name

        hello = client_hello(version, suites, self.context.host, os.urandom(32))
        outcome = await drive(self._live(), HelloProbe(hello, self._patience(TLS_WAIT)))
        name = version_name(version)
        if isinstance(outcome, Ended):
            self._tell_tls_ended(outcome, name)
            return outcome
        chosen = {"version": version_name(outcome.version), "suite": suite_name(outcome.suite)}
        self._tell("tls.answered", hello=name, **chosen, elapsed_ms=ms(outcome.elapsed))
        if outcome.chain and not self._has_told(outcome.chain[0]):
            self._tell_certificates(outcome.chain, name)  # not the one of before: that it changes is evidence
        return outcome

    async def credssp(self) -> bool:
        """CredSSP up to the server's NTLM challenge. No name and no secret is sent, so no logon failure is
        logged.
        """
        from rdpdoctor.connection.credssp import CredSspProbe

        assert self.established is not None
        machine = CredSspProbe(self.established.channel, self._patience(NLA_WAIT))
        outcome: Challenged | Answered | Ended = await drive(self._live(), machine)
        tag, args = telling.nla_outcome(outcome)
        self._tell(tag, **args)
        return not isinstance(outcome, Ended)

    async def linger(self) -> None:
        """Wait a moment in which the server has nothing to say. That it ends the connection is told."""
        began = monotonic()
        how, received = await self.listen(max(_LINGER, 3 * self._live().rtt))
        if how not in ("closed", "reset"):
            return
        after = "connection-confirm" if self.established is None else "handshake"
        numbers = {"sent": 0, "received": received, "elapsed_ms": ms(monotonic() - began)}
        self._tell(f"mcs.{how}", after=after, **numbers)

    async def listen(self, wait: float) -> tuple[str, int]:
        """Say nothing for `wait` seconds: `stays`, `closed`, `reset` or `talks` (more than anybody needs to
        say), and how many bytes came.
        """
        connection, deadline = self._live(), monotonic() + wait
        received = 0
        try:
            while received <= _LINGER_BYTES:
                data = await connection.receive(4096, deadline)
                received += len(data)
                if self.established is not None:
                    self.established.channel.feed(data)  # session tickets, or a goodbye
                if not data or (self.established is not None and self.established.channel.closed):
                    return "closed", received
        except TimeoutError:
            return "stays", received
        except ConnectionResetError:
            return "reset", received
        return "talks", received

    def _patience(self, longest: float) -> float:
        """The walk is as patient as a client; what only compares waits no longer than it has to."""
        return self.context.patience(longest if self.role == "walk" else self.context.compare_wait)

    # ---- telling

    def _tell(self, tag: str, **args: Any) -> None:
        self.context.emit(tag, **self._who(), **args)

    def _tell_tls_ended(self, ended: Ended, hello: str) -> None:
        tag, args = telling.tls_ended(ended)
        self._tell(tag, hello=hello, **args)

    def _tell_certificates(self, chain: tuple[bytes, ...], hello: str) -> None:
        for tag, args in telling.certificates(chain):
            self._tell(tag, hello=hello, **args)

    def _has_told(self, der: bytes) -> bool:
        sha256 = hashlib.sha256(der).hexdigest()
        known = self.context.journal.tagged("tls.certificate", "tls.certificate-unreadable")
        return any(row.args.get("sha256") == sha256 for row in known)

    def _who(self) -> dict[str, Any]:
        return {
            "attempt": self.number,
            "address": self.address,
            "role": self.role,
            "variant": self.variant,
            "at_once": self.at_once,
        }

    def _live(self) -> Connection:
        assert self._connection is not None, "a step on an attempt that is not connected"
        return self._connection
