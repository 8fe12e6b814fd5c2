"""Exports of Windows in other languages, and such that lost their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.eventlog import Event, format_of, loose, read_events, roles
from rdpdoctor.readers.eventlog.journal import journals
from rdpdoctor.readers.eventlog.table import SERVICES
from tests.readers.eventlog.exports import AUDIT, CORE, SESSIONS, START, Sample, saved_xml

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = """Fehler beim Anmelden eines Kontos.

Antragsteller:
\tSicherheits-ID:\t\tS-1-5-18
\tKontoname:\t\tSRV01$
\tKontodomäne:\t\tCORP
\tAnmelde-ID:\t\t0x3e7

Anmeldetyp:\t\t\t{kind}

Konto, für das die Anmeldung fehlgeschlagen ist:
\tSicherheits-ID:\t\tS-1-0-0
\tKontoname:\t\talice
\tKontodomäne:\t\tCORP

Fehlerinformationen:
\tFehlerursache:\t\tUnbekannter Benutzername oder ungültiges Kennwort.
\tStatus:\t\t\t0xC000006E
\tUnterstatus::\t\t0xC0000072

Prozessinformationen:
\tAufrufprozess-ID:\t0x0
\tAufrufprozessname:\t-

Netzwerkinformationen:
\tArbeitsstationsname:\tPC-044
\tQuellnetzwerkadresse:\t10.0.0.9
\tQuellport:\t\t0

Detaillierte Authentifizierungsinformationen:
\tAnmeldeprozess:\t\tNtLmSsp\x20
\tAuthentifizierungspaket:\tNTLM
"""
FRENCH = """Échec d’ouverture de session d’un compte.

Sujet :
\tID de sécurité\xa0:\t\tS-1-0-0
\tNom du compte\xa0:\t\t-
\tDomaine du compte\xa0:\t\t-
\tID d’ouverture de session\xa0:\t\t0x0

Type d’ouverture de session\xa0:\t\t\t{kind}

Compte pour lequel l’ouverture de session a échoué :
\tID de sécurité\xa0:\t\tS-1-0-0
\tNom du compte\xa0:\t\talice
\tDomaine du compte\xa0:\t\tCORP

Informations sur l’échec :
\tRaison de l’échec\xa0:\t\tNom d’utilisateur inconnu ou mot de passe incorrect.
\tÉtat\xa0:\t\t\t0xC000006E
\tSous-état\xa0:\t\t0xC0000072

Informations sur le processus :
\tID du processus de l’appelant\xa0:\t0x0
\tNom du processus de l’appelant\xa0:\t-

