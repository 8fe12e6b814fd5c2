"""Real servers on loopback as cases, alone and behind misbehaving forwarders; checked in this process."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from rdpdoctor.lab.scenario import Check, Expect
from tests.real.processes import lacking
from tests.real.servers import NEEDS, SERVERS, shadow, xrdp

from .case import Case, Played
from .labs import checked
from .proxies import Address, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.real.processes import Server
    from tests.real.servers import Workshop

    from .case import Play
    from .house import House

NAME = "rdp-under-test"  # what their certificates say
TLS = ("certificate.key-unusable", "tls.version-mismatch", "tls.cipher-mismatch", "tls.broken")
PLAIN = Check()
CODE = Check(code=("0x904", "0x7"))
EXPIRED = "certificate.expired"

#: Makes the forwarder before servers that listen at these addresses.
Before: TypeAlias = "Callable[[list[Address]], Proxy]"


def healthy(*causes: str) -> Expect:
    return Expect("healthy", causes=causes)


def degraded(stage: str, *causes: str, also: tuple[str, ...] = (), forbid: tuple[str, ...] = ()) -> Expect:
    return Expect("degraded", stage, causes, also, forbid)


def failing(stage: str, *causes: str, also: tuple[str, ...] = (), forbid: tuple[str, ...] = ()) -> Expect:
    return Expect("failing", stage, causes, also, forbid)


@dataclass(frozen=True, slots=True)
class Row:
    """servers: names of `_STARTS`, all behind one forwarder where there are several; "nobody" is a port that
    refuses. nla: what the answers must amount to.
    """

    name: str
    title: str
    servers: tuple[str, ...]
    expect: Expect
    before: Before | None = None
    check: Check = PLAIN
    combines: tuple[str, ...] = ()
    nla: str | None = None


def _alone(server: str, title: str, expect: Expect, nla: str | None = None) -> Row:
    return Row(f"real-{server}", title, (server,), expect, nla=nla)


def _forward(**how: object) -> Before:
    return lambda backends: Proxy(backends, **how)  # type: ignore[arg-type]


ROWS = (
    _alone(
        "xrdp-rdp", "xrdp, standard RDP security only", degraded("x224", "security-layer.rdp-only"), "absent"
    ),
    _alone("xrdp-tls", "xrdp, TLS", healthy(), "absent"),
    _alone("xrdp-negotiate", "xrdp, whatever the client likes", healthy(), "absent"),
    _alone(
        "xrdp-no-certificate",
        "xrdp without a certificate",
        failing("x224", "certificate.missing", forbid=TLS),
    ),
    _alone(
        "xrdp-tls-1.0-1.1",
        "xrdp, TLS 1.0 and 1.1",
        failing("tls", "tls.version-mismatch", forbid=("certificate.key-unusable",)),
        "absent",
    ),
    _alone("xrdp-tls-1.3", "xrdp, TLS 1.3 only", healthy(), "absent"),
    _alone(
        "xrdp-key-mismatch",
        "xrdp with the key to another certificate",
        failing("tls", "certificate.key-unusable", "tls.broken", forbid=("tls.version-mismatch",)),
        "absent",
    ),
    _alone(
        "xrdp-rsa-1024",
        "xrdp with a key too short for its TLS library",
        failing("tls", "certificate.key-unusable", "tls.broken", forbid=("tls.version-mismatch",)),
        "absent",
    ),
    _alone("xrdp-expired", "xrdp, expired certificate", degraded("tls", EXPIRED), "absent"),
    _alone(
        "xrdp-expiring",
        "xrdp, certificate of ten more days",
        degraded("tls", "certificate.expiring"),
        "absent",
    ),
    _alone(
        "xrdp-not-yet-valid",
        "xrdp, certificate of next week",
        degraded("tls", "certificate.not-yet-valid"),
        "absent",
    ),
    _alone("xrdp-sha1", "xrdp, certificate signed with SHA-1", degraded("tls", "certificate.weak"), "absent"),
    _alone("xrdp-rsa-1024-allowed", "xrdp, RSA of 1024 bits", degraded("tls", "certificate.weak"), "absent"),
    _alone("xrdp-rsa-4096", "xrdp, RSA of 4096 bits", healthy(), "absent"),
    _alone("xrdp-ecdsa", "xrdp, ECDSA", healthy(), "absent"),
    _alone(
        "xrdp-wrong-usage",
        "xrdp, certificate for clients and mail",
        degraded("tls", "certificate.wrong-usage"),
        "absent",
    ),
    _alone("xrdp-rdp-usage", "xrdp, certificate for Remote Desktop only", healthy(), "absent"),
    _alone("xrdp-no-usage", "xrdp, certificate without usages", healthy(), "absent"),
    _alone("xrdp-computer-name", "xrdp, certificate with a computer name only", healthy(), "absent"),
    _alone("xrdp-chain", "xrdp, a chain of three", healthy(), "absent"),
    _alone("shadow-nla", "FreeRDP, NLA only", healthy(), "required"),
    _alone("shadow-tls", "FreeRDP, TLS only", healthy(), "absent"),
    _alone(
        "shadow-rdp",
        "FreeRDP, standard RDP security only",
        degraded("x224", "security-layer.rdp-only"),
        "absent",
    ),
    _alone("shadow-all", "FreeRDP, all of them", healthy(), "offered"),
    _alone("shadow-expired", "FreeRDP, expired certificate", degraded("tls", EXPIRED), "absent"),
    _alone("weston-tls", "weston, TLS", healthy(), "absent"),
    _alone(
        "weston-rdp",
        "weston, standard RDP security only",
        degraded("x224", "security-layer.rdp-only"),
        "absent",
    ),
    _alone(
        "openssl",
        "openssl s_server: TLS from the first byte",
        failing("x224", "port.not-rdp", forbid=("server.closes-early", *TLS)),
    ),
    _alone("http", "a web server", failing("x224", "port.not-rdp", forbid=("service.hung", *TLS))),
    # ---- several things at once
    Row(
        "real-healthy-with-0x904",
        "xrdp is well, and the client showed 0x904",
        ("xrdp-tls",),
        healthy(),
        check=CODE,
        combines=("healthy", "code"),
    ),
    Row(
        "real-nla-with-0xb09",
        "FreeRDP requires NLA, and the client cannot do it",
        ("shadow-nla",),
        healthy("nla.required"),
        check=Check(code=("0xB09",)),
        combines=("healthy", "code"),
    ),
    Row(
        "real-behind-a-forwarder",
        "xrdp behind a TCP forwarder",
        ("xrdp-tls",),
        healthy(),
        _forward(),
        combines=("healthy", "proxy"),
    ),
    Row(
        "real-behind-a-slow-forwarder",
        "xrdp behind a forwarder that is late and sends small pieces",
        ("xrdp-tls",),
        healthy(),
        _forward(late=0.15, piece=400),
        Check(timeout=20.0),
        combines=("healthy", "proxy", "slow", "pieces"),
    ),
    Row(
        "real-nla-behind-a-forwarder",
        "FreeRDP with NLA behind a TCP forwarder",
        ("shadow-nla",),
        healthy(),
        _forward(),
        combines=("healthy", "proxy"),
    ),
    Row(
        "real-expired-and-cookie-filtered",
        "xrdp with an expired certificate, behind a filter that ends every request with a name",
        ("xrdp-expired",),
        failing("x224", "cookie.filtered", forbid=("server.closes-early", *TLS)),
        _forward(cookie=b"mstshash="),
        combines=(EXPIRED, "cookie.filtered"),
    ),
    Row(
        "real-one-name-filtered",
        "xrdp behind a filter that dislikes one name",
        ("xrdp-tls",),
        failing("x224", "cookie.filtered", forbid=("server.closes-early", *TLS)),
        _forward(cookie=b"mstshash=alice\r"),
        Check(user="alice", code=("0x904", "0x7")),
        combines=("cookie.filtered", "code"),
    ),
    Row(
        "real-wrong-key-and-cookie-filtered",
        "xrdp with the wrong key, behind a filter that ends every request with a name",
        ("xrdp-key-mismatch",),
        failing("x224", "cookie.filtered", also=("tls.broken",), forbid=("server.closes-early",)),
        _forward(cookie=b"mstshash="),
        combines=("certificate.key-unusable", "cookie.filtered"),
    ),
    Row(
        "real-tls-cut-and-expired",
        "xrdp with an expired certificate, behind something that resets each ClientHello",
        ("xrdp-expired",),
        failing("tls", "path.tls-cut", "certificate.key-unusable", forbid=("tls.version-mismatch",)),
        _forward(cut=True),
        combines=("path.tls-cut", EXPIRED),
    ),
    Row(
        "real-every-third-and-expired",
        "xrdp with an expired certificate, behind a forwarder that resets every third connection",
        ("xrdp-expired",),
        degraded("x224", "path.intermittent", also=(EXPIRED,), forbid=("limits.connections",)),
        _forward(every=3),
        combines=("path.intermittent", EXPIRED),
    ),
    Row(
        "real-one-of-four-backends-gone",
        "a balancer before three xrdp and one that is gone",
        ("xrdp-tls", "xrdp-tls", "nobody", "xrdp-tls"),
        degraded("x224", "path.intermittent", "farm.bad-member", forbid=("limits.connections", *TLS)),
        _forward(),
        combines=("farm.bad-member", "proxy"),
    ),
    Row(
        "real-first-of-two-backends-gone",
        "a balancer before one xrdp and one that is gone; the check meets the latter first",
        ("xrdp-tls", "nobody"),
        failing("x224", "path.intermittent", "farm.bad-member", forbid=("cookie.filtered", *TLS)),
        _forward(),
        combines=("farm.bad-member", "proxy"),
    ),
    Row(
        "real-two-of-three-backends-expired",
        "a balancer before three xrdp, two with an expired certificate; the check meets the good one first",
        ("xrdp-expired", "xrdp-ecdsa", "xrdp-expired"),
        degraded("tls", EXPIRED),
        _forward(),
        combines=(EXPIRED, "proxy"),
    ),
    Row(
        "real-two-of-three-backends-have-the-wrong-key",
        "a balancer before three xrdp, two with the wrong key; the check meets the good one first",
        ("xrdp-key-mismatch", "xrdp-ecdsa", "xrdp-key-mismatch"),
        failing("tls", "path.intermittent", "farm.bad-member", forbid=("limits.connections",)),
        _forward(),
        combines=("certificate.key-unusable", "farm.bad-member", "path.intermittent"),
    ),
    Row(
        "real-second-of-two-backends-has-no-certificate",
        "a balancer before two xrdp, one without a certificate; the check meets the good one first",
        ("xrdp-no-certificate", "xrdp-tls"),
        degraded("x224", "path.intermittent", "farm.bad-member", forbid=("limits.connections", *TLS)),
        _forward(),
        combines=("certificate.missing", "farm.bad-member", "path.intermittent"),
    ),
    Row(
        "real-first-of-two-backends-is-rdp-only",
        "a balancer before two xrdp, one with standard RDP security only, which the check meets first",
        ("xrdp-tls", "xrdp-rdp"),
        degraded("x224", "security-layer.rdp-only", forbid=TLS),
        _forward(),
        combines=("security-layer.rdp-only", "proxy"),
    ),
    Row(
        "real-wrong-key-and-every-third",
        "xrdp with the wrong key, behind a forwarder that resets every third connection",
        ("xrdp-key-mismatch",),
        failing("tls", "certificate.key-unusable", "tls.broken", forbid=("tls.version-mismatch",)),
        _forward(every=3),
        combines=("certificate.key-unusable", "path.intermittent"),
    ),
    Row(
        "real-old-and-two-at-once",
        "xrdp with TLS 1.1 at most, behind a forwarder for two; the client showed 0x904",
        ("xrdp-tls-1.0-1.1",),
        failing("tls", "tls.version-mismatch", forbid=("certificate.key-unusable", "path.intermittent")),
        _forward(at_once=2),
        CODE,
        ("tls.version-mismatch", "limits.connections", "code"),
    ),
    Row(
        "real-one-at-a-time",
        "xrdp behind a forwarder for one; the client showed 0x904",
        ("xrdp-tls",),
        degraded("x224", "limits.connections", forbid=("path.intermittent", "cookie.filtered")),
        _forward(at_once=1),
        CODE,
        ("limits.connections", "code"),
    ),
    Row(
        "real-no-backend",
        "a forwarder whose server is gone, and the client showed 0x904",
        ("nobody",),
        failing("x224", "server.closes-early", forbid=("cookie.filtered", "port.not-rdp", *TLS)),
        _forward(),
        CODE,
        ("server.closes-early", "code"),
    ),
    Row(
        "real-two-at-once-and-expired",
        "xrdp with an expired certificate, behind a forwarder for two; the client showed 0x904",
        ("xrdp-expired",),
        degraded("x224", "limits.connections", also=(EXPIRED,), forbid=("cookie.filtered",)),
        _forward(at_once=2),
        CODE,
        ("limits.connections", EXPIRED),
    ),
    Row(
        "real-rdp-only-and-answers",
        "xrdp with standard RDP security only; by VPN, since an update",
        ("xrdp-rdp",),
        degraded("x224", "security-layer.rdp-only"),
        check=Check(answers={"via": "vpn", "since": "after-update"}),
        combines=("security-layer.rdp-only", "answer"),
    ),
    Row(
        "real-http-and-a-password-code",
        "a web server, and the client showed a wrong password",
        ("http",),
        failing("x224", "port.not-rdp", forbid=TLS),
        check=Check(code=("0x807",)),
        combines=("port.not-rdp", "code"),
    ),
)


def cases() -> list[Case]:
    return [_case(row) for row in (*ROWS, *_OWN)]


def _case(row: Row) -> Case:
    needs = {kind: NEEDS[kind] for kind in (name.partition("-")[0] for name in row.servers) if kind in NEEDS}
    programs = {program: package for each in needs.values() for program, package in each.items()}
    return Case(
        row.name,
        "server",
        row.title,
        row.check,
        row.expect,
        partial(_open, row),
        row.combines,
        lacking(programs),
        facts={} if row.nla is None else {"nla": row.nla},
    )


def _open(row: Row, house: House) -> Play:
    backends: list[Address] = []
    for name in row.servers:
        if name == "nobody":
            backends.append(("127.0.0.1", 0))
        else:
            server = house.enter(_STARTS[name](house.shop))
            backends.append((server.host, server.port))
    return partial(_play, row, backends)


async def _play(row: Row, backends: list[Address], everything: bool) -> Played:
    async with AsyncExitStack() as stack:
        host, port = backends[0]
        if row.before is not None:
            host, port = (await stack.enter_async_context(row.before(backends))).address
        report, took, timeout = await checked(
            row.check.host or host, port, (host,), replace(row.check, host=None), everything
        )
        return Played(report, took, timeout)


#: Servers that only the suite has.
_STARTS: dict[str, Callable[[Workshop], AbstractContextManager[Server]]] = {
    **SERVERS,
    "xrdp-weak-and-old": lambda shop: xrdp(
        shop,
        "tls",
        pair=shop.certificates["rsa-1024"],
        protocols="TLSv1, TLSv1.1",
        ciphers="ALL:@SECLEVEL=0",
    ),
    "xrdp-expired-and-old": lambda shop: xrdp(
        shop, "tls", pair=shop.certificates["expired"], protocols="TLSv1", ciphers="ALL:@SECLEVEL=0"
    ),
    "shadow-nla-expired": lambda shop: shadow(shop, "/sec:nla", pair=shop.certificates["expired"]),
}
_OWN = (
    Row(
        "real-weak-and-old",
        "xrdp with RSA of 1024 bits and TLS 1.1 at most",
        ("xrdp-weak-and-old",),
        failing(
            "tls", "tls.version-mismatch", also=("certificate.weak",), forbid=("certificate.key-unusable",)
        ),
        combines=("certificate.weak", "tls.version-mismatch"),
    ),
    Row(
        "real-expired-and-old",
        "xrdp with an expired certificate and TLS 1.0, behind a forwarder; the client showed 0x904",
        ("xrdp-expired-and-old",),
        failing("tls", "tls.version-mismatch", also=(EXPIRED,), forbid=("certificate.key-unusable",)),
        _forward(),
        CODE,
        (EXPIRED, "tls.version-mismatch"),
    ),
    Row(
        "real-nla-and-expired",
        "FreeRDP requires NLA and shows an expired certificate; the client said NLA is required",
        ("shadow-nla-expired",),
        degraded("tls", EXPIRED, also=("nla.required",)),
        check=Check(code=("0xB09",)),
        combines=(EXPIRED, "nla.required"),
        nla="required",
    ),
)
