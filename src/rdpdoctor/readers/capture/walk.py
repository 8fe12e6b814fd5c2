"""One connection walked with the machines of a live check: what either side sent, and where it ended.

Bytes come in order (`data`); what the recording lacks is told (`gap`), and nothing after it can be read. The
first FIN or RST is `ended`. Rows are tags with the arguments they have beside those of every stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from rdpdoctor.connection.initiation import Confirmed, Initiation
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.facts import Stage
from rdpdoctor.readers.capture import signature, telling
from rdpdoctor.readers.capture.inside import Inside
from rdpdoctor.readers.capture.plain import PlainWalk
from rdpdoctor.readers.capture.tls import CLIENT, SERVER, TlsWalk
from rdpdoctor.wire import nego, tpkt, x224
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_record import Version, version_name

if TYPE_CHECKING:
    from rdpdoctor.readers.capture.keylog import Secrets
    from rdpdoctor.readers.capture.tls import LateAlert

#: A tag, its arguments, and when (seconds since 1970).
Row: TypeAlias = "tuple[str, dict[str, Any], float]"

_CREDSSP = int(nego.Protocol.HYBRID | nego.Protocol.HYBRID_EX)
_FOREVER = float("inf")  # a recording has no deadline; silence is judged at the end
#: A client that leaves sooner than this had not been waiting for an answer; one that waits longer had.
PATIENCE = 2.0
_TUNNEL = 8192
_UNOPENED = {
    "missing": "TLS connections without a secret to open them",
    "wrong": "TLS connections whose secret does not open them",
    "unknown": "TLS connections in a cipher that is not opened here",
    "broken": "TLS connections whose handshake is damaged inside",
}
#: Session tickets of TLS 1.3, which look like data.
TICKETS = 2
#: Server records of CredSSP: challenge, public key, and the early user authorization result.
_NLA_RECORDS = 3
#: The most bytes of a record with CredSSP's first message for NTLM (for Kerberos it is far more), and the
#: least of one with a challenge; an error is less, and so is the answer to a proof of the public key.
#: Recorded: 81 to 110, and 179 to 350.
NEGOTIATE, CHALLENGE = 160, 150


class Walk:
    """kind, tunnel: as `Stream` has them. stage, after: how far it got. parsing: bytes still matter."""

    def __init__(self, port: int, most: int, opened: int = 0, secrets: Secrets | None = None) -> None:
        """most: bytes of a direction that are read; opened: where `secrets` open it."""
        self.kind = "unseen"
        self.sample = b""  # of kind "other": how it begins
        self.tunnel = ""
        self.stage = Stage.X224
        self.rows: list[Row] = []
        self.request = nego.ConnectionRequestData()
        self.selected: int | None = None
        self.tls: TlsWalk | None = None
        self.plain: PlainWalk | None = None
        self.fed = [0, 0]
        self.blind = False  # the recording lacks bytes, or there are more than are read
        self.last: list[float | None] = [None, None]  # when either side last sent payload
        self.inside: Inside | None = None  # what TLS carries, where secrets open it
        self._port, self._most, self._most_opened = port, most, opened
        self._secrets = secrets
        self._client, self._server = bytearray(), bytearray()  # not read yet
        self._machine: Initiation | None = None  # from the whole request on
        self._began = 0.0  # of connection initiation
        self._odd = False  # the client began with something else than a request
        self._dead = False  # the stage has ended in the protocol
        self._left = False  # the client has: what the server says then answers only that
        self._told_tls = self._told_chain = self._told_late = False

    @property
    def parsing(self) -> bool:
        return not (self.blind or self._dead)

    @property
    def weight(self) -> int:
        """Bytes that may be held here."""
        done = self.tls is not None and self.tls.completed is not None
        return 0 if done or (self.plain is not None and not self.parsing) else sum(self.fed)

    @property
    def after(self) -> str:
        if self.tls is not None and (self.tls.after or self.kind == "tls"):
            traffic = self.tls.traffic
            if traffic[CLIENT].records or traffic[SERVER].records:
                late = (traffic[SERVER].last or 0) >= (traffic[CLIENT].last or 0)
                return "server-data" if late else "client-data"
            return self.tls.after
        if self.plain is not None:
            return self.plain.after
        if self._machine is None:
            return ""
        return "connection-confirm" if isinstance(self._machine.outcome, Confirmed) else self._machine.after

    # ---- what happens

    def data(self, side: int, data: bytes, when: float) -> None:
        self.last[side] = when
        if not self.parsing or (self._left and side == SERVER):
            return
        self.fed[side] += len(data)
        if self.fed[side] > (self._most_opened if self.read_inside else self._most):
            self.gap()
            return
        match self.kind:
            case "unseen":
                self._first(side, data, when)
            case "rdp":
                self._rdp(side, data, when)
            case "tls":
                self._tls(side, data, when)

    def gap(self) -> None:
        """Bytes are missing here, so that what follows cannot be read."""
        self.blind = True
        if self.plain is not None:
            self.plain.forget()

    def settle(self, *, middle: bool) -> None:
        """What it is to be called when no more comes. middle: its beginning was not recorded."""
        said = self.kind == "unseen" and (self._client or self._server)
        if (middle and self.kind == "other") or (said and (middle or self.blind)):
            self.kind = "middle"
        elif said:
            self._be_other()

    def ended(self, side: int, how: How, when: float) -> None:
        """The first FIN or RST, and what a live check in the client's place would have written."""
        if side == SERVER:
            self._ended_by_server(how, when)
        else:
            self._left_waiting(when)
            self._left = True

    def finish(self, when: float) -> None:
        """Nobody ended it, and the recording goes on until `when`."""
        self._left_waiting(when)

    # ---- the first bytes

    def _first(self, side: int, data: bytes, when: float) -> None:
        (self._client if side == CLIENT else self._server).extend(data)
        if side == SERVER and not self.tunnel:
            # A banner, perhaps: what the client says decides. Or it knew better what the client had said.
            if self._odd and not self._be_asked(when):
                self._be_other()
            return
        if self.tunnel:
            self._server.clear()
            self._through(when)
            return
        if self._odd:
            return  # only the server's answer can explain it now
        client = bytes(self._client)
        if signature.is_request(client, self._port) or _is_broken_request(client):
            self._begin(when)
        elif signature.is_client_hello(client):
            self.kind = "tls"
            self._take_confirm()
            self._rest(when)
        elif not signature.may_become_request(client):
            self.tunnel = signature.tunnel(client)
            self._odd = not self.tunnel
            if self.tunnel:
                self._through(when)
            elif self._server:
                self._be_other()

    def _be_asked(self, when: float) -> bool:
        """A confirm shows that there was a request, however broken."""
        if len(self._server) > 5 and self._server[0] == tpkt.VERSION and self._server[5] == x224.CC:
            self._begin(when)
            return True
        return False

    def _take_confirm(self) -> None:
        """The recording begins between the request and its answer, which says that TLS comes next."""
        try:
            taken = tpkt.take(self._server)
            tpdu = x224.parse(taken[0].payload) if taken is not None else None
            answer = nego.parse_confirm(tpdu.variable) if isinstance(tpdu, x224.ConnectionConfirm) else None
        except Malformed:
            return
        if taken is not None and isinstance(answer, nego.NegotiationResponse):
            self.kind, self.selected = "rdp", int(answer.selected)
            del self._server[: taken[1]]

    def _through(self, when: float) -> None:
        at = signature.find_request(self._client)
        if at >= 0:
            del self._client[:at]
            self._begin(when)
        elif len(self._client) > _TUNNEL:
            self._be_other()

    def _be_other(self) -> None:
        self.kind = "other"
        self._dead = True
        self.sample = bytes((self._server or self._client)[:32])

    # ---- connection initiation

    def _begin(self, when: float) -> None:
        self.kind, self._began = "rdp", when
        self._rest(when)

    def _rest(self, when: float) -> None:
        """What had been put by, in the order that it must have come in."""
        client, server = bytes(self._client), bytes(self._server)
        self._client.clear()
        self._server.clear()
        for side, data in ((CLIENT, client), (SERVER, server)):
            if data and self.parsing:
                (self._rdp if self.kind == "rdp" else self._tls)(side, data, when)

    def _rdp(self, side: int, data: bytes, when: float) -> None:
        if self.tls is not None:
            self._tls(side, data, when)
        elif self.plain is not None:
            self.plain.feed(side, data, when)
        elif self.selected is not None:
            self._go_on(side, data, when)
        elif side == CLIENT:
            self._client += data
            if self._machine is None:
                self._ask(when)
        elif self._machine is not None:
            self._machine.receive(data, when)
            self._conclude(when)
        else:
            self._server += data

    def _ask(self, when: float) -> None:
        """Read the request, once it is whole."""
        fault = None
        used = len(self._client)
        try:
            taken = tpkt.take(self._client)
            if taken is None:
                return
            used = taken[1]
            tpdu = x224.parse(taken[0].payload)
            if isinstance(tpdu, x224.ConnectionRequest):
                self.request = nego.parse_request(tpdu.variable)
        except Malformed as error:
            fault = f"{error.layer}: {error.detail}"
        self.rows.append(("flow.request", telling.request(self.request, fault), when))
        del self._client[:used]
        self._machine = Initiation(self.request, _FOREVER)
        self._machine.begin(self._began)
        self._machine.take_output()
        if self._server:
            server = bytes(self._server)
            self._server.clear()
            self._rdp(SERVER, server, when)

    def _conclude(self, when: float) -> None:
        """Tell the answer to the request, if there is one now."""
        assert self._machine is not None
        outcome = self._machine.outcome
        if outcome is None:
            return
        self._tell(telling.x224_outcome(outcome), when, **telling.question(self.request))
        if isinstance(outcome, Ended) or isinstance(outcome.answer, nego.NegotiationFailure):
            self._dead = True
            return
        self.selected = 0 if outcome.answer is None else int(outcome.answer.selected)
        self._server += self._machine.leftover
        if self._client or self._server:
            self._rest(when)

    def _go_on(self, side: int, data: bytes, when: float) -> None:
        """The first bytes after the confirm."""
        if self.selected:
            self._tls(side, data, when)
        else:
            self.stage, self.plain = Stage.MCS, PlainWalk(when)
            self.plain.feed(side, data, when)

    # ---- TLS

    def _tls(self, side: int, data: bytes, when: float) -> None:
        if self.tls is None:
            self.stage = Stage.TLS
            self.tls = TlsWalk(when, self._secrets)
        tls, alerted = self.tls, self.tls.alert
        knew_hello = tls.hello is not None
        tls.feed(side, data, when)
        if tls.hello is not None and not knew_hello:
            self.rows.append(("flow.hello", telling.hello(tls.hello), when))
        if tls.chain and not self._told_chain:
            self._told_chain = True
            for told in telling.certificates(tls.chain):
                self._tell(told, when, hello="client")
        if tls.completed is not None and not self._told_tls:
            self._told_tls = True
            self.stage = Stage.NLA if self._has_nla else Stage.MCS
            self._tell(telling.tls_completed(tls), when, hello="client")
        elif tls.completed is None and (tls.fault or tls.alert is not alerted):
            self._tls_broke(when)
        if tls.plain:
            self._look_inside(tls, when)
        if tls.late is not None and not self._told_late:
            self._told_late = True
            self._alerted(tls.late)

    def _alerted(self, alert: LateAlert) -> None:
        """An alert of the server while the client signs in: before version 3 CredSSP has no word for no,
        and Windows uses this. Who ends a session may do so with an alert, too.
        """
        assert self.tls is not None
        client, server = self.tls.traffic
        most = _NLA_RECORDS + (0 if self.tls.is_older else TICKETS)
        signing_in = self._has_nla and client.records and server.records <= most
        if alert.side != SERVER or not signing_in or (self.inside is not None and self.inside.over):
            return
        # NTLM: the server has challenged, the client has proven who it is, and nothing came but this.
        proof = client.records > 1 and client.earliest <= NEGOTIATE and server.latest >= CHALLENGE
        waited = alert.when - (client.last or alert.when)
        args = {"waited_ms": telling.ms(waited), "proof": proof, "guessed": alert.guessed, "name": alert.name}
        self.rows.append(("flow.alert", args, alert.when))
        self._dead = True

    def _look_inside(self, tls: TlsWalk, when: float) -> None:
        if self.inside is None:
            self.inside = Inside(self.selected if self.kind == "rdp" else None, tls.completed or when)
        for side, plain in tls.plain:
            self.inside.feed(side, plain, when)
        tls.plain.clear()

    @property
    def read_inside(self) -> bool:
        """TLS is open, and all that came has been read."""
        return self.inside is not None and self.inside.reading and not (self.blind or self._closed)

    @property
    def _closed(self) -> bool:
        """No key opens it any more."""
        return self.tls is None or self.tls.decryption is None or bool(self.tls.decryption.fault)

    @property
    def unopened(self) -> str:
        """Why TLS could not be opened although there are secrets; "" where it could, or was never begun."""
        tls = self.tls
        if tls is None or tls.completed is None or tls.decryption is None:
            return ""
        fault = tls.decryption.fault or ("" if tls.decryption.opened else "missing")
        return _UNOPENED.get(fault, "")

    def _tls_broke(self, when: float) -> None:
        """An alert or bytes that are no TLS, in the handshake. close_notify is told with the ending."""
        tls = self.tls
        assert tls is not None
        if tls.alert is not None:
            side, alert = tls.alert
            if alert.description == 0:
                return
            how = How.ALERTED if side == SERVER else How.REJECTED
            detail = alert.name if side == SERVER else f"the client sent alert {alert.name}{self._to()}"
            self._end_tls(how, when, code=alert.description, detail=detail)
        elif tls.fault is not None and tls.fault[0] == SERVER:
            error = tls.fault[1]
            self._end_tls(How.MALFORMED, when, detail=error.detail, sample=error.sample)
        else:
            self._dead = True

    def _to(self) -> str:
        """What a client's alert answers, where that says more than the alert."""
        hello = self.tls.server_hello if self.tls is not None else None
        old = hello is not None and hello.selected_version < Version.TLS12
        return f" when the server had chosen {version_name(hello.selected_version)}" if old and hello else ""

    def _end_tls(self, how: How, when: float, **more: Any) -> None:
        self._dead = True
        self._tell(telling.tls_ended(self._ending(Stage.TLS, how, when, **more)), when, hello="client")

    @property
    def _has_nla(self) -> bool:
        return self.kind == "rdp" and bool((self.selected or 0) & _CREDSSP)

    # ---- endings

    def _ended_by_server(self, how: How, when: float) -> None:
        if self._dead or self.blind or self.kind not in ("rdp", "tls"):
            return
        if self.tls is not None:
            self._tls_left(how, when)
        elif self.selected is not None and self.plain is None:
            self._dead = True
            self._tell(telling.ended(self._ending(Stage.MCS, how, when)), when)
        elif self._machine is not None and self.selected is None:
            (self._machine.eof if how is How.CLOSED else self._machine.reset)(when)
            self._conclude(when)

    def _tls_left(self, how: How, when: float) -> None:
        tls = self.tls
        assert tls is not None
        if tls.completed is None:
            if tls.hidden == CLIENT:
                self._end_tls(How.REJECTED, when, detail="the client sent an encrypted alert")
            else:
                self._end_tls(how, when)
            return
        client, server = tls.traffic
        if self.inside is not None and self.inside.stage is not None:
            if self.inside.stage is Stage.NLA and not self.inside.over:
                self._tell(telling.ended(self._ending(Stage.NLA, how, when)), when)
        elif self._has_nla and client.records and server.records <= _NLA_RECORDS:
            self._tell(telling.ended(self._ending(Stage.NLA, how, when)), when)
        elif self.kind == "rdp" and not client.records:
            self._tell(telling.ended(self._ending(Stage.MCS, how, when)), when)

    def _left_waiting(self, when: float) -> None:
        """The client gave up, or the recording ends: was the server silent for long?"""
        side = self._awaited()
        if self._dead or self.blind or side is None:
            return
        stage, partial = side
        spoke = self._spoke if stage in (Stage.NLA, Stage.MCS) else self.last
        last = max(filter(None, spoke), default=when)
        if when - last < PATIENCE:
            return
        ended = self._ending(stage, How.STALLED if partial else How.SILENT, when)
        if stage is Stage.X224:
            self._tell(telling.x224_outcome(ended), when, **telling.question(self.request))
        elif stage is Stage.TLS:
            self._tell(telling.tls_ended(ended), when, hello="client")
        else:
            self._tell(telling.ended(ended), when)

    @property
    def _spoke(self) -> tuple[float | None, ...]:
        """When either side last sent data; not the alert with which TLS is closed."""
        walk = self.tls or self.plain
        return tuple(each.last for each in walk.traffic) if walk is not None else ()

    def _awaited(self) -> tuple[Stage, bool] | None:
        """The stage in which the server's answer is due, and whether it has begun; None where it is not."""
        if self._machine is not None and self.selected is None:
            return Stage.X224, self._machine.received > 0
        tls = self.tls
        if self.plain is not None:
            client, answers = self.plain.traffic
            return (Stage.MCS, False) if client.records and not answers.records else None
        if tls is None or tls.hello is None:
            return None
        server = tls.bytes[SERVER]
        if tls.completed is None:
            due = tls.after in ("client-hello", "client-key-exchange", "client-finished")
            return (Stage.TLS, server > 0) if due or tls.partial[SERVER] else None
        client, answers = tls.traffic
        if self.inside is not None and self.inside.over:
            return None
        # Tickets of TLS 1.3 look like an answer; who has one says the next thing at once.
        answered = answers.records > (0 if tls.is_older else TICKETS)
        if self.kind != "rdp" or not client.records or answered or (answers.records and client.records > 1):
            return None
        return (Stage.NLA if self._has_nla else Stage.MCS), tls.partial[SERVER]

    def _ending(self, stage: Stage, how: How, when: float, **more: Any) -> Ended:
        began, sent, received = when, 0, 0
        if stage is Stage.X224 and self._machine is not None:
            machine = self._machine
            began, sent, received = self._began, machine.sent, machine.received
        elif stage is Stage.TLS and self.tls is not None:
            began, (sent, received) = self.tls.began, self.tls.bytes
        elif self.tls is not None and self.tls.completed is not None:
            client, server = self.tls.traffic
            began, sent, received = self.tls.completed, client.bytes, server.bytes
        elif self.plain is not None:
            client, server = self.plain.traffic
            began, sent, received = self.plain.began, client.bytes, server.bytes
        return Ended(stage, how, self.after, sent, received, when - began, **more)

    def _tell(self, told: telling.Told, when: float, **more: Any) -> None:
        tag, args = told
        self.rows.append((tag, {**more, **args}, when))


def _is_broken_request(data: bytes) -> bool:
    """It would be a connection request if its lengths did not lie."""
    return len(data) >= 7 and data[0] == tpkt.VERSION and data[5] == x224.CR
