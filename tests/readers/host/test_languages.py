"""What tools print in other languages, code pages and shapes. The words are those of recorded output; the
names and numbers in it are ours.
"""

from __future__ import annotations

import json

import pytest

from rdpdoctor.readers.host import read_host
from rdpdoctor.readers.host.text import decoded
from rdpdoctor.readers.kinds import Kind, kind_of
from tests.readers.host.craft import judged, standing

#: language → a rule of netsh's with its state and action to fill in, yes, no, allow, block, and code pages
RULES = {
    "de": (
        """
Regelname:                            Remotedesktop - Benutzermodus (TCP eingehend)
----------------------------------------------------------------------
Aktiviert:                            {enabled}
Richtung:                             Eingehend
Profile:                              Domäne,Privat,Öffentlich
Gruppierung:                          Remotedesktop
Lokales IP:                           Beliebig
Remote-IP:                            Beliebig
Protokoll:                            TCP
Lokaler Port:                         3389
Remoteport:                           Beliebig
Edgeausnahme:                         Nein
Aktion:                               {action}
""",
        ("Ja", "Nein", "Zulassen", "Blocken"),
        ("utf-8", "utf-16", "cp1252", "cp850", "cp437"),
    ),
    "fr": (
        """
Nom de la règle :                     Bureau à distance - Mode utilisateur (TCP-Entrée)
----------------------------------------------------------------------
Activé :                              {enabled}
Sens :                                Entrée
Profils :                             Domaine,Privé,Public
Groupement :                          Bureau à distance
IP locale :                           Tout
IP distante :                         Tout
Protocole :                           TCP
LocalPort :                           3389
Action :                              {action}
""",
        ("Oui", "Non", "Autoriser", "Bloquer"),
        ("utf-8", "utf-16", "cp1252", "cp850", "cp437"),
    ),
    "es": (
        """
Nombre de regla:                      Escritorio remoto: modo usuario (TCP de entrada)
----------------------------------------------------------------------
Habilitada:                           {enabled}
Dirección:                            Dentro
Perfiles:                             Dominio,Privada,Pública
Agrupamiento:                         Escritorio remoto
LocalIP:                              Cualquiera
RemoteIP:                             Cualquiera
Protocolo:                            TCP
LocalPort:                            3389
RemotePort:                           Cualquiera
Cruce seguro del perímetro:          No
Acción:                               {action}
""",
        ("Sí", "No", "Permitir", "Bloquear"),
        ("utf-8", "utf-16", "cp1252", "cp850", "cp437"),
    ),
    "ja": (
        """
規則名:                               リモート デスクトップ - ユーザー モード (TCP 受信)
----------------------------------------------------------------------
有効:                                 {enabled}
方向:                                 入力
プロファイル:                         ドメイン,プライベート,パブリック
グループ:
ローカル IP:                          任意
リモート IP:                          任意
プロトコル:                           TCP
ローカル ポート:                      3389
リモート ポート:                      任意
エッジ トラバーサル:                  いいえ
操作:                                 {action}
""",
        ("はい", "いいえ", "許可", "ブロック"),
        ("utf-8", "utf-16", "cp932"),
    ),
}
CASES = [(language, page) for language, (_, _, pages) in RULES.items() for page in pages]


@pytest.mark.parametrize(("language", "page"), CASES)
def test_a_rule_of_the_firewall(language: str, page: str) -> None:
    text, (yes, no, allow, block), _ = RULES[language]

    def causes(enabled: str, action: str) -> dict[str, str]:
        data = text.format(enabled=enabled, action=action).encode(page, "replace")
        assert kind_of(data) is Kind.HOST
        return standing(judged(data))

    assert causes(yes, allow) == {}
    assert causes(no, allow) == {"firewall.windows": "possible"}
    data = text.format(enabled=no, action=allow).encode(page, "replace")
    assert "may stop a connection" in judged(data).verdict.summary
    assert causes(yes, block) == {"firewall.windows": "confirmed"}


