"""`rdpdoctor check TARGET…`, and `rdpdoctor TARGET…`."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.cli import options
from rdpdoctor.cli.usage import (
    INTERRUPTED,
    UNKNOWN,
    Parser,
    UsageError,
    complain,
    let_stdout_go,
    own_fault,
    warn_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rdpdoctor.check import Settings
    from rdpdoctor.facts import Journal, Target
    from rdpdoctor.probes.context import ShownCode

_DESCRIPTION = """\
Walks the connection sequence of each target to the stage that dies, looks
around there, and says which causes fit. Needs no account, leaves no failed
logon, changes nothing; it opens at most 25 connections to a host, 8 at a time.

TARGET is HOST, HOST:PORT, [IPv6]:PORT or a .rdp file; the port is 3389 unless
given."""

_EPILOG = """\
examples:
  rdpdoctor srv01
  rdpdoctor srv01:3390 --code 0x904 0x7   what the client showed; targets first
  rdpdoctor srv01 --answer via=vpn        answers what the report asks
  rdpdoctor srv01 srv02 srv03 --jsonl     one report a line, as each ends
  rdpdoctor srv01 --save srv01.jsonl      later: rdpdoctor read srv01.jsonl -v
  rdpdoctor srv01 --with System.evtx      the server's log makes likely certain

exit: 0 it works, 1 a problem was found, 2 the call was wrong,
3 could not tell, 130 interrupted"""


def parser() -> Parser:
    made = Parser("rdpdoctor check", "rdpdoctor [check] TARGET... [options]", _DESCRIPTION, _EPILOG)
    made.add_argument("targets", metavar="TARGET", nargs="*", help=argparse.SUPPRESS)
    output = made.add_mutually_exclusive_group()
    output.add_argument(
        "--json", action="store_true", help="the report as JSON; an array for several targets"
    )
    output.add_argument("--jsonl", action="store_true", help="one JSON report a line, as each target ends")
    made.add_argument("-v", "--verbose", action="store_true", help="all evidence, for and against each cause")
    made.add_argument(
        "--timeout", metavar="SECONDS", default="30", help="for the whole check of one target (default 30)"
    )
    made.add_argument(
        "--code", metavar="CODE", nargs="+", action="append", default=[],
        help="what the client showed: a reason and its extended reason, as numbers or names",
    )  # fmt: skip
    made.add_argument(
        "--answer",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an answer to a question of the report",
    )
    made.add_argument(
        "--no-questions",
        action="store_true",
        help="ask nothing on the terminal; the report names the questions",
    )
    made.add_argument("--save", metavar="FILE", help="write what was seen, for `rdpdoctor read FILE`")
    made.add_argument(
        "--with", metavar="FILE", nargs="+", action="append", default=[], dest="files",
        help="evidence of the same host, as `rdpdoctor read` takes it: its event log, bundle ...",
    )  # fmt: skip
    made.add_argument(
        "--from", metavar="ADDRESS", dest="source", help="the client's address, for cloud rules of --with"
    )
    made.add_argument("--user", metavar="NAME", help="the name a client would put into its first message")
    made.add_argument(
        "--suites", action="store_true", help="list every cipher suite: one more connection for each"
    )
    made.add_argument(
        "--no-experiments", action="store_true", help="only walk and compare; repeat nothing with changes"
    )
    return made


class _Call(NamedTuple):
    targets: list[Target]
    settings: Settings
    format: str
    verbose: bool
    save: str | None
    questions: bool
    files: list[str]
    source: str | None


def run(words: Sequence[str], implied: bool = False) -> int:
    """implied: no command was given."""
    call = _parse(words, implied)
    enrich = _evidence(call)
    if call.save is None:
        return check_targets(
            call.targets, call.settings, call.format, call.verbose, questions=call.questions, enrich=enrich
        )
    from rdpdoctor.cli.save import open_for_save, save

    with open_for_save(call.save) as file:
        journals: list[Journal] = []
        code = check_targets(
            call.targets, call.settings, call.format, call.verbose, journals.append, call.questions, enrich
        )
        try:
            for journal in journals:
                save(file, journal)
        except (OSError, ValueError) as error:
            complain(
                f"could not write `{call.save}`: {error}",
                "the report above is whole; only the journal is lost",
            )
            return max(code, UNKNOWN)
    return code


def _evidence(call: _Call) -> Callable[[Journal], None]:
    """Read the files, before anything is connected to; then, what adds them to the check's journal."""
    if not call.files:
        return lambda _: None
    from rdpdoctor.cli.read import complain_of
    from rdpdoctor.cli.reading import reading
    from rdpdoctor.readers.gather import Asked, gather

    with reading() as ear:
        found = gather(call.files, Asked(call.source, call.targets[0].port), ear)
    if ear.stop:
        raise KeyboardInterrupt
    complain_of(found, several=len(call.files) > 1)
    written = [_written(path) for path in call.files]

    def enrich(journal: Journal) -> None:
        from rdpdoctor.readers.joined import beside

        # A log that this machine writes itself, or a share's, tells of the check once that was made.
        before = written == [_written(path) for path in call.files]
        now = found if before else gather(call.files, Asked(call.source, call.targets[0].port))
        for sentence in beside(journal, now.readings, now.log, before).assumed:
            warn_of(sentence)

    return enrich