Informations sur le réseau :
\tNom de la station de travail\xa0:\tPC-044
\tAdresse du réseau source\xa0:\t10.0.0.9
\tPort source\xa0:\t\t0
"""
CUT = "Fehler beim Anmelden eines Kontos.\n\tStatus:\t\t\t0xC000006E\n\tUnterstatus::\t\t0xC0000072\n"


def as_json(file: Path, provider: str, identity: int, message: str, properties: Any = None) -> Path:
    row = {"Id": identity, "ProviderName": provider, "LogName": "Security", "RecordId": 7, "Message": message}
    row |= {"MachineName": "srv01.corp.example", "TimeCreated": START.isoformat(), "Properties": properties}
    file.write_text(json.dumps([row]), "utf-8")
    return file


def only(path: Path) -> Event:
    (event,) = read_events(path).events
    return event


@pytest.mark.parametrize("message", [GERMAN, FRENCH], ids=["German", "French"])
@pytest.mark.parametrize("kind", ["3", "10"])
def test_a_refused_sign_in_is_read_by_place(message: str, kind: str, tmp_path: Path) -> None:
    event = only(as_json(tmp_path / "a.json", AUDIT, 4625, message.format(kind=kind)))
    expected = {"LogonType": kind, "TargetUserName": "alice", "IpAddress": "10.0.0.9", "ProcessName": "-"}
    assert expected.items() <= event.data.items()
    assert (event.data["Status"], event.data["SubStatus"]) == ("0xC000006E", "0xC0000072")


@pytest.mark.parametrize(("kind", "kept"), [("2", 0), ("3", 1), ("5", 0), ("10", 1)])
def test_what_no_remote_sign_in_is_counts_in_no_language(kind: str, kept: int, tmp_path: Path) -> None:
    path = as_json(tmp_path / "a.json", AUDIT, 4625, GERMAN.format(kind=kind))
    assert len(read_events(path).events) == kept


@pytest.mark.parametrize(
    ("message", "outcomes"),
    [(GERMAN.format(kind="10"), ["fails"]), (GERMAN.format(kind="3"), []), (CUT, [])],
    ids=["a desktop", "the network", "not told"],
)
def test_only_a_sign_in_whose_type_is_read_ends_an_attempt(
    message: str, outcomes: list[str], tmp_path: Path
) -> None:
    path = as_json(tmp_path / "a.json", AUDIT, 4625, message)
    assert [one.outcome for one in read_events(path).attempts] == outcomes
    if not outcomes:
        (journal,) = journals([path])
        assert [row.args["means"] for row in journal if row.tag == "event.logged"] == [
            "network-sign-in.refused"
        ]


@pytest.mark.parametrize(
    "properties",
    [["System.Diagnostics.Eventing.Reader.EventProperty"] * 2, "System.Collections.Generic.List`1[…]", None],
    ids=["each", "the list", "none"],
)
def test_placeholders_are_no_values(properties: Any, tmp_path: Path) -> None:
    message = "The server accepted a new TCP connection from client 10.0.0.9:50123."
    event = only(as_json(tmp_path / "a.json", CORE, 131, message, properties))
    assert event.data == {"ConnType": "TCP", "ClientIP": "10.0.0.9:50123"}


ENDED = "The Remote Desktop Services service terminated with the following error: \r\nNot found."
NEEDS = "The Remote Desktop Services service depends on the Remote Procedure Call (RPC) service which failed."
RUNS = "The Remote Desktop Services service entered the running state."


@pytest.mark.parametrize(
    ("identity", "values", "message", "means"),
    [
        (7001, {}, NEEDS, ["service.not-started"]),
        (7001, {"param1": "Remotedesktopdienste", "param2": "RPC"}, "", ["service.not-started"]),
        (7023, {}, ENDED, ["service.not-started"]),
        (7023, {"param1": "Services Bureau à distance"}, "", ["service.not-started"]),
        (
            7023,
            {},
            'Der Dienst "Remotedesktopdienste" wurde mit einem Fehler beendet.',
            ["service.not-started"],
        ),
        (7024, {"param1": "Servicios de Escritorio remoto"}, "", ["service.not-started"]),
        (7034, {"param1": "Remotedesktopdienste"}, "", ["service.crashed"]),
        (7023, {"param1": "Windows Update"}, "", []),
        (7023, {"param1": "Remote Desktop Services UserMode Port Redirector"}, "", []),
        (7023, {"param1": "Remote Desktop Services", "Binary": "UmRdpService"}, "", []),
        (7023, {"param1": "?", "Binary": "TermService\0"}, "", ["service.not-started"]),
        (7036, {}, RUNS, ["service.running"]),
        (7036, {"param1": "Remote Desktop Services", "param2": "stopped"}, "", []),
        (
            7036,
            {"param1": "x", "param2": "wird ausgeführt", "Binary": "TermService/4"},
            "",
            ["service.running"],
        ),
        (7036, {"param1": "x", "param2": "beendet", "Binary": "TermService/1"}, "", []),
    ],
)
def test_services_are_known_in_other_languages(
    identity: int, values: dict[str, str], message: str, means: list[str]
) -> None:
    if "Binary" in values:
        values = {**values, "Binary": values["Binary"].encode("utf-16-le").hex().upper()}
    fields = {"Id": f"{identity}", "ProviderName": SERVICES, "TimeCreated": START.isoformat()}
    event = loose.event(fields, message=message, data=values)
    assert event is not None
    found = [event] if roles.concerns_us(event) else []
    assert [kind.means for one in found if (kind := roles.kind(one)) is not None] == means


@pytest.mark.parametrize(("after", "stands"), [(None, True), (-60, True), (60, False)])
def test_a_service_that_runs_again_is_not_stopped(after: float | None, stands: bool, tmp_path: Path) -> None:
    told = [Sample(SERVICES, 7000, 0, {"param1": "Remote Desktop Services", "param2": "%%1058"})]
    if after is not None:
        told.append(Sample(SERVICES, 7036, after, {"param1": "Remote Desktop Services", "param2": "running"}))
    file = tmp_path / "a.xml"
    file.write_bytes(saved_xml(told))
    (journal,) = journals([file])
    (row,) = (row for row in journal if row.tag == "event.logged")
    assert row.args["stands"] is stands


KNOCK = {"Direction": "%%14592", "SourceAddress": "10.0.0.9", "DestPort": "3389", "Protocol": "6"}
SAID = (
    "The Windows Filtering Platform has blocked a connection.\n\n"
    "Network Information:\n\tDirection:\t\tInbound\n"
    "\tSource Address:\t\t10.0.0.9\n\tSource Port:\t\t50111\n\tDestination Address:\t10.0.0.1\n"
    "\tDestination Port:\t\t3389\n\tProtocol:\t\t6\n"
)


@pytest.mark.parametrize(
    ("identity", "values", "message", "clients"),
    [
        (5152, KNOCK, "", ["10.0.0.9"]),
        (5157, KNOCK, "", ["10.0.0.9"]),
        (5157, {}, SAID, ["10.0.0.9"]),
        (5157, {**KNOCK, "DestPort": "445"}, "", []),
        (5157, {**KNOCK, "Protocol": "17"}, "", []),
        (5157, {**KNOCK, "Direction": "%%14593"}, "", []),
        (5157, {}, SAID.replace("Inbound", "Outbound"), []),
    ],
)
def test_what_the_firewall_kept_from_the_port_is_read(
    identity: int, values: dict[str, str], message: str, clients: list[str]
) -> None:
    fields = {"Id": f"{identity}", "ProviderName": AUDIT, "TimeCreated": START.isoformat()}
    event = loose.event(fields, message=message, data=values)
    assert event is not None
    assert [roles.client(one) for one in [event] if roles.concerns_us(one)] == clients


BODY = "Remote Desktop Services: Session logon succeeded:\n\nUser: CORP\\alice\nSession ID: 3\n" + (
    "Source Network Address: 10.0.0.9\n"
)
WEVTUTIL = {
    "German": "Protokollname: Quelle: Datum: Ereignis-ID: Aufgabe: Ebene: Vorgangscode: Schlüsselwort: "
    "Benutzer: Benutzername: Computer: Beschreibung:",
    "French": "Journal\xa0: Source\xa0: Date\xa0: ID\u202fd’événement\xa0: Tâche\xa0: Niveau\xa0: Opcode: "
    "Keyword: User: Utilisateur: Ordinateur\xa0: Description\xa0:",
    "Japanese": "ログの名前: ソース: 日付: イベント: タスク: レベル: オペコード: キーワード: ユーザー: "
    "ユーザー名: コンピューター: 説明:",
}
COPIED = (
    "Protokollname: Quelle: Datum: Ereignis-ID: Aufgabenkategorie: Ebene: Schlüsselwörter: Benutzer: "
    "Computer: Beschreibung:"
)


def headed(names: str, when: str, record: int = 21, source: str = SESSIONS) -> str:
    told = [f"{source}/Operational", source, when, f"{record}", *["x"] * 6]
    parts = names.split(" ")
    told = [*told[: len(parts) - 2], "srv01.corp.example", ""]
    return "".join(f"  {name} {value}\n" for name, value in zip(parts, told, strict=True))


@pytest.mark.parametrize("language", WEVTUTIL)
def test_wevtutil_in_any_language_is_read_by_place(language: str, tmp_path: Path) -> None:
    names = WEVTUTIL[language]
    text = "".join(
        f"Event[{n}]:\n{headed(names, f'2026-11-20T10:0{n}:05.1230000Z')}{BODY}\n" for n in range(3)
    )
    (tmp_path / "a.txt").write_text(text, "utf-8")
    log = read_events(tmp_path / "a.txt")
    assert log.lost == []
    assert [(one.computer, one.time.minute, one.data["Address"]) for one in log.events] == [
        ("srv01.corp.example", minute, "10.0.0.9") for minute in range(3)
    ]


def test_copied_events_in_another_language_are_read_by_place(tmp_path: Path) -> None:
    """One of no interest stands between, and its message must not run into another's."""
    text = headed(COPIED, "20.11.2026 10:00:05") + BODY
    text += headed(COPIED, "20.11.2026 10:01:05", 1, "Nobody") + "Source Network Address: 10.0.0.7\n"
    text += headed(COPIED, "20.11.2026 10:02:05") + BODY
    (tmp_path / "a.txt").write_text(text, "utf-8")
    log = read_events(tmp_path / "a.txt")
    assert [(one.computer, one.time.minute, one.data["Address"]) for one in log.events] == [
        ("srv01.corp.example", minute, "10.0.0.9") for minute in (0, 2)
    ]
    assert log.tallies[0][1].records == 3


@pytest.mark.parametrize(
    "text",
    [
        "Name: srv01\nDomain: corp\nSince: today\nCount: 4\n",
        "Name: srv01\nDomain: corp\nSince: 20.11.2026 10:00:05\nCount: four\n",
        "Since: 20.11.2026 10:00:05\nCount: 4\n",
    ],
)
def test_other_lists_of_names_are_no_log(text: str) -> None:
    assert format_of(text.encode()) is None
