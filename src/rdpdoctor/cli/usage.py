"""What is wrong with a call, in two lines, and the parsers that say it so."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import NoReturn

#: Exit codes of the contract.
OK, PROBLEM, WRONG_CALL, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 130
_LIMIT = 400  # cells of one line


class UsageError(Exception):
    """The call was wrong: exit 2. Two sentences, without a full stop at the end."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class OutputError(Exception):
    """stdout takes no more."""


class Parser(argparse.ArgumentParser):
    """Argparse with the contract's way to complain."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            message.replace("unrecognized arguments", "unknown option"), f"see {self.prog} --help"
        )


def complain(message: str, hint: str) -> None:
    """One `error:` and one `hint:` line on stderr, whatever the texts hold."""
    from rdpdoctor.report.escape import visible

    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    for word, text in (("error", message), ("hint", hint)):
        warn(f"{word}: {visible(text, _LIMIT, encoding)}")


def own_fault(error: Exception) -> None:
    """Say that this is our own failure; with RDPDOCTOR_DEBUG raise it, so that it shows where."""
    if os.environ.get("RDPDOCTOR_DEBUG"):
        raise error
    complain(
        f"{type(error).__name__}: {error}",
        "this is a fault of rdpdoctor itself; with RDPDOCTOR_DEBUG=1 it shows where",
    )


def warn(line: str) -> None:
    """One line on stderr, which a terminal gets broken between words; a stderr that is gone is no reason to
    fail.
    """
    if sys.stderr is not None:
        try:
            sys.stderr.write(_broken(line) + "\n")
            sys.stderr.flush()
        except OSError:
            pass


def _broken(line: str) -> str:
    if not sys.stderr.isatty():
        return line
    import shutil
    import textwrap

    columns = shutil.get_terminal_size().columns
    wrapped = textwrap.wrap(
        line, max(columns - 1, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapped) or line


def let_stdout_go() -> None:
    """Whoever read our output has left. The interpreter would complain when it flushes stdout at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn_of(message: str) -> None:
    """One `warning:` line on stderr, whatever the text holds."""
    from rdpdoctor.report.escape import visible

    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    warn(f"warning: {visible(message, _LIMIT, encoding)}")
