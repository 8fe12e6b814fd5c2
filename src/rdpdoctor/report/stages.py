"""One line a stage: how it went, what was seen, how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.report.escape import cells
from rdpdoctor.report.layout import line, pad
from rdpdoctor.report.page import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from rdpdoctor.diagnosis.model import StageResult
    from rdpdoctor.report.page import Page

_TIME = 9  # columns for "1234 ms" and a gap
_LABEL = 9  # "licensing"
_UNTRIED = frozenset({"skipped", "unknown"})
_STYLE = {"ok": "works", "failed": "fails", "warning": "warns", "skipped": "absent", "unknown": "warns"}


class _Row(NamedTuple):
    stage: StageResult
    text: str


def stage_lines(stages: Sequence[StageResult], page: Page, most: int) -> list[Text]:
    """At most `most` lines a stage; those not tried for one reason share a line."""
    rows = _grouped(stages)
    label = max([_LABEL, *(len(row.stage.id) for row in rows)]) + 2
    indent = 3 + label
    made: list[Text] = []
    for stage, text in rows:
        absent = stage.status == "skipped"
        meaning = "absent" if absent else "plain"
        texts = page.wrap(text, page.width - indent - _TIME, most)
        first = line(
            (f" {page.symbol(stage.status)} ", _STYLE.get(stage.status, "plain")),
            (pad(stage.id, label), "absent" if absent else "head"),
            (texts[0], meaning),
        )
        if stage.elapsed_ms is not None:
            time = duration(stage.elapsed_ms)
            gap = page.width - indent - cells(texts[0]) - len(time)
            first.append_text(line((" " * gap, "plain"), (time, "absent")))
        made.append(first)
        made.extend(line((" " * indent, "plain"), (text, meaning)) for text in texts[1:])
    return made


def _grouped(stages: Sequence[StageResult]) -> list[_Row]:
    runs: list[list[StageResult]] = []
    for stage in stages:
        if runs and stage.status in _UNTRIED and (stage.status, stage.reason) == _kind(runs[-1][0]):
            runs[-1].append(stage)
        else:
            runs.append([stage])
    return [_Row(run[0], _for_all(run)) for run in runs]


def _kind(stage: StageResult) -> tuple[str, str | None]:
    return stage.status, stage.reason


def _for_all(run: Sequence[StageResult]) -> str:
    text = _sentence(run[0])
    if run[0].status == "skipped" and not text.startswith("not tried"):
        text = f"not tried: {text}"
    if len(run) == 1:
        return text
    others = run[1].id if len(run) == 2 else f"{run[1].id} to {run[-1].id}"
    return f"{text}; the same for {others}"


def _sentence(stage: StageResult) -> str:
    if not stage.reason or stage.reason in stage.summary:
        return stage.summary
    return f"{stage.summary}: {stage.reason}" if stage.summary else stage.reason
