"""What rules alone, and rules beside a live check, come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.diagnosis import Confidence, Health
from rdpdoctor.facts import Stage
from rdpdoctor.readers.cloud.rules import read_rules
from rdpdoctor.readers.cloud.sniff import sniff
from tests.diagnosis.story import Story
from tests.readers.cloud.craft import (
    HOME,
    OFFICE,
    TCP_3389,
    diagnosis,
    entry,
    firewall,
    network_acl,
    nsg,
    nsg_rule,
    permission,
    rules,
    security_group,
)

if TYPE_CHECKING:
    from rdpdoctor.diagnosis import Diagnosis

CONFIG = Path(__file__).parents[4] / "shared" / "captures" / "config"
NSG, AWS = "cloud.nsg-denies", "cloud.security-group-denies"
CLOSED = nsg(nsg_rule("Office", 100, source="203.0.113.0/24"), nsg_rule("No", 200, "Deny"))
EFFECTIVE = [
    {"networkSecurityGroup": {"id": "/x/n"}, "effectiveSecurityRules": [nsg_rule("Yes", 100, source=HOME)]}
]


def confidence(found: Diagnosis, cause: str) -> Confidence | None:
    return next((each.confidence for each in found.causes if each.id == cause), None)


@pytest.mark.parametrize(
    ("document", "source", "status", "cause", "how"),
    [
        (CLOSED, HOME, Health.UNREACHABLE, NSG, Confidence.CONFIRMED),
        (CLOSED, OFFICE, Health.UNKNOWN, NSG, None),
        (CLOSED, None, Health.UNKNOWN, NSG, Confidence.POSSIBLE),
        (nsg(nsg_rule("No", 100, "Deny")), None, Health.UNREACHABLE, NSG, Confidence.CONFIRMED),
        (nsg(), None, Health.UNREACHABLE, NSG, Confidence.LIKELY),
        (nsg(), "10.1.2.3", Health.UNKNOWN, NSG, Confidence.POSSIBLE),
        (nsg(nsg_rule("All", 100)), HOME, Health.DEGRADED, NSG, None),
        (EFFECTIVE, HOME, Health.UNKNOWN, NSG, None),
        ([security_group(permission("203.0.113.0/24"))], HOME, Health.UNREACHABLE, AWS, Confidence.CONFIRMED),
        ([security_group(permission("10.0.0.0/8"))], None, Health.UNREACHABLE, AWS, Confidence.LIKELY),
        ([security_group(permission("0.0.0.0/0"))], None, Health.DEGRADED, AWS, None),
        (network_acl(entry(1, "allow")), HOME, Health.UNREACHABLE, AWS, Confidence.CONFIRMED),
        (
            [firewall("a", 1, denied=TCP_3389)],
            None,
            Health.UNREACHABLE,
            "path.filtered",
            Confidence.CONFIRMED,
        ),
        ([firewall("a", 1, allowed=TCP_3389)], None, Health.DEGRADED, "path.filtered", None),
    ],
)
def test_rules_alone(
    document: Any, source: str | None, status: Health, cause: str, how: Confidence | None
) -> None:
    found = diagnosis(rules(document, source).observations)
    assert found.verdict.status is status
    assert found.verdict.stage is (None if status is Health.UNKNOWN else Stage.TCP)
    assert confidence(found, cause) is how
    if how is not None:
        assert found.causes[0].id == cause
    assert not {each.id for each in found.causes} & ({NSG, AWS} - {cause})


def test_group_and_acl_must_both_allow() -> None:
    group = rules([security_group(permission(HOME))], HOME).observations
    acl = rules(network_acl(entry(1, "allow")), HOME).observations
    found = diagnosis([*group, *acl])
    assert found.verdict.status is Health.UNREACHABLE
    assert "stops the answers" in found.verdict.summary
    assert "keeps no state" in found.causes[0].why
    both = [*acl, *rules([security_group(permission("203.0.113.1"))], HOME).observations]
    assert diagnosis(both).verdict.status is Health.UNREACHABLE


def test_a_subnet_that_denies_is_enough() -> None:
    other = {"networkSecurityGroup": {"id": "/x/m"}, "effectiveSecurityRules": [nsg_rule("No", 100, "Deny")]}
    found = diagnosis(rules({"value": [*EFFECTIVE, other]}, HOME).observations)
    assert found.verdict.status is Health.UNREACHABLE
    assert found.causes[0].confidence is Confidence.CONFIRMED


WIDE = nsg_rule("All", 100)


@pytest.mark.parametrize(
    ("files", "status", "how", "told", "untold"),
    [
        (  # what the group lets in is of no use where the ACL stops the answers
            ([security_group(permission("0.0.0.0/0"))], network_acl(entry(1, "allow"))),
            Health.UNREACHABLE, Confidence.CONFIRMED, "stops the answers to the Internet", "only Internet",
        ),
        (
            ({"value": [
                {"networkSecurityGroup": {"id": "/x/n"}, "effectiveSecurityRules": [WIDE]},
                {"networkSecurityGroup": {"id": "/x/m"},
                 "effectiveSecurityRules": [nsg_rule("Office", 100, source="203.0.113.0/24")]},
            ]},),
            Health.UNKNOWN, Confidence.POSSIBLE, "let in 203.0.113.0/24 only", "let in Internet",
        ),
        (
            (nsg(WIDE, name="one"), nsg(nsg_rule("Office", 100, source="203.0.113.0/24"), name="two")),
            Health.UNKNOWN, Confidence.POSSIBLE,
            "(one would let the Internet in), others let in 203.0.113.0/24",
            "no answer",
        ),
    ],
)  # fmt: skip
def test_several_groups_about_the_internet(
    files: tuple[Any, ...], status: Health, how: Confidence, told: str, untold: str
) -> None:
    found = diagnosis([row for file in files for row in rules(file, None).observations])
    assert (found.verdict.status, found.causes[0].confidence) == (status, how)
    assert told in found.causes[0].why
    assert untold not in found.causes[0].why + found.verdict.summary
    assert ", 0 would not" not in found.verdict.summary


def live(outcome: str, document: Any, source: str | None = HOME) -> Diagnosis:
    story = Story().resolved().dialled(outcome)
    story.journal.extend(rules(document, source).observations)
    return story.diagnosis()


def test_silence_and_a_rule_that_denies() -> None:
    found = live("silent", CLOSED)
    assert (found.verdict.status, found.causes[0].id) == (Health.UNREACHABLE, NSG)
    assert found.causes[0].confidence is Confidence.CONFIRMED
    assert "No (priority 200) of nsg-1" in found.causes[0].why
    assert confidence(found, "path.filtered") is None, "the narrower one says it"


def test_silence_and_a_rule_that_allows() -> None:
    found = live("silent", EFFECTIVE)
    assert confidence(found, NSG) is Confidence.RULED_OUT
    assert found.causes[0].id == "path.filtered"
    elsewhere = live("silent", nsg(nsg_rule("Yes", 100, source=HOME)))
    assert confidence(elsewhere, NSG) is None


def test_a_refusal_came_from_behind_the_rules() -> None:
    found = live("refused", CLOSED)
    assert found.causes[0].id == "listener.absent"
    assert confidence(found, NSG) is not Confidence.CONFIRMED


def test_a_connection_is_stronger_than_rules() -> None:
    story = Story().healthy()
    story.journal.extend(rules(CLOSED, HOME).observations)
    assert story.diagnosis().verdict.status is Health.HEALTHY
    story.journal.extend(rules([security_group(permission("0.0.0.0/0"))], HOME).observations)
    found = story.diagnosis()
    assert (found.verdict.status, found.verdict.stage) == (Health.DEGRADED, Stage.TCP)
    assert "whole Internet" in found.verdict.summary


def test_udp_that_the_rules_do_not_let_in() -> None:
    assert confidence(diagnosis(rules(EFFECTIVE, HOME).observations), "udp.blocked") is Confidence.POSSIBLE
    both = nsg(nsg_rule("R", 100, source=HOME, protocol="*"))
    assert confidence(diagnosis(rules(both, HOME).observations), "udp.blocked") is None


# ---- exports of other people, with what their README says they must give

SAMPLES: dict[str, tuple[set[Health], dict[str, set[Confidence]]]] = {
    "azure-nsg-list": ({Health.UNREACHABLE, Health.UNKNOWN}, {NSG: {Confidence.POSSIBLE, Confidence.LIKELY}}),
    "azure-nsg-allow-all": ({Health.DEGRADED}, {}),
    "azure-nsg-deny-all": ({Health.UNREACHABLE}, {NSG: {Confidence.CONFIRMED}}),
    "azure-nsg-implicit-deny": ({Health.UNREACHABLE}, {NSG: {Confidence.LIKELY}}),
    "azure-jit-policy": ({Health.UNKNOWN}, {NSG: {Confidence.POSSIBLE}}),
    "aws-security-groups": ({Health.UNREACHABLE, Health.UNKNOWN}, {AWS: {Confidence.POSSIBLE}}),
}


@pytest.mark.skipif(not CONFIG.is_dir(), reason="the exports of ../shared/captures are not here")
@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    data = (CONFIG / f"{name}.json").read_bytes()
    assert sniff(data)
    read = read_rules(data)
    assert not read.lost
    found = diagnosis(read.observations)
    statuses, causes = SAMPLES[name]
    assert found.verdict.status in statuses
    assert {each.id for each in found.causes} == set(causes)
    for each in found.causes:
        assert each.confidence in causes[each.id]


@pytest.mark.skipif(not CONFIG.is_dir(), reason="the exports of ../shared/captures are not here")
def test_samples_name_what_they_must() -> None:
    groups = diagnosis(read_rules(CONFIG / "azure-nsg-list.json").observations)
    assert "nsg-deny-all-ingress and nsg-mixed-rules would deny" in groups.causes[0].why
    assert "nsg-allow-all-ingress would let the Internet in" in groups.verdict.summary
    implicit = diagnosis(read_rules(CONFIG / "azure-nsg-implicit-deny.json").observations)
    assert "DenyAllInBound (priority 65500)" in implicit.verdict.summary
    assert "VirtualNetwork" in implicit.verdict.summary
    inside = read_rules(CONFIG / "aws-security-groups.json", "10.2.3.4").observations
    passing = [
        row.args["rule"] for row in inside if row.args.get("verdict") == "allow" and row.stage == "tcp"
    ]
    assert passing == ["tcp 0-62000"]


@pytest.mark.skipif(not CONFIG.is_dir(), reason="the exports of ../shared/captures are not here")
def test_other_samples_are_no_rules() -> None:
    assert not any(sniff(path.read_bytes()) for path in CONFIG.glob("*.rdp"))
    assert not any(sniff(path.read_bytes()) for path in CONFIG.glob("*.xml"))
