"""`gpresult /v` and `/z`: policies by the value that each writes, as bytes; and `/r`, which has names only.

            GPO: Default Domain Policy
                Folder Id: SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services\\fDenyTSConnections
                Value:       1, 0, 0, 0
                State:       Enabled

The words before the colons are of the language of Windows; the order is not.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import MOST, Setting
from rdpdoctor.readers.host.regfile import of_bytes, worth

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw

_HEAD = re.compile(r"^[^\n]{0,80}Microsoft[ \xa0]?\(R\) Windows[ \xa0]?\(R\)[^\n]{0,80}", re.MULTILINE)
_TOOL = re.compile(r"\b(?:RSOP|GPO|gpresult|Gruppenrichtlinie)", re.IGNORECASE)
_VALUE = re.compile(
    r"^[ \t]{0,40}[^\n:]{3,40}:[ \t]{0,40}((?:SOFTWARE|SYSTEM)\\[^\n]{3,300}?)[ \t]{0,9}\n"
    r"[ \t]{0,40}[^\n:]{1,30}:[ \t]{0,40}(\d{1,3}(?:, \d{1,3}){0,2000})[ \t]{0,9}$",
    re.MULTILINE | re.IGNORECASE,
)


def read(text: str, raw: Raw) -> None:
    values = list(islice(_VALUE.finditer(text), MOST))
    if not values and not (_HEAD.search(text) and _TOOL.search(text)):
        return
    raw.kinds.append("gpresult")
    for found in values:
        key, _, name = found[1].rpartition("\\")
        path = next((path for hive in ("HKLM", "HKCU") if worth(path := f"{hive}\\{key}", name)), None)
        parts = [int(one) for one in found[2].split(", ")]
        if path is None or max(parts) > 255:
            continue
        told = of_bytes(4 if len(parts) == 4 else 1, bytes(parts))
        if told is not None:
            raw.settings.append(Setting(path, name, told, by_policy=True))
    if not values:
        raw.lose(
            "what the policies set, which this report leaves out; gpresult /v or gpresult /x FILE tells it"
        )
