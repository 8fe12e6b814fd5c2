"""Evidence of every kind about one server, in pairs and triples and in any order, as a user hands it over."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.gather import Asked, gather
from rdpdoctor.readers.joined import Joined, beside, join
from tests.diagnosis.story import NOW, Story
from tests.readers.capture import craft
from tests.readers.cloud.craft import nsg, nsg_rule
from tests.readers.eventlog import exports
from tests.readers.host.craft import bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

MOMENT = datetime.fromisoformat(NOW).timestamp()
LATER = MOMENT - exports.START.timestamp()
PC, SERVER = "10.0.4.9", "10.0.4.21"
NAMELESS = ("rules",)


def _capture(server: str = SERVER, ends: bool = True, at: float = 0.0) -> bytes:
    talk = craft.Conversation(client=PC, server=server)
    talk.now = MOMENT + at
    talk.open().ask()
    if ends:
        talk.close(1)
    return craft.pcap(craft.framed(talk.packets))


def _log(computer: str = "srv01.corp.example", *samples: exports.Sample) -> bytes:
    rows = samples or (exports.tcp(LATER, PC), exports.refused(LATER + 1, PC))
    return exports.saved_xml(rows).replace(b"srv01.corp.example", computer.encode())


def _clients_log(server: str = "srv01", at: float = LATER, reason: str = "2308") -> bytes:
    rows = [
        exports.Sample(exports.CLIENT, 1024, at, {"Name": "Server Name", "Value": server}, level=4),
        exports.Sample(exports.CLIENT, 1026, at + 1, {"Name": "Reason", "Value": reason}, level=4),
    ]
    # No two records of a machine have one number.
    rows = [replace(row, record=int(server.removeprefix("srv")) * 10 + n) for n, row in enumerate(rows)]
    return exports.saved_xml(rows).replace(b"srv01.corp.example", b"pc09.corp.example")


def _check(host: str = "srv01.corp.example", address: str = SERVER) -> bytes:
    journal = Story(host, address).walk(8, "closed").versions("closed").journal
    return "\n".join(journal.to_lines()).encode()


def _bundle(computer: str = "SRV01") -> bytes:
    made = bundle()
    made["system"]["computer"] = computer
    return json.dumps(made).encode()


def _clients_bundle() -> bytes:
    made = bundle()
    made["system"]["computer"], made["role"] = "PC09", "client"
    return json.dumps(made).encode()


def _rdp(host: str = "srv01.corp.example") -> bytes:
    return f"full address:s:{host}\r\nenablecredsspsupport:i:0\r\n".encode()


def _rules() -> bytes:
    return json.dumps(nsg(nsg_rule("AllowRdp", 300, port="3389"))).encode()


ONE = {
    "capture": _capture(),
    "log": _log(),
    "clients": _clients_log(),
    "check": _check(),
    "bundle": _bundle(),
    "rdp": _rdp(),
    "rules": _rules(),
}
SOURCES = {
    "capture": "capture", "log": "eventlog", "clients": "eventlog", "check": "probe", "bundle": "bundle",
    "rdp": "file", "rules": "cloud",
}  # fmt: skip
OTHER = {
    "capture": _capture("10.0.4.99"),
    "log": _log("srv77.corp.example"),
    "clients": _clients_log("srv77"),
    "check": _check("srv77.corp.example", "10.0.4.99"),
    "bundle": _bundle("SRV77"),
    "rdp": _rdp("srv77.corp.example"),
}


def put(path: Path, **files: bytes) -> list[str]:
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
    return [str(path / name) for name in files]


def told(paths: Sequence[str]) -> list[Joined]:
    found = gather(paths, Asked())
    assert found.unread == []
    return join(found.readings, found.log)


def picture(found: Sequence[Joined]) -> object:
    """All that a report rests on; which folder a file lay in is no matter."""
    return [
        (
            one.journal.target.host,
            one.journal.started,
            sorted(json.dumps(row.to_json(), sort_keys=True) for row in one.journal),
            [(cause.id, cause.confidence) for cause in diagnose(one.journal, load()).causes],
            sorted(one.assumed),
        )
        for one in found
    ]


@pytest.mark.parametrize("names", [*combinations(ONE, 2), *combinations(ONE, 3)], ids="+".join)
def test_all_about_one_server_is_one_report_in_any_order(names: tuple[str, ...], tmp_path: Path) -> None:
    paths = put(tmp_path / "all", **{name: ONE[name] for name in names})
    found = told(paths)
    assert len(found) == 1
    assert {row.source for row in found[0].journal} >= {SOURCES[name] for name in names}
    for order in (paths[::-1], [*paths[1:], paths[0]]):
        assert picture(told(order)) == picture(found)


def test_a_folder_and_an_archive_are_their_files(tmp_path: Path) -> None:
    paths = put(tmp_path / "all", **ONE)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in reversed(paths):
            archive.write(path, Path(path).name)
    whole = told(paths)
    assert len(whole) == 1
    for given in (str(tmp_path / "all"), str(tmp_path / "all.zip")):
        found = told([given])
        assert [diagnose(one.journal, load()).causes for one in found] == [
            diagnose(one.journal, load()).causes for one in whole
        ]


@pytest.mark.parametrize("mine", [name for name in ONE if name not in NAMELESS])
@pytest.mark.parametrize("theirs", OTHER)
def test_different_servers_stay_apart(mine: str, theirs: str, tmp_path: Path) -> None:
    """An address and a name alone may be one machine; a check knows both of one."""
    paths = put(tmp_path / "mine", **{"check": ONE["check"], mine: ONE[mine]})
    paths += put(tmp_path / "theirs", **{theirs: OTHER[theirs]})
    found = told(paths)
    assert len(found) == 2
    assert picture(told(paths[::-1])) == picture(found)


@pytest.mark.parametrize("theirs", [name for name in OTHER if name != "check"])
def test_beside_a_check_anothers_file_is_left_out(theirs: str, tmp_path: Path) -> None:
    journal = Story().walk(8, "closed").journal
    before = len(journal)
    found = gather(put(tmp_path / "theirs", **{theirs: OTHER[theirs]}))
    made = beside(journal, found.readings, found.log)
    assert len(journal) == before
    assert "is about another machine, and left out" in made.assumed[0]


def test_the_clients_log_alone_names_the_server(tmp_path: Path) -> None:
    found = told(put(tmp_path / "a", clients=ONE["clients"]))
    assert [one.journal.target.host for one in found] == ["srv01"]


@pytest.mark.parametrize("with_", ["log", "capture"])
@pytest.mark.parametrize(
    ("at", "reason", "reports"),
    [
        (LATER, "2308", 1),
        (LATER + 600, "2308", 1),  # clocks differ
        (LATER - 2 * 86400, "2308", 2),
        (LATER, "260", 2),  # the name was not found: it never arrived
    ],
)
def test_a_client_is_an_address_only_where_both_saw_a_try_of_one_time(
    with_: str, at: float, reason: str, reports: int, tmp_path: Path
) -> None:
    found = told(put(tmp_path / "a", clients=_clients_log("srv01", at, reason), with_=ONE[with_]))
    assert len(found) == reports
    assert any("is taken to be 10.0.4.9" in said for one in found for said in one.assumed) == (reports == 1)


def test_what_the_clients_log_showed_at_another_time_is_not_of_the_recorded_try(tmp_path: Path) -> None:
    paths = put(tmp_path / "a", capture=ONE["capture"], clients=_clients_log(at=LATER + 600))
    early = put(tmp_path / "b", capture=ONE["capture"], clients=_clients_log(at=LATER - 600))
    now = put(tmp_path / "c", capture=ONE["capture"], clients=_clients_log(at=LATER))
    shown = [
        [len(list(one.journal.tagged("code.shown"))) for one in told(each)] for each in (paths, early, now)
    ]
    assert shown == [[1], [0], [1]]


def test_the_later_of_two_tries_counts_and_it_is_said(tmp_path: Path) -> None:
    """The recording has the failure of ten o'clock, the log a session of eleven."""
    works = _log("srv01.corp.example", exports.tcp(LATER + 3600, PC), exports.accepted(LATER + 3601, PC))
    found = told(put(tmp_path / "a", capture=ONE["capture"], log=works))
    assert len(found) == 1
    verdict = diagnose(found[0].journal, load()).verdict
    assert verdict.status == "healthy"
    assert any("failed" in one and "worked: the later one counts" in one for one in found[0].assumed)
    early = _log("srv01.corp.example", exports.tcp(LATER - 3600, PC), exports.accepted(LATER - 3599, PC))
    found = told(put(tmp_path / "b", capture=ONE["capture"], log=early))
    verdict = diagnose(found[0].journal, load()).verdict
    assert (verdict.status, verdict.stage) == ("failing", "x224")
    assert any("failed: the later one counts" in one for one in found[0].assumed)


