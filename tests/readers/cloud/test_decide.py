"""The sweep over address space against asking address by address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.readers.cloud.decide import about_address, about_anyone
from rdpdoctor.readers.cloud.model import EVERYWHERE, PUBLIC, Named, Rule, span

_BLOCKS = (
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "198.51.100.0/24",
    "198.51.100.7/32",
    "10.0.0.0/8",
    "::/0",
)
_ASKED = ("198.51.100.7", "198.51.100.8", "203.0.113.9", "64.0.0.1", "10.1.2.3", "2001:db8::1")

rule = st.builds(
    Rule,
    name=st.sampled_from("abcdef"),
    allow=st.booleans(),
    priority=st.none(),
    spans=st.lists(st.sampled_from(_BLOCKS), max_size=3).map(
        lambda blocks: tuple(span(ip_network(block)) for block in blocks)
    ),
    narrow=st.booleans(),
)


@given(st.lists(rule, max_size=6))
def test_both_ways_agree(rules: list[Rule]) -> None:
    anyone = about_anyone(rules)
    public = [about_address(rules, ip_address(each)) for each in _ASKED if not each.startswith("10.")]
    verdicts = {decision.verdict for decision in public}
    if anyone.verdict == "deny":
        assert verdicts == {"deny"}
        assert anyone.rule is None or not anyone.rule.allow
    if verdicts == {"allow"}:
        assert anyone.verdict == "allow"
    if anyone.verdict == "allow":
        assert verdicts != {"deny"}
        assert anyone.rule is not None
        assert anyone.rule.allow
        assert anyone.open is anyone.rule


@given(st.lists(rule, max_size=6))
def test_without_doubtful_rules_the_first_that_matches_decides(rules: list[Rule]) -> None:
    sure = [each for each in rules if not each.narrow]
    for asked in _ASKED:
        _, first, _ = span(ip_network(asked))
        address = ip_address(asked)
        hit = next(
            (
                each
                for each in sure
                if any(v == address.version and low <= first <= high for v, low, high in each.spans)
            ),
            None,
        )
        decision = about_address(sure, address)
        assert (decision.rule, decision.verdict) == (hit, "allow" if hit and hit.allow else "deny")


def test_names_are_listed_until_a_rule_for_all_decides() -> None:
    named = Rule("n", True, 1, (), (Named("VirtualNetwork"),))
    deny = Rule("d", False, 2, EVERYWHERE)
    assert about_anyone([named, deny]).passes == ("VirtualNetwork",)
    assert about_anyone([deny, named]).passes == ()
    assert about_anyone([Rule("no", False, 0, (), (Named("VirtualNetwork"),)), named]).passes == ()


def test_public_addresses_are_what_the_standard_library_calls_global() -> None:
    for version, first, last in PUBLIC:
        if version == 4:
            assert ip_address(first).is_global
            assert ip_address(last).is_global
            before, after = ip_address(first - 1), ip_address(last + 1)
            assert not before.is_global
            assert not after.is_global or after.is_multicast
