"""Files that are broken, or made to break: a partial result or a refusal, never more."""

from __future__ import annotations

import io
import random
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdpdoctor.readers.eventlog import EventLogError, formats, journals
from rdpdoctor.readers.eventlog.attempts import attempts
from rdpdoctor.readers.eventlog.tally import Tally
from tests.readers.eventlog import exports
from tests.readers.eventlog.exports import SPOKEN, WHOLE
from tests.readers.eventlog.test_formats import STORY

if TYPE_CHECKING:
    from rdpdoctor.readers.eventlog import Event

LOGS = Path(__file__).parents[4] / "shared" / "captures" / "evtx"
EVENT = exports.event_xml(exports.key_unusable(0))
EXPORTS = [export(STORY) for export in (*WHOLE, *SPOKEN)]


def read(data: bytes) -> tuple[list[Event], Tally]:
    tally = Tally()
    try:
        found = list(formats.read(io.BytesIO(data), tally))
    except EventLogError:
        return [], tally
    attempts(found)
    return found, tally


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EXPORTS), st.data())
def test_texts_cut_and_changed_anywhere(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(0, 8))):
        changed[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    end = draw.draw(st.integers(0, len(data)))
    found, _ = read(bytes(changed[:end]))
    assert len(found) <= len(STORY)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["xml", "clixml", "json", "csv", "text"]), st.text(max_size=400))
def test_anything_inside_a_value_or_beside_it(kind: str, text: str) -> None:
    head = {
        "xml": "<Events><Event><System><Provider Name='Schannel'/><EventID>36870</EventID>",
        "clixml": '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj><Props>',
        "json": '[{"ProviderName": "Schannel", "Id": 36870, "Properties": [',
        "csv": "Level,Date and Time,Source,Event ID,Task Category\nError,1/1/2026 1:00:00 PM,Schannel,36870,",
        "text": "TimeCreated : 1/1/2026\nProviderName : Schannel\nId : 36870\nMessage : ",
    }[kind]
    read((head + text).encode("utf-8", "replace"))


@pytest.mark.parametrize("export", WHOLE[:3], ids=lambda export: export.__name__)
def test_one_damaged_event_costs_one_event(export: object, tmp_path: Path) -> None:
    text = export(STORY)  # type: ignore[operator]
    coding = formats.encoding_of(text)
    broken = text.decode(coding).replace("<Data>Access", "<Data Name=>Access").encode(coding)
    found, tally = read(broken)
    whole, _ = read(text)
    assert [event.id for event in found] == [event.id for event in whole if event.id != 1058]
    assert tally.lost == ["a damaged event"]


def test_entities_and_types_of_documents_have_no_effect() -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    dtd = f'<!DOCTYPE Events [<!ENTITY e0 "x"><!ENTITY file SYSTEM "file:///etc/passwd">{bomb}]>'
    text = exports.saved_xml(STORY).decode("utf-8-sig").replace("<Events>", dtd + "<Events>")
    text = text.replace("Access is denied.", "&e11;&file;")
    found, tally = read(text.encode())
    assert 1058 not in {event.id for event in found}
    assert tally.lost == ["a document type definition, which is not followed", "a damaged event"]
    objects = exports.clixml(STORY).decode("utf-16").replace("<Objs", dtd + "<Objs", 1)
    nothing, said = read(objects.encode())
    assert nothing == []
    assert "document type" in said.lost[0]


@pytest.mark.parametrize(
    "data",
    [
        b"<Events>" + b"<Event>" * 300_000,
        b"<Events><Event><System><Provider Name='Schannel'/><EventID>36870" + b"<a>" * 300_000 + b"</Event>",
        EVENT.encode().replace(b"><", b">" + b" " * 8000 + b"<")[:900_000] + b"</Event>",
        EVENT.encode().replace(b"</EventData>", b"</EventData><RenderingInfo >" * 20_000),
        (b"<Event><System><Provider " + b"Name='x' " * 100 + b"<EventID " * 20 + b"</Event>") * 2000,
        (b"<Event" + b" " * 250_000 + b"/>") * 8 + b"</Event>",
        b'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">' + b"<Obj>" * 300_000,
        b'[{"ProviderName": ' + b"[" * 1_000_000,
        b'{"ProviderName": 1}' + b"{" * 1_000_000,
        b"Level,Date and Time,Source,Event ID,Task Category\n" + b'"' + b"x," * 2_000_000,
        b"TimeCreated : 1\nId : 1\n" + b"Message : x\n" * 300_000,
        b"Event[0]:\n" + b" " * 3_000_000,
        b"Id : " + b"9" * 3_000_000,
    ],
    ids=[
        "open",
        "deep",
        "spaced",
        "rendered",
        "names",
        "starts",
        "objects",
        "brackets",
        "braces",
        "quote",
        "messages",
        "blanks",
        "digits",
    ],
)
def test_large_and_deep_ones_end_soon(data: bytes) -> None:
    began = time.process_time()
    read(data)
    assert time.process_time() - began < 5


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    long = exports.Sample(exports.MANAGER, 1058, 0, {"#1": "x" * 50_000}, "y" * 50_000)
    for export in (*WHOLE, *SPOKEN):
        found, _ = read(export([long]))
        assert all(len(value) <= 2000 for event in found for value in event.data.values())