def test_words_of_a_language_that_is_not_known_are_told_of() -> None:
    text = RULES["de"][0].format(enabled="Tak", action="Zulassen")
    assert read_host(f"{text}\n{RULES['es'][0].format(enabled='No', action='Permitir')}".encode()).lost


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "de",
            "Öffentliches Profil-Einstellungen: \n{}\nStatus              EIN\nFirewallrichtlinie  {}\n",
        ),
        (
            "fr",
            "Paramètres Profil public :\n{}\nÉtat                      Actif\nStratégie de pare-feu  {}\n",
        ),
        (
            "es",
            "Configuración de Perfil público: \n{}\nEstado           ACTIVAR\nDirectiva de firewall  {}\n",
        ),
        ("ja", "パブリック プロファイル 設定: \n{}\n状態           オン\nファイアウォール ポリシー  {}\n"),
    ],
)
def test_a_profile_that_lets_nothing_in(language: str, text: str) -> None:
    rule, (yes, _, allow, _), _ = RULES[language]
    for policy, expected in (
        ("BlockInboundAlways,AllowOutbound", {"firewall.windows": "confirmed"}),
        ("BlockInbound,AllowOutbound", {}),
    ):
        data = text.format("-" * 70, policy) + "\n" + rule.format(enabled=yes, action=allow)
        found = judged(data.encode())
        assert standing(found) == expected
        assert ("whatever its rules say" in found.verdict.summary) is bool(expected)


GERMAN = """\
C:\\>certutil -store "Remote Desktop"
Remote Desktop "Remotedesktop"
================ Zertifikat 0 ================
Seriennummer: 1a2b3c4d5e
Aussteller: CN=srv01.corp.example
 Nicht vor: 01.01.2026 01:00
 Nicht nach: {}.2026 01:00
Antragsteller: CN=srv02.corp.example
Stammzertifikat: Antragsteller stimmt mit Aussteller überein
Zertifikathash(sha1): aabbccddeeff00112233445566778899aabbccdd
  Schlüsselcontainer = TSSecKeySet1
  Anbieter = Microsoft Enhanced Cryptographic Provider v1.0
Verschlüsselungstest wurde durchgeführt
CertUtil: -store-Befehl wurde erfolgreich ausgeführt.
"""
FRENCH = """\
Remote Desktop "Bureau à distance"
================ Certificat 0 ================
Numéro de série : 1a2b3c4d5e
Émetteur: CN=srv01.corp.example
 NotBefore : 01/01/2026 01:00
 NotAfter : {}/2026 01:00
Objet: CN=srv02.corp.example
Hach. cert. (sha1)\u00a0: aa bb cc dd ee ff 00 11 22 33 44 55 66 77 88 99 aa bb cc dd
  Conteneur de clé\u00a0= TSSecKeySet1
Test de chiffrement réussi
"""
JAPANESE = """\
Remote Desktop "リモート デスクトップ"
================ 証明書 0 ================
シリアル番号: 1a2b3c
発行者: CN=srv01.corp.example
 この日以降: 2026/01/01 01:00
 この日以前: 2026/{} 01:00
サブジェクト: CN=srv02.corp.example
証明書ハッシュ(sha1): aabbccddeeff00112233445566778899aabbccdd
  キー コンテナー = TSSecKeySet1
"""


