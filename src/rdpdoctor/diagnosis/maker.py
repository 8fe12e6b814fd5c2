"""Whose server it is, as far as the wire tells: commands for Windows help nobody on Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.server import HYBRID, HYBRID_EX, SSL
from rdpdoctor.diagnosis.view import text, whole

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.view import View

#: What WinPR, the library below FreeRDP and gnome-remote-desktop, calls itself in its NTLM messages.
_WINPR = "6.1.7601"


def not_windows(view: View) -> bool:
    """Whether the server shows that it is none of Microsoft's (xrdp, FreeRDP, gnome-remote-desktop).

    Windows takes CredSSP whenever a client offers it beside TLS (MS-RDPBCGR 5.4.2.1; measured: xrdp takes
    TLS). And Windows 7 never spoke TLS 1.3, so who claims to be that and does is another.
    """
    for row in view.all("x224.selected"):
        requested = whole(row, "requested")
        if requested is not None and requested & (HYBRID | HYBRID_EX) and whole(row, "selected") == SSL:
            return True
    modern = any(text(row, "version") == "TLS 1.3" for row in view.all("tls.completed", "tls.answered"))
    return modern and any(text(row, "os_version") == _WINPR for row in view.all("nla.challenged"))
