"""Hostile and broken files: an error that says why, or what could be read; never a crash, and soon over."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.facts import Journal, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.cloud.bounds import BLOCKS, GROUPS, RULES
from rdpdoctor.readers.cloud.document import LARGEST
from rdpdoctor.readers.cloud.model import RulesError
from rdpdoctor.readers.cloud.rules import Rules, read_rules
from rdpdoctor.readers.cloud.sniff import sniff
from tests.readers.cloud.craft import (
    HOME,
    TCP_3389,
    diagnosis,
    effective_firewalls,
    entry,
    firewall,
    network_acl,
    nsg,
    nsg_rule,
    one,
    permission,
    policy,
    security_group,
    template,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\x80\x81", "neither"),
        (b"\xff\xfea", "neither"),
        (b"\xff\xfe\x00\xd8\x20\x00", "neither"),
        (b"{}", "no rules"),
        (b"[1, 2]", "no rules"),
        (b"null", "no rules"),
        (b'{"value": []}', "no rules"),
        (b'{"securityRules": [', "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"9" * 10_000, "no rules"),
        (b"[]" + b" " * LARGEST, "larger"),
        (b"[" + b"{}," * 600_000 + b"{}]", "values"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_export(data: bytes, why: str) -> None:
    with pytest.raises(RulesError, match=why):
        read_rules(data)


def test_a_source_that_is_no_address() -> None:
    with pytest.raises(ValueError, match="not appear to be"):
        read_rules(json.dumps(nsg()).encode(), "home")


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
GOOD: list[Any] = [
    nsg(nsg_rule("R", 100), nsg_rule("S", 110, "Deny", ["10.0.0.0/8"])),
    {"value": [{"association": {"subnet": {"id": "/a/b"}}, "effectiveSecurityRules": [nsg_rule("R", 100)]}]},
    {
        "virtualMachines": [{"id": "/a/vm", "ports": [{"number": 3389}]}],
        "requests": [{"virtualMachines": []}],
    },
    {
        "SecurityGroups": [
            security_group(permission("0.0.0.0/0", "::/0", UserIdGroupPairs=[{"GroupId": "x"}]))
        ]
    },
    network_acl(entry(100, "allow", (3389, 3389)), entry(100, "allow", (1024, 65535), egress=True)),
    [firewall("a", allowed=TCP_3389, sourceRanges=["0.0.0.0/0"], sourceTags=["t"])],
    effective_firewalls(
        policy("HIERARCHY", (1, "goto_next", HOME, ["3389"]), (2, "deny", "0.0.0.0/0", ["1-65535"])),
        vpc=(firewall("a", allowed=TCP_3389),),
    ),
    template(nsg_rule("R", 100), loose=(nsg_rule("S", 110),)),
]


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A good export with some of its values replaced by junk."""

    def walk(value: Any) -> Any:
        if draw(st.integers(0, 12)) == 0:
            return draw(junk)
        if isinstance(value, dict):
            return {key: walk(member) for key, member in value.items()}
        if isinstance(value, list):
            return [walk(member) for member in value]
        return value

    return walk(draw(st.sampled_from(GOOD)))


@given(broken(), st.sampled_from([None, HOME, "10.1.2.3", "2001:db8::1"]))
def test_never_raises_anything_else(document: Any, source: str | None) -> None:
    data = json.dumps(document).encode()
    try:
        read = read_rules(data, source)
    except RulesError:
        return
    sound(read)


def sound(read: Rules) -> None:
    """As declared, and survives being saved."""
    for row in read.observations:
        assert not faults(row, load().tags), faults(row, load().tags)
    journal = Journal(Target("srv01", "srv01"), "2026-11-22T10:00:00.000Z")
    journal.extend(read.observations)
    assert list(Journal.from_lines(journal.to_lines())) == list(journal)
    diagnosis(read.observations)


@given(st.sampled_from(GOOD), st.data())
def test_cut_anywhere(document: Any, data: st.DataObject) -> None:
    text = json.dumps(document).encode()
    with pytest.raises(RulesError):
        read_rules(text[: data.draw(st.integers(0, len(text) - 1))])


@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    sniff(data)
    with pytest.raises(RulesError):
        read_rules(data)


def test_what_is_beyond_the_bounds_is_said() -> None:
    rules = [nsg_rule(f"R{number}", number, source="203.0.113.1") for number in range(RULES + 5)]
    args = one(nsg(*rules), HOME).args
    assert (args["verdict"], args["doubt"]) == ("unknown", "lost")
    blocks = [f"10.{number >> 8 & 255}.{number & 255}.{number >> 16}/32" for number in range(BLOCKS + 5)]
    assert one(nsg(nsg_rule("R", 100, source=blocks)), HOME).args["doubt"] == "lost"
    many = read_rules(json.dumps([nsg(name=str(number)) for number in range(GROUPS + 5)]).encode())
    assert many.lost


# Linux's VmHWM, since ru_maxrss begins with what the parent held.
HEAVY = """
import sys
from pathlib import Path
from rdpdoctor.readers.cloud.rules import read_rules
from rdpdoctor.readers.cloud.model import RulesError
try:
    read_rules(Path(sys.argv[1]))
except RulesError:
    pass
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read as Linux counts it")
@pytest.mark.parametrize("kind", ["values", "texts", "objects", "blocks", "wide"])
def test_memory_stays_below_500_mib(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    heavy = {
        "values": lambda: b"[" + b"1e1," * 900_000 + b"1]",
        "texts": lambda: b"[" + b'"' + "\U0001f600".encode() * (LARGEST // 4 - 4) + b'"]',
        "objects": lambda: b"[" + b'{"a":[]},' * 300_000 + b"{}]",
        "blocks": lambda: json.dumps(
            nsg(
                *(
                    nsg_rule(f"R{n}", n, source=[f"{n % 250}.{m}.0.0/17" for m in range(250)])
                    for n in range(300)
                )
            )
        ).encode(),
        "wide": lambda: json.dumps(
            network_acl(*(entry(n, "allow", (1024 + n, 60000), egress=True) for n in range(15_000)))
        ).encode(),
    }
    file.write_bytes(heavy[kind]())
    done = subprocess.run(
        [sys.executable, "-c", HEAVY, str(file)], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) < 500
