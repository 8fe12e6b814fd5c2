"""Recordings of real clients and servers: what tshark says of each stream, and what their README says."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.capture import Capture, Limits, Stream, read_capture
from rdpdoctor.readers.capture.tls import TlsWalk
from tests.readers.capture.craft import args

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "pcap"
NAMES = sorted(path.name for path in CAPTURES.glob("*.pcap*"))

pytestmark = pytest.mark.skipif(not NAMES, reason="the recordings of ../shared/captures are not here")
with_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

#: Of its own accord tshark sees no TLS behind the negotiation.
_AS_TLS = ("-d", "tcp.port==3389,tls")
#: Versions as tshark numbers them, in the words of our tags.
_VERSIONS = {"0x0301": "TLS 1.0", "0x0302": "TLS 1.1", "0x0303": "TLS 1.2", "0x0304": "TLS 1.3"}
_FIELDS = (
    "tcp.stream",
    "tcp.srcport",
    "tcp.flags.fin",
    "tcp.flags.reset",
    "rdp.negReq.selectedProtocol",
    "rdp.negReq.requestedProtocols",
    "rdp.negFailure.failureCode",
    "tls.handshake.type",
    "tls.handshake.version",
    "tls.alert_message.desc",
    "frame.time_epoch",
)


@cache
def capture(name: str) -> Capture:
    return read_capture(CAPTURES / name)


@cache
def tshark(name: str, *options: str) -> dict[str, list[dict[str, str]]]:
    """Rows of the fields above, of each TCP stream by its number."""
    fields = [part for field in _FIELDS for part in ("-e", field)]
    command = [
        "tshark",
        "-r",
        str(CAPTURES / name),
        *options,
        "-Y",
        "tcp",
        "-T",
        "fields",
        "-E",
        "separator=|",
        *fields,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    streams: dict[str, list[dict[str, str]]] = {}
    for line in done.stdout.splitlines():
        row = dict(zip(_FIELDS, line.split("|"), strict=True))
        streams.setdefault(row["tcp.stream"], []).append(row)
    return streams


def of(name: str, stream: Stream, *options: str) -> list[dict[str, str]]:
    """tshark's rows of the same stream."""
    for rows in tshark(name, *options).values():
        first = rows[0]
        if first["tcp.srcport"] in (str(stream.client_port), str(stream.port)):
            begins = float(first["frame.time_epoch"])
            if abs(begins - stream.start) < 1e-3:
                return rows
    raise AssertionError(f"tshark has no stream of client port {stream.client_port}")


def tcp_streams(name: str) -> list[Stream]:
    return [stream for stream in capture(name).streams if stream.kind != "udp"]


@with_tshark
@pytest.mark.parametrize("name", NAMES)
def test_every_stream_with_remote_desktop_is_found(name: str) -> None:
    theirs = {
        number
        for number, rows in tshark(name).items()
        if any(row["rdp.negReq.selectedProtocol"] or row["rdp.negReq.requestedProtocols"] for row in rows)
    }
    ours = {of(name, stream)[0]["tcp.stream"] for stream in tcp_streams(name) if stream.kind == "rdp"}
    assert theirs <= ours


@with_tshark
@pytest.mark.parametrize("name", NAMES)
def test_the_closing_side(name: str) -> None:
    for stream in tcp_streams(name):
        ends = [
            row for row in of(name, stream) if row["tcp.flags.fin"] == "1" or row["tcp.flags.reset"] == "1"
        ]
        rows = [row for row in stream.observations if row.tag == "flow.ended"]
        assert bool(rows) == bool(ends)
        if ends:
            by = "client" if ends[0]["tcp.srcport"] == str(stream.client_port) else "server"
            how = "closed" if ends[0]["tcp.flags.fin"] == "1" else "reset"
            assert (rows[0].args["by"], rows[0].args["how"]) == (by, how)


def _first(rows: list[dict[str, str]], field: str) -> str | None:
    return next((row[field].split(",")[0] for row in rows if row[field]), None)


@with_tshark
@pytest.mark.parametrize("name", NAMES)
def test_the_negotiation(name: str) -> None:
    for stream in tcp_streams(name):
        rows = of(name, stream)
        for tag, arg, field in (
            ("x224.selected", "selected", "rdp.negReq.selectedProtocol"),
            ("x224.failure", "code", "rdp.negFailure.failureCode"),
            ("flow.request", "requested", "rdp.negReq.requestedProtocols"),
        ):
            theirs = _first(rows, field)
            ours = [row.args[arg] for row in stream.observations if row.tag == tag]
            if theirs is not None:
                assert ours == [int(theirs, 0)], tag
            elif name != "rdp-inside-socks5.pcap" and tag != "flow.request":
                assert ours == [], tag