@pytest.mark.parametrize(
    ("text", "past", "ahead", "page"),
    [
        (GERMAN, "03.07", "31.12", "cp850"),
        (GERMAN, "03.07", "31.12", "utf-16"),
        (FRENCH, "03/07", "31/12", "cp850"),
        (FRENCH, "03/07", "31/12", "cp1252"),
        (JAPANESE, "07/03", "12/31", "cp932"),
        (JAPANESE, "07/03", "12/31", "utf-8"),
    ],
)
def test_a_certificate(text: str, past: str, ahead: str, page: str) -> None:
    data = text.format(past).encode(page)
    assert standing(judged(data)) == {"certificate.expired": "confirmed"}
    row = next(row.args for row in read_host(data).observations if row.tag == "host.certificate")
    assert (row["issuer"], row["subject"]) == ("CN=srv01.corp.example", "CN=srv02.corp.example")
    assert (row["not_after"], row["has_key"]) == ("2026-07-03T01:00:00Z", True)
    assert "certificate.expired" not in standing(judged(text.format(ahead).encode(page)))


def test_the_hash_of_the_whole_among_others() -> None:
    text = GERMAN.replace("Antragsteller:", f"  Namenshash(sha1): {'ee' * 20}\nAntragsteller:").format(
        "03.07"
    )
    row = next(row.args for row in read_host(text.encode()).observations if row.tag == "host.certificate")
    assert str(row["thumbprint"]).startswith("AABB")


SESSIONS = {
    "fr": " SESSION           UTILISATEUR              ID  ÉTAT    TYPE        PÉRIPHÉRIQUE \n",
    "es": " NOMBRE DE SESIÓN  NOMBRE DE USUARIO        Id. ESTADO  TIPO        DISPOSITIVO \n",
    "ja": " セッション名      ユーザー名               ID  状態    種類        デバイス \n",
}
LISTED = """\
 services                                    0  Déco
>rdp-tcp#12        alice                     2  Actif
 rdp-tcp                                 65536  Écouter
"""


@pytest.mark.parametrize("language", sorted(SESSIONS))
@pytest.mark.parametrize("shape", ["{}", "    {}", "> {}"])
def test_sessions_as_a_ticket_quotes_them(language: str, shape: str) -> None:
    """Moved to the right, or quoted in a mail."""

    def causes(text: str) -> set[str]:
        lines = ["Hello,", "", *(SESSIONS[language] + text).splitlines()]
        return set(standing(judged("\n".join(shape.format(line) for line in lines).encode())))

    assert causes(LISTED) == set()
    gone = {"listener.absent", "listener.damaged", "rdp.disabled"}
    assert causes(LISTED.replace("rdp-tcp  ", "ica-tcp  ")) == gone


@pytest.mark.parametrize(
    "text",
    [
        " SESSIONNAME       USERNAME                 ID  STATE   TYPE\n"
        " rdp-tcp#3         bob                       2  Active\n",
        " USERNAME              SESSIONNAME        ID  STATE   IDLE TIME\n"
        ">console               rdp-tcp#3           2  Active  .\n",
        "  TCP    10.0.0.4:52011         10.0.0.9:3389         ESTABLISHED     4312\n",
    ],
)
def test_part_of_a_list_tells_of_nothing_that_lacks(text: str) -> None:
    facts = read_host(text.encode())
    assert facts.lost
    assert standing(judged(text.encode())) == {}


NETSTAT = """
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         900
  TCP    {}:3389           0.0.0.0:0              ABHÖREN         1044
  TCP    0.0.0.0:445            0.0.0.0:0              ABHÖREN         4
"""


@pytest.mark.parametrize("width", [200, 62, 70, 74])
def test_listeners_in_a_narrow_console(width: int) -> None:
    def wrapped(text: str) -> bytes:
        return "\n".join(
            line[at : at + width] for line in text.splitlines() for at in range(0, max(len(line), 1), width)
        ).encode("cp850")

    assert standing(judged(wrapped(NETSTAT.format("0.0.0.0")))) == {}
    # What listens for this machine alone takes no connection of others.
    assert "listener.absent" in standing(judged(wrapped(NETSTAT.format("127.0.0.1"))))


