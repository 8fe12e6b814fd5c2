"""`rdpdoctor explain WORDS...`: what codes, events, settings and dialogs mean, and what they do not."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import OK, UNKNOWN, Parser, UsageError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.knowledge.remedies import Remedy

#: Ids of causes (stage.fault) and remedies (verb-noun) have this form, and no code does.
_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)+")
_OPTION = re.compile(r"-[A-Za-z]|--[A-Za-z][A-Za-z-]*(=.*)?", re.DOTALL)
_EPILOG = """\
WORDS are any of these, in any case:
  a number            0x904, 2308, -1073741715, C000006D as logs print it
  a pair              0x904 0x7, 0x904/0x7
  a name              ERRINFO_LICENSE_NO_LICENSE_SERVER, STATUS_LOGON_FAILURE
  an event            event 1057, Schannel 36870
  a setting           SecurityLayer, SecurityLayer=0, enablecredsspsupport:i:0
  a policy's title    Require use of specific security layer for remote (RDP) connections
  a cause             certificate.key-unusable (rdpdoctor list causes)
  a dialog's text     in English, as it was copied; - reads it from stdin

exit: 0 all of it is known, 2 nothing was given, 3 some of it is not known
"""
_HINT = (
    "rdpdoctor explain 0x904 0x7, a name such as STATUS_LOGON_FAILURE, event 1057, "
    "or a dialog's text; - reads stdin"
)


def run(words: Sequence[str]) -> int:
    parser = Parser(
        "rdpdoctor explain",
        "rdpdoctor explain WORDS... [-v] [--json]",
        "What codes, events, settings and dialogs mean, what they do not prove, and what fits.",
        _EPILOG,
    )
    parser.add_argument("words", metavar="WORDS", nargs="*", help="what to explain, see below")
    parser.add_argument("-v", "--verbose", action="store_true", help="all that is known, with its sources")
    parser.add_argument(
        "--json", action="store_true", help="as an object: rdpdoctor.explain/1, for an id cause/1 or remedy/1"
    )
    options, texts = _sorted(words)
    given = parser.parse_args(options)
    pasted = _stdin() if texts == ["-"] else " ".join(texts)
    if not pasted.strip():
        raise UsageError("it was not said what to explain", _HINT)
    if _ID.fullmatch(pasted.strip()) and _named(pasted.strip(), given.json, given.verbose):
        return OK

    from rdpdoctor.knowledge.asking import read
    from rdpdoctor.knowledge.codes.reading import LONGEST

    if len(pasted) > LONGEST:
        warn(f"only the first {LONGEST // 1024} KiB are looked at")

    from rdpdoctor.cli.output import stdout_page, write
    from rdpdoctor.knowledge import load
    from rdpdoctor.report.explain.build import explain

    explanation = explain(read(pasted), load())
    if given.json:
        from rdpdoctor.report.explain.json import dumps

        write(dumps(explanation) + "\n")
    else:
        from rdpdoctor.report.explain.text import render

        write(render(explanation, stdout_page(verbose=given.verbose)))
    return OK if explanation.all_known else UNKNOWN


def _named(word: str, as_json: bool, verbose: bool) -> bool:
    """Whether that is the id of a cause or a remedy; it is told whole then."""
    from rdpdoctor.cli.output import stdout_page, write
    from rdpdoctor.knowledge import load
    from rdpdoctor.knowledge.remedies import remedies
    from rdpdoctor.report.explain import cause as telling

    told: telling.WholeCause | Remedy
    if word in load().causes:
        told = telling.whole(load().causes[word])
    elif word in remedies():
        told = remedies()[word]
    else:
        return False
    write(telling.dumps(told) + "\n" if as_json else telling.render(told, stdout_page(verbose=verbose)))
    return True


def _sorted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options, and what is to be explained: a negative number is a code, and prose may begin with a dash."""
    for place, word in enumerate(words):
        if word == "--":
            options, texts = _sorted(words[:place])
            return options, [*texts, *words[place + 1 :]]
    options = [word for word in words if _OPTION.fullmatch(word)]
    return options, [word for word in words if not _OPTION.fullmatch(word)]


def _stdin() -> str:
    """What was pasted, whatever its encoding; a byte more than is looked at tells that there is more."""
    from rdpdoctor.knowledge.codes.reading import LONGEST

    if sys.stdin is None:
        return ""
    try:
        binary = getattr(sys.stdin, "buffer", None)
        if binary is None:  # somebody put a stream of text there
            return str(sys.stdin.read(LONGEST + 1))
        raw = bytes(binary.read(LONGEST + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"stdin cannot be read: {error}", _HINT) from error
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))  # what PowerShell writes
    return raw.decode("utf-16" if wide else "utf-8-sig", "replace")
