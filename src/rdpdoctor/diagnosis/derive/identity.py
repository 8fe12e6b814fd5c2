"""Do target, certificate and the computer's own name agree?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import certificate, names
from rdpdoctor.diagnosis.derive.endings import distinct
from rdpdoctor.diagnosis.view import Args, View, derived, text, words
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names that one host gave itself; a farm has some, a made-up journal any number.
MOST_COMPUTERS = 50


def derive(view: View) -> Iterator[Observation]:
    challenges = list(view.all("nla.challenged"))
    own = certificate.shown(view)
    if own is None and not challenges:
        return
    host = view.target.host
    judged = names.address_of(host) is None and not names.is_loopback(host)
    computers = distinct(name for row in challenges if (name := _computer(row)) is not None)[:MOST_COMPUTERS]
    fits = certificate.name_fits(host, own) if own is not None else "not-judged"
    held = [] if own is None else [*words(own, "names"), *([cn] if (cn := text(own, "common_name")) else [])]
    agree: bool | None = None
    if held and computers:
        agree = any(_speaks_of(name, computer) for name in held for computer in computers)
    args: Args = {
        "target_matches_certificate": {"matches": True, "differs": False}.get(fits),
        "target_matches_computer": any(names.same_computer(host, one) for one in computers)
        if judged and computers
        else None,
        "certificate_matches_computer": agree,
        "computers": computers,
        "certificate_names": distinct(held),
    }
    rows = [row for row in (own, *challenges) if row is not None]
    yield derived("identity", Stage.NLA, args, rows)


def _computer(row: Observation) -> str | None:
    return text(row, "dns_computer") or text(row, "computer")


def _speaks_of(name: str, computer: str) -> bool:
    return names.same_computer(name, computer) or names.covers(name, computer)
