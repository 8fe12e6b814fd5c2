"""Reports of policies: `gpresult /x FILE` and `Get-GPOReport` as XML, `gpresult /h FILE` as HTML.

XML is read as a stream, without entities, and without keeping a tree: a report names its values by the
policy's title (in the language of Windows) and its state, by a whole key, or, for security options, by key
and value. HTML shows titles and states only.
"""

from __future__ import annotations

import html
import re
from itertools import islice
from typing import TYPE_CHECKING
from xml.parsers import expat

from rdpdoctor.knowledge.settings import registry
from rdpdoctor.readers.host.model import LONGEST, MOST, HostError, Service, Setting
from rdpdoctor.readers.host.regfile import worth
from rdpdoctor.readers.host.text import number
from rdpdoctor.readers.host.words import key

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_HEAD = re.compile(r"http://www\.microsoft\.com/GroupPolicy/(?:Rsop|Settings)\b")
_PAGE = re.compile(r"<html\b[^>]{0,500}\bgpmc_|\bgpmc_setting(?:Name|Path)=", re.IGNORECASE)
_SPAN = re.compile(r'gpmc_settingName="([^"]{1,300})"(?: gpmc_settingPath="([^"]{0,500})")?', re.IGNORECASE)
_CELL = re.compile(r"<td[^>]{0,200}>([^<]{0,500})")
_RECORDS = ("Policy", "RegistrySetting", "SecurityOptions", "SystemServices")
_DEEPEST = 60
#: Policies of which Enabled writes 0 (TerminalServer.admx).
_TURNED = ("fDenyTSConnections", "fDisableAutoReconnect")
#: What lists show, and write (TerminalServer.admx, CredSsp.admx).
_CHOICES = {
    "SecurityLayer": {"rdp": 0, "negotiate": 1, "ssl": 2},
    "MinEncryptionLevel": {"low level": 1, "client compatible": 2, "high level": 3},
    "AllowEncryptionOracle": {"force updated clients": 0, "mitigated": 1, "vulnerable": 2},
    "LicensingMode": {"per device": 2, "per user": 4},
}
#: States as pages show them.
_STATES = {
    **dict.fromkeys(
        map(key, ("Enabled", "Aktiviert", "Activé", "Habilitado", "Habilitada", "有効")), "Enabled"
    ),
    **dict.fromkeys(map(key, ("Disabled", "Deaktiviert", "Désactivé", "Deshabilitado", "無効")), "Disabled"),
}
#: The master switch as Windows calls it in other languages (TerminalServer.adml).
_TITLES = dict.fromkeys(
    map(
        key,
        (
            "Remoteverbindungen für Benutzer mithilfe der Remotedesktopdienste zulassen",
            "Autoriser les utilisateurs à se connecter à distance à l'aide des services Bureau à distance",
            "Permitir a los usuarios conectarse de forma remota mediante Servicios de Escritorio remoto",
        ),
    ),
    "Allow users to connect remotely by using Remote Desktop Services",
)
#: Of a category that is about us, in any language.
_OURS = re.compile(
    r"Remote ?desktop|Bureau à distance|Escritorio remoto|リモート デスクトップ|Terminal", re.IGNORECASE
)
_STARTS = {"automatic": "auto", "manual": "manual", "disabled": "disabled"}


def sniff(text: str) -> bool:
    return _HEAD.search(text[:4000]) is not None or _is_page(text)


def _is_page(text: str) -> bool:
    return text.lstrip("\ufeff \r\n\t")[:1] == "<" and _PAGE.search(text) is not None


