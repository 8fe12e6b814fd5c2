"""CredSSP up to the server's NTLM challenge (MS-CSSP 3.1.5): its names, clock and version, nothing secret.

We send one TSRequest with an NTLM NEGOTIATE that names nobody, and leave after the answer. No logon has been
tried, so none fails in the server's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.conversation import Conversation
from rdpdoctor.connection.machine import How
from rdpdoctor.facts import Stage
from rdpdoctor.wire import credssp, ntlm, spnego
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.connection.tls import TlsChannel
    from rdpdoctor.wire.credssp import TSRequest

#: Windows 10's own, as mstsc of it sends: major, minor, build, NTLM revision.
_CLIENT_VERSION = (10, 0, 19041, 15)


@dataclass(frozen=True, slots=True)
class Challenged:
    """version: the server's CredSSP version. elapsed: seconds from our message to the challenge."""

    version: int
    challenge: ntlm.Challenge
    elapsed: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A valid TSRequest without an NTLM challenge. detail: what was in it instead."""

    version: int
    detail: str
    elapsed: float


class CredSspProbe(Conversation[Challenged | Answered]):
    """Ends with Challenged, Answered, or Ended; DECLINED has the NTSTATUS as its code.

    `sent` and `received` count the bytes inside TLS: session tickets are no answer. What comes after the
    answer stays in the channel; `leftover` is empty.
    """

    stage = Stage.NLA
    limit = credssp.MAX_LENGTH

    #: Records may carry nothing that is meant for us (tickets, empty ones), but not without end.
    _CIPHER_LIMIT = 4 * credssp.MAX_LENGTH

    def __init__(self, channel: TlsChannel, timeout: float, version: int = 6) -> None:
        super().__init__(timeout)
        self._channel = channel
        self._version = version
        self._buffer = bytearray()
        self._cipher = 0

    def take_output(self) -> bytes:
        if self._outcome is not None or not self._output:
            return self._channel.take_output()
        try:
            return self._channel.encrypt(super().take_output())
        except OSError:  # the channel is broken already: what was fed to it says how
            return b""

    def receive(self, data: bytes, now: float) -> None:
        self._cipher += len(data)
        self._channel.feed(data)
        if self.outcome is not None:
            return  # it stays in the channel, for the next stage
        plain = self._channel.read()
        if plain:
            super().receive(plain, now)
        if self.outcome is None:
            self._judge_channel(data, now)
        if self.outcome is None and self._cipher > self._CIPHER_LIMIT:
            self._end(How.MALFORMED, now, detail=f"over {self._CIPHER_LIMIT} bytes of records and no answer")
        if self.outcome is None and now >= self._ends:
            self._expire(now)

    def _start(self, now: float) -> None:
        # Windows always gives its names; a server that keeps to the letter wants to be asked for them.
        flags = ntlm.CLIENT_FLAGS | ntlm.NtlmFlags.TARGET_INFO
        hello = ntlm.Negotiate(flags, version=_CLIENT_VERSION).encode()
        self._output += credssp.TSRequest(version=self._version, nego_tokens=(hello,)).encode()
        self.after = "handshake"
        # What came with the end of the handshake is in the channel already.
        self.receive(b"", now)

    def _went_out(self) -> None:
        self.after = "negotiate"

    def _has_begun(self) -> bool:
        return self.received > 0 or self._channel.partial

    def _judge_channel(self, data: bytes, now: float) -> None:
        channel = self._channel
        if channel.closed:
            self._end(How.CLOSED, now, detail="close_notify")
        elif channel.alert is not None:
            self._end(How.ALERTED, now, code=channel.alert)
        elif channel.failure is not None:
            self._end(How.MALFORMED, now, detail=channel.failure, sample=data)

    def _process(self, data: bytes, now: float) -> None:
        self._buffer += data
        try:
            taken = credssp.take(self._buffer)
            if taken is not None:
                request, used = taken
                self._answer(request, now)
                self._channel.unread(bytes(self._buffer[used:]))
        except Malformed as error:
            self._end(How.MALFORMED, now, detail=f"{error.layer}: {error.detail}")

    def _answer(self, request: TSRequest, now: float) -> None:
        if request.error_code is not None:
            self._end(How.DECLINED, now, code=request.error_code, detail=f"version {request.version}")
            return
        token = request.nego_tokens[0] if request.nego_tokens else b""
        if not token:
            self._finish(Answered(request.version, "no token", self._elapsed(now)))
            return
        answer = spnego.parse(token)
        if answer.token is not None and answer.token.startswith(ntlm.SIGNATURE):
            challenge = ntlm.Challenge.parse(answer.token)
            self._finish(Challenged(request.version, challenge, self._elapsed(now)))
            return
        detail = ", ".join(spnego.mechanism_name(oid)[:60] for oid in answer.mechanisms[:4])
        if answer.state == spnego.REJECT:
            detail = "rejected by SPNEGO"
        self._finish(Answered(request.version, detail or "a token that is not NTLM", self._elapsed(now)))
