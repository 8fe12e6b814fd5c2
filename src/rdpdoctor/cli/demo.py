"""`rdpdoctor demo`: a server that fails with 0x904/0x7, and its check, on this machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import OK, PROBLEM, UNKNOWN, Parser, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Starts a server on loopback that closes as one does whose certificate cannot be
used (clients show 0x904/0x7), and checks it. Exit 0: it found the planted fault."""

SCENARIO = "closes-after-client-hello"


def run(words: Sequence[str]) -> int:
    parser = Parser("rdpdoctor demo", "rdpdoctor demo [options]", _DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="all evidence, for and against each cause"
    )
    given = parser.parse_intermixed_args(words)

    from rdpdoctor.check import Settings, ShownCode
    from rdpdoctor.cli.check import check_targets
    from rdpdoctor.lab.endpoint import background
    from rdpdoctor.lab.load import load
    from rdpdoctor.target import parse_target

    with background(load(SCENARIO)) as endpoint:
        where = f"{endpoint.addresses[0]}:{endpoint.port}"
        warn("A server on this machine now fails the way that clients show as 0x904/0x7. Its check:\n")
        warn(f"$ rdpdoctor {where} --code 0x904 0x7")
        settings = Settings(codes=(ShownCode("0x904 0x7", 0x904, 0x7),))
        wanted = "json" if given.json else "text"
        code = check_targets([parse_target(where)], settings, wanted, given.verbose)
    return {PROBLEM: OK, OK: UNKNOWN}.get(code, code)