@pytest.mark.parametrize("encoding", ["utf-8", "cp850"])
def test_the_clock_by_its_shape(encoding: str) -> None:
    text = (
        "Sprungindikator: 0(keine Warnung)\nStratum: 4 (Sekundärreferenz - synchr. über (S)NTP)\n"
        "Präzision: -23 (119.209ns pro Tick)\nQuelle: dc01.corp.example\nAbrufintervall: 10 (1024s)\n"
    )
    row = next(row.args for row in read_host(text.encode(encoding)).observations if row.tag == "host.clock")
    assert (row["source"], row["stratum"], row["synced"]) == ("dc01.corp.example", 4, True)


@pytest.mark.parametrize(
    ("head", "name", "description", "address", "page"),
    [
        ("Windows-IP-Konfiguration", "Hostname  . ", "Beschreibung. ", "IPv4-Adresse  . ", "cp850"),
        ("Configuration IP de Windows", "Nom de l’hôte . ", "Description. ", "Adresse IPv4. ", "cp1252"),
        ("Configuración IP de Windows", "Nombre de host. ", "Descripción . ", "Dirección IPv4. ", "cp850"),
        ("Windows IP 構成", "ホスト名. ", "説明. ", "IPv4 アドレス . ", "cp932"),
    ],
)
def test_adapters(head: str, name: str, description: str, address: str, page: str) -> None:
    text = f"""
{head}

   {name}. . . . . . . . . . . : SRV01

Ethernet:

   {description}. . . . . . . . . . . : Intel(R) 82574L
   {address}. . . . . . . . . . : 10.0.4.21(x)
   Standardgateway ドメイン コントローラー . . . : 10.0.4.1
""".encode(page, "replace")
    facts = read_host(text)
    assert facts.computer == "SRV01"
    assert [row.args["name"] for row in facts.observations if row.tag == "host.adapter"] == [
        "Intel(R) 82574L"
    ]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("Abhören für Öffentliches Gerät", "cp850"),
        ("État : Écouter, clé à l'entrée près de la tâche", "cp850"),
        ("État : Écouter, clé à l’entrée", "cp1252"),
        ("They don’t “listen” – it’s über", "cp1252"),
        ("Dirección: Sí, Acción, público", "cp437"),
        ("リモート デスクトップ サービスが待機しています", "cp932"),
    ],
)
def test_code_pages_are_told_apart(text: str, page: str) -> None:
    found = decoded(text.encode(page, "replace"))
    assert found == text.encode(page, "replace").decode(page)


# ---- objects of PowerShell's


def rows(**changes: object) -> list[dict[str, object]]:
    return [
        {
            "Name": "RemoteDesktop-UserMode-In-TCP",
            "DisplayName": "Remotedesktop",
            "Enabled": 1,
            "Profile": 0,
            "Direction": 1,
            "Action": 2,
            "Platforms": {"value": [], "Count": 0},
            **changes,
        }
    ]


LISTS = {
    "table": """
Name                                 Enabled         Profile Action
----                                 -------         ------- ------
RemoteDesktop-UserMode-In-TCP          False Domain, Private  Allow
RemoteDesktop-Shadow-In-TCP             True Domain, Private  Allow
""",
    "shown": """
DisplayName                            Enabled Direction Action
-----------                            ------- --------- ------
Remote Desktop - Shadow (TCP-In)          True Inbound   Allow
Remote Desktop - User Mode (TCP-In)      False Inbound   Allow
""",
    "csv": (
        '"Name","DisplayName","Enabled","Profile","Direction","Action"\n'
        '"RemoteDesktop-UserMode-In-TCP","Remote Desktop, TCP","False","Domain, Private","Inbound","Allow"\n'
    ),
    "csv-de": (
        '#TYPE Selected.CimInstance\n"Name";"Enabled";"Direction";"Action"\n'
        '"RemoteDesktop-UserMode-In-TCP";"False";"Inbound";"Allow"\n'
    ),
    "json": json.dumps(rows(Enabled=2), indent=4),
    "json-words": json.dumps(rows(Enabled="False", Direction="Inbound", Action="Allow")),
    "json-cut": json.dumps([*rows(Enabled=2), *rows(Action=4)], indent=4)[:-30],
}