def _written(path: str) -> list[tuple[str, int]]:
    """When a file, or each one in a folder, was written last."""
    from pathlib import Path

    with suppress(OSError, ValueError):
        given = Path(path)
        files = sorted(given.iterdir()) if given.is_dir() else [given]
        return [(str(one), one.stat().st_mtime_ns) for one in files]
    return []


def _parse(words: Sequence[str], implied: bool) -> _Call:
    given = parser().parse_intermixed_args(words)
    timeout, answers = options.seconds(given.timeout), options.answers(given.answer)
    user = None if given.user is None else options.user(given.user)

    from rdpdoctor.target import TargetError, parse_target

    codes, rest = _codes(given.code, may_end_in_targets=not given.targets)
    texts = [*given.targets, *rest]
    if not texts:
        raise UsageError("no target was given", "give a host, such as: rdpdoctor srv01.corp.example")
    if given.save is not None and len(texts) > 1:
        raise UsageError(
            "--save takes one target", "a journal holds one target's check; save them one by one"
        )
    files = [name for group in given.files for name in group]
    if files and len(texts) > 1:
        raise UsageError("--with takes one target", "files tell of one host; check the others without them")
    if given.source is not None and not files:
        raise UsageError(
            "--from needs --with", "it says for which client the cloud rules of a file are asked"
        )
    source = None if given.source is None else options.address(given.source)
    if implied:
        _refuse_commands(texts)
    targets = []
    for text in texts:
        try:
            targets.append(parse_target(text))
        except TargetError as error:
            raise UsageError(str(error), error.hint) from error

    from rdpdoctor.check import Settings

    settings = Settings(
        timeout=timeout, codes=tuple(codes), answers=answers, user=user,
        experiments=not given.no_experiments, all_suites=given.suites,
    )  # fmt: skip
    wanted = "json" if given.json else "jsonl" if given.jsonl else "text"
    questions = wanted == "text" and len(targets) == 1 and not given.no_questions
    return _Call(targets, settings, wanted, given.verbose, given.save, questions, files, source)


def _codes(
    given: Sequence[Sequence[str]], may_end_in_targets: bool
) -> tuple[Sequence[ShownCode], Sequence[str]]:
    """The codes, and the words after them that are none."""
    if not given:
        return (), ()
    from rdpdoctor.cli.codes import shown_codes

    return shown_codes(given, may_end_in_targets=may_end_in_targets)


def _refuse_commands(texts: Sequence[str]) -> None:
    """`rdpdoctor --json check srv01` means the command, not a host of that name."""
    from rdpdoctor.cli.commands import COMMANDS, LATER

    for text in texts:
        if text in COMMANDS or text in LATER:
            raise UsageError(
                f"`{text}` is a command, and a command comes first",
                f"a host of that name: rdpdoctor check {text}",
            )


def check_targets(
    targets: Sequence[Target],
    settings: Settings,
    wanted: str,
    verbose: bool = False,
    on_journal: Callable[[Journal], object] = lambda _: None,
    questions: bool = False,
    enrich: Callable[[Journal], object] = lambda _: None,
) -> int:
    """Check, write the reports, and return the exit code.

    questions: who is at the terminal may be asked. enrich: adds to a journal what is known beside the check.
    """
    import asyncio

    from rdpdoctor.cli.output import Writer
    from rdpdoctor.cli.progress import progress
    from rdpdoctor.cli.runner import Run

    writer = Writer(wanted, len(targets) > 1, verbose)

    for target in targets:
        if target.gateway is not None:
            warn_of(f"`{target.input}` uses the gateway {target.gateway}; this check goes past it")
    with progress(targets) as shown:

        def ended(number: int, journal: Journal) -> None:
            # Not before the first check is over: until then the servers are what we wait for.
            from rdpdoctor.diagnosis import diagnose
            from rdpdoctor.knowledge import load
            from rdpdoctor.report.build import report_of

            with shown.paused():
                try:
                    enrich(journal)
                    on_journal(journal)
                    if questions:
                        _ask(journal)
                    report = report_of(journal, diagnose(journal, load()))
                except Exception as error:  # one target's report is lost; the others go on
                    own_fault(error)
                    writer.worst = UNKNOWN
                    return
                shown.ended(number, report)
                writer.take(number, report)

        checks = Run(targets, settings, ended, shown.seen)
        try:
            asyncio.run(checks.all())
            writer.finish()
        except BrokenPipeError:  # whoever read has seen enough; what was found stays found
            let_stdout_go()
    return INTERRUPTED if checks.interrupted else writer.worst


def _ask(journal: Journal) -> None:
    from rdpdoctor.cli.ask import ask, somebody_is_there
    from rdpdoctor.knowledge import load

    if journal.first("check.interrupted") is None and somebody_is_there():
        ask(journal, load())
