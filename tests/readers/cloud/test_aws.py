"""Security groups and network ACLs of AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.readers.cloud.craft import (
    HOME,
    OFFICE,
    decided,
    entry,
    network_acl,
    one,
    passes,
    permission,
    rules,
    security_group,
    tags,
)


@pytest.mark.parametrize(
    ("rule", "home", "internet"),
    [
        (permission("0.0.0.0/0"), "allow", "allow"),
        (permission("198.51.100.0/24"), "allow", "some"),
        (permission("203.0.113.0/24"), "deny", "some"),
        (permission("0.0.0.0/0", ports=(0, 65535)), "allow", "allow"),
        (permission("0.0.0.0/0", ports=(3390, 4000)), "deny", "deny"),
        (permission("0.0.0.0/0", ports=None), "allow", "allow"),
        (permission("0.0.0.0/0", IpProtocol="udp"), "deny", "deny"),
        (permission("0.0.0.0/0", IpProtocol="6"), "allow", "allow"),
        (permission("::/0"), "deny", "some"),
        (permission("10.0.0.0/8"), "deny", "deny"),
        (permission(UserIdGroupPairs=[{"GroupId": "sg-9"}]), "deny", "deny"),
        (permission(PrefixListIds=[{"PrefixListId": "pl-9"}]), "unknown", "deny"),
    ],
)
def test_security_groups(rule: dict[str, Any], home: str, internet: str) -> None:
    document = {"SecurityGroups": [security_group(rule)]}
    assert one(document, HOME).args["verdict"] == home
    assert one(document).args["verdict"] == internet


def test_groups_that_name_groups_mean_private_addresses() -> None:
    document = [security_group(permission(UserIdGroupPairs=[{"GroupId": "sg-9"}]), name="web")]
    assert one(document, "10.1.2.3").args["doubt"] == "source"
    assert passes(document) == ["sg-9"]
    assert one(document).args["group"] == "web (sg-1)"


def test_any_rule_of_a_group_is_enough() -> None:
    group = security_group(permission("203.0.113.0/24"), permission("198.51.100.0/24"))
    assert [one([group], source).args["verdict"] for source in (HOME, OFFICE)] == ["allow", "allow"]


def test_rules_by_themselves() -> None:
    def row(group: str, block: str, egress: bool = False) -> dict[str, Any]:
        about = {"GroupId": group, "IsEgress": egress, "IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389}
        return {**about, "SecurityGroupRuleId": f"sgr-{group}", "CidrIpv4": block}

    document = {"SecurityGroupRules": [row("sg-1", "0.0.0.0/0"), row("sg-2", "0.0.0.0/0", egress=True)]}
    assert decided(document, HOME) == [("sg-1", "allow", "sgr-sg-1"), ("sg-2", "deny", None)]


def test_too_open() -> None:
    assert "cloud.too-open" in tags(rules([security_group(permission("0.0.0.0/0"))], OFFICE))
    assert "cloud.too-open" in tags(rules([security_group(permission("::/0"))]))
    assert "cloud.too-open" not in tags(rules([security_group(permission("203.0.113.0/24"))]))


IN, ALL = entry(100, "allow", (3389, 3389)), entry(100, "allow", egress=True)


@pytest.mark.parametrize(
    ("back", "verdict", "direction", "rule", "doubt"),
    [
        ([], "deny", "return", "*", None),
        ([entry(100, "allow", (1024, 65535), egress=True)], "allow", "in", "100", None),
        ([entry(100, "allow", (49152, 65535), egress=True)], "allow", "in", "100", None),
        ([ALL], "allow", "in", "100", None),
        ([entry(100, "allow", (3389, 3389), egress=True)], "unknown", "return", "*", "client-port"),
        ([entry(100, "allow", (32768, 61000), egress=True)], "unknown", "return", "*", "client-port"),
        ([entry(90, "deny", (50000, 50100), egress=True), ALL], "unknown", "return", "90", "client-port"),
        ([entry(90, "deny", block="198.51.100.0/24", egress=True), ALL], "deny", "return", "90", None),
        ([entry(100, "allow", (1024, 65535), "203.0.113.0/24", egress=True)], "deny", "return", "*", None),
    ],
)  # fmt: skip
def test_a_network_acl_must_let_the_answers_out(
    back: list[dict[str, Any]], verdict: str, direction: str, rule: str, doubt: str | None
) -> None:
    args = one(network_acl(IN, *back), HOME).args
    assert (args["verdict"], args["direction"], args["rule"], args["doubt"]) == (
        verdict,
        direction,
        rule,
        doubt,
    )


def test_numbers_decide() -> None:
    back = entry(100, "allow", egress=True)
    denied = network_acl(entry(200, "allow", (3389, 3389)), entry(50, "deny", block="198.51.100.0/24"), back)
    assert decided(denied, HOME) == [("acl-1", "deny", "50")]
    assert decided(denied, OFFICE) == [("acl-1", "allow", "200")]
    assert one(network_acl(back), HOME).args["rule"] == "*"
    assert one(network_acl(IN, back)).args["verdict"] == "allow"