def test_many_clients_make_not_as_many_journals(tmp_path: Path) -> None:
    file = tmp_path / "log.xml"
    rows = [exports.refused(n, f"10.0.{n // 200}.{n % 200 + 1}") for n in range(400)]
    file.write_bytes(exports.saved_xml(rows))
    assert len(journals([file])) == 50


# ---- EVTX itself


def chunks(name: str, count: int = 2) -> bytearray:
    if not LOGS.is_dir():
        pytest.skip("the recorded logs are not at hand")
    return bytearray((LOGS / f"{name}.evtx").read_bytes()[: 4096 + 65536 * count])


@pytest.mark.parametrize("seed", range(40))
def test_evtx_with_wrong_bits(seed: int) -> None:
    data, chance = chunks("system-termdd-50-56"), random.Random(seed)
    for _ in range(chance.choice((1, 20, 400, 4000))):
        data[chance.randrange(8, len(data))] ^= 1 << chance.randrange(8)
    read(bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))


def test_a_chain_that_leads_back_to_itself_ends() -> None:
    """The library follows the chains of a chunk's tables for ever."""
    data = chunks("lab-rcm", 1)
    struct.pack_into("<I", data, 4096 + 128, 600)
    struct.pack_into("<I", data, 4096 + 600, 600)
    data[4096 + 384 : 4096 + 388] = struct.pack("<I", 600)
    _, tally = read(bytes(data))
    assert tally.records + sum("damaged" in each for each in tally.lost) > 0


def test_a_fault_of_the_library_costs_what_it_was_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As PyO3 makes of a Rust panic."""

    class Parser:
        def __init__(self, *_: object) -> None: ...

        def records(self) -> Parser:
            return self

        def __iter__(self) -> Parser:
            return self

        def __next__(self) -> None:
            raise PanicException("index out of bounds")

    monkeypatch.setattr("rdpdoctor.readers.eventlog.evtx._library", lambda: Parser)
    chunk = (b"ElfChnk\0" + struct.pack("<QQ", 1, 3)).ljust(65536, b"\1")
    found, tally = read(b"ElfFile\0".ljust(4096, b"\0") + chunk)
    assert (found, tally.records) == ([], 0)
    assert tally.lost == ["chunks on which the library failed", "a damaged or missing record (3 times)"]


def test_a_damaged_header_of_the_file_costs_nothing() -> None:
    data = chunks("lab-rcm", 1)
    sound, _ = read(bytes(data))
    data[8:4096] = bytes(4088)
    assert read(bytes(data))[0] == sound
    assert [event.id for event in sound] == [258, 261, 1149]


def test_a_cut_log_says_so_and_gives_what_is_there() -> None:
    whole, _ = read(bytes(chunks("damaged-rcm-261-1149", 4)))
    found, tally = read(bytes(chunks("damaged-rcm-261-1149", 4)[: 4096 + 65536 * 2 + 3000]))
    assert 0 < len(found) < len(whole)
    assert "the file ends in the middle of a chunk" in tally.lost


def nested(levels: int, times: int) -> bytes:
    """A log of one record: a template that names its value so many times, which is again such a template."""
    out = bytearray(struct.pack("<IIQQ", 0x2A2A, 0, 1, 132 * 10**15) + b"\x0f\x01\x01\0")

    def instance(level: int) -> None:
        kind = 0x21 if level < levels else 1
        out.extend(b"\x0c\x01" + struct.pack("<II", level, 512 + len(out) + 10))
        template = len(out)
        out.extend(bytes(24) + b"\x0f\x01\x01\0\x01" + struct.pack("<HII", 0xFFFF, 0, 512 + len(out) + 39))
        out.extend(struct.pack("<IHH", 0, 0, 1) + b"E\0\0\0\x02" + bytes([13, 0, 0, kind]) * times + b"\4\0")
        struct.pack_into("<I", out, template + 20, len(out) - template - 24)
        out.extend(struct.pack("<IHH", 1, 0, kind))
        value = len(out)
        if level < levels:
            out.extend(b"\x0f\x01\x01\0")
            instance(level + 1)
            out.extend(b"\0")
        else:
            out.extend("text".encode("utf-16-le"))
        struct.pack_into("<H", out, value - 4, len(out) - value)

    instance(1)
    out.extend(b"\0" + struct.pack("<I", len(out) + 5))
    struct.pack_into("<I", out, 4, len(out))
    chunk = bytearray(b"ElfChnk\0" + struct.pack("<4QIII", 1, 1, 1, 1, 128, 512, 512 + len(out)))
    return b"ElfFile\0".ljust(4096, b"\0") + bytes(chunk.ljust(512, b"\0") + out).ljust(65536, b"\0")


def test_a_record_that_would_unfold_to_terabytes_is_left_out() -> None:
    pytest.importorskip("evtx")
    _, small = read(nested(2, 3))
    assert (small.records, small.lost) == (1, [])  # the library reads such records
    for levels, times in ((2, 3000), (4, 500), (6, 100)):
        _, tally = read(nested(levels, times))
        assert tally.lost == ["64 KiB whose records unfold to far more than a record may hold, left out"]
