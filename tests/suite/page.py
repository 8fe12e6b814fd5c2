"""`docs/scenarios.md`: what the suite holds and how it went. Figures of time are not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .case import stage_right, top_right
from .score import CONFIDENCES, score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .case import Case, Played
    from .score import Score

HEAD = "| case | what it is | planted | must say | named first | stands by | connections |"
_MARK = "| --- | --- | --- | --- | --- | --- | --- |"

INTRODUCTION = """\
# The scenario suite

Made by `make scenarios`, which plays everything and writes this page; do not edit it. `make test` plays the
same and fails where a line of it is wrong.

A case is a scenario of the lab (`rdpdoctor lab NAME`), a real server (`real-…`: xrdp, FreeRDP, weston,
OpenSSL, Python's web server, some behind forwarders that misbehave), or a real server beyond a
network of our own (`net-…`: namespaces with routers that drop, reject, cut, swallow, delay, lose and count).
About a third are combinations: several faults at once, or a fault and something misleading, such as a code
from another day or an answer that points elsewhere. Then the one that stops the connection has to come first.
"""

CALIBRATION = """\
## Do the words hold?

Of all causes so called in any report of the suite, first or not, how many are right. A cause is right where
the case accepts it as the first one, expects it beside that, or has planted it (in a combination, all of them
are); and where it is the wider one of such a cause, as `path.intermittent` is of `farm.bad-member`.
"""

CONFUSION = """\
## What is mistaken for what

Planted is what stops the connection, or the warning that the verdict is about. Beside it stand wrong causes
that the report did not rule out, in how many cases.
"""

EXPERIMENTS = """\
## Do experiments pay?

The suite played twice, with the same time for each check: with the experiments that the planner chose, and
with every experiment there is.
"""


def page(cases: Sequence[tuple[Case, Played]], everything: Sequence[tuple[Case, Played]]) -> str:
    total, full = score(cases), score(everything)
    return "\n".join(
        [
            INTRODUCTION,
            *_summary(total),
            "",
            CALIBRATION,
            *_calibration(total),
            "",
            CONFUSION,
            *_confusion(cases, total),
            "",
            EXPERIMENTS,
            *_experiments(total, full, len(everything)),
            "",
            "## All cases",
            "",
            HEAD,
            _MARK,
            *(_row(case, played) for case, played in cases),
            "",
        ]
    )


def _summary(total: Score) -> Iterator[str]:
    yield "| measure | figure |"
    yield "| --- | --- |"
    yield f"| cases | {total.top.all} |"
    yield f"| combinations | {total.combined} |"
    yield f"| right cause first | {total.top} |"
    yield f"| right verdict and stage | {total.stage} |"
    yield f"| healthy cases | {total.healthy} |"
    yield f"| healthy cases with a likely or confirmed cause | {len(total.alarms)} |"


def _calibration(total: Score) -> Iterator[str]:
    yield "| word | right |"
    yield "| --- | --- |"
    for word in CONFIDENCES:
        yield f"| {word} | {total.words[word]} |"


def _confusion(cases: Sequence[tuple[Case, Played]], total: Score) -> Iterator[str]:
    yield "| planted | cases | named right | named first instead | wrong ones beside it |"
    yield "| --- | --- | --- | --- | --- |"
    by_planted: dict[str, list[bool]] = {}
    for case, played in cases:
        by_planted.setdefault(case.planted, []).append(top_right(case, played))
    for planted, fates in sorted(by_planted.items()):
        instead = _counted(total.confused.get(planted, {}))
        beside = _counted(total.beside.get(planted, {}))
        yield f"| {planted} | {len(fates)} | {sum(fates)} | {instead} | {beside} |"


def _counted(names: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(names.items())) or "–"


def _experiments(total: Score, full: Score, cases: int) -> Iterator[str]:
    yield "| | cases | connections | right cause first | right verdict and stage |"
    yield "| --- | --- | --- | --- | --- |"
    yield f"| planned | {total.top.all} | {total.connections} | {total.top} | {total.stage} |"
    yield f"| everything | {cases} | {full.connections} | {full.top} | {full.stage} |"
    if cases == total.top.all and full.connections:
        yield ""
        yield f"Planned takes {1 - total.connections / full.connections:.0%} fewer connections."


def _row(case: Case, played: Played) -> str:
    right = top_right(case, played) and stage_right(case, played)
    first = played.first if right else f"**{played.first}**"
    stands = ", ".join(name for name, word in played.causes[1:] if word != "possible") or "–"
    return f"{expectation(case)} {first} | {stands} | {played.connections} |"


def expectation(case: Case) -> str:
    """The columns that do not depend on a run."""
    expect = case.expect
    where = f"{expect.status} at {expect.stage}" if expect.stage else expect.status
    causes = " or ".join(expect.causes) or "no cause"
    also = f", beside it {' and '.join(expect.also)}" if expect.also else ""
    planted = " + ".join(case.combines) or case.planted
    return f"| {case.name} | {case.title} | {planted} | {where}: {causes}{also} |"


def expectations(text: str) -> list[str]:
    """The same columns of a page that was written."""
    rows = text.partition(HEAD)[2].splitlines()
    return ["|".join(row.split("|")[:5]) + "|" for row in rows if row.startswith("| ") and row != _MARK]
