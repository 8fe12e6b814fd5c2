"""Reports of policies as XML: `gpresult /x FILE` and `Get-GPOReport -ReportType Xml`.

Read as a stream, without entities, and without keeping a tree: a report names its values by the policy's
title (in the language of Windows) and its state, by a whole key, or, for security options, by key and value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from rdpdoctor.knowledge.settings import registry
from rdpdoctor.readers.host.model import LONGEST, MOST, HostError, Service, Setting
from rdpdoctor.readers.host.regfile import worth
from rdpdoctor.readers.host.text import number

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_HEAD = re.compile(r"http://www\.microsoft\.com/GroupPolicy/(?:Rsop|Settings)\b")
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
_STARTS = {"automatic": "auto", "manual": "manual", "disabled": "disabled"}


def sniff(text: str) -> bool:
    return _HEAD.search(text[:4000]) is not None


def read(text: str, raw: Raw) -> None:
    """Raise HostError where it is no XML at all."""
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
            self._policy(fields)
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

    def _policy(self, fields: dict[str, str]) -> None:
        """By its title. What it writes is known for switches, and for lists whose words are known."""
        state = fields.get("State", "").lower()
        if state not in ("enabled", "disabled"):
            return
        for setting in registry.by_name(fields.get("Name", "")):
            policy = setting.policy
            if policy is None or policy.title.lower().strip(".") != fields["Name"].lower().strip(". "):
                continue
            chosen = next((fields[one] for one in fields if one.endswith("List/Value/Name")), None)
            typed = next(
                (fields[one] for one in fields if one.endswith(("Numeric/Value", "EditText/Value"))), None
            )
            value: int | str | None
            if state == "disabled" and (chosen or setting.name in _CHOICES):
                continue  # it writes nothing, or deletes
            if setting.name in _CHOICES:
                value = _CHOICES[setting.name].get((chosen or "").lower())
            elif typed is not None:
                told = number(typed, 0, 2**32)
                value = typed if told is None else told
            elif chosen is not None:
                value = None
            else:
                value = int((state == "enabled") is (setting.name not in _TURNED))
            if value is None:
                self.raw.lose(
                    f"what the policy “{policy.title[:80]}” writes, which the report tells in words"
                )
            else:
                self.raw.settings.append(Setting(policy.key, setting.name, value, by_policy=True))
