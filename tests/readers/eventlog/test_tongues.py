"""Exports of Windows in other languages, and such that lost their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.eventlog import Event, read_events
from rdpdoctor.readers.eventlog.journal import journals
from tests.readers.eventlog.exports import AUDIT, CORE, START

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
