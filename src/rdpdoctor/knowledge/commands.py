"""Next steps hold commands between backticks, prose outside: a person must be able to paste each of them."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """Prose, or a command as it has to be typed. Never empty, no blanks around it."""

    text: str
    command: bool


def pieces(text: str) -> list[Piece]:
    """The prose and the commands of a step, in order. A backtick without a second one is prose."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    found = (Piece(part.strip(), bool(number % 2)) for number, part in enumerate(parts))
    return [piece for piece in found if piece.text]


def fault(text: str) -> str | None:
    """What keeps the commands of a step from being pasted, and what to write instead."""
    if text.count("`") % 2:
        return "close each backtick: `command`"
    for command in text.split("`")[1::2]:
        if not command or command != " ".join(command.split()):
            return f"write `{command}` without blanks around it and with single ones inside"
        if not (command.isascii() and command.isprintable()):
            return f"write `{command}` in ASCII: terminals replace what their encoding lacks"
    return None
