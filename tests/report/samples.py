"""Reports made by hand: the usual failing case and its relatives. Texts are of the length real ones have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis.model import (
    Confidence,
    Health,
    NextStep,
    RankedCause,
    StageResult,
    Status,
    Verdict,
    Weighed,
)
from rdpdoctor.facts import WALK, Observation, Source, Stage, Target, Value
from rdpdoctor.report.model import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSES = "The server closes every connection right after our ClientHello."
STARTED = "2026-11-22T10:00:00.000Z"


def seen(
    tag: str, stage: Stage, at_ms: float | None = 1.0, source: Source = Source.PROBE, **args: Value
) -> Observation:
    return Observation(tag, args, stage, source, at_ms)


def stage(
    name: str, status: str, summary: str = "", elapsed_ms: float | None = None, reason: str | None = None
) -> StageResult:
    return StageResult(
        id=Stage(name), status=Status(status), elapsed_ms=elapsed_ms, summary=summary, reason=reason
    )


def skipped(*names: str, reason: str) -> list[StageResult]:
    return [stage(name, "skipped", reason=reason) for name in names]


def cause(
    name: str,
    confidence: str,
    title: str,
    why: str = "",
    supporting: tuple[int, ...] = (),
    opposing: tuple[int, ...] = (),
    remedies: tuple[str, ...] = (),
    sources: tuple[str, ...] = (),
    bits: float = 0.0,
    weights: tuple[Weighed, ...] = (),
    **more: Any,
) -> RankedCause:
    return RankedCause(
        name, Confidence(confidence), title, why, supporting, opposing, remedies, sources, bits,
        weights=weights, **more,
    )  # fmt: skip


def _tls_closed(number: int, at_ms: float, hello: str, role: str) -> Observation:
    args: Mapping[str, Value] = {
        "after": "client-hello", "sent": 517, "received": 0, "elapsed_ms": 16.25, "attempt": number,
        "address": "10.0.4.21", "role": role, "variant": "ordinary", "at_once": 1, "hello": hello,
    }  # fmt: skip
    return Observation("tls.closed", args, Stage.TLS, Source.PROBE, at_ms)


def key_unusable(remedies: bool = False) -> Report:
    """The 0x904/0x7 of the README: TLS is chosen, and every ClientHello is answered by a FIN."""
    observations = (
        seen("code.shown", Stage.HOST, None, Source.CODE, text="0x904 0x7", reason=0x904, extended=7),
        seen(
            "dns.resolved",
            Stage.DNS,
            2.1,
            name="srv01.corp.example",
            addresses=["10.0.4.21"],
            via="system",
            elapsed_ms=2.0,
        ),
        seen("tcp.connected", Stage.TCP, 16.4, address="10.0.4.21", port=3389, rtt_ms=14.2),
        seen(
            "x224.selected",
            Stage.X224,
            31.0,
            selected=8,
            flags=31,
            elapsed_ms=15.1,
            requested=11,
            cookie="rdpdoctor",
        ),
        _tls_closed(1, 47.3, "client", "walk"),
        _tls_closed(2, 62.0, "TLS 1.2", "versions"),
        _tls_closed(3, 62.1, "TLS 1.1", "versions"),
        _tls_closed(4, 62.2, "TLS 1.0", "versions"),
        seen("check.connections", Stage.PATH, 3800.0, made=14, at_once=6),
    )
    return Report(
        target=Target("srv01", "srv01", 3389),
        address="10.0.4.21",
        started=STARTED,
        elapsed_ms=3812.4,
        verdict=Verdict(Health.FAILING, Stage.TLS, CLOSES),
        stages=(
            stage("dns", "ok", "srv01.corp.example → 10.0.4.21", 2.0),
            stage("tcp", "ok", "open, round trip 14 ms", 14.2),
            stage("x224", "ok", "server chose CredSSP (HYBRID_EX)", 15.1),
            stage(
                "tls",
                "failed",
                "closed right after our ClientHello, 6 of 6 tries; no alert, no certificate; "
                "the same with TLS 1.0, 1.1, 1.2 and 1.3",
                31.0,
            ),
            *skipped("nla", reason="tls failed"),
            *skipped(*(name.value for name in WALK[5:]), reason="tls failed"),
        ),
        observations=observations,
        causes=(
            cause(
                "certificate.key-unusable", "likely", "The server cannot use its certificate's private key",
                "It closed after the ClientHello on every TLS version, without an alert and before any "
                "certificate: a listener that cannot load its key has nothing to answer with.",
                (4, 5, 6, 7), (), ("listener-certificate-renew",) if remedies else (),
                ("AZW troubleshoot-rdp-internal-error.md", "MS-RDPBCGR 5.4.5"), 5.0,
                (
                    Weighed("requires", 3, None, (4,)),
                    Weighed("supports", 2, "Every hello ends alike: no alert, no certificate.", (4, 5, 6, 7)),
                    Weighed("supports", 3, None, (4,)),
                ),
            ),
            cause(
                "path.tls-cut", "possible", "Something on the path cuts TLS",
                "A firewall that inspects TLS can close in the server's name; the round trips do not tell "
                "them apart.",
                (4, 5), (2,), (), (), 1.0,
                (
                    Weighed("requires", 3, None, (4,)),
                    Weighed("supports", 1, None, (4,)),
                    Weighed("opposes", 3, "It dies alike when the ClientHello comes in pieces.", (5,)),
                    Weighed("opposes", 1, "No round trip is odd.", (2,), absent=True),
                ),
                limits=("behind",),
            ),
            cause(
                "tls.version-mismatch", "ruled-out", "TLS version mismatch", "All alike.", (), (5, 6, 7),
                weights=(Weighed("excludes", 3, "All alike.", (5, 6, 7)),),
            ),
            cause("path.mtu-black-hole", "ruled-out", "MTU black hole", "Small segments end alike."),
            cause("listener.absent", "ruled-out", "Closed port", "TCP connected.", (), (2,)),
        ),
        next=(
            NextStep(
                "evidence", "eventlog.system",
                "On the server: `Get-WinEvent -FilterHashtable @{ LogName='System'; Id=36870,1057,1058 } "
                "-MaxEvents 9 | Format-List` One of these tells of a key that cannot be used.",
                ("certificate.key-unusable", "path.tls-cut"),
            ),
            NextStep(
                "question", "others",
                "Do others, or you from elsewhere, get in? Say so with --answer others=yes|no",
                ("path.tls-cut",),
            ),
        ),
    )  # fmt: skip


def healthy() -> Report:
    return Report(
        target=Target("127.0.0.1:3390", "127.0.0.1", 3390),
        address="127.0.0.1",
        started=STARTED,
        elapsed_ms=212.0,
        verdict=Verdict(
            Health.HEALTHY, None, "Everything that can be tried without an account works, up to the sign-in."
        ),
        stages=(
            stage("dns", "ok", "127.0.0.1 is an address"),
            stage("tcp", "ok", "open, round trip 0.1 ms", 0.1),
            stage(
                "x224", "ok", "server chose TLS; standard RDP security is accepted too, NLA is absent", 0.6
            ),
            stage(
                "tls",
                "ok",
                "TLS 1.3, TLS_AES_256_GCM_SHA384; self-signed certificate, valid until 2027-05-01",
                8.4,
            ),
            *skipped("nla", reason="the server does not offer it"),
            *skipped(*(name.value for name in WALK[5:]), reason="needs an account"),
        ),
        observations=(seen("tcp.connected", Stage.TCP, 1.0, address="127.0.0.1", port=3390, rtt_ms=0.1),),
        causes=(),
        next=(),
    )


def degraded() -> Report:
    return Report(
        target=Target("rds.corp.example:3389", "rds.corp.example", 3389),
        address="2001:db8::15",
        started=STARTED,
        elapsed_ms=640.0,
        verdict=Verdict(
            Health.DEGRADED,
            Stage.TLS,
            "It works, but the certificate ran out 12 days ago: clients warn, some refuse.",
        ),
        stages=(
            stage("dns", "ok", "rds.corp.example → 2001:db8::15, 192.0.2.15", 1.0),
            stage("tcp", "ok", "open, round trip 3 ms", 3.0),
            stage("x224", "ok", "server chose CredSSP; NLA is required", 4.0),
            stage("tls", "warning", "TLS 1.2, certificate expired 2026-11-10", 12.0),
            stage("nla", "ok", "CredSSP 6, computer RDS01 in CORP, Windows 10.0.20348, clock right", 5.0),
            *skipped(*(name.value for name in WALK[5:]), reason="needs an account"),
        ),
        observations=(),
        causes=(
            cause(
                "certificate.expired",
                "confirmed",
                "The certificate has expired",
                "It was valid until 2026-11-10.",
            ),
        ),
        next=(),
    )


def unreachable() -> Report:
    return Report(
        target=Target("srv02", "srv02", 3389),
        address="10.0.4.22",
        started=STARTED,
        elapsed_ms=8012.0,
        verdict=Verdict(
            Health.UNREACHABLE, Stage.TCP, "The port does not answer: SYNs are dropped without a word."
        ),
        stages=(
            stage("dns", "ok", "srv02.corp.example → 10.0.4.22", 2.0),
            stage("tcp", "failed", "no answer to SYN within 8 s", 8000.0),
            *skipped(*(name.value for name in WALK[2:]), reason="tcp failed"),
        ),
        observations=(
            seen("answer.given", Stage.HOST, None, Source.ANSWER, question="via", answer="vpn"),
            seen("check.out-of-time", Stage.PATH, 8000.0, left=["nla"]),
        ),
        causes=(
            cause(
                "path.filtered",
                "likely",
                "A firewall drops the connection",
                "No SYN was answered, not even by a RST.",
            ),
        ),
        next=(
            NextStep(
                "question",
                "machine",
                "What is the remote machine? Say so with --answer machine=pc|server|azure|aws|vm",
                ("firewall.windows", "cloud.nsg-denies"),
            ),
        ),
    )


def unknown() -> Report:
    return Report(
        target=Target("srv03", "srv03", 3389),
        address=None,
        started=STARTED,
        elapsed_ms=3.2,
        verdict=Verdict(Health.UNKNOWN, None, "Nothing that is known explains what was seen."),
        stages=(
            stage("dns", "unknown", "not finished", None, "interrupted"),
            *skipped("tcp", "x224", reason="interrupted"),
        ),
        observations=(
            seen("check.interrupted", Stage.PATH, 3.0),
            seen("probe.crashed", Stage.PATH, 2.0, probe="dns", error="ValueError: label too long"),
        ),
        causes=(),
        next=(),
    )


def crowded() -> Report:
    """More of everything than one screen holds."""
    base = key_unusable(remedies=True)
    words = "It may well be so, since a good part of what was seen would be expected then, if not all of it. "
    name = "server-with-a-long-name.department.corp.example"
    return Report(
        target=Target(name, name),
        address="2001:db8:1234:5678:9abc:def0:1234:5678",
        started=base.started,
        elapsed_ms=29_950.0,
        verdict=Verdict(Health.FAILING, Stage.TLS, base.verdict.summary + " " + words * 3),
        stages=tuple(
            stage(item.id, item.status, item.summary + words * 2, 5.0, item.reason) for item in base.stages
        ),
        observations=base.observations,
        causes=tuple(
            cause(
                f"cause.number-{number}", "possible" if number < 9 else "ruled-out",
                f"The cause with the number {number}", words * 4, remedies=("one",),
                weights=(Weighed("supports", 1, f"{number}: {words}", (1,)),), prior=-float(number),
            )
            for number in range(30)
        ),
        next=tuple(
            NextStep("probe", f"probe-{number}", f"{words}`qwinsta` `ipconfig` {words}", ("a.b", "c.d"))
            for number in range(9)
        ),
    )  # fmt: skip


HOSTILE = "\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u200b\x00\x7f\x9b2J\r\n\ud800"


def hostile() -> Report:
    """Every text that a peer or a saved journal can reach holds what no terminal may see."""
    long = HOSTILE * 50
    args: Mapping[str, Value] = {HOSTILE: HOSTILE, "list": [long, {HOSTILE: HOSTILE}], "nan": float("nan")}
    return Report(
        target=Target(HOSTILE, HOSTILE, 3389),
        address=HOSTILE,
        started=STARTED,
        elapsed_ms=1.0,
        verdict=Verdict(Health.FAILING, Stage.TLS, long),
        stages=(stage("tls", "failed", long, 1.0), stage("nla", "skipped", HOSTILE, None, long)),
        observations=(
            Observation(HOSTILE, args, Stage.TLS),
            seen("code.shown", Stage.HOST, None, text=HOSTILE, reason=1, extended=2),
            seen("probe.crashed", Stage.PATH, 1.0, probe=HOSTILE, error=long),
            seen("check.out-of-time", Stage.PATH, 1.0, left=[HOSTILE]),
        ),
        causes=(
            cause("tls.broken", "likely", HOSTILE, long, (0, 99), (-1,), (HOSTILE,), (HOSTILE,)),
            cause(
                "path.tls-cut",
                "possible",
                HOSTILE,
                long,
                weights=(Weighed("opposes", 3, long, (0, 99)), Weighed("supports", 1, None, (1, -1))),
            ),
        ),
        next=(NextStep("question", "via", long, ("tls.broken", "path.tls-cut")),),
    )


ALL = {
    "key-unusable": key_unusable,
    "healthy": healthy,
    "degraded": degraded,
    "unreachable": unreachable,
    "unknown": unknown,
    "crowded": crowded,
    "hostile": hostile,
}
