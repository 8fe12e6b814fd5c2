"""CredSSP as both sides spoke it, once TLS is open (MS-CSSP 3.1.5).

Says which mechanism and version, how far it went and what refused it. Of what the client proves its identity
with, only that it came: no name, hash or credential is read or kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.facts import Stage
from rdpdoctor.readers.capture import telling
from rdpdoctor.wire import credssp, ntlm, spnego
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.credssp import TSRequest

CLIENT, SERVER = 0, 1
_SEQUENCE = 0x30
_MECHANISMS = 4
_RESULTS = (credssp.AUTHZ_SUCCESS, credssp.AUTHZ_ACCESS_DENIED)


class NlaWalk:
    """early: the server also says in the end whether the user may come in (HYBRID_EX).

    feed returns the bytes behind CredSSP, b"" before they come. refused: the server has said no. after: the
    client's last message: "" (none), "negotiate", "authenticate", "credentials".
    """

    def __init__(self, began: float, *, early: bool) -> None:
        self.rows: list[tuple[str, dict[str, Any], float]] = []
        self.after = ""
        self.refused = False
        self._early = early
        self._began, self._asked = began, began
        self._buffers = (bytearray(), bytearray())
        self._bytes = [0, 0]
        self._offered: list[str] = []
        self._chosen: str | None = None
        self._versions: list[int | None] = [None, None]
        self._keys = [False, False]  # pubKeyAuth came
        self._answered = False
        self._authorized: int | None = None
        self._last = began

    def feed(self, side: int, data: bytes, when: float) -> bytes:
        """Raise Malformed where it is no CredSSP."""
        self._last = when
        self._bytes[side] += len(data)
        buffer = self._buffers[side]
        buffer += data
        while buffer and not self.refused:
            if buffer[0] != _SEQUENCE:
                return self._behind(side, when)
            try:
                taken = credssp.take(buffer)
                if taken is None:
                    return b""
                self._request(side, taken[0], when)
            except Malformed as error:
                if side == SERVER and not self._answered:
                    ended = self._ending(How.MALFORMED, when)
                    detail = {"detail": f"{error.layer}: {error.detail}", "sample": error.sample.hex()}
                    self._tell("nla.malformed", {**telling.ended(ended)[1], **detail}, when)
                raise
            del buffer[: taken[1]]
        return b""

    def _behind(self, side: int, when: float) -> bytes:
        buffer = self._buffers[side]
        if side == SERVER and self._early and self._authorized is None:
            found = credssp.EarlyUserAuthorizationResult.take(buffer)
            if found is None:
                return b""
            result, used = found
            if result.code in _RESULTS:
                self._authorized = result.code
                del buffer[:used]
                if result.code != credssp.AUTHZ_SUCCESS:
                    self._refuse("nla.denied", {"code": result.code}, when)
                    return b""
        behind = bytes(buffer)
        buffer.clear()
        return behind

    def _request(self, side: int, request: TSRequest, when: float) -> None:
        if self._versions[side] is None:
            self._versions[side] = request.version
        self._keys[side] = self._keys[side] or request.pub_key_auth is not None
        if side == CLIENT:
            self._asks(request, when)
        elif request.error_code is not None:
            self._answered = True
            self._refuse("nla.error", {"version": request.version, "code": request.error_code}, when)
        elif request.nego_tokens:
            self._answer(request, when)

    def _asks(self, request: TSRequest, when: float) -> None:
        self._asked = when
        token = _token(request)
        if not self._offered:
            names = (spnego.mechanism_name(oid)[:60] for oid in token.mechanisms[:_MECHANISMS])
            self._offered = list(dict.fromkeys(names))
        proof = token.token is not None and ntlm.message_type(token.token) == ntlm.TYPE_AUTHENTICATE
        if request.auth_info is not None:
            self.after = "credentials"
        elif proof or request.pub_key_auth is not None:
            self.after = "authenticate"
        else:
            self.after = self.after or "negotiate"

    def _answer(self, request: TSRequest, when: float) -> None:
        first = not self._answered
        answer = _token(request)
        if answer.mechanisms:
            self._chosen = spnego.mechanism_name(answer.mechanisms[0])[:60]
        if answer.token is not None and ntlm.message_type(answer.token) == ntlm.TYPE_CHALLENGE:
            challenge = ntlm.Challenge.parse(answer.token)
            told = telling.challenged(request.version, challenge, when - self._asked, when)
            self._tell(*told, when)
        elif first and self._offered == ["NTLM"]:
            # As to a live check, which offers nothing else: the server does not take it.
            detail = "rejected by SPNEGO" if answer.state == spnego.REJECT else self._chosen or "no mechanism"
            elapsed = telling.ms(when - self._asked)
            self._tell(
                "nla.answered", {"version": request.version, "detail": detail, "elapsed_ms": elapsed}, when
            )

        self._answered = True

    def _refuse(self, tag: str, args: dict[str, Any], when: float) -> None:
        self.refused = True
        ending = telling.ended(self._ending(How.DECLINED, when))[1]
        self._tell(tag, {**ending, **args}, when)

    def _ending(self, how: How, when: float) -> Ended:
        client, server = self._bytes
        return Ended(Stage.NLA, how, self.after or "handshake", client, server, when - self._began)

    def _tell(self, tag: str, args: dict[str, Any], when: float) -> None:
        self.rows.append((tag, args, when))

    def about(self) -> tuple[str, dict[str, Any], float] | None:
        """flow.credssp: how it went as a whole; None where nothing was said."""
        client, server = self._versions
        if client is None and server is None:
            return None
        args = {
            "client_version": client,
            "server_version": server,
            "offered": self._offered,
            "chosen": self._chosen,
            "client_key": self._keys[CLIENT],
            "server_key": self._keys[SERVER],
            "credentials": self.after == "credentials",
            "authorized": self._authorized,
        }
        return "flow.credssp", args, self._last


def _token(request: TSRequest) -> spnego.Token:
    """What its token says; nothing for a mechanism that comes without SPNEGO."""
    try:
        return spnego.parse(request.nego_tokens[0]) if request.nego_tokens else spnego.Token()
    except Malformed:
        return spnego.Token()
