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
#: Variants whose ClientHello goes out otherwise than a client sends it.
_OTHERWISE_SENT = frozenset({"split-hello", "no-sni", "small-segments"})
#: Hellos that offer TLS 1.3: a current client's does.
_NEWER = frozenset({CLIENT_HELLO, "TLS 1.3"})
_CREDSSP = 0x0A  # PROTOCOL_HYBRID and PROTOCOL_HYBRID_EX, MS-RDPBCGR 2.2.1.1.1


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
    args: Args = {
        "offered": offered,
        "refused": refused,
        "newest": newest,
        "acceptable": acceptable,
        "usable": any(
            text(row, "version") in ACCEPTABLE and client_offers(text(row, "suite") or "") for row in rows
        ),
    }
    yield derived("versions", Stage.TLS, args, rows)


def client_offers(suite: str) -> bool:
    """Whether current clients offer a suite, by its registered name: those of TLS 1.3, and AES with the usual
    key exchanges.
    """
    exchange, _, cipher = suite.removeprefix("TLS_").partition("_WITH_")
    if not cipher:
        return suite.startswith(("TLS_AES_", "TLS_CHACHA20_"))
    usual = exchange in ("ECDHE_ECDSA", "ECDHE_RSA", "DHE_RSA", "RSA")
    return usual and cipher.startswith(("AES_", "CHACHA20_")) and "CCM" not in cipher


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
        **_one_piece(view),
    }
    yield derived("handshakes", Stage.TLS, args, [step.row for _, step in steps])


def _one_piece(view: View) -> Args:
    """What became of the hellos that were sent as clients send them, and what those that died have in common.

    older_only: each that offers TLS 1.3 died, and one with TLS 1.2 as its highest was answered.
    plain_only: each died where CredSSP had been asked for, and the same hello passed where only TLS was.
    """
    hellos = [
        (hello, step.passed, attempt.requested)
        for attempt in view.attempts
        if attempt.variant not in _OTHERWISE_SENT
        for hello, step in attempt.hellos.items()
    ]
    passed, died = [one for one in hellos if one[1]], [one for one in hellos if not one[1]]
    names = {hello for hello, _, _ in passed}
    plain_only = (
        all(asked is not None and not asked & _CREDSSP for _, _, asked in passed)
        and all(asked is not None and asked & _CREDSSP for _, _, asked in died)
        and any(hello in names for hello, _, _ in died)
    )
    older_only = (
        not plain_only
        and "TLS 1.2" in names
        and not names & _NEWER
        and any(hello == CLIENT_HELLO for hello, _, _ in died)
        and not any(hello == "TLS 1.2" for hello, _, _ in died)
    )
    return {"one_piece": len(passed), "older_only": older_only, "plain_only": plain_only}