def test_old_errors_of_the_log_do_not_explain_what_was_recorded(tmp_path: Path) -> None:
    old = _log("srv01.corp.example", exports.refused(LATER - 86400, PC))
    found = told(put(tmp_path / "a", capture=ONE["capture"], log=old))
    assert len(found) == 1
    causes = {cause.id: cause.confidence for cause in diagnose(found[0].journal, load()).causes}
    assert causes.get("credentials.wrong") is None


@pytest.mark.parametrize(
    ("sample", "stands"),
    [
        (exports.key_unusable(LATER + 1), True),
        (exports.key_unusable(LATER - 3600), False),
        (exports.key_unusable(LATER - 600 * 86400), False),
        (exports.not_renewed(LATER - 3600), True),  # so it is until the log says otherwise
        (exports.not_renewed(LATER - 600 * 86400), False),
    ],
)
def test_what_the_log_says_of_nobody_counts_at_the_time_of_the_recording(
    sample: exports.Sample, stands: bool, tmp_path: Path
) -> None:
    log = _log("srv01.corp.example", sample)
    (found,) = told(put(tmp_path / "a", capture=ONE["capture"], log=log))
    rows = list(found.journal.tagged("event.logged"))
    assert [row.args["stands"] for row in rows] == [stands]


def test_what_was_collected_on_the_client_gives_the_server_no_other_name(tmp_path: Path) -> None:
    found = told(put(tmp_path / "a", capture=ONE["capture"], clients=ONE["clients"], pc=_clients_bundle()))
    assert len(found) == 1
    assert not any("PC09" in one and "taken to be about" in one for one in found[0].assumed)
    apart = told(put(tmp_path / "b", log=ONE["log"], clients=ONE["clients"], pc=_clients_bundle()))
    assert len(apart) == 1


def test_a_short_name_that_two_servers_have_is_neithers(tmp_path: Path) -> None:
    paths = put(tmp_path / "a", a=_rdp("srv01.a.example"), b=_rdp("srv01.b.example"), c=_bundle("SRV01"))
    found = told(paths)
    assert [one.journal.target.host for one in found] == ["srv01.a.example", "srv01.b.example", "SRV01"]
    assert picture(told(paths[::-1])) == picture(found)


def test_what_names_no_machine_stands_alone_beside_two_and_it_is_said(tmp_path: Path) -> None:
    found = told(put(tmp_path / "a", one=ONE["log"], two=OTHER["log"], rules=ONE["rules"]))
    assert len(found) == 3
    assert "names no machine, and several were seen, so it stands alone" in found[-1].assumed[0]


def test_the_same_files_twice_are_no_contradiction(tmp_path: Path) -> None:
    paths = put(tmp_path / "a", capture=ONE["capture"], bundle=ONE["bundle"])
    copies = put(tmp_path / "b", capture=ONE["capture"])
    once, twice = told(paths), told([*paths, *copies, str(tmp_path / "a")])
    assert len(twice) == len(once) == 1
    assert diagnose(twice[0].journal, load()).causes == diagnose(once[0].journal, load()).causes
