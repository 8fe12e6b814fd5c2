"""The script that collects facts of a Windows machine. An administrator runs it there; here it never runs."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MODES = ("brief", "mask", "client")
_MODE = "[string] $Mode = ''"


def script(modes: Iterable[str] = ()) -> str:
    """modes: some of MODES, which the script then has without being told. Line breaks are those of Unix."""
    chosen = tuple(modes)
    words = [mode for mode in MODES if mode in chosen]
    text = files(__package__).joinpath("collect.ps1").read_text("utf-8").replace("\r\n", "\n")
    return text.replace(_MODE, f"[string] $Mode = '{' '.join(words)}'", 1)
