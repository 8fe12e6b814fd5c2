"""How a step's lines come to run on a server whose Remote Desktop fails: by WinRM, hypervisor or cloud.

Where a remote prompt can be had, the lines are pasted into it as they are. `az` runs them itself: each in
double quotes, which cmd, PowerShell and bash read alike as long as nothing in it is expanded; other lines go
by a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE = "reach.toml"
#: What one of the shells would expand, or end the quotes at.
_EXPANDED = '"$%!`'
_FILE = '"@lines.ps1"'  # in quotes: PowerShell would splat it
_SAVE = "Save the lines as lines.ps1 first."


@dataclass(frozen=True, slots=True)
class Reach:
    """text: prose that ends in a colon. command: may have {COMPUTER}, and {SCRIPTS} for the lines."""

    text: str
    command: str

    def told(self, lines: Sequence[str], computer: str) -> str:
        """Prose and a command in backticks, as a step has them."""
        text, scripts = self.text, " ".join(f'"{line}"' for line in lines)
        if "{SCRIPTS}" in self.command and any(mark in line for line in lines for mark in _EXPANDED):
            text, scripts = f"{_SAVE} {text}", _FILE
        command = self.command.replace("{COMPUTER}", computer).replace("{SCRIPTS}", scripts)
        return f"{text} `{command}`"


def build(row: Mapping[str, Any]) -> Reach:
    """From a row that `parse` let pass."""
    return Reach(row["text"], row["command"])


def parse(document: Mapping[str, Any], questions: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the index: one for each answer to `machine`. Raises KnowledgeError naming key and mend."""
    wanted = questions["machine"]["values"]
    for key in wanted:
        if key not in document:
            raise KnowledgeError(FILE, key, f"write [{key}]: it is an answer to `machine`")
    for key, row in document.items():
        if key not in wanted:
            raise KnowledgeError(FILE, key, f"`machine` has no such answer; it has {', '.join(wanted)}")
        if not isinstance(row, dict) or set(row) != {"text", "command"}:
            raise KnowledgeError(FILE, key, "write text and command")
        if not all(isinstance(value, str) and value for value in row.values()) or "`" in row["command"]:
            raise KnowledgeError(FILE, key, "write a sentence, and a command without backticks")
    return dict(document)
