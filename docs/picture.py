"""`make picture`: docs/demo.svg, drawn from a real run of `rdpdoctor demo` on a terminal of 80 columns.

POSIX only, since it needs a pseudo-terminal; the picture is committed, so nobody else has to.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH = 80
PICTURE = Path(__file__).with_name("demo.svg")
# rich's own frame asks a foreign host for a font; ours takes what the reader has.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"
 xml:space="preserve">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
 font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKSTfhl]")


def run_on_a_terminal(command: list[str]) -> tuple[str, str]:
    """What `command` writes to a terminal, colours included, and what it says beside it."""
    ours, theirs = pty.openpty()
    terminal = {"COLUMNS": str(WIDTH), "LINES": "50", "TERM": "xterm-256color", "COLORTERM": ""}
    environment = {**os.environ, **terminal}
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    output = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux says so where others say end of file
            break
        if not chunk:
            break
        output += chunk
    os.close(ours)
    _, beside = process.communicate()
    return _CURSOR.sub("", output.decode()).replace("\r\n", "\n").strip("\n"), beside.decode()


def main() -> None:
    text, beside = run_on_a_terminal([sys.executable, "-m", "rdpdoctor", "demo"])
    command = next(line for line in beside.splitlines() if line.startswith("$ "))
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text(command, style="bold"))
        for line in Text.from_ansi(text).split("\n", allow_blank=True):
            # A terminal breaks a long line where its edge is, rich between words.
            for row in line.divide(range(WIDTH, len(line), WIDTH)):
                console.print(row, no_wrap=True)
        drawn = console.export_svg(title="rdpdoctor", theme=MONOKAI, code_format=_FRAME, unique_id="demo")
    PICTURE.write_text(drawn, encoding="utf-8")
    print(f"{PICTURE}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    main()
