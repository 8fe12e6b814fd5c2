"""What the rules of one cloud amount to, taken together.

A connection has to pass each kind of rules that a cloud has (in AWS the security groups and the network ACL).
Of one kind, all groups of an effective listing apply, and all must allow. Otherwise the file does not say
which of several groups apply: only what they agree on is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.view import Args, View, derived, flag, text, whole, words
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TCP_TAG, UDP_TAG = "cloud.rule-decides", "cloud.udp-rule-decides"
ALLOW, DENY, SOME, UNKNOWN = "allow", "deny", "some", "unknown"
#: The source of rows about the Internet at large.
ANYONE = "anyone"
#: Groups and sources that are named.
_NAMED = 12


def derive(view: View) -> Iterator[Observation]:
    udp = _by(view.all(UDP_TAG), "provider")
    wide = {(text(row, "provider"), text(row, "group")): row for row in view.all("cloud.too-open")}
    for provider, told in _by(view.all(TCP_TAG), "provider").items():
        rows = _asked(told)
        deciding, doubt = _together(rows)
        verdict = _of(deciding) if doubt is None else UNKNOWN
        asked = text(deciding, "source") or ANYONE
        passes = [one for row in _beside(deciding, rows) for one in words(row, "passes")]
        open_ = _open(rows, wide)
        args: Args = {
            "provider": provider,
            "kind": text(deciding, "kind") or "",
            "verdict": verdict,
            "scope": _scope(asked, passes) if verdict == DENY else None,
            "certain": flag(deciding, "together") is True,
            "source": "the Internet" if asked == ANYONE else asked,
            "port": whole(deciding, "port") or 0,
            "group": text(deciding, "group") or "",
            "rule": text(deciding, "rule"),
            "priority": whole(deciding, "priority"),
            "off": _off(view, deciding) if verdict == DENY else None,
            "direction": text(deciding, "direction") or "in",
            "denying": _groups(rows, DENY),
            "allowing": _groups(rows, ALLOW),
            "denied": sum(_of(row) == DENY for row in rows),
            "groups": len(rows),
            "passes": list(dict.fromkeys(passes))[:_NAMED],
            "open": open_ is not None,
            "open_group": text(open_, "group") if open_ is not None else None,
            "open_rule": text(open_, "rule") if open_ is not None else None,
            "doubt": doubt or (text(deciding, "doubt") if verdict == UNKNOWN else None),
            "udp": _verdict(_asked(udp.get(provider, []))),
        }
        yield derived("rules", Stage.TCP, args, rows)


def _off(view: View, deciding: Observation) -> str | None:
    """The rule of the same group that would let it in, and is switched off."""
    alike = [
        row
        for row in view.all("cloud.rule-off")
        if all(text(row, name) == text(deciding, name) for name in ("provider", "group"))
    ]
    return text(alike[0], "rule") if alike else None


def _by(rows: Iterable[Observation], name: str) -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = {}
    for row in rows:
        found.setdefault(text(row, name) or "", []).append(row)
    return found


def _asked(rows: list[Observation]) -> list[Observation]:
    """The rows about one source: that of the last one, since files are read with the same question."""
    return [row for row in rows if text(row, "source") == text(rows[-1], "source")]


def _together(rows: Sequence[Observation]) -> tuple[Observation, str | None]:
    """The row that decides, and `which` where only the choice of groups would."""
    decided = [_of_one_kind(alike) for alike in _by(rows, "kind").values()]
    for wanted in (DENY, UNKNOWN, SOME, ALLOW):
        for row, doubt in decided:
            if wanted == (UNKNOWN if doubt else _of(row)):
                return row, doubt
    return decided[0]


def _of_one_kind(rows: Sequence[Observation]) -> tuple[Observation, str | None]:
    by_verdict: dict[str, Observation] = {}
    for row in rows:
        by_verdict.setdefault(_of(row), row)
    if len(by_verdict) == 1:
        return rows[0], None
    if any(flag(row, "together") for row in rows):
        return next(by_verdict[one] for one in (DENY, UNKNOWN, SOME, ALLOW) if one in by_verdict), None
    return by_verdict.get(DENY) or by_verdict.get(SOME) or rows[0], "which"


def _beside(deciding: Observation, rows: Sequence[Observation]) -> list[Observation]:
    """The rows by which somebody gets in all the same: where all must allow, what another one lets in is of
    no use.
    """
    if flag(deciding, "together"):
        return [deciding]
    alike = ((text(row, "kind"), _of(row)) for row in rows)
    asked = text(deciding, "kind"), _of(deciding)
    return [row for row, each in zip(rows, alike, strict=True) if each == asked]


def _open(
    rows: Sequence[Observation], wide: Mapping[tuple[str | None, str | None], Observation]
) -> Observation | None:
    """The rule that lets the whole Internet in, where no other kind of rules stops it. A network ACL that
    does is as AWS makes them: it is for the security groups to be narrow.
    """
    found: Observation | None = None
    for kind, alike in _by(rows, "kind").items():
        known = [wide.get((text(row, "provider"), text(row, "group"))) for row in alike]
        row = next((one for one in known if one is not None), None)
        if row is None or (None in known and any(flag(one, "together") for one in alike)):
            return None
        found = found if kind == "network-acl" else row
    return found


def _verdict(rows: Sequence[Observation]) -> str:
    if not rows:
        return UNKNOWN
    row, doubt = _together(rows)
    return UNKNOWN if doubt else _of(row)


def _of(row: Observation) -> str:
    verdict = text(row, "verdict")
    return verdict if verdict in (ALLOW, DENY, SOME) else UNKNOWN


def _scope(source: str, passes: Sequence[str]) -> str:
    if source != ANYONE:
        return "address"
    return "internet" if passes else "all"


def _groups(rows: Sequence[Observation], verdict: str) -> list[str]:
    names = [name for row in rows if text(row, "verdict") == verdict and (name := text(row, "group"))]
    return names[:_NAMED]
