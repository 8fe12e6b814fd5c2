"""One connection of ours, and how far it got. Each step writes down what it saw and says whether to go on.

Probes share connections through this: the one that opened an attempt may leave it to the next, which takes
it further.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.credssp import Answered, Challenged, CredSspProbe
from rdpdoctor.connection.hello import HelloAnswered, HelloProbe
from rdpdoctor.connection.initiation import Confirmed, Initiation
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.connection.tls import TlsEstablished, TlsHandshake
from rdpdoctor.net.clock import iso, utc_now
from rdpdoctor.net.dial import Connection, DialFailed, dial
from rdpdoctor.net.drive import drive
from rdpdoctor.net.gate import Exhausted
from rdpdoctor.probes.context import Context, ms
from rdpdoctor.wire import certificate, nego, tls_hello, tls_suites
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_record import alert_name, version_name

if TYPE_CHECKING:
    from rdpdoctor.wire.ntlm import Challenge

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
_CERTIFICATES_SHOWN = 8

#: Longest waits in seconds. A server under load answers within these; beyond them a client has given up too.
TCP_WAIT, X224_WAIT, TLS_WAIT, NLA_WAIT = 8.0, 6.0, 8.0, 8.0
#: Attempts that only compare need less patience than the walk.
COMPARE_WAIT = 4.0
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
                self._tell_failed_dial(result)
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

    async def initiate(self, longest: float = X224_WAIT) -> bool:
        """X.224 connection request and confirm. True where the server selected a protocol."""
        token = nego.Cookie(self.cookie) if self.cookie else None
        request = nego.ConnectionRequestData(token=token, negotiation=nego.NegotiationRequest(self.requested))
        # Who is not answered within this has long been accepted, or never will be: others need not wait.
        late = asyncio.get_running_loop().call_later(_OPENING_WAIT, self._let_next_open)
        outcome = await drive(self._live(), Initiation(request, self.context.patience(longest)))
        late.cancel()
        self._let_next_open()
        asked: dict[str, Any] = {"requested": self.requested, "cookie": self.cookie}
        if isinstance(outcome, Ended):
            extra: dict[str, Any] = {}
            if outcome.how is How.MALFORMED:
                extra = {
                    "detail": outcome.detail,
                    "sample": outcome.sample.hex(),
                    "looks_like": looks_like(outcome.sample),
                }
            elif outcome.how is How.DECLINED:
                extra = {"detail": outcome.detail}
            self.context.emit(
                f"x224.{outcome.how.value}", **self._who(), **asked, **_ending(outcome), **extra
            )
            return False
        assert isinstance(outcome, Confirmed)
        elapsed: dict[str, Any] = {"elapsed_ms": ms(outcome.elapsed)}
        match outcome.answer:
            case nego.NegotiationResponse(selected=selected, flags=flags):
                self.selected = int(selected)
                self.context.emit(
                    "x224.selected",
                    **self._who(),
                    **asked,
                    selected=int(selected),
                    flags=int(flags),
                    **elapsed,
                )
                return True
            case nego.NegotiationFailure(code=code):
                self.context.emit("x224.failure", **self._who(), **asked, code=int(code), **elapsed)
            case None:
                self.selected = 0
                self.context.emit("x224.plain", **self._who(), **asked, **elapsed)
                return True
            case other:
                detail = f"negotiation type {getattr(other, 'type', '?')}"
                sample = bytes(getattr(other, "data", b""))[:64].hex()
                self.context.emit(
                    "x224.malformed",
                    **self._who(),
                    **asked,
                    after="connection-request",
                    sent=0,
                    received=outcome.received,
                    **elapsed,
                    detail=detail,
                    sample=sample,
                    looks_like=None,
                )
        return False

    async def handshake(
        self, longest: float = TLS_WAIT, *, split_first: bool = False, sni: bool = True
    ) -> bool:
        """A whole TLS handshake as a current client makes it."""
        name = self.context.host if sni else None
        machine = TlsHandshake(name, self.context.patience(longest), split_first=split_first)
        outcome = await drive(self._live(), machine)
        if isinstance(outcome, Ended):
            self._tell_tls_ending(outcome, "client")
            self.tell_certificates(machine.chain_seen, "client")
            return False
        assert isinstance(outcome, TlsEstablished)
        self.established = outcome
        self.context.emit(
            "tls.completed",
            **self._who(),
            hello="client",
            version=outcome.version,
            suite=outcome.suite,
            elapsed_ms=ms(outcome.elapsed),
        )
        self.tell_certificates(outcome.chain, "client")
        return True

    async def hello(
        self, version: int, suites: tuple[int, ...] | list[int], longest: float = COMPARE_WAIT
    ) -> HelloAnswered | Ended:
        """Our own ClientHello with `version` as its highest; nothing after the server's first flight."""
        import os

        hello = tls_hello.client_hello(version, suites, self.context.host, os.urandom(32))
        outcome = await drive(self._live(), HelloProbe(hello, self.context.patience(longest)))
        name = version_name(version)
        if isinstance(outcome, Ended):
            self._tell_tls_ending(outcome, name)
            return outcome
        assert isinstance(outcome, HelloAnswered)
        self.context.emit(
            "tls.answered",
            **self._who(),
            hello=name,
            version=version_name(outcome.version),
            suite=tls_suites.suite_name(outcome.suite),
            elapsed_ms=ms(outcome.elapsed),
        )
        if outcome.chain and not self._has_told(outcome.chain[0]):
            self.tell_certificates(outcome.chain, name)  # another than before: that it changes is evidence
        return outcome

    async def credssp(self, longest: float = NLA_WAIT) -> bool:
        """CredSSP up to the server's NTLM challenge. No name and no secret is sent, so no logon failure is
        logged.
        """
        assert self.established is not None
        outcome = await drive(
            self._live(), CredSspProbe(self.established.channel, self.context.patience(longest))
        )
        if isinstance(outcome, Ended):
            extra: dict[str, Any] = {}
            tag = f"nla.{outcome.how.value}"
            if outcome.how in (How.MALFORMED, How.REJECTED):
                tag, extra = "nla.malformed", {"detail": outcome.detail, "sample": outcome.sample.hex()}
            elif outcome.how is How.ALERTED:
                extra = {"alert": outcome.code or 0, "name": alert_name(outcome.code or 0)}
            elif outcome.how is How.DECLINED:
                tag, extra = "nla.error", {"version": _version_in(outcome.detail), "code": outcome.code or 0}
            self.context.emit(tag, **self._who(), **_ending(outcome), **extra)
            return False
        if isinstance(outcome, Answered):
            self.context.emit(
                "nla.answered",
                **self._who(),
                version=outcome.version,
                detail=outcome.detail,
                elapsed_ms=ms(outcome.elapsed),
            )
            return True
        assert isinstance(outcome, Challenged)
        self.context.emit(
            "nla.challenged",
            **self._who(),
            version=outcome.version,
            elapsed_ms=ms(outcome.elapsed),
            **_identity(outcome.challenge),
            **_clock(outcome.challenge, outcome.elapsed),
        )
        return True

    # ---- telling

    def tell_certificates(self, chain: tuple[bytes, ...], hello: str) -> None:
        who = {**self._who(), "hello": hello}
        if not chain:
            return
        for position, der in enumerate(chain[:_CERTIFICATES_SHOWN]):
            self._tell_certificate(position, der, who)
        self.context.emit("tls.chain", **who, sent=len(chain), **_trust(chain, self.context.host))

    def _has_told(self, der: bytes) -> bool:
        import hashlib

        sha256 = hashlib.sha256(der).hexdigest()
        known = self.context.journal.tagged("tls.certificate", "tls.certificate-unreadable")
        return any(row.args.get("sha256") == sha256 for row in known)

    def _tell_certificate(self, position: int, der: bytes, who: dict[str, Any]) -> None:
        import hashlib

        try:
            value = certificate.parse(der)
        except Malformed as error:
            sha256 = hashlib.sha256(der).hexdigest()
            self.context.emit(
                "tls.certificate-unreadable",
                **who,
                position=position,
                detail=error.detail,
                size=len(der),
                sha256=sha256,
            )
            return
        self.context.emit(
            "tls.certificate",
            **who,
            position=position,
            subject=value.subject,
            common_name=value.common_name,
            issuer=value.issuer,
            serial=value.serial,
            not_before=iso(value.not_before),
            not_after=iso(value.not_after),
            names=list(value.names),
            key=value.key,
            key_bits=value.key_bits,
            signature=value.signature,
            sha1=value.sha1,
            sha256=value.sha256,
            self_signed=value.self_signed,
            usages=None if value.usages is None else list(value.usages),
        )

    def _tell_tls_ending(self, ended: Ended, hello: str) -> None:
        extra: dict[str, Any] = {}
        if ended.how is How.MALFORMED:
            extra = {"detail": ended.detail, "sample": ended.sample.hex()}
        elif ended.how is How.ALERTED:
            extra = {"alert": ended.code or 0, "name": alert_name(ended.code or 0)}
        elif ended.how is How.REJECTED:
            extra = {"reason": ended.detail}
        self.context.emit(f"tls.{ended.how.value}", **self._who(), hello=hello, **_ending(ended), **extra)

    def _tell_failed_dial(self, failed: DialFailed) -> None:
        where: dict[str, Any] = {"address": self.address, "port": self.context.port}
        elapsed = ms(failed.elapsed)
        match failed.how:
            case "refused":
                self.context.emit("tcp.refused", **where, elapsed_ms=elapsed)
            case "rejected":
                self.context.emit(
                    "tcp.rejected",
                    **where,
                    icmp=failed.icmp or "unknown",
                    offender=failed.offender,
                    on_link=failed.on_link,
                    elapsed_ms=elapsed,
                )
            case "silent":
                self.context.emit("tcp.silent", **where, waited_ms=elapsed)
            case _:
                self.context.emit("tcp.failed", **where, error=failed.error, elapsed_ms=elapsed)

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


