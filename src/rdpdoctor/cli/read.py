"""`rdpdoctor read FILE…`: the diagnosis of what was recorded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.cli.usage import INTERRUPTED, Parser, UsageError, let_stdout_go, warn, warn_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.facts import Journal, Observation
    from rdpdoctor.readers.gather import Asked, Gathered
    from rdpdoctor.readers.joined import Joined
    from rdpdoctor.report.model import Report

_DESCRIPTION = """\
Gives the same diagnosis as a check, from files: recordings of packets, event
logs, .rdp files, facts of the server itself, cloud rules, saved checks. They
are told apart by what is in them. Give all you have of one failure at once:
files strengthen each other. One report for each client and server, worst first."""

_EPILOG = """\
what it reads:
  pcap, pcapng (also gz, zst)       Wireshark, tcpdump, pktmon, a firewall
  .evtx, or a log saved as XML,     Event Viewer, wevtutil, Get-WinEvent
    CSV, JSON, CLIXML or text
  .rdp                              what the client was told to do
  bundle.json                       what `rdpdoctor collect` wrote on the server
  .reg, registry.pol, gpresult /x   values and policies
  text of qwinsta, netstat -ano,    console output, pasted or saved
    certutil -store, Test-NetConnection, Get-NetFirewallRule ...
  JSON of az network nsg, aws ec2   cloud rules; --from says for which client
    describe-security-groups, gcloud compute firewall-rules ...
  a journal of --save; a zip archive or a folder of all these

examples:
  rdpdoctor read failing.pcapng
  rdpdoctor read -                       what you paste
  rdpdoctor read failing.pcapng System.evtx bundle.json
  rdpdoctor read nsg.json --from 203.0.113.7
  rdpdoctor srv01 --with System.evtx     beside a check that is made now

