"""What several servers behind one name, or a guard before them, make of attempts that are alike."""

from __future__ import annotations

from typing import Any

import pytest

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.diagnosis.view import View
from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.knowledge import load

ADDRESS = "192.0.2.1"


def attempt(number: int, outcome: str, *, at: float, at_once: int = 1, **more: Any) -> Observation:
    """A connection request that began at `at` ms and took one."""
    who: dict[str, Any] = {
        "attempt": number,
        "address": ADDRESS,
        "role": "walk" if number == 1 else "repeat",
        "variant": "ordinary",
        "at_once": at_once,
        "requested": 11,
        "cookie": "rdpdoctor",
    }
    answers: dict[str, dict[str, Any]] = {
        "selected": {"selected": 1, "flags": 1},
        "failure": {"code": 3},
    }
    answer = answers.get(outcome, {"after": "connection-request", "sent": 40, "received": 0})
    return Observation(
        f"x224.{outcome}", {**who, **answer, "elapsed_ms": 1.0, **more}, Stage.X224, at_ms=at + 1
    )


def refused(at: float, at_once: int = 1) -> Observation:
    args: dict[str, Any] = {
        "address": ADDRESS,
        "port": 3389,
        "role": "repeat",
        "at_once": at_once,
        "elapsed_ms": 1.0,
    }
    return Observation("tcp.refused", args, Stage.TCP, at_ms=at + 1)


def journal(*rows: Observation) -> Journal:
    made = Journal(Target("srv01", "srv01", 3389), "2026-11-22T10:00:00.000Z")
    connected = Observation("tcp.connected", {"address": ADDRESS, "port": 3389, "rtt_ms": 1.0}, Stage.TCP)
    made.extend((connected, *rows))
    return made


def conclusions(made: Journal, tag: str) -> list[dict[str, Any]]:
    return [dict(row.args) for row in diagnose(made, load()).observations if row.tag == f"derived.{tag}"]


@pytest.mark.parametrize(
    ("fates", "shut"),
    [
        ("ppddd", True),
        ("pppdddd", True),
        ("pdddd", False),  # one that passed is no series
        ("ppdd", False),  # two that died may be an accident
        ("ppddpd", False),  # let in again
        ("dppddd", False),
    ],
)
def test_shut_out(fates: str, shut: bool) -> None:
    rows = [
        attempt(number, "selected" if fate == "p" else "reset", at=100.0 * number)
        for number, fate in enumerate(fates, 1)
    ]
    made = journal(*rows)
    assert (View(made).shutout is not None) is shut
    said = conclusions(made, "shut-out")
    if shut:
        assert said == [
            {"at": "x224", "passed": fates.count("p"), "failed": fates.count("d"), "ways": ["reset"]}
        ]
        assert not any(row["mixed"] for row in conclusions(made, "repeats"))
    else:
        assert said == []


def test_who_dies_only_beside_others_is_not_shut_out() -> None:
    rows = [attempt(number, "selected", at=100.0 * number) for number in (1, 2)]
    dead = [attempt(number, "reset", at=100.0 * number, at_once=3) for number in (3, 4, 5)]
    assert View(journal(*rows, *dead)).shutout is None


def test_refused_connections_shut_out_too() -> None:
    rows = [attempt(number, "selected", at=100.0 * number) for number in (1, 2)]
    made = journal(*rows, *(refused(at) for at in (300.0, 400.0, 500.0)))
    assert conclusions(made, "shut-out") == [{"at": "tcp", "passed": 2, "failed": 3, "ways": ["refused"]}]
    found = diagnose(made, load())
    assert found.causes[0].id == "limits.connections"


def test_a_refusal_is_mixed_only_where_the_same_is_granted() -> None:
    always = journal(*(attempt(number, "failure", at=100.0 * number) for number in (1, 2, 3)))
    assert not any(row["mixed"] for row in conclusions(always, "repeats"))
    turns = journal(
        *(
            attempt(number, "failure" if number % 2 else "selected", at=100.0 * number)
            for number in (1, 2, 3, 4)
        )
    )
    (said,) = conclusions(turns, "repeats")
    assert (said["mixed"], said["failed"], said["ways"]) == (True, 2, ["declined"])
    assert diagnose(turns, load()).verdict.status == "failing"


@pytest.mark.parametrize(
    ("explains", "confidence"), [(True, "confirmed"), (False, "possible")], ids=["walk passed", "walk died"]
)
def test_a_refused_address_explains_no_later_death(explains: bool, confidence: str) -> None:
    other: dict[str, Any] = {"address": "192.0.2.2", "port": 3389, "elapsed_ms": 1.0}
    made = journal(
        Observation("tcp.refused", other, Stage.TCP),
        attempt(1, "selected" if explains else "closed", at=10.0),
    )
    (said,) = conclusions(made, "members")
    assert said["explains"] is explains
    words = {cause.id: cause.confidence for cause in diagnose(made, load()).causes}
    assert words["farm.bad-member"] == confidence


def test_the_worst_certificate_is_judged() -> None:
    def shown(
        number: int, sha: str, ends: str, hello: str = "client", variant: str = "ordinary"
    ) -> Observation:
        return Observation(
            "tls.certificate",
            {
                **{"attempt": number, "address": ADDRESS, "role": "repeat", "variant": variant, "at_once": 1},
                **{"hello": hello, "position": 0, "sha256": sha, "self_signed": True, "common_name": "srv01"},
                **{"not_before": "2026-01-01T00:00:00Z", "not_after": ends, "names": ["srv01"]},
            },
            Stage.TLS,
        )

    good, bad = "2027-06-01T00:00:00Z", "2026-11-01T00:00:00Z"
    (said,) = conclusions(journal(shown(1, "a", good), shown(2, "b", bad)), "certificate")
    assert (said["validity"], said["not_after"], said["one_of"]) == ("expired", bad, 2)
    # What only a client without a name, or an old one, is shown, is not what users meet.
    for odd in (shown(2, "b", bad, variant="no-sni"), shown(2, "b", bad, hello="TLS 1.0")):
        (said,) = conclusions(journal(shown(1, "a", good), odd), "certificate")
        assert said["validity"] == "valid"
