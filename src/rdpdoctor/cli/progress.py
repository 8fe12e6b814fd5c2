"""What is seen while it runs: a live line a stage, or a count for many targets; only on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rdpdoctor.cli.output import is_terminal
from rdpdoctor.facts import WALK, Journal, Observation, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.live import Live
    from rich.text import Text

    from rdpdoctor.diagnosis.model import StageResult
    from rdpdoctor.report.model import Report
    from rdpdoctor.report.page import Page

#: Stages that are tried without an account.
_TRIED = WALK[:5]
_SPOKEN = frozenset({"ok", "warning", "failed"})
_PER_SECOND = 8


class Progress(Protocol):
    def seen(self, number: int, observation: Observation) -> None: ...
    def ended(self, number: int, report: Report) -> None: ...
    def paused(self) -> AbstractContextManager[None]:
        """Nothing of ours is on the terminal inside."""
        ...


class Silent:
    def seen(self, number: int, observation: Observation) -> None:
        pass

    def ended(self, number: int, report: Report) -> None:
        pass

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def progress(targets: Sequence[Target]) -> Iterator[Progress]:
    if not is_terminal(sys.stderr):
        yield Silent()
        return
    shown = OneTarget(targets[0]) if len(targets) == 1 else ManyTargets(len(targets))
    shown.start()
    try:
        yield shown
    finally:
        shown.stop()


class _Shown:
    """A few lines at the bottom of the terminal, drawn anew by rich's own thread, gone at the end."""

    def __init__(self, total: int) -> None:
        import shutil

        from rich.console import Console

        from rdpdoctor.report.page import Page

        self.began = time.monotonic()
        self._left = total
        encoding = getattr(sys.stderr, "encoding", None) or "ascii"
        self.page: Page = Page(shutil.get_terminal_size((80, 24)).columns, encoding)
        self._console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None

    def start(self) -> None:
        """Always with a Live of its own: one that starts again erases what was written since it stopped."""
        from rich.live import Live

        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            refresh_per_second=_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _drawn(self) -> Text:
        from rich.text import Text

        try:
            lines = self.lines()
        except Exception:  # decoration: the check and its report do not depend on it
            lines = []
        return Text("\n", no_wrap=True, overflow="crop").join(lines)

    def lines(self) -> list[Text]:
        raise NotImplementedError

    def ended(self, number: int, report: Report) -> None:
        self._left -= 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.stop()
        yield
        if self._left:
            self.start()

    def _elapsed(self) -> float:
        return (time.monotonic() - self.began) * 1000


class OneTarget(_Shown):
    """The stages of the walk as they end, from the diagnosis of what is known so far."""

    def __init__(self, target: Target) -> None:
        super().__init__(1)
        self._journal = Journal(target, "")
        self._judged = -1
        self._stages: tuple[StageResult, ...] = ()

    def seen(self, number: int, observation: Observation) -> None:
        self._journal.add(observation)

    def lines(self) -> list[Text]:
        from rdpdoctor.report.layout import line
        from rdpdoctor.report.page import duration
        from rdpdoctor.report.stages import stage_lines

        self._judge()
        done = [stage for stage in self._stages if stage.id in WALK and stage.status in _SPOKEN]
        name = self.page.show(self._journal.target.host, self.page.width - 24)
        head = line((name, "head"), (f"  checking, {duration(self._elapsed())}", "absent"))
        doing = line((" ~ ", "warns"), (self._doing(done), "absent"))
        return [head, *stage_lines(done, self.page, 1), doing]

    def _judge(self) -> None:
        """Anew only when something was seen since."""
        if self._judged == len(self._journal):
            return
        from rdpdoctor.diagnosis import diagnose
        from rdpdoctor.knowledge import load

        self._judged = len(self._journal)
        self._stages = diagnose(self._journal, load(), ahead=False).stages

    def _doing(self, done: Sequence[StageResult]) -> str:
        reached = {stage.id for stage in done}
        failed = any(stage.status == "failed" for stage in done)
        following = next((stage for stage in _TRIED if stage not in reached), None)
        if following is not None and not failed and self._journal.first("check.connections") is None:
            return f"{following} ..."
        return f"looking closer, {self._judged} observations so far ..."


class ManyTargets(_Shown):
    def __init__(self, total: int) -> None:
        super().__init__(total)
        self._total = total
        self._by_status: dict[str, int] = {}

    def seen(self, number: int, observation: Observation) -> None:
        pass

    def ended(self, number: int, report: Report) -> None:
        super().ended(number, report)
        status = str(report.verdict.status)
        self._by_status[status] = self._by_status.get(status, 0) + 1

    def lines(self) -> list[Text]:
        from rdpdoctor.report.layout import line
        from rdpdoctor.report.page import duration

        counts = "".join(f", {count} {status}" for status, count in sorted(self._by_status.items()))
        text = f"checked {self._total - self._left} of {self._total} in {duration(self._elapsed())}{counts}"
        return [line((text, "absent"))]
