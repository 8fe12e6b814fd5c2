"""The triage questions, on a terminal: at most three, each once, and each can be skipped."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.diagnosis.questions import Asking
    from rdpdoctor.facts import Journal
    from rdpdoctor.knowledge import Knowledge, Question
    from rdpdoctor.report.page import Page

MOST = 3
_LINE = 200  # characters of an answer
_LINES = 6  # of one piece of prose
_LABEL = 4  # columns before a value


def somebody_is_there() -> bool:
    """Whether a person can be asked: a terminal on both ends, of which we are the foreground.

    stdout counts too: with the report in a pipe, a pager may have taken the keyboard.
    """
    streams = (sys.stdin, sys.stderr, sys.stdout)
    try:
        if not all(stream is not None and stream.isatty() for stream in streams):
            return False
        # A background job that reads is stopped.
        return not hasattr(os, "tcgetpgrp") or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def ask(journal: Journal, knowledge: Knowledge) -> None:
    """Ask what would tell the standing causes apart. The answers become observations of the journal.

    Ctrl-C or the end of the input skips what is left.
    """
    from rdpdoctor.diagnosis.questions import given

    asked: set[str] = set()
    with _ctrl_c_ends_a_question():
        while len(asked) < MOST and (asking := _best(journal, knowledge, asked)) is not None:
            if not asked:
                warn(f"Up to {MOST} questions would tell the causes apart. Enter skips one, Ctrl-C all.")
            asked.add(asking.question.key)
            try:
                answer = _answer(asking, knowledge, _page())
            except (EOFError, KeyboardInterrupt, OSError):
                warn("")
                break
            if answer is not None:
                journal.add(given(asking.question.key, answer))
    if asked:
        warn("")


def _best(journal: Journal, knowledge: Knowledge, asked: set[str]) -> Asking | None:
    from rdpdoctor.diagnosis import diagnose
    from rdpdoctor.diagnosis.questions import askings
    from rdpdoctor.diagnosis.view import View

    found = askings(diagnose(journal, knowledge, ahead=False), View(journal), knowledge)
    return next((asking for asking in found if asking.question.key not in asked), None)


def _answer(asking: Asking, knowledge: Knowledge, page: Page) -> str | None:
    """None where it is skipped, or answered with something else twice."""
    from rdpdoctor.diagnosis.questions import decides

    question = asking.question
    width = max(len(value) for value in question.values)
    lines = ["", *page.wrap(question.text, page.width, _LINES)]
    lines += page.wrap(f"{question.why} {decides(asking, knowledge)}", page.width, _LINES)
    for number, (value, meaning) in enumerate(question.values.items(), 1):
        indent = _LABEL + width + 2
        rows = page.wrap(meaning, page.width - indent, _LINES)
        lines.append(f"{number:>{_LABEL - 1}} {value:<{width}}  {rows[0]}")
        lines += [" " * indent + row for row in rows[1:]]
    for line in lines:
        warn(line)
    for prompt in ("Number or word: ", f"One of {', '.join(question.values)}, or its number: "):
        typed = _read(prompt)
        if not typed:
            return None
        if (answer := _meant(typed, question)) is not None:
            return answer
    warn("That is none of the answers, so this question is skipped.")
    return None


def _read(prompt: str) -> str:
    """What was typed, without blanks. Raise EOFError where nobody will type any more."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline(_LINE)
    except UnicodeDecodeError:
        return "?"  # no answer to anything
    if not line:
        raise EOFError
    while line and not line.endswith("\n"):  # the rest of a line that is too long belongs to no other answer
        line, more = line[:_LINE], sys.stdin.readline(_LINE)
        if not more or more.endswith("\n"):
            break
    return line.strip()


def _meant(typed: str, question: Question) -> str | None:
    """A value by its number, its word, or the beginning of one."""
    values = list(question.values)
    if typed.isascii() and typed.isdigit():
        return values[int(typed) - 1] if 0 < int(typed) <= len(values) else None
    word = typed.casefold()
    if word in values:
        return word
    begun = [value for value in values if value.startswith(word)]
    return begun[0] if len(begun) == 1 else None


def _page() -> Page:
    from rdpdoctor.report.page import Page

    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    return Page(shutil.get_terminal_size((80, 24)).columns, encoding)


@contextmanager
def _ctrl_c_ends_a_question() -> Iterator[None]:
    """While asyncio runs, Ctrl-C only cancels a task, and a read would go on."""
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
