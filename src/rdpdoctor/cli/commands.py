"""The names of the commands."""

from __future__ import annotations

#: Command → its module here, with `run(words) -> exit code`.
COMMANDS = {
    "check": "check",
    "explain": "explain",
    "read": "read",
    "collect": "collect",
    "lab": "lab",
    "demo": "demo",
    "list": "listing",
}
#: The contract's commands that this version does not have.
LATER = {
    "fix": "the report says what to look at on the server; rdpdoctor changes nothing anywhere",
}
