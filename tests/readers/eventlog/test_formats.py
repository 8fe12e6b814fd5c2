"""Every format of the same events says the same."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers.eventlog import EventLogError, format_of, journals, quick, read_events, xml
from rdpdoctor.readers.eventlog import formats as formats_module
from rdpdoctor.readers.eventlog.loose import TWICE, time_of
from rdpdoctor.readers.eventlog.tally import Tally
from tests.readers.eventlog import exports
from tests.readers.eventlog.exports import SPOKEN, WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Export = Callable[[Sequence[exports.Sample]], bytes]

STORY = (
    exports.tcp(0, "10.0.0.9", "F4200000-0000-0000-0000-000000000001"),
    exports.received(0, "F4200000-0000-0000-0000-000000000001"),
    exports.refused(4, "10.0.0.9"),
    exports.not_renewed(30),
    exports.key_unusable(31),
    exports.tcp(60, "10.0.0.9", "F4200000-0000-0000-0000-000000000002"),
    exports.received(60, "F4200000-0000-0000-0000-000000000002"),
    exports.refused(63, "10.0.0.9", "0xc0000234"),
    exports.Sample("Microsoft-Windows-DNS-Client", 1012, 70),
)
NAMES: dict[Export, str] = {
    exports.saved_xml: "xml",
    exports.rootless_xml: "xml",
    exports.rendered_xml: "xml",
    exports.clixml: "clixml",
    exports.json_5: "json",
    exports.json_7: "json",
    exports.viewer_csv: "csv",
    exports.german_csv: "csv",
    exports.format_list: "text",
    exports.wevtutil_text: "text",
}


def written(path: Path, export: Export, samples: Sequence[exports.Sample]) -> Path:
    file = path / f"{export.__name__}.log"
    file.write_bytes(export(samples))
    return file


def said(path: Path, export: Export) -> list[tuple[str, dict[str, object]]]:
    (journal,) = journals([written(path, export, STORY)])
    assert [fault for row in journal for fault in faults(row, load().tags)] == []
    return [(row.tag, dict(row.args)) for row in journal if row.tag != "event.log"]


@pytest.mark.parametrize("export", [*WHOLE, *SPOKEN], ids=lambda export: export.__name__)
def test_a_format_is_known_by_its_content(export: Export) -> None:
    assert format_of(export(STORY)[: 1 << 16]) == NAMES[export]


@pytest.mark.parametrize("export", WHOLE[1:], ids=lambda export: export.__name__)
def test_formats_that_hold_all_give_the_same_observations(export: Export, tmp_path: Path) -> None:
    assert said(tmp_path, export) == said(tmp_path, exports.saved_xml)


@pytest.mark.parametrize("export", SPOKEN, ids=lambda export: export.__name__)
def test_a_message_in_english_gives_the_same_but_what_it_lacks(export: Export, tmp_path: Path) -> None:
    def bare(rows: list[tuple[str, dict[str, object]]]) -> list[tuple[str, dict[str, object]]]:
        lost = {"computer", "server", "story", "number"}
        return [
            (tag, {name: value for name, value in args.items() if name not in lost}) for tag, args in rows
        ]

    # Without activity ids the story is put together by address and time, with the same result.
    assert bare(said(tmp_path, export)) == bare(said(tmp_path, exports.saved_xml))


@pytest.mark.parametrize("sample", STORY, ids=lambda sample: f"{sample.id}")
def test_the_quick_way_reads_what_the_parser_does(sample: exports.Sample) -> None:
    text = exports.event_xml(sample).replace("\r\n", "\n")  # as the file is opened
    found = quick.parse(text)
    assert found is not None
    assert found == xml.parse(text.replace("<System>", "<System><!-- -->"), Tally())
    for changed in (text.replace("</System>", ""), text.replace("<Level>", "<Level >&x;"), text[:-9]):
        assert quick.parse(changed) is None


def test_only_what_is_of_interest_is_kept(tmp_path: Path) -> None:
    log = read_events(written(tmp_path, exports.saved_xml, STORY))
    ((_, tally),) = log.tallies
    assert (tally.records, tally.kept, log.lost) == (9, 8, [])


def test_what_a_person_wrote_says_that_its_times_are_local(tmp_path: Path) -> None:
    log = read_events(written(tmp_path, exports.viewer_csv, STORY))
    assert any("taken as UTC" in each for each in log.lost)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-20T14:02:03.1234567Z", "2026-11-20T14:02:03.123456+00:00"),
        ("2026-11-20T15:02:03+01:00", "2026-11-20T14:02:03+00:00"),
        ("/Date(1795183323000)/", "2026-11-20T14:02:03+00:00"),
        ("11/20/2026 2:02:03 PM", "2026-11-20T14:02:03+00:00"),
        ("11/20/2026 12:02:03 AM", "2026-11-20T00:02:03+00:00"),
        ("20.11.2026 14:02:03", "2026-11-20T14:02:03+00:00"),
        ("20/11/2026 14:02", "2026-11-20T14:02:00+00:00"),
        ("2026/11/20 14:02:03", "2026-11-20T14:02:03+00:00"),
        ("11/20/2026 14:02:03", "2026-11-20T14:02:03+00:00"),
        ("yesterday", "1601-01-01T00:00:00+00:00"),
        ("99/99/2026 14:02:03", "1601-01-01T00:00:00+00:00"),
        ("/Date(9999999999999999)/", "1601-01-01T00:00:00+00:00"),
    ],
)
def test_moments_in_any_habit(text: str, iso: str) -> None:
    assert time_of(text).isoformat() == iso


def test_a_selection_of_properties_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text(
        '[{"TimeCreated":{"value":"\\/Date(1795183323000)\\/","DisplayHint":2,"DateTime":"Friday"},'
        '"Id":1058,"ProviderName":"Microsoft-Windows-TerminalServices-RemoteConnectionManager",'
        '"Message":"The relevant status code was Access is denied."}]',
        "utf-8",
    )
    (event,) = read_events(file).events
    assert (event.id, event.time.isoformat()) == (1058, "2026-11-20T14:02:03+00:00")


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"hello", b"\x7fELF", b'{"a": 1}', b"a,b,c\n1,2,3\n", b"<html/>"]
)
def test_what_is_no_log_is_refused(data: bytes) -> None:
    with pytest.raises(EventLogError, match="not an event log"):
        list(formats_module.read(io.BytesIO(data), Tally()))


def test_without_the_library_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "evtx", None)
    with pytest.raises(EventLogError, match=r"package `evtx`.*as XML"):
        list(formats_module.read(io.BytesIO(b"ElfFile\0" + bytes(4088)), Tally()))


SPOKEN_ELSEWHERE = {
    "German, semicolons": (
        "Ebene;Datum und Uhrzeit;Quelle;Ereignis-ID;Aufgabenkategorie",
        "Informationen;20.11.2026 14:02:03;{};1149;Keine;"
        '"Benutzerauthentifizierung erfolgreich:\r\n\r\nBenutzer: alice\r\nQuellnetzwerkadresse: 10.0.0.9"',
        "utf-8-sig",
    ),
    "German, tabs": (
        "Ebene\tDatum und Uhrzeit\tQuelle\tEreignis-ID\tAufgabenkategorie",
        'Informationen\t20.11.2026 14:02:03\t{}\t1149\tKeine\t"Quellnetzwerkadresse: 10.0.0.9"',
        "utf-16",
    ),
    "French": (
        "Niveau,Date et heure,Source,ID de l’événement,Catégorie de la tâche",
        'Information,20/11/2026 14:02:03,{},1149,Aucun,"Adresse réseau source : 10.0.0.9"',
        "cp1252",
    ),
    "Spanish": (
        "Nivel,Fecha y hora,Origen,Id. del evento,Categoría de la tarea",
        'Información,20/11/2026 2:02:03 p. m.,{},1149,Ninguno,"Dirección de red de origen: 10.0.0.9"',
        "utf-8-sig",
    ),
    "Japanese": (
        "レベル,日付と時刻,ソース,イベント ID,タスクのカテゴリ",
        '情報,2026/11/20 14:02:03,{},1149,なし,"ソース ネットワーク アドレス: 10.0.0.9"',
        "cp932",
    ),
}


@pytest.mark.parametrize("name", SPOKEN_ELSEWHERE)
def test_event_viewer_in_other_languages(name: str, tmp_path: Path) -> None:
    header, row, encoding = SPOKEN_ELSEWHERE[name]
    file = tmp_path / "log.csv"
    file.write_bytes(f"{header}\r\n{row.format(exports.MANAGER)}\r\n".encode(encoding))
    log = read_events(file)
    (event,) = log.events
    assert (event.provider, event.id, event.time.isoformat()) == (
        exports.MANAGER,
        1149,
        "2026-11-20T14:02:03+00:00",
    )
    assert [attempt.client for attempt in log.attempts] == ["10.0.0.9"]
    assert log.tallies[0][1].local


OLDER = {
    "csv": '"EventID","MachineName","Index","EntryType","Message","Source","InstanceId","TimeGenerated"\r\n'
    '"36870","SRV01","123","Error","cryptographic module is 0x8009030D.","Schannel","36870",'
    '"11/20/2026 2:02:03 PM"\r\n',
    "text": "\r\nIndex : 123\r\nEntryType          : Error\r\nInstanceId         : 3221262342\r\n"
    "Message            : cryptographic module is 0x8009030D.\r\nSource             : Schannel\r\n"
    "TimeGenerated      : 11/20/2026 2:02:03 PM\r\n",
    "json": '[{"EventID":36870,"MachineName":"SRV01","Index":123,"EntryType":1,"Source":"Schannel",'
    '"ReplacementStrings":["server","0x8009030D","10001"],"TimeGenerated":"\\/Date(1795183323000)\\/"}]',
    "clixml": '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj><Props>'
    '<S N="Source">Schannel</S><I32 N="EventID">36870</I32>'
    '<DT N="TimeGenerated">2026-11-20T15:02:03+01:00</DT><Obj N="ReplacementStrings"><LST><S>server</S>'
    "<S>0x8009030D</S></LST></Obj></Props></Obj></Objs>",
}


@pytest.mark.parametrize("form", OLDER)
def test_what_get_eventlog_gives(form: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(OLDER[form], "utf-8", newline="")
    log = read_events(file)
    (event,) = log.events
    assert (event.provider, event.id, event.data["ErrorCode"]) == ("Schannel", 36870, "0x8009030D")
    assert event.time.isoformat() == "2026-11-20T14:02:03+00:00"
    assert log.tallies[0][1].local is (form in ("csv", "text"))


def test_what_cannot_be_read_says_what_could() -> None:
    with pytest.raises(EventLogError, match=r"Windows XP.*save it as \.evtx"):
        list(formats_module.read(io.BytesIO(b"\x30\0\0\0LfLe" + bytes(2000)), Tally()))
    tally = Tally()
    table = (
        b"   ProviderName: Schannel\r\n\r\nTimeCreated   Id LevelDisplayName Message\r\n-----------   --\r\n"
    )
    assert list(formats_module.read(io.BytesIO(table), tally)) == []
    assert "Format-List" in tally.lost[0]


@pytest.mark.parametrize("export", WHOLE[1:], ids=lambda export: export.__name__)
def test_what_several_files_hold_counts_once(export: Export, tmp_path: Path) -> None:
    one, other = written(tmp_path, exports.saved_xml, STORY), written(tmp_path, export, STORY)
    both, alone = read_events(one, other), read_events(one)
    assert both.events == alone.events
    assert len(both.attempts) == len(alone.attempts)
    assert both.lost == read_events(other, one).lost == [TWICE]


def test_records_of_another_machine_or_time_are_others(tmp_path: Path) -> None:
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_bytes(exports.saved_xml(STORY))
    second.write_bytes(exports.saved_xml(STORY).replace(b"srv01", b"srv02"))
    assert len(read_events(first, second).events) == 16
    second.write_bytes(exports.saved_xml([replace(each, seconds=each.seconds + 86400) for each in STORY]))
    assert len(read_events(first, second).events) == 16
