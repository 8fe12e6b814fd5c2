"""TLS over all ClientHellos, a client's and our own: which versions are spoken, and how those that died
did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.endings import distinct
from rdpdoctor.diagnosis.view import CLIENT_HELLO, Args, View, derived, flag, text, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
#: What current clients speak: mstsc since Windows 11 and every TLS library of 2026 refuse older ones (RFC
#: 8996).
ACCEPTABLE = ("TLS 1.2", "TLS 1.3")


def derive(view: View) -> Iterator[Observation]:
    yield from _versions(view)
    yield from _handshakes(view)


def _versions(view: View) -> Iterator[Observation]:
    spoken: dict[str, bool] = {}
    rows = list(view.all("tls.version", "tls.completed", "tls.answered"))
    for row in rows:
        version = text(row, "version")
        said = flag(row, "offered") if row.tag == "tls.version" else True
        if version in VERSIONS and said is not None:
            spoken[version] = spoken.get(version, False) or said
    if not spoken:
        return
    offered = [version for version in VERSIONS if spoken.get(version) is True]
    refused = [version for version in VERSIONS if spoken.get(version) is False]
    acceptable: bool | None = None
    if any(version in ACCEPTABLE for version in offered):
        acceptable = True
    elif offered and "TLS 1.2" in refused:
        acceptable = False
    newest = offered[-1] if offered else None
    args: Args = {"offered": offered, "refused": refused, "newest": newest, "acceptable": acceptable}
    yield derived("versions", Stage.TLS, args, rows)


def _handshakes(view: View) -> Iterator[Observation]:
    steps = list(view.hello_steps())
    if not steps:
        return
    died = [step for _, step in steps if not step.passed]
    ways = distinct(step.outcome for step in died)
    alerts = distinct(str(code) for step in died if (code := whole(step.row, "alert")) is not None)
    received = max((whole(step.row, "received") or 0 for step in died), default=0)
    certificates = "tls.certificate" in view or "tls.certificate-unreadable" in view
    leading = view.leading(Stage.TLS)
    args: Args = {
        "walk": leading.outcome if leading is not None else None,
        "attempts": len(steps),
        "answered": len(steps) - len(died),
        "versions": [name for name in VERSIONS if any(hello == name for hello, _ in steps)],
        "client_tried": any(hello == CLIENT_HELLO for hello, _ in steps),
        "ways": ways,
        "alike": len(died) == len(steps) and len(ways) == 1,
        "bytes": received,
        "alerts": [int(code) for code in alerts],
        "certificate": certificates,
    }
    yield derived("handshakes", Stage.TLS, args, [step.row for _, step in steps])
