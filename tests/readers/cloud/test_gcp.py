"""VPC firewall rules of Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.readers.cloud.craft import (
    HOME,
    OFFICE,
    TCP_3389,
    decided,
    diagnosis,
    firewall,
    one,
    passes,
    rules,
)

ALLOW: dict[str, Any] = {"allowed": TCP_3389}
DENY: dict[str, Any] = {"denied": TCP_3389}


@pytest.mark.parametrize(
    ("rows", "verdict", "rule"),
    [
        ([firewall("a", **ALLOW)], "allow", "a"),
        ([firewall("a", **ALLOW, sourceRanges=["203.0.113.0/24"])], "deny", "implied deny ingress"),
        ([firewall("a", **ALLOW, sourceRanges=[HOME])], "allow", "a"),
        ([firewall("a", **ALLOW, disabled=True)], "deny", "implied deny ingress"),
        ([firewall("a", **ALLOW, direction="EGRESS")], "deny", "implied deny ingress"),
        ([firewall("a", 900, **ALLOW), firewall("b", 800, **DENY)], "deny", "b"),
        ([firewall("a", 700, **ALLOW), firewall("b", 800, **DENY)], "allow", "a"),
        ([firewall("a", **ALLOW), firewall("b", **DENY)], "deny", "b"),  # at the same priority denying wins
        ([firewall("a", allowed=[{"IPProtocol": "all"}])], "allow", "a"),
        ([firewall("a", allowed=[{"IPProtocol": "tcp"}])], "allow", "a"),
        ([firewall("a", allowed=[{"IPProtocol": "tcp", "ports": ["22", "3000-4000"]}])], "allow", "a"),
        ([firewall("a", allowed=[{"IPProtocol": "udp", "ports": ["3389"]}])], "deny", "implied deny ingress"),
        ([firewall("a", **ALLOW, sourceTags=["jump"])], "deny", "implied deny ingress"),
        ([firewall("a", **ALLOW, targetTags=["windows"])], "unknown", "a"),
        ([firewall("a", 900, **DENY, targetTags=["x"]), firewall("b", **ALLOW)], "unknown", "a"),
        ([firewall("a", **ALLOW, sourceRanges=["nonsense"])], "unknown", "a"),
    ],
)
def test_rules(rows: list[dict[str, Any]], verdict: str, rule: str) -> None:
    assert decided(rows, HOME) == [("net-1", verdict, rule)]


def test_each_network_by_itself() -> None:
    other = {**firewall("b", **DENY), "network": "projects/p/global/networks/net-2"}
    assert decided([firewall("a", **ALLOW), other], OFFICE) == [
        ("net-1", "allow", "a"),
        ("net-2", "deny", "b"),
    ]


def test_tags_stand_for_machines_of_the_network() -> None:
    row = [firewall("a", **ALLOW, sourceTags=["jump"])]
    assert one(row, "10.1.2.3").args["doubt"] == "source"
    assert passes(row) == ["machines of jump"]


OFF: dict[str, Any] = {**ALLOW, "disabled": True}


@pytest.mark.parametrize(
    ("rows", "off"),
    [
        ([firewall("a", **OFF)], "a"),
        ([firewall("a", **OFF, sourceRanges=[HOME])], "a"),
        ([firewall("a", **OFF, sourceRanges=["203.0.113.0/24"])], None),
        ([firewall("a", **OFF), firewall("b", 900, **DENY)], None),
        ([firewall("a", 800, **OFF), firewall("b", 900, **DENY)], "a"),
        ([firewall("a", **OFF), firewall("b", **ALLOW)], None),
        ([firewall("a", **DENY, disabled=True)], None),
        ([firewall("a", disabled=True, allowed=[{"IPProtocol": "tcp", "ports": ["22"]}])], None),
    ],
)
def test_a_rule_that_is_switched_off_and_would_let_it_in(rows: list[dict[str, Any]], off: str | None) -> None:
    told = [row.args["rule"] for row in rules(rows, HOME).observations if row.tag == "cloud.rule-off"]
    assert told == ([] if off is None else [off])
    said = diagnosis(rules(rows, HOME).observations).verdict.summary
    assert ("is switched off" in said) is (off is not None)