def looks_like(sample: bytes) -> str | None:
    """The protocol these first bytes resemble, or None."""
    known = (
        (b"SSH-", "ssh"),
        (b"HTTP/", "http"),
        (b"<", "http"),
        (b"RFB ", "vnc"),
        (b"220", "smtp or ftp"),
        (b"\xff\xfb", "telnet"),
        (b"\xff\xfd", "telnet"),
        (b"+OK", "pop3"),
        (b"* OK", "imap"),
        (b"AMQP", "amqp"),
    )
    for start, name in known:
        if sample.startswith(start):
            return name
    if len(sample) >= 3 and sample[0] in (20, 21, 22, 23) and sample[1] == 3:
        return "tls"
    if len(sample) >= 4 and all(32 <= byte < 127 or byte in (9, 10, 13) for byte in sample):
        return "text"
    return None


def _ending(ended: Ended) -> dict[str, Any]:
    return {
        "after": ended.after,
        "sent": ended.sent,
        "received": ended.received,
        "elapsed_ms": ms(ended.elapsed),
    }


def _version_in(detail: str) -> int:
    digits = "".join(c for c in detail if c.isdigit())
    return int(digits[:9]) if digits else 0


def _identity(challenge: Challenge) -> dict[str, Any]:
    version = challenge.version
    return {
        "target_name": challenge.target_name or None,
        "computer": challenge.computer_name,
        "domain": challenge.domain_name,
        "dns_computer": challenge.dns_computer,
        "dns_domain": challenge.dns_domain,
        "dns_tree": challenge.dns_tree,
        "os_version": None if version is None else f"{version[0]}.{version[1]}.{version[2]}",
    }


def _clock(challenge: Challenge, elapsed: float) -> dict[str, Any]:
    """The server stamped its challenge somewhere within `elapsed`: half of it is the uncertainty."""
    stamp = challenge.timestamp
    if stamp is None:
        return {"server_time": None, "skew_ms": None, "uncertainty_ms": None}
    skew = (stamp - utc_now()).total_seconds() + elapsed / 2
    return {
        "server_time": iso(stamp),
        "skew_ms": ms(skew),
        "uncertainty_ms": ms(elapsed / 2),
    }


def _trust(chain: tuple[bytes, ...], host: str) -> dict[str, Any]:
    from rdpdoctor.net.trust import judge

    trusted, reason = judge(chain, host)
    return {"trusted": trusted, "reason": reason}
