"""`rdpdoctor read` of files made to harm: it says what was lost, or refuses, in bounded time and memory."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.command import command, control_bytes
from tests.hostile.files import FILES, Hostile

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes, of the command as a whole.
MEMORY = 500 * 10**6


@pytest.mark.slow
@pytest.mark.parametrize("hostile", FILES, ids=lambda one: one.name)
def test_a_hostile_file(hostile: Hostile, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    given = hostile.make(folder)
    before = {path.name for path in tmp_path.iterdir()}
    run = command("read", *given, seconds=300)
    assert run.code in hostile.code, run.say()
    assert re.search(hostile.says, run.stderr), run.say()
    assert run.stdout or run.code == 2, run.say()
    assert "fault of rdpdoctor" not in run.stderr, run.say()
    assert "Traceback" not in run.stderr, run.say()
    assert control_bytes(run.stdout) + control_bytes(run.stderr) == [], run.say()
    assert run.peak < MEMORY, run.say()
    assert {path.name for path in tmp_path.iterdir()} == before
    assert not os.path.lexists("/tmp/slip.rdp")
