"""Help comes at once: it imports nothing that is heavy. And JSON needs no terminal library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.command import environment

_SCRIPT = """
import json, sys
from rdpdoctor.cli.main import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {"asyncio", "ssl", "cryptography", "rich", "dns", "rdpdoctor.check", "tomllib", "dataclasses", "json"}


def imported(*words: str) -> tuple[int, set[str]]:
    """Exit code, and all that `rdpdoctor WORDS` had imported at its end, but for what Python itself had."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(words)],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    code, modules = json.loads(done.stderr.decode().splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    "words", ["--help", "check --help", "read --help", "list --help", "lab --help", "explain --help"]
)
def test_help_imports_nothing_heavy(words: str) -> None:
    code, modules = imported(*words.split())
    assert code == 0
    assert modules & (HEAVY - {"json"}) == set()  # json is the script's own


def test_the_measure_itself_sees_what_a_check_imports() -> None:
    code, modules = imported("127.0.0.1:1", "--timeout", "1")
    assert code == 1
    assert {"asyncio", "rdpdoctor.check", "rich"} <= modules


def test_json_needs_no_rich() -> None:
    code, modules = imported("127.0.0.1:1", "--timeout", "1", "--jsonl")
    assert code == 1
    assert "rich" not in modules
