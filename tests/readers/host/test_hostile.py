"""Files that somebody made to hurt: a result or a complaint, in little time and memory, and never a crash."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.host import HostError, read_host, sniff
from rdpdoctor.readers.host.text import LARGEST
from tests.readers.host import test_console as console
from tests.readers.host import test_languages as languages
from tests.readers.host import test_registry as registry
from tests.readers.host.craft import bundle, journal, packed

if TYPE_CHECKING:
    import random

TEXTS = [
    *(
        console.QWINSTA,
        console.NETSTAT,
        console.SC,
        console.LIST,
        console.TABLE,
        console.TESTED,
        console.OBJECT,
    ),
    *(console.CERTUTIL, console.W32TM, console.IPCONFIG, console.PROFILE.format("Public"), console.RULE),
    *(text for text, _, _ in languages.RULES.values()),
    *languages.LISTS.values(),
    *(languages.GERMAN, languages.FRENCH, languages.JAPANESE, languages.NETSTAT, languages.LISTED),
    *registry.ON_CONSOLES.values(),
]
WHOLE = [
    packed(),
    registry.WHOLE.encode("utf-16"),
    registry.POL,
    registry.report(registry.policy(registry.ALLOW, "Disabled")),
    "\n".join(TEXTS).encode(),
    registry.page(registry.LAYER, "Enabled", "<tr><td>Security Layer</td><td>RDP</td></tr>"),
]


def swallow(data: bytes) -> None:
    """Read it and diagnose it, or be told why not."""
    sniff(data[: 1 << 16])
    try:
        rows = read_host(data).observations
    except HostError:
        return
    assert [fault for row in rows for fault in faults(row, load().tags)] == []
    found = diagnose(journal(rows), load())
    json.dumps([row.to_json() for row in found.observations], allow_nan=False).encode()


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    swallow(data)
    swallow(b"PReg\1\0\0\0" + data)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_behind_any_beginning(text: str) -> None:
    for begin in (
        "Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\a]\n",
        "RDPDOCTOR1:",
        *TEXTS[:4],
    ):
        swallow((begin + text).encode("utf-8", "replace"))


@given(st.sampled_from(WHOLE), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_spoiled_files(data: bytes, chance: random.Random) -> None:
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(spoiled))
        way = chance.randrange(3)
        if way == 0:
            spoiled[at] = chance.randrange(256)
        elif way == 1:
            del spoiled[at : at + chance.randint(1, 40)]
        else:
            spoiled[at:at] = spoiled[max(0, at - chance.randint(1, 60)) : at]
        if not spoiled:
            break
    swallow(bytes(spoiled))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(set(bundle()) - {"schema"})), VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_part_of_a_bundle(part: str, value: object, data: st.DataObject) -> None:
    whole = bundle(events={"id": 36870, "provider": "Schannel", "time": "x", "data": {}})
    inner = whole[part][0] if isinstance(whole[part], list) else whole[part]
    if isinstance(inner, dict) and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = value
    else:
        whole[part] = value
    swallow(json.dumps(whole).encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())


def many(count: int) -> dict[str, bytes]:
    """Files with as much of everything as fits in the bytes that are read."""
    value = {
        "path": r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server",
        "name": "TSEnabled",
        "value": 1,
    }
    row = {"name": "TermService", "state": "Running", "start": "Auto"}
    return {
        "registry": packed(registry=[value] * (count // 40)),
        "services": packed(services=[row] * (count // 40)),
        "reg": registry.reg(rf"[{registry.TS}]", *['"TSEnabled"=dword:00000000'] * (count // 10)).encode(),
        "hex": registry.reg(rf"[{registry.TS}]", '"TSEnabled"=hex:\\', *["00,\\"] * (count // 4)).encode(),
        "keys": registry.reg(*[f"[HKLM\\{number}]" for number in range(count // 8)]).encode(),
        "netstat": (
            "Active\n" + "  TCP    0.0.0.0:3389   0.0.0.0:0   LISTENING   1\n" * (count // 16)
        ).encode(),
        "lists": ("Name : x\nStatus : Running\n\n" * (count // 12)).encode(),
        "words": ("Name : " + "x" * count).encode(),
        "blanks": (" " * count + "\n" + " 1" * count).encode(),
        "ruler": b"a b\n" + b"-- " * (count // 3) + b"--\n1 2\n",
        "rulers": b"Ab Cd\n-- --\n1 2\n\n" * (count // 19),
        "table": b"Name Status\n---- ------\n" + b"x Running\n" * (count // 10),
        "json": b"[" + b'{"Name": 1},' * (count // 12),
        "braces": b"{\n" * (count // 2),
        "csv": b'"Name","Status"\n' + b'"x","Running"\n' * (count // 14),
        "quotes": b'"Name","Status"\n"' + b"x" * count,
        "margin": (" " * count + "services 0 x\n" + "Profile" + " " * count + ":").encode(),
        "query": f"{registry.TS}\n{'    TSEnabled    REG_DWORD    0x1' * 2}\n".encode()
        + b"    TSEnabled    REG_DWORD    0x1\n" * (count // 34),
        "deleted": registry.reg(
            *[f"[{registry.TS}]", '"TSEnabled"=dword:1', f"[-{registry.TS}]"] * (count // 200)
        ).encode(),
        "page": registry.page("x", "Enabled")
        + registry.page("y", "Enabled", "<td>1</td>" * (count // 10))[2:],
        "quoted": b"> \n" * (count // 3),
        "certificates": ("================ Certificate 0 ================\n" * (count // 20)).encode(),
        "report": registry.report("<q1:Policy/>" * (count // 12)),
        "text": registry.report(f"<q1:Policy><q1:Name>{'x' * count}</q1:Name></q1:Policy>"),
        "attributes": registry.report(
            "<a " + " ".join(f'b{number}=""' for number in range(count // 20)) + "/>"
        ),
        "preg": registry.POL + registry.POL[8:] * (count // 700),
        "zeros": b"PReg\1\0\0\0[\0" + b"\0" * count,
        "line": b"RDPDOCTOR1:" + base64.b64encode(gzip.compress(b"[" * count)),
        "firewall": (
            "Rule Name: x\n-----\nEnabled: Yes\nDirection: In\nAction: Allow\n\n" * (count // 30)
        ).encode(),
    }


@pytest.mark.parametrize("kind", sorted(many(1000)))
def test_much_of_anything(kind: str) -> None:
    """Twice as much takes no more than about twice as long: no matter how fast this machine is."""
    small, large = many(100_000)[kind], many(800_000)[kind]
    swallow(small)
    began = time.perf_counter()
    swallow(small)
    short = time.perf_counter() - began
    began = time.perf_counter()
    swallow(large)
    assert time.perf_counter() - began < 40 * short + 5


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="measured once is enough")
@pytest.mark.parametrize("kind", ["registry", "reg", "report", "keys", "hex"])
def test_memory_stays_within_bounds(kind: str) -> None:
    """With 14 times a file's size, the largest that is read stays below 500 MB."""
    data = many(LARGEST // 16)[kind]
    tracemalloc.start()
    swallow(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14 * len(data) + 20 * 2**20