@with_tshark
@pytest.mark.parametrize("name", NAMES)
def test_tls_version_and_alerts(name: str) -> None:
    for stream in tcp_streams(name):
        rows = of(name, stream, *_AS_TLS)
        versions = [
            row["tls.handshake.version"].split(",")[0]
            for row in rows
            if "2" in row["tls.handshake.type"].split(",")
        ]
        ours = [row.args["version"] for row in stream.observations if row.tag == "tls.completed"]
        if versions:
            assert ours == [_VERSIONS[versions[0]]]
        else:
            assert ours == []
        alerts = [row["tls.alert_message.desc"] for row in rows if row["tls.alert_message.desc"]]
        told = [row for row in stream.observations if row.tag in ("tls.alerted", "tls.rejected")]
        assert bool(told) == bool(alerts and not ours)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_as_declared(name: str) -> None:
    declared = load().tags
    for stream in capture(name).streams:
        for row in stream.observations:
            assert faults(row, declared) == []
            assert row.stage is declared[row.tag].stage


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost(name: str) -> None:
    assert capture(name).lost == ()


def ended(stream: Stream) -> tuple[Any, Any, Any]:
    row = args(stream, "flow.ended")
    return row["by"], row["how"], row["at"]


def story(stream: Stream) -> set[str]:
    ways = ("closed", "reset", "silent", "stalled", "malformed", "alerted", "rejected", "declined", "failure")
    return {row.tag for row in stream.observations if row.tag.split(".")[1] in ways}


# ---- what the README says


def test_nla_is_required() -> None:
    (stream,) = tcp_streams("nla-required-refused.pcapng")
    assert story(stream) == {"x224.failure"}
    assert args(stream, "x224.failure") | {"code": 5, "requested": 1} == args(stream, "x224.failure")
    assert ended(stream) == ("client", "reset", "x224")


def test_credssp_refused_and_the_retry() -> None:
    first, second = tcp_streams("credssp-ntlm-refused-then-nla-required.pcapng")
    assert ended(first) == ("client", "reset", "nla")
    assert args(first, "flow.session")["established"] is False
    assert args(first, "flow.ended")["after"] == "server-data"
    assert args(first, "flow.ended")["idle_ms"] < 1
    assert args(first, "nla.error")["code"] == 0x80090302
    assert story(first) == set()
    assert args(second, "x224.failure")["code"] == 5
    assert args(second, "flow.request")["requested"] == 1


GOOD = [name for name in NAMES if name.startswith("ok-") and "gateway" not in name]


@pytest.mark.parametrize("name", GOOD)
def test_good_sessions(name: str) -> None:
    last = tcp_streams(name)[-1]
    assert args(last, "flow.session")["established"] is True
    assert ended(last)[0::2] == ("client", "finalization")
    assert story(last) == set()


def test_restricted_admin() -> None:
    (stream,) = tcp_streams("ok-restricted-admin.pcapng")
    assert args(stream, "flow.request")["flags"] == 1
    assert args(stream, "x224.selected")["flags"] & 8


def test_a_fallback_to_standard_security() -> None:
    first, second = tcp_streams("ok-fallback-to-standard-rdp.pcap")
    assert args(first, "x224.failure")["code"] == 2
    assert args(first, "flow.ended")["then"] == "reset"
    assert args(second, "x224.selected")["selected"] == 0
    assert args(second, "flow.session")["seconds"] == pytest.approx(22, abs=0.5)


def test_a_certificate_of_its_time() -> None:
    first, _ = tcp_streams("ok-second-stream-tls10.pcap")
    certificate = args(first, "tls.certificate")
    assert certificate["signature"] == "sha1WithRSAEncryption"
    assert certificate["not_after"] == "2021-02-12T00:00:00.000Z"
    assert capture("ok-second-stream-tls10.pcap").totals.start == pytest.approx(1297551041, abs=1)
    assert ended(first) == ("client", "closed", "nla")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("cut-")])
def test_what_is_cut_off_has_no_ending(name: str) -> None:
    (stream,) = tcp_streams(name)
    assert story(stream) == set()
    assert args(stream, "flow.open")["idle_ms"] < 1


def test_lossy() -> None:
    (stream,) = tcp_streams("cut-standard-rdp-lossy.pcap")
    packets = args(stream, "flow.packets")
    assert (packets["syns"], packets["client_retransmits"], packets["server_retransmits"]) == (2, 1, 1)
    assert packets["server_unacknowledged"] == 1405


def test_lengths_that_lie() -> None:
    (stream,) = tcp_streams("malformed-x224-lengths.pcap")
    assert story(stream) == {"x224.malformed"}
    assert args(stream, "flow.request")["fault"] is not None


@pytest.mark.parametrize(
    ("name", "asked", "answered"),
    [
        ("udp-no-answer-excerpt.pcap", [3], [0]),
        ("ok-tcp-udp-no-answer.pcap", [3], [0]),
        ("udp-three-flows.pcap", [1, 0, 1], [2, 14, 3]),
    ],
)
def test_udp(name: str, asked: list[int], answered: list[int]) -> None:
    found = [args(stream, "flow.udp") for stream in capture(name).streams if stream.kind == "udp"]
    assert [row["syns"] for row in found] == asked
    assert [row["server_datagrams"] for row in found] == answered


def test_a_closed_port() -> None:
    (stream,) = tcp_streams("port-closed-rst.pcapng")
    assert args(stream, "tcp.refused")["elapsed_ms"] < 1


