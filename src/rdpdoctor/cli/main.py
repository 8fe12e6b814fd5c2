"""The entry point: which command, and what its failures look like."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from rdpdoctor.cli.commands import COMMANDS, LATER
from rdpdoctor.cli.usage import (
    INTERRUPTED,
    OK,
    UNKNOWN,
    WRONG_CALL,
    OutputError,
    UsageError,
    complain,
    let_stdout_go,
    own_fault,
    warn_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HELP = """\
usage: rdpdoctor TARGET... [options]     find out why Remote Desktop fails there
       rdpdoctor COMMAND ...

Walks the way into a Remote Desktop session stage by stage, says which stage
dies and how, and which causes fit, best first. Needs no account and changes
nothing.

commands:
  check TARGET...   the same as without a command
  explain WORDS...  what a code, event, setting or dialog means
  read FILE...      the same diagnosis from captures, event logs, other files
  collect           a script that writes down the facts of a Windows machine
  lab SCENARIO      an endpoint on this machine with a planted fault
  demo              checks a lab endpoint that fails with 0x904/0x7
  list WHAT         probes, causes, remedies, scenarios or tags

TARGET is HOST, HOST:PORT, [IPv6]:PORT or a .rdp file; the port is 3389 unless
given. `rdpdoctor check --help` tells the options of a check.

  -h, --help        this text
  --version         the version

exit: 0 it works, 1 a problem was found, 2 the call was wrong,
3 could not tell, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see the help's last line)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _command(words)
    except UsageError as error:
        complain(str(error), error.hint)
        return WRONG_CALL
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        let_stdout_go()
        return OK
    except OutputError as error:
        let_stdout_go()
        complain(
            f"cannot write to stdout: {error}", "send the report elsewhere; --save FILE keeps what was seen"
        )
        return UNKNOWN
    except SystemExit as error:  # argparse, after its help
        return error.code if isinstance(error.code, int) else OK
    except Exception as error:
        own_fault(error)
        return UNKNOWN


def _command(words: list[str]) -> int:
    if not words:
        raise UsageError("no target was given", "rdpdoctor HOST checks a host; rdpdoctor --help says more")
    first = words[0]
    if first in ("-h", "--help"):
        sys.stdout.write(HELP)
        return OK
    if first == "--version":
        sys.stdout.write(f"rdpdoctor {_version()}\n")
        return OK
    if first in LATER:
        raise UsageError(f"this version has no command `{first}`", LATER[first])
    if first in COMMANDS:
        run: Callable[[list[str]], int] = import_module(f"rdpdoctor.cli.{COMMANDS[first]}").run
        return run(words[1:])

    if len(words) > 1:
        _doubt(first)

    from rdpdoctor.cli import check

    return check.run(words, implied=True)


def _doubt(word: str) -> None:
    """`chek srv01` is a slip, most likely; but it may be a host."""
    from difflib import get_close_matches

    for meant in get_close_matches(word, COMMANDS, 1, 0.8):
        warn_of(f"`{word}` is taken for a host; the command is `{meant}`")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rdpdoctor")
    except PackageNotFoundError:
        return "(not installed)"
