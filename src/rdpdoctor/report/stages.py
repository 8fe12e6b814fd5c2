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
_STYLE = {"ok": "works", "failed": "fails", "warning": "warns", "skipped": "absent", "unknown": "warns"}


class _Row(NamedTuple):
    stage: StageResult
    text: str


def stage_lines(stages: Sequence[StageResult], page: Page, most: int) -> list[Text]:
    """At most `most` lines a stage; those skipped for one reason in a row share a line."""
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
    made: list[_Row] = []
    run: list[StageResult] = []
    for stage in stages:
        if run and stage.status == "skipped" and stage.reason == run[0].reason:
            run.append(stage)
            continue
        if run:
            made.append(_skipped(run))
            run = []
        if stage.status == "skipped":
            run = [stage]
        else:
            made.append(_Row(stage, _sentence(stage)))
    if run:
        made.append(_skipped(run))
    return made


def _skipped(run: list[StageResult]) -> _Row:
    text = _sentence(run[0])
    if not text.startswith("not tried"):
        text = f"not tried: {text}"
    if len(run) > 1:
        last = f"{run[1].id} to {run[-1].id}" if len(run) > 2 else run[1].id
        text += f"; the same for {last}"
    return _Row(run[0], text)


def _sentence(stage: StageResult) -> str:
    if not stage.reason or stage.reason in stage.summary:
        return stage.summary
    return f"{stage.summary}: {stage.reason}" if stage.summary else stage.reason