@pytest.mark.parametrize("shape", sorted(LISTS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_rules_in_every_shape(shape: str, encoding: str) -> None:
    data = LISTS[shape].encode(encoding)
    assert kind_of(data) is Kind.HOST
    assert standing(judged(data)) == {"firewall.windows": "possible"}


def test_numbers_of_rules_in_json() -> None:
    public = "\nName            : Network\nInterfaceAlias  : Ethernet\nNetworkCategory : Public\n"
    assert standing(judged(json.dumps(rows()).encode())) == {}
    assert standing(judged(json.dumps(rows(Action=4)).encode())) == {"firewall.windows": "confirmed"}
    assert standing(judged((json.dumps(rows(Profile=4)) + public).encode())) == {}
    assert set(standing(judged((json.dumps(rows(Profile=3)) + public).encode()))) == {"firewall.windows"}


@pytest.mark.parametrize(
    "text",
    [
        "\nName         Status StartType\n----         ------ ---------\nTermService Stopped  Disabled\n",
        json.dumps({"Name": "TermService", "Status": 1, "StartType": 4}),
        '"Name","Status"\n"TermService","Stopped"\n',
        "NOM_SERVICE\u00a0: TermService\n        TYPE               : 20  WIN32\n"
        "        ÉTAT              : 1  STOPPED\n",
    ],
)
def test_a_stopped_service_in_every_shape(text: str) -> None:
    assert standing(judged(text.encode())) == {"service.stopped": "confirmed"}


@pytest.mark.parametrize(
    "text",
    [
        "AVERTISSEMENT : TCP connect to (10.0.4.21 : 3389) failed\n\nComputerName     : srv01\n"
        "RemotePort       : 3389\nTcpTestSucceeded : False\n",
        "ComputerName RemotePort RemoteAddress TcpTestSucceeded\n------------ ---------- ------------- "
        "----------------\nsrv01              3389 10.0.4.21                False\n",
        json.dumps({"ComputerName": "srv01", "RemotePort": 3389, "TcpTestSucceeded": False}),
    ],
)
def test_what_a_client_tested_in_every_shape(text: str) -> None:
    assert judged(text.encode()).verdict.summary.startswith("Cannot be reached: Test-NetConnection")


def test_a_test_of_no_port_says_so() -> None:
    facts = read_host(b"ComputerName   : srv01\nRemoteAddress  : 10.0.4.21\nPingSucceeded  : True\n")
    assert any("-Port 3389" in what for what in facts.lost)
    assert not [row for row in facts.observations if row.tag == "host.tested"]


def test_a_ticket_with_everything_in_it() -> None:
    """Each tool's output is found among the others, in whatever language."""
    ticket = "\n\n".join(
        (
            "Hello,\nwe ran what you asked for:",
            SESSIONS["fr"] + LISTED,
            NETSTAT.format("0.0.0.0"),
            RULES["de"][0].format(enabled="Ja", action="Zulassen"),
            GERMAN.format("31.12"),
            LISTS["csv"].replace("False", "True"),
            json.dumps({"Name": "TermService", "Status": 4}),
            "fDenyTSConnections : 1\n"
            "PSPath             : Microsoft.PowerShell.Core\\Registry::"
            "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server",
            "Regards",
        )
    )
    for data in (ticket.encode(), ticket.encode("utf-16"), ticket.replace("\n", "\r\n").encode("cp850")):
        head = next(row.args for row in read_host(data).observations if row.tag == "host.read")
        parts = head["parts"]
        assert isinstance(parts, list | tuple)
        assert set(parts) == {
            *("qwinsta", "netstat", "services", "firewall", "certificates", "registry"),
        }
        assert standing(judged(data)) == {"rdp.disabled": "confirmed"}
