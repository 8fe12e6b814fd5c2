"""Peers that misbehave before TLS."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.command import Expect

from .fault import MEGABYTE, Fault, x224
from .kit import NASTY
from .peers import (
    HYBRID,
    Behave,
    confirm,
    failure,
    healthy,
    tpkt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kit import Kit
    from .peers import Talk


def silent(talk: Talk) -> None:
    talk.hold()


def drip(talk: Talk) -> None:
    """A valid confirm, a byte a second."""
    talk.request()
    for byte in confirm(HYBRID):
        talk.send(bytes([byte]))
        talk.wait(1.0)
    talk.hold()


def flood(talk: Talk, first: bytes = b"", rounds: int = 200) -> None:
    """A megabyte at a time, as fast as the client reads, up to 200 of them."""
    talk.request()
    talk.send(first)
    for _ in range(rounds):
        talk.send(MEGABYTE)
        talk.wait(0.02)


def say(data: bytes, *, before: bool = False, then: str = "hold") -> Callable[[Kit], Behave]:
    """`data` as the answer to the connection request, or at once; then hold, close or reset."""

    def behave(talk: Talk) -> None:
        if not before:
            talk.request()
        talk.send(data)
        match then:
            case "hold":
                talk.hold()
            case "close":
                talk.close()
            case _:
                talk.wait(0.05)
                talk.reset()

    return lambda kit: behave


def _only(behave: Behave) -> Callable[[Kit], Behave]:
    return lambda kit: behave


def at_once_closed(talk: Talk) -> None:
    talk.close()


def at_once_reset(talk: Talk) -> None:
    talk.reset()


def http_400(talk: Talk) -> None:
    """As nginx: anything that is no request line is answered at once, whatever it is."""
    talk.receive()
    body = b"<html><head><title>400 Bad Request</title></head></html>\r\n"
    head = b"HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n"
    talk.send(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    talk.close()


BANNERS = {
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    "smtp": b"220 mail.example ESMTP Postfix\r\n",
    "ftp": b"220 (vsFTPd 3.0.3)\r\n",
    "pop3": b"+OK Dovecot ready.\r\n",
    "vnc": b"RFB 003.008\n",
    "telnet": b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27",
    "mysql": b"\x4a\x00\x00\x00\x0a8.0.36\x00\x0b\x00\x00\x00" + bytes(60),
    "nasty": NASTY.encode("utf-8") + b"\x1b[2J\x9b2J\r\n",
}


def cookie_filter(kit: Kit) -> Behave:
    """An intrusion filter that resets whoever names a user."""
    fine = healthy(kit.good)

    def behave(talk: Talk) -> None:
        first = talk.socket.recv(65536, 2)  # MSG_PEEK
        if b"mstshash=" in first:
            talk.receive()
            talk.reset()
        else:
            fine(talk)

    return behave


def every_third_closed(kit: Kit) -> Behave:
    fine = healthy(kit.good)
    return lambda talk: talk.close() if talk.number % 3 == 0 else fine(talk)


def at_most(limit: int) -> Callable[[Kit], Behave]:
    def make(kit: Kit) -> Behave:
        fine = healthy(kit.good)
        return lambda talk: talk.close() if talk.at_once > limit else fine(talk)

    return make


CASES: dict[str, Fault] = {
    "silent": Fault(_only(silent), x224("service.hung", never=("port.not-rdp", "server.closes-early")), 4),
    "drip": Fault(
        _only(drip), x224(status=("failing", "unknown"), never=("port.not-rdp", "server.closes-early")), 5
    ),
    "flood": Fault(
        _only(flood), x224("port.not-rdp", "negotiation.inconsistent", never=("service.hung",)), 5
    ),
    "flood-tpkt": Fault(
        _only(lambda talk: flood(talk, b"\x03\x00\xff\xff")),
        x224("port.not-rdp", "negotiation.inconsistent", never=("service.hung",)),
        5,
    ),
    "tpkt-0": Fault(say(b"\x03\x00\x00\x00"), x224("negotiation.inconsistent", "port.not-rdp")),
    "tpkt-3": Fault(say(b"\x03\x00\x00\x03"), x224("negotiation.inconsistent", "port.not-rdp")),
    "tpkt-65535-unfinished": Fault(
        say(b"\x03\x00\xff\xff\x0e\xd0"),
        x224(status=("failing", "unknown"), never=("server.closes-early",)),
        4,
    ),
    "tpkt-65535-closed": Fault(say(b"\x03\x00\xff\xff\x0e\xd0", then="close"), x224(status=("failing",))),
    "tpkt-65535-whole": Fault(
        say(tpkt(b"\x0e\xd0" + bytes(65529))), x224("negotiation.inconsistent", "port.not-rdp")
    ),
    "x224-length-0": Fault(say(tpkt(b"\x00\xd0" + bytes(13))), x224("negotiation.inconsistent")),
    "x224-length-255": Fault(say(tpkt(b"\xff\xd0" + bytes(13))), x224("negotiation.inconsistent")),
    "x224-disconnect": Fault(
        say(tpkt(b"\x06\x80\x00\x00\x00\x00\x01")), x224(never=("port.not-rdp", "service.hung"))
    ),
    "negotiation-type-55": Fault(
        say(tpkt(b"\x0e\xd0\x00\x00\x12\x34\x00" + struct.pack("<BBHI", 0x55, 0, 8, 1))),
        x224("negotiation.inconsistent"),
    ),
    "negotiation-length-9": Fault(
        say(tpkt(b"\x0e\xd0\x00\x00\x12\x34\x00" + struct.pack("<BBHI", 2, 0, 9, 1))),
        x224("negotiation.inconsistent"),
    ),
    "selects-unknown": Fault(
        say(confirm(0x40000000)), x224("negotiation.inconsistent", status=("failing", "unknown"))
    ),
    "failure-0": Fault(say(failure(0)), x224("negotiation.inconsistent", status=("failing", "unknown"))),
    "failure-77": Fault(say(failure(77)), x224("negotiation.inconsistent", status=("failing", "unknown"))),
    "failure-4": Fault(say(failure(4), then="close"), x224("negotiation.inconsistent")),
    "failure-6": Fault(say(failure(6), then="close"), x224("negotiation.inconsistent")),
    "closes-at-once": Fault(_only(at_once_closed), x224("server.closes-early", never=("service.hung",))),
    "resets-at-once": Fault(_only(at_once_reset), x224("server.closes-early", never=("service.hung",))),
    "closes": Fault(say(b"", then="close"), x224("server.closes-early", never=("service.hung",))),
    "resets": Fault(say(b"", then="reset"), x224("server.closes-early", never=("service.hung",))),
    "http-400": Fault(_only(http_400), x224("port.not-rdp", never=("server.closes-early", "service.hung"))),
    **{
        f"banner-{name}": Fault(
            say(text, before=True), x224("port.not-rdp", never=("service.hung", "negotiation.inconsistent"))
        )
        for name, text in BANNERS.items()
    },
    "cookie-filter": Fault(
        cookie_filter,
        Expect(
            ("failing", "degraded"),
            ("x224",),
            ("cookie.filtered",),
            never=("port.not-rdp", "certificate.key-unusable"),
        ),
    ),
    "every-third-closed": Fault(
        every_third_closed,
        Expect(
            ("failing", "degraded"),
            ("x224", "path"),
            ("path.intermittent", "limits.connections"),
            never=("port.not-rdp", "certificate.key-unusable", "cookie.filtered", "service.hung"),
        ),
    ),
    "two-at-once": Fault(
        at_most(2),
        Expect(
            ("healthy", "failing", "degraded"),
            (None, "x224", "path"),
            ("limits.connections",),
            never=("port.not-rdp", "certificate.key-unusable", "cookie.filtered", "service.hung"),
        ),
    ),
}
