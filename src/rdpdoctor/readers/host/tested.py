"""`Test-NetConnection HOST -Port N`, as a client shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.readers.host.model import Tested
from rdpdoctor.readers.host.text import number

if TYPE_CHECKING:
    from rdpdoctor.readers.host.model import Raw


def read(_text: str, raw: Raw) -> None:
    for row in raw.rows:
        port, said = number(row.get("remoteport"), 1, 65_535), row.get("tcptestsucceeded", "").lower()
        if port is None and "pingsucceeded" in row and "computername" in row:
            raw.kinds.append("Test-NetConnection")
            raw.lose("the port, which this test left out; Test-NetConnection HOST -Port 3389 tells of it")
        if port is None or said not in ("true", "false") or len(raw.tested) >= 100:
            continue
        pinged = {"true": True, "false": False}.get(row.get("pingsucceeded", "").lower())
        if said == "true" and "pingsucceeded" not in row:
            pinged = None
        raw.tested.append(
            Tested(
                row.get("computername", ""), row.get("remoteaddress") or None, port, said == "true", pinged
            )
        )
    if raw.tested:
        raw.kinds.append("Test-NetConnection")
