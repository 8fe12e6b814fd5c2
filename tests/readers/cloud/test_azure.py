"""Network security groups in the shapes in which Azure's tools write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rdpdoctor.readers.cloud.rules import read_rules
from tests.readers.cloud.craft import HOME, OFFICE, decided, nsg, nsg_rule, one, passes, rules, tags


def powershell(rule: dict[str, Any]) -> dict[str, Any]:
    """As `Get-AzNetworkSecurityGroup | ConvertTo-Json -Depth 10` writes it."""
    row = {key[0].upper() + key[1:]: value for key, value in rule.items() if not key.endswith("es")}
    for name in (
        "SourceAddressPrefix",
        "SourcePortRange",
        "DestinationAddressPrefix",
        "DestinationPortRange",
    ):
        row[name] = [row[name]]
    return row


RULE = nsg_rule("AllowOffice", 300, source="203.0.113.0/24")
REST = {"name": "AllowOffice", "properties": RULE}
PATH = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg-1"
IN_FORCE = {
    "name": "securityRules/AllowOffice",
    "destinationPortRange": "3389-3389",
    "sourcePortRange": "0-65535",
}
SHAPES: dict[str, Any] = {
    "az network nsg show": nsg(RULE),
    "az network nsg list": [nsg(RULE)],
    "az rest": {"value": [{"name": "nsg-1", "properties": {"securityRules": [REST]}}]},
    "Get-AzNetworkSecurityGroup": {"Name": "nsg-1", "SecurityRules": [powershell(RULE)]},
    "several of them": [{"Name": "nsg-1", "SecurityRules": [powershell(RULE)]}],
    "lists of Windows PowerShell": {
        "Name": "nsg-1",
        "SecurityRules": {"value": [powershell(RULE)], "Count": 1},
    },
    "cut off, with the text beside": {
        "Name": "nsg-1",
        "SecurityRules": ["Microsoft.Azure.Commands.Network.Models.PSSecurityRule"],
        "SecurityRulesText": json.dumps([powershell(RULE)]),
    },
    "az network nsg rule list": [{**RULE, "id": f"{PATH}/securityRules/AllowOffice"}],
    "az network nic list-effective-nsg": {
        "value": [{"networkSecurityGroup": {"id": PATH}, "effectiveSecurityRules": [{**RULE, **IN_FORCE}]}]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_shapes(shape: str, encoding: str) -> None:
    data = json.dumps(SHAPES[shape]).encode(encoding)
    for source, verdict, rule in ((OFFICE, "allow", "AllowOffice"), (HOME, "deny", None)):
        first = read_rules(data, source).observations[0].args
        assert (first["group"], first["verdict"]) == ("nsg-1", verdict)
        assert first["rule"] == rule or verdict == "deny"
    assert not read_rules(data, OFFICE).lost


def test_what_powershell_cut_off_is_missed() -> None:
    read = rules({"Name": "nsg-1", "SecurityRules": ["…PSSecurityRule"]}, OFFICE)
    assert read.lost
    assert "ConvertTo-Json" in read.lost[0]
    assert read.observations[0].args["verdict"] == "unknown"
    assert read.observations[0].args["doubt"] == "lost"


def test_priority_decides_and_not_the_order_in_the_file() -> None:
    group = nsg(nsg_rule("Late", 400), nsg_rule("Early", 100, "Deny"), nsg_rule("Between", 200))
    assert decided(group, HOME) == [("nsg-1", "deny", "Early")]
    assert one(group, HOME).args["priority"] == 100


@pytest.mark.parametrize(
    ("ports", "verdict"),
    [("3389", "allow"), ("3380-3390", "allow"), ("*", "allow"), ("22", "deny"), ("3390-4000", "deny")],
)
def test_port_ranges(ports: str, verdict: str) -> None:
    assert one(nsg(nsg_rule("R", 100, destinationPortRange=ports)), HOME).args["verdict"] == verdict
    several = nsg_rule("R", 100, destinationPortRange=None, destinationPortRanges=["22", ports])
    assert one(nsg(several), HOME).args["verdict"] == verdict


def test_another_port() -> None:
    group = nsg(nsg_rule("R", 100, destinationPortRange="3390"))
    assert one(group, HOME, 3390).args["verdict"] == "allow"
    assert one(group, HOME, 3389).args["verdict"] == "deny"


@pytest.mark.parametrize(
    ("source", "home", "private", "internet"),
    [
        ("Internet", "allow", "unknown", "allow"),  # the private one may still be in the virtual network
        ("VirtualNetwork", "deny", "unknown", "deny"),
        ("AzureLoadBalancer", "deny", "unknown", "deny"),
        ("AzureCloud", "unknown", "unknown", "deny"),
        ("198.51.100.0/24", "allow", "unknown", "some"),
        ("198.51.100.7", "allow", "unknown", "some"),
        ("10.0.0.0/8", "deny", "allow", "deny"),
        ("0.0.0.0/0", "allow", "allow", "allow"),
        ("::/0", "deny", "unknown", "some"),
        (["10.0.0.0/8", "198.51.100.0/24"], "allow", "allow", "some"),
        (["0.0.0.0/1", "128.0.0.0/1"], "allow", "allow", "allow"),
    ],
)
def test_sources(source: Any, home: str, private: str, internet: str) -> None:
    group = nsg(nsg_rule("R", 100, source=source))
    found = [one(group, asked).args["verdict"] for asked in (HOME, "10.1.2.3", None)]
    assert found == [home, private, internet]


def test_ipv6() -> None:
    group = nsg(nsg_rule("R", 100, source="2001:db8::/32"))
    assert decided(group, "2001:db8::5") == [("nsg-1", "allow", "R")]
    assert decided(group, "2001:db9::5") == [("nsg-1", "deny", "DenyAllInBound")]
    assert decided(nsg(nsg_rule("R", 100, source=HOME)), f"::ffff:{HOME}") == [("nsg-1", "allow", "R")]


def test_who_gets_in_where_the_internet_does_not() -> None:
    group = nsg(nsg_rule("A", 100, source="10.2.0.0/16"))
    args = one(group).args
    assert args["verdict"] == "deny"
    assert args["passes"] == ["10.2.0.0/16", "VirtualNetwork"]
    assert args["built_in"] is True
    only = one(nsg(nsg_rule("A", 100, source="203.0.113.0/24"), nsg_rule("B", 110, "Deny"))).args
    assert (only["verdict"], only["passes"]) == ("some", ["203.0.113.0/24"])


def test_application_security_groups() -> None:
    asg = [{"id": "/x/applicationSecurityGroups/jump-hosts"}]
    sources = nsg(
        nsg_rule("A", 100, source=[], sourceApplicationSecurityGroups=asg), nsg_rule("B", 110, "Deny")
    )
    assert one(sources, HOME).args["verdict"] == "deny"
    assert one(sources, "10.1.1.1").args["doubt"] == "source"
    assert passes(sources) == ["group jump-hosts"]
    targets = nsg(nsg_rule("A", 100, destinationAddressPrefix="", destinationApplicationSecurityGroups=asg))
    assert (one(targets, HOME).args["verdict"], one(targets, HOME).args["doubt"]) == ("unknown", "target")
    assert (one(targets).args["verdict"], one(targets).args["doubt"]) == ("unknown", "target")


def test_a_doubt_that_does_not_matter_is_none() -> None:
    """Both ways the same: a rule for some machines denies, and so does the one after it."""
    narrow = nsg_rule("A", 100, "Deny", destinationAddressPrefix="10.0.0.4")
    assert decided(nsg(narrow, nsg_rule("B", 110, "Deny")), HOME) == [("nsg-1", "deny", "B")]
    assert decided(nsg(narrow, nsg_rule("B", 110)), HOME) == [("nsg-1", "unknown", "A")]


def test_effective_rules_of_card_and_subnet_must_both_allow() -> None:
    def effective(name: str, where: str, access: str) -> dict[str, Any]:
        rule = nsg_rule("securityRules/R", 100, access, "0.0.0.0/0", sourcePortRange="0-65535")
        at = {where: {"id": f"/x/{where}s/{where}-1"}}
        return {
            "association": at,
            "networkSecurityGroup": {"id": f"/x/{name}"},
            "effectiveSecurityRules": [rule],
        }

    both = {"value": [effective("a", "networkInterface", "Allow"), effective("b", "subnet", "Deny")]}
    assert decided(both, HOME) == [
        ("a at the network card networkInterface-1", "allow", "R"),
        ("b at the subnet subnet-1", "deny", "R"),
    ]
    assert all(row.args["together"] for row in rules(both, HOME).observations if "together" in row.args)


def test_tags_that_an_effective_listing_spells_out() -> None:
    rule = nsg_rule("R", 100, source="Storage", expandedSourceAddressPrefix=["198.51.100.0/24"])
    listing = [{"effectiveSecurityRules": [rule], "networkSecurityGroup": {"id": "/x/n"}}]
    assert one(listing, HOME).args["verdict"] == "allow"
    assert one(listing, OFFICE).args["verdict"] == "deny"


def test_udp_apart_from_tcp() -> None:
    rows = rules(nsg(nsg_rule("R", 100)), HOME).observations
    assert [(row.stage, row.args["verdict"]) for row in rows if "decides" in row.tag] == [
        ("tcp", "allow"),
        ("udp", "deny"),
    ]


@pytest.mark.parametrize(
    ("source", "open_"),
    [
        *((wide, True) for wide in ("*", "Internet", "0.0.0.0/0", "::/0")),
        *((narrow, False) for narrow in ("203.0.113.0/24", "10.0.0.0/8")),
    ],
)
def test_too_open(source: str, open_: bool) -> None:
    for asked in (None, OFFICE, "10.1.2.3"):
        assert ("cloud.too-open" in tags(rules(nsg(nsg_rule("R", 100, source=source)), asked))) is open_
    early = nsg(nsg_rule("D", 90, "Deny"), nsg_rule("R", 100, source=source))
    assert "cloud.too-open" not in tags(rules(early))


def test_rules_that_say_nothing_make_the_group_doubtful() -> None:
    read = rules(nsg(nsg_rule("R", 100), nsg_rule("Odd", 90, "Perhaps")), HOME)
    assert read.observations[0].args["doubt"] == "lost"
    assert any("Odd" in what for what in read.lost)
    strange = rules(nsg(nsg_rule("R", 100, source="<script>")), HOME)
    assert any("<script>" in what for what in strange.lost)


def test_just_in_time() -> None:
    policy: dict[str, Any] = {
        "type": "Microsoft.Security/locations/jitNetworkAccessPolicies",
        "properties": {
            "virtualMachines": [
                {"id": "/x/virtualMachines/vm-1", "ports": [{"number": 3389}, {"number": 22}]}
            ],
            "requests": [],
        },
    }
    (row,) = rules(policy).observations
    assert (row.tag, row.args["machine"], row.args["asked"]) == ("cloud.just-in-time", "vm-1", False)
    policy["properties"]["requests"] = [
        {"virtualMachines": [{"ports": [{"number": 3389, "endTimeUtc": "2026-11-22T13:00:00Z"}]}]}
    ]
    (row,) = rules({"value": [policy]}).observations
    assert (row.args["asked"], row.args["until"]) == (True, "2026-11-22T13:00:00Z")
    assert not rules(policy, port=5900).observations


WIDE = "203.0.113.0/24"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([nsg_rule("Yes", 300, source=WIDE)], ["203.0.113.0/24"]),
        ([nsg_rule("Yes", 300, source=WIDE), nsg_rule("No", 200, "Deny", source="203.0.113.7")],
         ["203.0.113.0/24 but for 203.0.113.7"]),
        ([nsg_rule("Yes", 300, source=WIDE), nsg_rule("No", 200, "Deny", source="203.0.113.0/25")],
         ["203.0.113.0/24 but for 203.0.113.0/25"]),
        ([nsg_rule("Yes", 300, source=WIDE), nsg_rule("No", 200, "Deny", source="203.0.112.0/23")],
         []),
        ([nsg_rule("Yes", 300, source=WIDE), nsg_rule("Too", 310, source="203.0.113.128/25")],
         ["203.0.113.0/24"]),
        ([nsg_rule("Yes", 300, source="203.0.113.0/29"),
          *(nsg_rule(f"No{each}", 200 + each, "Deny", source=f"203.0.113.{each}") for each in (0, 2, 4))],
         ["203.0.113.1/32", "203.0.113.3/32", "203.0.113.5/32", "203.0.113.6/31"]),
    ],
)  # fmt: skip
def test_who_gets_in_is_told_as_the_rules_say_it(given: list[dict[str, Any]], said: list[str]) -> None:
    assert [one for one in passes(nsg(*given)) if one[0].isdigit()] == said
