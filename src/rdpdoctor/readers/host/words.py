"""Words that console tools show in the language of Windows: English, German, French, Spanish and Japanese.

Letters with accents arrive in many shapes (code pages, redirections), so words are compared without them;
Japanese ones as they are.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^a-z]+")
_CUT = re.compile(r"[\s:\uff1a]+")


def key(text: str) -> str:
    """`Nom de la règle` → nomdelargle, `規則名` → itself."""
    low = text.lower()
    if any("\u3040" <= letter <= "\u9fff" for letter in low):
        return _CUT.sub("", low)
    return _PLAIN.sub("", low)


def _table(*rows: tuple[str, str]) -> dict[str, str]:
    return {key(word): meaning for meaning, words in rows for word in words.split(", ")}


#: What `netsh advfirewall firewall show rule` calls the parts of a rule.
RULE = _table(
    ("rulename", "Rule Name, Regelname, Nom de la règle, Nombre de regla, 規則名"),
    ("enabled", "Enabled, Aktiviert, Activé, Habilitada, Habilitado, 有効"),
    ("direction", "Direction, Richtung, Sens, Dirección, 方向"),
    ("profiles", "Profiles, Profile, Profils, Perfiles, プロファイル"),
    ("grouping", "Grouping, Gruppierung, Groupement, Regroupement, Agrupamiento, Agrupación, グループ"),
    ("remoteip", "RemoteIP, Remote-IP, IP distante, IP remota, リモート IP"),
    ("protocol", "Protocol, Protokoll, Protocole, Protocolo, プロトコル"),
    ("localport", "LocalPort, Lokaler Port, Port local, Puerto local, ローカル ポート"),
    ("program", "Program, Programm, Programme, Programa, プログラム"),
    ("action", "Action, Aktion, Acción, 操作"),
)
YES = frozenset(map(key, ("Yes", "Ja", "Oui", "Sí", "Si", "True", "はい")))
NO = frozenset(map(key, ("No", "Nein", "Non", "False", "いいえ")))
IN = frozenset(
    map(
        key,
        (
            "In",
            "Inbound",
            "Ein",
            "Eingehend",
            "Entrée",
            "Actif",
            "Entrant",
            "Dentro",
            "Entrada",
            "入力",
            "受信",
        ),
    )
)
OUT = frozenset(
    map(
        key,
        (
            "Out",
            "Outbound",
            "Aus",
            "Ausgehend",
            "Sortie",
            "Inactif",
            "Sortant",
            "Fuera",
            "Salida",
            "出力",
            "送信",
        ),
    )
)
ALLOW = frozenset(
    map(key, ("Allow", "Bypass", "Zulassen", "Umgehen", "Autoriser", "Permitir", "許可", "バイパス"))
)
BLOCK = frozenset(map(key, ("Block", "Blocken", "Blockieren", "Bloquer", "Bloquear", "ブロック")))
ANY = frozenset(
    map(
        key, ("Any", "Beliebig", "Alle", "Tout", "Tous", "Cualquiera", "Cualquier", "Todos", "任意", "すべて")
    )
)
#: Of a firewall's state.
ON = frozenset(map(key, ("ON", "EIN", "Actif", "Activé", "Activar", "Activado", "オン", "有効")))
OFF = frozenset(map(key, ("OFF", "AUS", "Inactif", "Désactivé", "Desactivar", "Desactivado", "オフ", "無効")))


def profile(text: str) -> str | None:
    """domain, private or public, of a word or a heading."""
    found = key(text)
    if "ドメイン" in found or "dom" in found:
        return "domain"
    if "プライベート" in found or "priv" in found:
        return "private"
    if "パブリック" in found or "publi" in found or "pblic" in found or "ffentlich" in found:
        return "public"
    return None
