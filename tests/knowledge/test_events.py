"""Events of Windows' logs: what a reader of logs asks for, and what a wrong file is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.knowledge import events
from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.events import FOLDER, LOGS, by_id, find, log, log_of

if TYPE_CHECKING:
    from pathlib import Path


def test_each_file_is_a_log_and_the_reverse() -> None:
    assert {path.stem for path in events.FOLDER.glob("*.json")} == set(LOGS)
    assert len(set(LOGS)) == len(LOGS)
    assert sum(len(log(name).events) for name in LOGS) == 254


@pytest.mark.parametrize(
    ("provider", "number", "outcome", "stage"),
    [
        ("Schannel", 36870, "failure", "tls"),
        ("Microsoft-Windows-TerminalServices-RemoteConnectionManager", 1057, "failure", "tls"),
        ("TermService", 1056, "success", "tls"),  # the classic source name, in System
        ("TERMDD", 56, "failure", "security"),
        ("Microsoft-Windows-Security-Auditing", 4624, "success", "nla"),
        ("Microsoft-Windows-TerminalServices-ClientActiveXCore", 225, "noise", None),
        ("Microsoft-Windows-TerminalServices-ClientActiveXCore", 1026, "anchor", None),
    ],
)
def test_an_event_is_found_by_any_name_of_its_provider(
    provider: str, number: int, outcome: str, stage: str | None
) -> None:
    event = find(number, provider)
    assert event is not None
    assert (event.id, event.outcome, event.stage) == (number, outcome, stage)


@pytest.mark.parametrize(
    ("provider", "number"), [("Microsoft-Windows-Time-Service", 50), ("Microsoft-Windows-DNS-Client", 1012)]
)
def test_the_same_number_of_another_provider_is_nothing(provider: str, number: int) -> None:
    assert find(number, provider) is None
    assert log_of(provider) is None
    assert by_id(number)


def test_where_a_reader_finds_client_user_and_status() -> None:
    signed_in = find(1149, "Microsoft-Windows-TerminalServices-RemoteConnectionManager")
    failed = find(4625, "Microsoft-Windows-Security-Auditing")
    assert signed_in is not None
    assert failed is not None
    assert dict(signed_in.fields) == {"user": "Param1", "domain": "Param2", "address": "Param3"}
    assert (failed.fields["address"], failed.fields["substatus"]) == ("IpAddress", "SubStatus")


def test_causes_come_loudest_first() -> None:
    event = find(1057, "TermService")
    assert event is not None
    assert event.points[0] == ("certificate.key-unusable", "names")
    assert [point.how for point in event.points] == sorted(
        (point.how for point in event.points), key=("names", "fits", "follows").index
    )


def test_what_could_not_be_checked_says_so() -> None:
    for number in (1066, 1071):
        event = find(number, "TermService")
        assert event is not None
        assert event.sure == "unverified"
    assert {event.sure for name in LOGS for event in log(name).events.values()} == {
        *("measured", "documented", "unverified")
    }


# ---- wrong files


def spoilt(tmp_path: Path, **change: Any) -> KnowledgeError:
    table = json.loads((events.FOLDER / "termdd.json").read_text("utf-8"))
    table["events"][0].update(change)
    table["events"][0] = {key: value for key, value in table["events"][0].items() if value is not None}
    (tmp_path / "termdd.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        log("termdd", tmp_path)
    return caught.value


@pytest.mark.parametrize(
    ("change", "key", "mend"),
    [
        ({"outcome": "good"}, "events[0].outcome", "use one of success, failure"),
        ({"stage": "session"}, "events[0].stage", "use one of dns"),
        ({"says": ""}, "events[0].says", "write a text"),
        ({"id": "50"}, "events[0].id", "write a number"),
        ({"id": 56}, "events[1].id", "56 stands twice"),
        ({"in": [1]}, "events[0].in", "from 0 to 0"),
        ({"sources": []}, "events[0].sources", "1 or more"),
        ({"fields": {"colour": "x"}}, "events[0].fields.colour", "use one of address"),
        ({"points": {"tls.broken": "proves"}}, "events[0].points.tls.broken", "use one of names"),
        ({"sure": None}, "events[0].sure", "use one of measured"),
        ({"means": "x"}, "events[0].means", "unknown key"),
    ],
)
def test_a_wrong_row_names_file_key_and_mend(
    change: dict[str, Any], key: str, mend: str, tmp_path: Path
) -> None:
    error = spoilt(tmp_path, **change)
    assert (error.file, error.key) == ("events/termdd.json", key)
    assert mend in error.mend


@pytest.mark.parametrize(
    ("content", "key"),
    [(None, "file"), (b"{", "JSON"), (b"[]", "file"), (b"\xff", "JSON"), (b"{}", "log"), (b'{"x":1}', "x")],
)
def test_a_wrong_file_names_itself(content: bytes | None, key: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "lsa.json").write_bytes(content)
    with pytest.raises(KnowledgeError) as caught:
        log("lsa", tmp_path)
    assert (caught.value.file, caught.value.key) == ("events/lsa.json", key)


def test_commands_that_read_a_shared_log_name_its_providers() -> None:
    """1053 to 1058 of the System log are also those of group policy."""
    files = [*FOLDER.parent.glob("causes/*.toml"), *FOLDER.parent.glob("*.toml")]
    found = 0
    for file in files:
        for filtered, rest in re.findall(r"FilterHashtable @\{([^}]*)\}([^`]*)", file.read_text("utf-8")):
            if "'System'" not in filtered and "'Application'" not in filtered:
                continue
            found += 1
            assert "ProviderName='" in filtered, (file.name, filtered)
            columns = rest.partition("Format-List ")[2]
            assert not columns or "ProviderName" in columns, (file.name, rest)
            ids = {int(one) for one in re.findall(r"\d+", filtered.partition("Id=")[2])}
            for provider in re.findall(
                r"'([^']+)'", filtered.partition("ProviderName=")[2].partition(";")[0]
            ):
                if (name := log_of(provider)) is not None and ids:
                    assert ids & set(log(name).events), (file.name, provider)
    assert found > 10
