"""The collector's bundle: good values give no causes, and each bad one its own."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from rdpdoctor.facts import Source
from rdpdoctor.readers.host import HostError, read_host, sniff
from rdpdoctor.readers.kinds import Kind, kind_of
from tests.readers.host.craft import (
    LISTENER,
    POLICY,
    SCHANNEL,
    THUMBPRINT,
    TS,
    bundle,
    certificate,
    judged,
    packed,
    rule,
    standing,
    value,
    with_value,
)

LSA = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
CREDSSP = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters"
SYSTEM_ONLY = [{"who": "S-1-5-18", "rights": "FullControl", "kind": "Allow"}]
DENIED = [
    {"who": "S-1-5-20", "rights": "Read", "kind": "Deny"},
    {"who": "S-1-1-0", "rights": "Read, Synchronize", "kind": "Allow"},
]


WRONG: tuple[Any, ...] = (7, "x", [], [[]], [None, 3, {}], {"x": {}}, True, {"value": 3, "Count": 1})


def wall(**changes: Any) -> dict[str, Any]:
    return {**bundle()["firewall"], **changes}


def test_a_machine_on_which_all_is_well_gives_no_cause() -> None:
    found = judged(packed())
    assert standing(found) == {}
    assert found.verdict.status == "unknown"
    assert "SRV01" in found.verdict.summary


@pytest.mark.parametrize(
    ("data", "cause", "status", "stage"),
    [
        (with_value(value(TS, "fDenyTSConnections", 1)), "rdp.disabled", "unreachable", "tcp"),
        (with_value(value(POLICY, "fDenyTSConnections", 1)), "rdp.disabled", "unreachable", "tcp"),
        (
            packed(services={"name": "TermService", "state": "Stopped", "start": "Disabled"}),
            "service.stopped",
            "unreachable",
            "tcp",
        ),
        (packed(listeners=None, sessions=None), "listener.damaged", "unreachable", "tcp"),
        (packed(sessions=bundle()["sessions"][:3], listeners=None), "listener.damaged", "unreachable", "tcp"),
        (
            packed(registry=bundle()["registry"][:2], listeners=None, sessions=None),
            "listener.damaged",
            "unreachable",
            "tcp",
        ),
        (packed(firewall=wall(rules=rule(enabled=False))), "firewall.windows", "unreachable", "tcp"),
        (packed(firewall=wall(active="public")), "firewall.windows", "unreachable", "tcp"),
        (
            packed(firewall=wall(rules=[rule(), rule(name="no", action="block")])),
            "firewall.windows",
            "unreachable",
            "tcp",
        ),
        (
            packed(certificates=certificate(has_private_key=False)),
            "certificate.key-unusable",
            "failing",
            "tls",
        ),
        (
            packed(certificates=certificate(key_code="0x80090016")),
            "certificate.key-unusable",
            "failing",
            "tls",
        ),
        (
            packed(certificates=certificate(key_access=SYSTEM_ONLY)),
            "certificate.key-unusable",
            "failing",
            "tls",
        ),
        (packed(certificates=certificate(key_access=DENIED)), "certificate.key-unusable", "failing", "tls"),
        (
            packed(licensing={"certificate_kind": 2, "certificate": "BB" * 20}),
            "certificate.key-unusable",
            "failing",
            "tls",
        ),
        (
            packed(certificates=certificate(not_after="2026-11-01T00:00:00.000Z")),
            "certificate.expired",
            "degraded",
            "tls",
        ),
        (
            packed(certificates=certificate(not_after="2026-12-01T00:00:00.000Z")),
            "certificate.expiring",
            "degraded",
            "tls",
        ),
        (
            packed(certificates=certificate(not_before="2026-12-01T00:00:00.000Z")),
            "certificate.not-yet-valid",
            "degraded",
            "tls",
        ),
        (
            packed(certificates=certificate(usages="1.3.6.1.5.5.7.3.2")),
            "certificate.wrong-usage",
            "degraded",
            "tls",
        ),
        (packed(certificates=certificate(key_bits=1024)), "certificate.weak", "degraded", "tls"),
        (with_value(value(LISTENER, "SecurityLayer", 0)), "security-layer.rdp-only", "degraded", "x224"),
        (
            with_value(
                *(value(rf"{SCHANNEL}\TLS {one}\Server", "Enabled", 0) for one in ("1.0", "1.1", "1.2"))
            ),
            "tls.version-mismatch",
            "failing",
            "tls",
        ),
        (
            packed(time={"status": ["12:00:00, d:+00.0005s o:+00421.1234567s  [  *  ]"]}),
            "clock.skew",
            "degraded",
            "nla",
        ),
    ],
)
def test_what_stands_in_the_way_is_confirmed(data: bytes, cause: str, status: str, stage: str) -> None:
    found = judged(data)
    assert standing(found) == {cause: "confirmed"}
    assert (found.verdict.status, found.verdict.stage) == (status, stage)
    assert found.causes[0].why


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (with_value(value(TS, "TSServerDrainMode", 1)), "session.limit"),
        (with_value(value(CREDSSP, "AllowEncryptionOracle", 2)), "credssp.oracle"),
        (with_value(value(rf"{LSA}\MSV1_0", "RestrictReceivingNTLMTraffic", 2)), "ntlm.blocked"),
        (packed(licensing={"terminal_mode": 1, "mode": 5, "grace_days": 0, "servers": 0}), "licensing.none"),
        (packed(certificates=None), "certificate.missing"),
        (packed(firewall=wall(rules=rule(remote="10.9.0.0/16"))), "firewall.windows"),
        (packed(firewall=wall(active=["domain", "public"])), "firewall.windows"),
    ],
)
def test_what_may_stand_in_the_way_is_no_more_than_that(data: bytes, cause: str) -> None:
    found = judged(data)
    assert standing(found).keys() == {cause}
    assert standing(found)[cause] in ("possible", "likely")
    assert found.verdict.status in ("degraded", "unknown")


@pytest.mark.parametrize(
    "data",
    [
        with_value(value(TS, "fDenyTSConnections", 1), value(POLICY, "fDenyTSConnections", 0)),
        with_value(value(LISTENER, "MaxInstanceCount", -1)),
        with_value(value(LISTENER, "UserAuthentication", 1)),
        with_value(value(LISTENER, "MaxIdleTime", 600_000)),
        packed(firewall=wall(profiles={"name": "domain", "enabled": False}, rules=None)),
        packed(firewall=wall(rules=[rule(), rule(action="block", ports="*", name="another")])),
        packed(firewall=wall(rules=rule(ports="3000-4000"))),
        packed(
            certificates=[certificate(), certificate(store="My", thumbprint="CC" * 20, has_private_key=False)]
        ),
        packed(licensing={"certificate_kind": 2, "certificate": THUMBPRINT}),
        packed(licensing={"terminal_mode": 0, "mode": 5, "grace_days": 0, "servers": 0}),
        packed(certificates=certificate(key_access=None)),
        packed(registry=None, services=None),
    ],
)
def test_what_is_usual_or_overruled_gives_no_cause(data: bytes) -> None:
    found = judged(data)
    assert standing(found) == {}
    assert found.verdict.status == "unknown"


def test_policy_beats_local_and_is_named() -> None:
    both = with_value(value(POLICY, "fDenyTSConnections", 1), value(TS, "fDenyTSConnections", 0))
    why = judged(both).causes[0].why
    assert "policy value fDenyTSConnections = 1" in why
    assert POLICY in why


def test_another_port_matters_only_to_who_asked_for_this_one() -> None:
    moved = json.loads(with_value(value(LISTENER, "PortNumber", 3390)))
    moved |= {"port": 3390, "firewall": wall(rules=rule(ports="3390"))}
    moved["listeners"][0]["port"] = 3390
    data = json.dumps(moved).encode()
    assert read_host(data).port == 3390
    assert standing(judged(data)) == {"port.changed": "confirmed"}
    assert standing(judged(data, port=3390)) == {}


def test_on_the_client_nothing_is_said_of_a_server() -> None:
    data = with_value(value(TS, "fDenyTSConnections", 1), value(rf"{SCHANNEL}\TLS 1.2\Client", "Enabled", 0))
    assert set(standing(judged(data, role="client"))) == {"tls.version-mismatch"}
    assert (
        set(standing(judged(packed(role="client", services=None, certificates=None, listeners=None))))
        == set()
    )


def test_a_newer_windows_has_tls_1_3_left() -> None:
    data = json.loads(with_value(value(rf"{SCHANNEL}\TLS 1.2\Server", "Enabled", 0)))
    data["system"]["version"] = "10.0.20348"
    found = judged(json.dumps(data).encode())
    assert found.verdict.status == "degraded"
    assert standing(found)["tls.version-mismatch"] in ("possible", "likely")


def test_secrets_and_names_are_not_kept() -> None:
    servers = r"HKCU\Software\Microsoft\Terminal Server Client\Servers\srv01"
    token = r"HKLM\SOFTWARE\Microsoft\RDInfraAgent"
    rows = read_host(
        with_value(
            value(servers, "UsernameHint", "CORP\\alice", "String"),
            value(token, "RegistrationToken", "s3cret", "String"),
        ),
        "client",
    ).observations
    told = json.dumps([row.to_json() for row in rows])
    assert "alice" not in told
    assert "s3cret" not in told
    assert "UsernameHint" in told


def brief(data: bytes) -> str:
    return "RDPDOCTOR1:" + base64.b64encode(gzip.compress(data)).decode()


@pytest.mark.parametrize(
    "shape", ["{}", "\ufeff{}\r\n", "Enable succeeded:\n[stdout]\n{}\n\n[stderr]\n", "C:\\>x\n{}"]
)
def test_a_brief_bundle_is_found_in_what_is_around_it(shape: str) -> None:
    line = brief(packed())
    for text in (line, "\n".join(line[at : at + 100] for at in range(0, len(line), 100))):
        data = shape.replace("{}", text).encode()
        assert sniff(data) == "bundle"
        assert read_host(data).observations == read_host(packed()).observations


def test_a_bundle_is_taken_for_no_saved_check() -> None:
    for data in (packed(), json.dumps(bundle(), indent=2).encode("utf-16"), brief(packed()).encode()):
        assert kind_of(data[: 1 << 16]) is Kind.HOST


def test_windows_powershell_writes_utf16_and_wraps_lists() -> None:
    rows = {"value": bundle()["registry"], "Count": 10}
    data = json.dumps(bundle(registry=rows)).encode("utf-16")
    assert read_host(data).observations == read_host(packed()).observations


def test_events_of_a_bundle_are_told_as_those_of_a_log() -> None:
    event = {
        "channel": "System",
        "provider": "Schannel",
        "id": 36870,
        "time": "2026-11-22T09:59:00.000Z",
        "record": 7,
        "level": 2,
        "activity": "",
        "data": {"Type": "server", "ErrorCode": "0x8009030D", "ErrorStatus": "10001"},
    }
    rows = read_host(packed(events=event)).observations
    told = [row for row in rows if row.tag == "event.logged"]
    assert [(row.args["means"], row.source) for row in told] == [("schannel.key-unusable", Source.EVENTLOG)]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (packed()[:900], "damaged or cut off"),
        (brief(packed())[:400].encode(), "cut off"),
        (b"RDPDOCTOR1:AAAA", "damaged"),
        (b"RDPDOCTOR1:", "damaged|cut off"),
        (b'{"schema": "rdpdoctor.bundle/1", "a": ' + b"[" * 100_000, "nested|damaged"),
        (b'{"schema": "rdpdoctor.bundle/1", "a": ' + b"[1," * 600_000, "more than"),
        (b'{"schema": "rdpdoctor.bundle/10"}', "no bundle of this version"),
        (brief(b"\0" * 60_000_000).encode(), "unfolds"),
        (gzip.compress(b"\0" * 60_000_000), "unfolds"),
        (b"", "nothing"),
        (b"hello", "nothing"),
    ],
)
def test_damaged_and_hostile_bundles_are_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(HostError, match=complaint):
        read_host(data)


def test_parts_of_the_wrong_shape_are_left_out() -> None:
    for part in bundle():
        if part in ("schema", "collected"):
            continue
        for wrong in WRONG:
            found = judged(packed(**{part: wrong}))
            assert found.verdict.status in ("unknown", "unreachable", "degraded"), part


SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\TermService"


@pytest.mark.parametrize(
    "row", [value(SERVICE, "Start", 4), value(LISTENER, "fEnableWinStation", 0)], ids=["service", "listener"]
)
def test_what_counts_at_the_next_start_breaks_nothing_that_runs(row: dict[str, Any]) -> None:
    found = judged(with_value(row))
    assert found.verdict.status == "degraded"
    data = json.loads(with_value(row))
    data |= {"services": None, "listeners": None, "sessions": None}
    assert judged(json.dumps(data).encode()).verdict.status == "unreachable"


def test_another_program_on_the_port() -> None:
    nginx = {"protocol": "tcp", "address": "0.0.0.0", "port": 3389, "pid": 99, "process": "nginx"}
    found = judged(packed(listeners=nginx))
    assert found.verdict.status == "degraded"
    assert "another program" in found.verdict.summary
    # Without the numbers of processes nobody can tell whose it is.
    assert judged(packed(listeners={**nginx, "pid": None})).verdict.status == "unknown"


def test_a_key_that_only_an_administrator_could_have_opened() -> None:
    bad = certificate(key_access=None, key_code="0x80090016")
    assert standing(judged(packed(certificates=bad))) == {"certificate.key-unusable": "confirmed"}
    assert standing(judged(packed(certificates=bad, elevated=False))) == {
        "certificate.key-unusable": "possible"
    }
