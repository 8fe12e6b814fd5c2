"""The experiments of a check as a trace: what was asked, what each cause predicted, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge import load

if TYPE_CHECKING:
    from rich.text import Text

    from rdpdoctor.facts import Observation, Value
    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Page

_MOST = 100  # experiments of one journal; a check makes fewer than ten
_NAMES = 12  # causes in one list
_CHARACTERS = 80  # of a name out of a journal
_LINES = 6  # of one sentence


@dataclass(frozen=True, slots=True)
class Trial:
    """predictions: outcome → the causes that expect it. result None: it did not come to an end."""

    id: str
    question: str
    bits: float | None
    predictions: Mapping[str, tuple[str, ...]]
    result: str | None
    ruled_out: tuple[str, ...]
    raised: tuple[str, ...]


def trials(report: Report) -> tuple[Trial, ...]:
    """In the order they began."""
    ended = {_text(row, "experiment"): row for row in report.observations if row.tag == "experiment.ended"}
    begun = [row for row in report.observations if row.tag == "experiment.begun"]
    return tuple(_trial(row, ended.get(_text(row, "experiment"))) for row in begun[:_MOST])


def trace_json(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "id": trial.id,
            "question": trial.question,
            "bits": trial.bits,
            "predictions": {cause: said for said, causes in trial.predictions.items() for cause in causes},
            "result": trial.result,
            "ruled_out": list(trial.ruled_out),
            "raised": list(trial.raised),
        }
        for trial in trials(report)
    ]


def trace_lines(report: Report, page: Page) -> list[Text]:
    from rdpdoctor.report.layout import hanging, line  # brings rich, which JSON does without

    made: list[Text] = []
    for number, trial in enumerate(trials(report), 1):
        if not made:
            made.append(line(("Experiments", "head"), ("  to tell the causes apart", "absent")))
        rows = page.wrap(trial.question, page.width - 4, _LINES)
        made.extend(hanging((f"{number:>2}", "head"), rows, 4))
        for sentence in _sentences(trial):
            made.extend(hanging(("", "plain"), page.wrap(sentence, page.width - 6, _LINES), 6))
    return made


def _sentences(trial: Trial) -> list[str]:
    said = [f"{', '.join(causes)}: {_word(outcome)}" for outcome, causes in trial.predictions.items()]
    made = [f"predicted by {'; by '.join(said)}"] if said else []
    made.append(f"result: {'none, it was cut short' if trial.result is None else _word(trial.result)}")
    if trial.ruled_out:
        made[-1] += f"; stands no more: {', '.join(trial.ruled_out)}"
    if trial.raised:
        made[-1] += f"; comes up: {', '.join(trial.raised)}"
    return made


def _word(outcome: str) -> str:
    """Outcomes of newer versions, and protocols, stand for themselves."""
    wording = load().wording.get(f"outcome.{outcome}")
    return wording[0] if wording else outcome


def _trial(begun: Observation, ended: Observation | None) -> Trial:
    """Journals come from files too: what is missing or of another type is left out."""
    name = _text(begun, "experiment")
    asked = load().wording.get(f"experiment.{name}")
    bits, foreseen = begun.args.get("bits"), begun.args.get("predictions")
    predictions: dict[str, tuple[str, ...]] = {}
    if isinstance(foreseen, Mapping):
        for cause, outcome in list(foreseen.items())[:_NAMES]:
            key = str(outcome)[:_CHARACTERS]
            predictions[key] = (*predictions.get(key, ()), str(cause)[:_CHARACTERS])
    return Trial(
        id=name,
        question=asked[0] if asked else name,
        bits=float(bits) if isinstance(bits, int | float) and not isinstance(bits, bool) else None,
        predictions=predictions,
        result=None if ended is None else _text(ended, "outcome"),
        ruled_out=_names(None if ended is None else ended.args.get("ruled_out")),
        raised=_names(None if ended is None else ended.args.get("raised")),
    )


def _text(row: Observation, name: str) -> str:
    value = row.args.get(name)
    return value[:_CHARACTERS] if isinstance(value, str) else ""


def _names(value: Value) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(one[:_CHARACTERS] for one in value if isinstance(one, str))[:_NAMES]