def test_inside_socks() -> None:
    (stream,) = tcp_streams("rdp-inside-socks5.pcap")
    assert (stream.kind, stream.tunnel, stream.port) == ("rdp", "socks", 42356)
    assert args(stream, "x224.selected")["selected"] == 0
    assert story(stream) == set()


# ---- what TLS hides, of recordings that bring their secrets

OPENED = [name for name in NAMES if name.endswith("ng") and capture(name).secrets]
_GATEWAY = "ok-gateway-kdcproxy-503-then-ntlm.pcapng"


@with_tshark
@pytest.mark.parametrize("name", OPENED)
def test_every_byte_inside_tls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each direction of each stream, as tshark opens it."""
    opened: dict[int, list[bytes]] = {}

    def record(self: TlsWalk, *what: Any) -> bool:
        done = original(self, *what)
        sides = opened.setdefault(id(self), [b"", b""])
        kept.append(self)  # so that no other gets its id
        for side, data in self.plain:
            sides[side] += data
        self.plain.clear()
        return done

    original, kept = TlsWalk._opened, list[TlsWalk]()
    monkeypatch.setattr(TlsWalk, "_opened", record)
    read_capture(CAPTURES / name, Limits(parsed=1 << 24))
    streams = tshark(name, *_AS_TLS).items()
    numbers = [number for number, rows in streams if any(row["tls.handshake.type"] for row in rows)]
    theirs = [sides for number in numbers if any(sides := _followed(name, number))]
    ours = [sorted(sides) for sides in opened.values() if any(sides)]
    assert theirs
    assert sorted(ours) == sorted(theirs)


def _followed(name: str, number: str) -> list[bytes]:
    """What tshark reads inside, of either side."""
    follow = ("-q", "-z", f"follow,tls,raw,{number}")
    command = ["tshark", "-r", str(CAPTURES / name), *_AS_TLS, *follow]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    sides = [b"", b""]
    for line in done.stdout.splitlines():
        digits = line.strip()
        if digits and len(digits) % 2 == 0 and not set(digits) - set("0123456789abcdef"):
            sides[line.startswith("\t")] += bytes.fromhex(digits)
    return sorted(sides)  # which is whose depends on who spoke first


def rows_of(name: str, tag: str) -> list[dict[str, Any]]:
    return [dict(row.args) for stream in tcp_streams(name) for row in stream.observations if row.tag == tag]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ok-restricted-admin.pcapng", 12),
        ("ok-nla-kerberos.pcapng", 11),
        ("ok-nla-smartcard.pcapng", 11),
        ("ok-tls-without-nla.pcapng", 11),
    ],
)
def test_the_servers_last_word(name: str, code: int) -> None:
    assert [row["code"] for row in rows_of(name, "flow.errinfo")] == [code]
    about = rows_of(name, "flow.credssp")
    said = [(row["chosen"], row["credentials"], row["authorized"], row["server_version"]) for row in about]
    assert said == ([] if "without-nla" in name else [("Kerberos", True, 0, 6)])
    assert rows_of(name, "nla.challenged") == rows_of(name, "nla.answered") == []


def test_the_challenge_of_a_server_that_refuses() -> None:
    (row,) = rows_of("credssp-ntlm-refused-then-nla-required.pcapng", "nla.challenged")
    assert (row["os_version"], row["version"]) == ("10.0.20348", 6)
    assert abs(row["skew_ms"]) < 1000
    (about,) = rows_of("credssp-ntlm-refused-then-nla-required.pcapng", "flow.credssp")
    assert (about["offered"], about["client_key"], about["server_key"]) == (["NTLM"], True, False)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        (
            _GATEWAY,
            [("/remoteDesktopGateway/", 401), ("/remoteDesktopGateway/", 101), *[("/KdcProxy", 503)] * 2],
        ),
        ("ok-gateway-kerberos.pcapng", [("/remoteDesktopGateway/", 101), *[("/KdcProxy", 200)] * 3]),
        ("ok-gateway-smartcard.pcapng", [("/remoteDesktopGateway/", 101), *[("/KdcProxy", 200)] * 3]),
        ("ok-gateway-other-credentials.pcapng", [("/remoteDesktopGateway/", 101)]),
    ],
)
def test_gateways(name: str, statuses: list[tuple[str, int]]) -> None:
    assert [(row["path"], row["status"]) for row in rows_of(name, "gateway.http")] == statuses


@with_tshark
@pytest.mark.parametrize("name", OPENED)
def test_statuses_as_tshark_reads_them(name: str) -> None:
    fields = ("http.response.code", "http2.headers.status", "credssp.errorCode")
    options = [part for field in fields for part in ("-e", field)]
    wanted = " || ".join(fields)
    command = ["tshark", "-r", str(CAPTURES / name), *_AS_TLS, "-Y", wanted, "-T", "fields", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    theirs = [int(word) & 0xFFFFFFFF for word in done.stdout.split()]
    ours = [row["status"] for row in rows_of(name, "gateway.http")]
    ours += [row["code"] for row in rows_of(name, "nla.error")]
    assert sorted(ours) == sorted(theirs)
