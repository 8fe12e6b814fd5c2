"""A check and the facts of the machine in one journal: the facts decide what the wire leaves open, and never
stand above what was measured.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.host import read_host
from tests.diagnosis.story import Story
from tests.readers.host.craft import (
    LISTENER,
    SCHANNEL,
    TS,
    bundle,
    certificate,
    packed,
    rule,
    standing,
    value,
    with_value,
)

if TYPE_CHECKING:
    from rdpdoctor.diagnosis import Diagnosis


def refused() -> Story:
    return Story().resolved().dialled("refused").dialled("refused")


def silent() -> Story:
    return Story().resolved().dialled("silent").dialled("silent")


def cut() -> Story:
    story = Story().walk(8, "closed")
    for name in ("TLS 1.2", "TLS 1.3", "TLS 1.0"):
        story.attempt(8, "closed", role="versions", hello=name)
    return story.attempt(8, "closed").attempt(8, "closed", variant="alone")


def rdp_only() -> Story:
    return Story().walk(("failure", 2)).matrix({0: "plain", 1: ("failure", 2), 3: ("failure", 2)})


def old_tls() -> Story:
    return Story().walk(8, ("alerted", 70)).versions(("alerted", 70), "TLS 1.2", "TLS 1.3").spoken("TLS 1.0")


def judged(story: Story, *files: bytes) -> Diagnosis:
    for data in files:
        story.journal.extend(read_host(data).observations)
    return story.diagnosis()


def wall(**changes: Any) -> bytes:
    return packed(firewall={**bundle()["firewall"], **changes})


def moved() -> bytes:
    changed = json.loads(with_value(value(LISTENER, "PortNumber", 3390)))
    changed["listeners"][0]["port"] = changed["port"] = 3390
    changed["firewall"]["rules"]["ports"] = "3390"
    return json.dumps(changed).encode()


NO_KEY = packed(certificates=certificate(has_private_key=False))
DENIED = packed(
    certificates=certificate(key_access={"who": "S-1-5-18", "rights": "FullControl", "kind": "Allow"})
)
GONE = packed(licensing={"certificate_kind": 2, "certificate": "BB" * 20})
OFF = with_value(value(TS, "fDenyTSConnections", 1))
STOPPED = packed(services={"name": "TermService", "state": "Stopped", "start": "Manual"}, listeners=None)
MISSING = packed(listeners=None, sessions=None)
SHUT = wall(rules=rule(enabled=False))
LAYER = with_value(value(LISTENER, "SecurityLayer", 0))
TLS12 = with_value(*(value(rf"{SCHANNEL}\TLS {one}\Server", "Enabled", 0) for one in ("1.0", "1.1", "1.2")))


@pytest.mark.parametrize(
    ("story", "data", "cause", "wider"),
    [
        (refused, OFF, "rdp.disabled", "listener.absent"),
        (refused, STOPPED, "service.stopped", "listener.absent"),
        (refused, MISSING, "listener.damaged", "listener.absent"),
        (refused, moved(), "port.changed", "listener.absent"),
        (silent, SHUT, "firewall.windows", "path.filtered"),
        (cut, NO_KEY, "certificate.key-unusable", None),
        (cut, DENIED, "certificate.key-unusable", None),
        (cut, GONE, "certificate.key-unusable", None),
        (rdp_only, LAYER, "security-layer.rdp-only", None),
        (old_tls, TLS12, "tls.version-mismatch", None),
    ],
)
def test_facts_of_the_machine_confirm(story: Any, data: bytes, cause: str, wider: str | None) -> None:
    before, after = judged(story()), judged(story(), data)
    assert (after.verdict.status, after.verdict.stage) == (before.verdict.status, before.verdict.stage)
    assert after.causes[0].id == cause
    assert after.causes[0].confidence == "confirmed"
    assert wider is None or (wider in standing(before) and wider not in standing(after))


def test_facts_that_are_well_speak_against_what_they_exclude() -> None:
    told = refused().answer("since", "always")
    assert "rdp.disabled" in standing(judged(told))
    assert "rdp.disabled" not in standing(judged(refused().answer("since", "always"), packed()))
    assert standing(judged(silent().answer("machine", "pc")))["firewall.windows"]
    assert "firewall.windows" not in standing(judged(silent().answer("machine", "pc"), packed()))
    before, after = (
        next(one for one in judged(cut(), *files).causes if one.id == "certificate.key-unusable")
        for files in ((), (packed(),))
    )
    assert after.bits < before.bits


@pytest.mark.parametrize("data", [OFF, STOPPED, MISSING, SHUT, NO_KEY, DENIED, GONE, TLS12])
def test_what_was_measured_stands_above_a_file_of_another_moment(data: bytes) -> None:
    found = judged(Story().healthy(), data)
    assert (found.verdict.status, found.verdict.stage) == ("degraded", "host")
    assert "nothing could connect, and what was measured passed" in found.verdict.summary
    assert "confirmed" not in standing(found).values()


def test_a_client_says_nothing_about_the_server() -> None:
    off = json.loads(OFF) | {"role": "client"}
    found = judged(refused(), json.dumps(off).encode())
    assert "rdp.disabled" not in standing(found)


def test_a_warning_of_the_machine_is_told_beside_a_good_check() -> None:
    found = judged(Story().healthy(), with_value(value(LISTENER, "UserAuthentication", 0)))
    assert (found.verdict.status, found.verdict.stage) == ("degraded", "host")
