"""The triage questions: what only a person knows, by the key that `--answer` takes."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    values: tuple[str, ...]


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "via": Question("How do you connect?", ("direct", "vpn", "gateway", "bastion", "unknown")),
        "machine": Question("What is the remote machine?", ("pc", "server", "azure", "aws", "vm", "unknown")),
        "moment": Question(
            "When does it fail?",
            ("immediately", "after-credentials", "after-desktop", "after-a-while", "unknown"),
        ),
        "since": Question(
            "Since when?", ("always", "after-update", "after-change", "today", "now-and-then", "unknown")
        ),
        "others": Question("Do others, or you from elsewhere, get in?", ("yes", "no", "unknown")),
    }
)