def read(text: str, raw: Raw) -> None:
    """Raise HostError where it is neither XML nor such a page."""
    if _HEAD.search(text[:4000]) is None:
        _page(text, raw)
        return
    begin = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"), count=1)
    reader = _Reader(raw)
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(begin.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        if not raw.settings and not reader.records:
            raise HostError(f"damaged XML: {error}") from error
        raw.lose("the rest of the report, which is damaged or cut off")


def _page(text: str, raw: Raw) -> None:
    """Titles, states, and, in the table below a state, names of values with what is chosen."""
    reader = _Reader(raw)
    spans = list(islice(_SPAN.finditer(text), MOST))
    for span, end in zip(spans, [*(one.start() for one in spans[1:]), len(text)], strict=False):
        cells = [
            html.unescape(cell).strip()
            for cell in _CELL.findall(text, span.end(), min(end, span.end() + 20_000))
        ]
        state = _STATES.get(key(cells[0])) if cells else None
        if state is not None:
            fields = {
                "Name": html.unescape(span[1]),
                "Category": html.unescape(span[2] or ""),
                "State": state,
            }
            reader.policy(fields, [cell for cell in cells[2:] if cell])
    raw.lose("values that are no administrative templates; gpresult /x FILE writes them too")


def _refuse(*_: object) -> None:
    raise HostError("its XML declares a document type, which no report of a policy has")


class _Reader:
    """records: how many were seen."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.records = 0
        self._path: list[str] = []
        self._inside: int | None = None
        self._fields: dict[str, str] = {}
        self._text: list[str] = []
        self._size = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if len(self._path) >= _DEEPEST:
            raise HostError("its XML is nested deeper than any report")
        self._path.append(local)
        self._text, self._size = [], 0
        if self._inside is None and local in _RECORDS:
            self._inside, self._fields = len(self._path), {}

    def characters(self, data: str) -> None:
        if self._size < LONGEST:
            self._text.append(data[:LONGEST])
            self._size += len(data)

    def end(self, name: str) -> None:
        text = "".join(self._text).strip()
        if self._inside is not None:
            below = "/".join(self._path[self._inside :])
            if len(self._path) == self._inside:
                self._inside = None
                self.records += 1
                if self.records <= MOST:
                    self._record(self._path[-1], self._fields)
            elif text and len(self._fields) < 50:
                self._fields.setdefault(below, text[:LONGEST])
        elif text:
            where = "/".join(self._path[-2:])
            if where == "ComputerResults/Name":
                self.raw.computer = text.rpartition("\\")[2].rstrip("$") or None
            elif where in ("Rsop/ReadTime", "GPO/ReadTime"):
                self.raw.collected = text[:19] + "Z"
        self._path.pop()
        self._text, self._size = [], 0

    def _record(self, kind: str, fields: dict[str, str]) -> None:
        if kind == "Policy":
            chosen = [fields[one] for one in fields if one.endswith("List/Value/Name")]
            typed = [fields[one] for one in fields if one.endswith(("Numeric/Value", "EditText/Value"))]
            self.policy(fields, [*chosen, *typed])
        elif kind == "SystemServices":
            start = _STARTS.get(fields.get("StartupMode", "").lower())
            if start and fields.get("Name"):
                self.raw.services.append(Service(fields["Name"], start=start))
        elif kind == "SecurityOptions":
            key, _, name = fields.get("KeyName", "").rpartition("\\")
            self._add(key, name, fields.get("SettingNumber") or fields.get("SettingString"))
        else:
            key = fields.get("KeyPath", "")
            if not key.lower().startswith(("hk", "machine")):
                key = f"HKLM\\{key}"
            self._add(
                key, fields.get("Value/Name", ""), fields.get("Value/Number") or fields.get("Value/String")
            )

    def _add(self, key: str, name: str, value: str | None) -> None:
        if value is None or not worth(key, name):
            return
        told = number(value, -(2**31), 2**32)
        self.raw.settings.append(Setting(key, name, value if told is None else told % 2**32, by_policy=True))

    def policy(self, fields: dict[str, str], more: list[str]) -> None:
        """By its title. What it writes is known for switches, and for lists whose words are known.

        more: what is chosen or typed below its state.
        """
        state = fields.get("State", "").lower()
        if state not in ("enabled", "disabled"):
            return
        named = fields.get("Name", "")
        title = _TITLES.get(key(named), named)
        known = [
            setting
            for setting in registry.by_name(title)
            if setting.policy is not None
            and setting.policy.title.lower().strip(".") == title.lower().strip(". ")
        ]
        if not known and _OURS.search(fields.get("Category", "")) and not named.isascii():
            self.raw.lose(
                "policies whose titles are in another language; registry.pol and gpresult /v name the values"
            )
        for setting in known:
            assert setting.policy is not None
            if state == "disabled" and (more or setting.name in _CHOICES):
                continue  # it writes nothing, or deletes
            value = self._written(setting.name, state == "enabled", more)
            if value is None:
                self.raw.lose(
                    f"what the policy “{setting.policy.title[:80]}” writes, which the report tells in words"
                )
            else:
                self.raw.settings.append(Setting(setting.policy.key, setting.name, value, by_policy=True))

    def _written(self, name: str, enabled: bool, more: list[str]) -> int | str | None:
        if name in _CHOICES:
            return next((_CHOICES[name][one.lower()] for one in more if one.lower() in _CHOICES[name]), None)
        told = next((found for one in more if (found := number(one, 0, 2**32)) is not None), None)
        if told is not None:
            return told
        if more:
            return None
        return int(enabled is (name not in _TURNED))
