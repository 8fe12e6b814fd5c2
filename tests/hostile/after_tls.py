"""Peers that misbehave after TLS, in CredSSP and NTLM."""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING

from tests.command import Expect

from .fault import MEGABYTE, NETWORK, NOT_THE_TALK, STATUS_ANY, Fault, nla
from .kit import NASTY, alert
from .peers import (
    NTLMSSP,
    Behave,
    av_pairs,
    challenge,
    der,
    healthy,
    integer,
    ts_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kit import Kit
    from .peers import Talk


def after_tls(act: Callable[[Talk], None], context: str = "good") -> Callable[[Kit], Behave]:
    def make(kit: Kit) -> Behave:
        def behave(talk: Talk) -> None:
            talk.choose()
            talk.tls(getattr(kit, context))
            act(talk)

        return behave

    return make


def close_notify(talk: Talk) -> None:
    """The encrypted alert 0, then the end."""
    talk.client_token()
    ending = getattr(talk.socket, "unwrap", None)
    assert ending is not None
    try:
        talk.socket.settimeout(1.0)
        ending()
    except (OSError, ValueError):
        pass


def plain_alert(talk: Talk) -> None:
    """An alert in the clear where everything must be encrypted: what a middlebox without keys can say."""
    talk.client_token()
    talk.beneath(alert(80))
    talk.hold()


def flood_inside(talk: Talk) -> None:
    for _ in range(200):
        talk.send(MEGABYTE)
        talk.wait(0.02)


def answer(data: bytes) -> Callable[[Kit], Behave]:
    """These bytes instead of a TSRequest."""

    def act(talk: Talk) -> None:
        talk.client_token()
        talk.send(data)
        talk.hold()

    return after_tls(act)


def token(make: Callable[[], bytes], version: int = 6) -> Callable[[Kit], Behave]:
    def act(talk: Talk) -> None:
        talk.answer_token(make(), version)
        talk.hold()

    return after_tls(act)


def _patched(at: int, data: bytes) -> bytes:
    whole = challenge()
    return whole[:at] + data + whole[at + len(data) :]


def _timed(stamp: bytes) -> bytes:
    return challenge(info=av_pairs((1, b"A\x00"), (7, stamp)))


DEEP = functools.reduce(lambda inner, _: der(0x30, inner), range(2000), b"")
INDEFINITE = b"\x30\x80" * 20_000
FOUR_GIGABYTES = bytes.fromhex("3084ffffffff") + der(0xA0, integer(6))

CASES: dict[str, Fault] = {
    "nla-silent": Fault(after_tls(lambda talk: talk.hold()), nla("service.hung", never=("ntlm.blocked",)), 8),
    "nla-closed": Fault(after_tls(lambda talk: None), nla()),
    "nla-close-notify": Fault(after_tls(close_notify), nla()),
    "nla-plain-alert": Fault(after_tls(plain_alert), nla()),
    "nla-client-certificate": Fault(
        after_tls(lambda talk: talk.hold(), "client_certificate"),
        Expect(("failing",), ("tls", "nla"), never=NETWORK + NOT_THE_TALK + ("certificate.key-unusable",)),
    ),
    "nla-flood": Fault(after_tls(flood_inside), nla(), 6),
    "nla-4-gb": Fault(answer(FOUR_GIGABYTES), nla(), 8),
    "nla-deep": Fault(answer(DEEP), nla()),
    "nla-indefinite": Fault(answer(INDEFINITE), nla(), 8),
    "nla-not-der": Fault(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"." * 200), nla()),
    "nla-early-denied": Fault(answer(b"\x05\x00\x00\x00"), nla(), 8),
    "nla-version-0": Fault(
        token(challenge, 0), Expect(STATUS_ANY, (None, "nla"), never=NETWORK + NOT_THE_TALK)
    ),
    "nla-version-huge": Fault(
        token(challenge, 2**40), Expect(STATUS_ANY, (None, "nla"), never=NETWORK + NOT_THE_TALK)
    ),
    "nla-logon-failure": Fault(
        answer(ts_request(6, error=0xC000006D)),
        Expect(("failing", "unknown"), ("nla",), never=NETWORK + NOT_THE_TALK),
    ),
    "ntlm-name-offset": Fault(token(lambda: _patched(16, b"\xff\xff\xff\xff")), nla(status=STATUS_ANY)),
    "ntlm-name-length": Fault(token(lambda: _patched(12, b"\xff\xff\xff\xff")), nla(status=STATUS_ANY)),
    "ntlm-info-offset": Fault(token(lambda: _patched(44, b"\xff\xff\xff\x7f")), nla(status=STATUS_ANY)),
    "ntlm-info-length": Fault(token(lambda: _patched(40, b"\xff\xff\xff\xff")), nla(status=STATUS_ANY)),
    "ntlm-pair-length": Fault(
        token(lambda: challenge(info=struct.pack("<HH", 1, 0xFFFF) + b"AA")), nla(status=STATUS_ANY)
    ),
    "ntlm-pairs-endless": Fault(
        token(lambda: challenge(info=av_pairs(*[(1, b"")] * 9000, end=False))), nla(status=STATUS_ANY)
    ),
    "ntlm-short": Fault(token(lambda: NTLMSSP + b"\x02\x00"), nla(status=("failing", "unknown"))),
    "ntlm-authenticate": Fault(
        token(lambda: NTLMSSP + b"\x03\x00\x00\x00" + bytes(80)), nla(status=("failing", "unknown"))
    ),
    "ntlm-nasty-names": Fault(
        token(lambda: challenge(dict.fromkeys((1, 2, 3, 4, 5), NASTY))),
        Expect(("healthy", "degraded"), (None, "nla"), never=NETWORK + NOT_THE_TALK),
    ),
    "ntlm-huge-names": Fault(
        token(lambda: challenge({3: "n" * 15_000})),
        Expect(("healthy", "degraded"), (None, "nla"), never=NETWORK + NOT_THE_TALK),
    ),
    "ntlm-odd-names": Fault(
        token(lambda: challenge(info=av_pairs((1, b"\x00\xd8A"), (3, b"\xff\xff\x00\xdc"), (4, b"")))),
        Expect(("healthy", "degraded"), (None, "nla"), never=NETWORK + NOT_THE_TALK),
    ),
    **{
        f"ntlm-time-{label}": Fault(
            token(functools.partial(_timed, stamp)),
            Expect(("healthy", "degraded"), (None, "nla"), causes, never=NETWORK + NOT_THE_TALK),
        )
        for label, stamp, causes in (
            ("zero", bytes(8), ()),
            ("last", b"\xff" * 8, ()),
            ("short", b"\x01\x02", ()),
        )
    },
    "clock-hour-off": Fault(
        lambda kit: healthy(kit.good, lambda: challenge(time_off=3600.0)),
        Expect(("healthy", "degraded", "failing"), (None, "nla"), ("clock.skew",)),
    ),
    "credssp-2": Fault(
        lambda kit: healthy(kit.good, version=2),
        Expect(("degraded", "failing"), ("nla",), ("credssp.oracle",)),
    ),
}