exit: 0 it works, 1 a problem was found, 2 the call was wrong,
3 could not tell, 130 interrupted"""

_ORDER = ("unreachable", "failing", "unknown", "degraded", "healthy")
_SHOWN = 20  # warnings of one kind
#: What is said of a file → what to do.
_HINTS = {
    "cannot be read": "give a file that is there and that you may read; `rdpdoctor read --help` has examples",
    "unpack": "rdpdoctor reads zip, gz and zst itself, and folders",
    "empty": "write it anew; `rdpdoctor read --help` has examples",
    "without files": "give the folder that the files are in",
    ", but ": "get the file again, or another export of the same; `rdpdoctor read --help` has examples",
}
_LARGEST_KEYLOG = 64 * 2**20


class _Call(NamedTuple):
    files: list[str]
    format: str
    verbose: bool
    asked: Asked
    given: list[Observation]


def parser() -> Parser:
    made = Parser("rdpdoctor read", "rdpdoctor read FILE... [options]", _DESCRIPTION, _EPILOG)
    made.add_argument(
        "files", metavar="FILE", nargs="*", help="a file, a folder, a zip archive; - reads stdin"
    )
    output = made.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="the report as JSON; an array for several pairs")
    output.add_argument("--jsonl", action="store_true", help="one JSON report a line")
    made.add_argument("-v", "--verbose", action="store_true", help="all evidence, for and against each cause")
    made.add_argument(
        "--code", metavar="CODE", nargs="+", action="append", default=[],
        help="what the client showed: a reason and its extended reason, as numbers or names",
    )  # fmt: skip
    made.add_argument(
        "--answer", metavar="KEY=VALUE", action="append", default=[],
        help="an answer to a question of the report",
    )  # fmt: skip
    made.add_argument(
        "--from", metavar="ADDRESS", dest="source",
        help="the client's address, for cloud rules (default: the Internet)",
    )  # fmt: skip
    made.add_argument("--port", metavar="PORT", help="where Remote Desktop listens (default 3389)")
    made.add_argument(
        "--keylog", metavar="FILE", help="TLS secrets for recordings, as SSLKEYLOGFILE has them"
    )
    return made


def run(words: Sequence[str]) -> int:
    call = _parse(words)

    from rdpdoctor.cli.reading import reading

    with reading() as ear:
        from rdpdoctor.readers.gather import gather

        invite(call.files)
        gathered = gather(call.files, call.asked, ear)
    complain_of(gathered, several=len(call.files) > 1)
    if ear.stop:
        warn_of("the reading was stopped; the report rests on what was read by then")

    from rdpdoctor.readers.joined import join

    try:
        code, statuses = _report(join(gathered.readings, gathered.log), call)
    except BrokenPipeError:
        let_stdout_go()
        return INTERRUPTED if ear.stop else 0
    _totals(gathered, statuses)
    return INTERRUPTED if ear.stop else code


def _parse(words: Sequence[str]) -> _Call:
    given = parser().parse_intermixed_args(words)

    from rdpdoctor.cli import options
    from rdpdoctor.readers.gather import KNOWN, Asked

    rows = options.given(given.answer, given.code, may_end_in_targets=not given.files)
    files = [*given.files, *rows.rest]
    if not files:
        raise UsageError("no file was given", f"rdpdoctor read takes {KNOWN}")
    source = None if given.source is None else options.address(given.source)
    port = None if given.port is None else options.port(given.port)
    keylog = b"" if given.keylog is None else _keylog(given.keylog)
    wanted = "json" if given.json else "jsonl" if given.jsonl else "text"
    return _Call(files, wanted, given.verbose, Asked(source, port, keylog), rows.observations)


def _keylog(name: str) -> bytes:
    hint = "--keylog takes a file of lines such as CLIENT_RANDOM 0123... 4567..."
    try:
        with open(name, "rb") as file:
            data = file.read(_LARGEST_KEYLOG + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read `{name}`: {getattr(error, 'strerror', None) or error}", hint
        ) from error
    if len(data) > _LARGEST_KEYLOG:
        raise UsageError(
            f"`{name}` is larger than the {_LARGEST_KEYLOG // 2**20} MiB a key log may have", hint
        )
    return data


def invite(files: Sequence[str]) -> None:
    """Say how a paste ends, where somebody can paste."""
    from rdpdoctor.cli.output import is_terminal

    if "-" in files and is_terminal(sys.stdin):
        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D on a line of its own"
        warn(f"paste what is to be read, then press {end}")


def complain_of(gathered: Gathered, several: bool) -> None:
    """Raise UsageError where nothing could be read; else warn of what could not, and of what is lost."""
    from rdpdoctor.readers.gather import KNOWN

    if not gathered.readings:  # that a folder holds other things is no news; that a bound was met may be why
        _warn([line for line in gathered.skipped if "` is left out: it is " not in line])
    if gathered.unread and not gathered.readings:
        name, why = gathered.unread[0]
        more = f", nor can {len(gathered.unread) - 1} others" if len(gathered.unread) > 1 else ""
        raise UsageError(f"`{name}` cannot be used: it {why.removeprefix('it ')}{more}", _hint(why))
    if not gathered.readings:
        raise UsageError("there is nothing to read in it", f"it takes {KNOWN}")
    lines = [f"`{name}` is left out: it {why.removeprefix('it ')}" for name, why in gathered.unread]
    lines += gathered.skipped
    lines += [f"`{one.name}`: {what}" for one in gathered.readings for what in one.lost]
    _warn(lines)


def _hint(why: str) -> str:
    """What would have been right: only who gave something else wants to know what is read."""
    from rdpdoctor.readers.kinds import KNOWN

    for said, hint in _HINTS.items():
        if said in why:
            return hint
    return f"it takes {KNOWN}"


def _report(joined: Sequence[Joined], call: _Call) -> tuple[int, list[str]]:
    """The exit code, and the verdict of each report."""
    from rdpdoctor.cli.output import Writer

    for one in joined:
        one.journal.extend(call.given)
    _warn(list(dict.fromkeys(sentence for one in joined for sentence in one.assumed)))
    reports = sorted((judged(one.journal) for one in joined), key=_rank)
    writer = Writer(call.format, len(reports) > 1, call.verbose)
    if call.format == "text" and not call.verbose:
        from rdpdoctor.cli.output import stdout_page
        from rdpdoctor.report.folded import folded, tail

        for number, alike in enumerate(folded(reports)):
            writer.take(number, alike.report)
            writer.add(tail(alike, stdout_page(False)))
    else:
        for number, report in enumerate(reports):
            writer.take(number, report)
    writer.finish()
    return writer.worst, [report.verdict.status for report in reports]


def judged(journal: Journal) -> Report:
    from rdpdoctor.diagnosis import diagnose
    from rdpdoctor.knowledge import load
    from rdpdoctor.report.build import report_of

    return report_of(journal, diagnose(journal, load()))


def _rank(report: Report) -> int:
    """Worst first."""
    return _ORDER.index(report.verdict.status)


def _totals(gathered: Gathered, statuses: Sequence[str]) -> None:
    """How many reports of which kind, and what was read. Of one saved check there is nothing to tell."""
    from rdpdoctor.readers.eventlog.loose import REMARKS
    from rdpdoctor.readers.kinds import PLURALS
    from rdpdoctor.report.escape import visible

    if len(statuses) > 1:
        verdicts = [f"{statuses.count(one)} {one}" for one in _ORDER if one in statuses]
        warn(f"{len(statuses)} reports: {', '.join(verdicts)}{_further(gathered)}")
    if all(one.journal is not None for one in gathered.readings) and not gathered.skipped:
        return
    kinds: dict[str, int] = {}
    for one in gathered.readings:
        kinds[one.kind] = kinds.get(one.kind, 0) + 1
    counts = [f"{count} {kind if count == 1 else PLURALS[kind]}" for kind, count in kinds.items()]
    only = f" ({gathered.readings[0].summary})" if len(gathered.readings) == 1 else ""
    left, lost = (
        len(gathered.unread) + len(gathered.skipped),
        sum(any(what not in REMARKS for what in one.lost) for one in gathered.readings),
    )
    parts = [f"{left} left out" if left else "", f"{lost} not read whole" if lost else ""]
    tail = "; ".join(filter(None, parts))
    tail = f"; {tail}, see above" if tail else ""
    warn(visible(f"read: {', '.join(counts)}{only}{tail}", 400, "ascii"))


def _further(gathered: Gathered) -> str:
    """Of what a server writes that all the Internet tries to enter, the latest clients have reports."""
    if gathered.log is None:
        return ""
    from rdpdoctor.readers.eventlog import MOST_PAIRS

    pairs = {(one.side, one.client, one.computer, one.server) for one in gathered.log.attempts}
    if len(pairs) <= MOST_PAIRS:
        return ""
    return f"; of {len(pairs)} clients and servers in the logs, the {MOST_PAIRS} of the latest tries"


def _warn(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        warn_of(line)
    if len(lines) > _SHOWN:
        warn_of(f"and {len(lines) - _SHOWN} more like these")
