"""The server's part of CredSSP with NTLM, up to a refused sign-in (MS-CSSP 3.1.5, MS-NLMP 3.2.5).

It knows no account: whoever answers the challenge is refused with `Identity.status`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rdpdoctor.connection.machine import How
from rdpdoctor.connection.server.base import ServerMachine
from rdpdoctor.facts import Stage
from rdpdoctor.wire import credssp, ntlm, spnego
from rdpdoctor.wire.ntlm import AvId, AvPair, NtlmFlags

if TYPE_CHECKING:
    from datetime import datetime

    from rdpdoctor.connection.server.tls import ServerChannel

_ALWAYS = (
    NtlmFlags.UNICODE
    | NtlmFlags.REQUEST_TARGET
    | NtlmFlags.NTLM
    | NtlmFlags.TARGET_TYPE_SERVER
    | NtlmFlags.TARGET_INFO
    | NtlmFlags.VERSION
)
_IF_ASKED = (
    NtlmFlags.SIGN
    | NtlmFlags.SEAL
    | NtlmFlags.ALWAYS_SIGN
    | NtlmFlags.EXTENDED_SESSION_SECURITY
    | NtlmFlags.KEY_128
    | NtlmFlags.KEY_EXCHANGE
    | NtlmFlags.KEY_56
)
_REVISION = 15  # NTLMSSP_REVISION_W2K3 (MS-NLMP 2.2.2.10)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the server says of itself. error: NTSTATUS instead of a challenge; status: after one."""

    computer: str
    domain: str
    dns_computer: str
    dns_domain: str
    dns_tree: str | None = None
    os: tuple[int, int, int] = (10, 0, 20348)
    version: int = 6
    status: int = 0xC000006D
    error: int | None = None

    def challenge(self, asked: int, nonce: bytes, clock: datetime) -> ntlm.Challenge:
        """`asked`: the flags of the NEGOTIATE. `nonce` has 8 bytes."""
        names = (
            (AvId.NB_DOMAIN_NAME, self.domain),
            (AvId.NB_COMPUTER_NAME, self.computer),
            (AvId.DNS_DOMAIN_NAME, self.dns_domain),
            (AvId.DNS_COMPUTER_NAME, self.dns_computer),
            (AvId.DNS_TREE_NAME, self.dns_tree),
        )
        pairs = [AvPair(kind, text.encode("utf-16-le")) for kind, text in names if text is not None]
        pairs.append(AvPair(AvId.TIMESTAMP, ntlm.to_filetime(clock).to_bytes(8, "little")))
        flags = int(_ALWAYS) | asked & int(_IF_ASKED)
        return ntlm.Challenge(self.computer, flags, nonce, tuple(pairs), (*self.os, _REVISION))


@dataclass(frozen=True, slots=True)
class Refused:
    """The client answered the challenge and was told `status`, or was sent `error` instead of a challenge."""

    status: int
    client_version: int


class CredSspServer(ServerMachine):
    """`nonce` (8 bytes) and `clock` (UTC) go into the challenge: randomness and time come in as arguments."""

    stage: ClassVar[Stage] = Stage.NLA

    def __init__(
        self, channel: ServerChannel, identity: Identity, nonce: bytes, clock: datetime, timeout: float
    ) -> None:
        super().__init__(timeout, "tls")
        self._channel = channel
        self._identity = identity
        self._nonce = nonce
        self._clock = clock
        self._plain = b""
        self.challenged = False

    def begin(self, now: float) -> None:
        super().begin(now)
        self.receive(b"", now)  # the first TSRequest may have come with the client's Finished

    def _advance(self, data: bytes, now: float) -> None:
        self._channel.feed(data)
        self._plain += self._channel.read()
        while self._outcome is None and (taken := credssp.take(self._plain)) is not None:
            request, used = taken
            self._plain = self._plain[used:]
            self._on_request(request, now)
        if self._outcome is None and self._channel.closed:
            self._end(How.CLOSED, now)

    def _on_request(self, request: credssp.TSRequest, now: float) -> None:
        me = self._identity
        status = me.status if self.challenged else me.error
        if status is not None:
            self._answer(credssp.TSRequest(me.version, error_code=status))
            self._finish(Refused(status, request.version))
        elif not request.nego_tokens:
            self._end(How.MALFORMED, now, detail="TSRequest without a token")
        else:
            self._answer(credssp.TSRequest(me.version, (self._challenge(request.nego_tokens[0]),)))
            self.challenged, self._after = True, "challenge"

    def _challenge(self, token: bytes) -> bytes:
        """The answer in the wrapping in which the question came. Raise Malformed where it is no NTLM."""
        asked = ntlm.Negotiate.parse(spnego.unwrap(token))
        challenge = self._identity.challenge(asked.flags, self._nonce, self._clock).encode()
        return challenge if token.startswith(ntlm.SIGNATURE) else spnego.wrap_response(challenge)

    def _answer(self, request: credssp.TSRequest) -> None:
        self._output += self._channel.encrypt(request.encode())
