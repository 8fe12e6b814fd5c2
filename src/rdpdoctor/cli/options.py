"""The values that options of `check` take. Raise UsageError for what cannot be meant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.cli.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.facts import Observation

LONGEST = 3600.0  # seconds
_NAME = 64  # characters of a user name


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= LONGEST:  # false for NaN
        raise UsageError(
            f"`{text}` is no time-out", f"--timeout takes seconds above 0, and {LONGEST:.0f} at most"
        )
    return value


def answers(texts: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` each, of the contract's triage questions."""
    given: dict[str, str] = {}
    if not texts:
        return given
    from rdpdoctor.knowledge import load

    questions = load().questions

    for text in texts:
        key, equals, value = text.casefold().partition("=")
        if not equals or key not in questions:
            raise UsageError(
                f"`{text}` answers no question",
                "--answer takes KEY=VALUE, where KEY is " + ", ".join(questions),
            )
        if value not in questions[key].values:
            raise UsageError(
                f"`{value}` is no answer to `{key}`: {questions[key].text}",
                f"--answer {key}= takes " + ", ".join(questions[key].values),
            )
        if given.get(key, value) != value:
            raise UsageError(f"`{key}` is answered twice", "give each question one answer")
        given[key] = value
    return given


def user(text: str) -> str:
    """A name fit for the connection request's cookie, which ends at a line end and has no encoding."""
    if not text or len(text) > _NAME or not text.isascii() or not text.isprintable():
        raise UsageError(
            f"`{text}` cannot stand in a connection request",
            f"--user takes a name of up to {_NAME} plain ASCII characters; it needs no password",
        )
    return text


class Given(NamedTuple):
    """observations: codes and answers, as evidence. rest: the words behind codes that are none."""

    observations: list[Observation]
    rest: list[str]


def given(answered: Sequence[str], codes: Sequence[Sequence[str]], may_end_in_targets: bool) -> Given:
    """What a person adds to files."""
    if not answered and not codes:
        return Given([], [])
    from rdpdoctor.cli.codes import shown_codes
    from rdpdoctor.facts import Observation, Source, Stage

    shown, rest = shown_codes(codes, may_end_in_targets)
    rows = [
        Observation(
            "code.shown",
            {"reason": code.reason, "extended": code.extended, "text": code.text},
            Stage.HOST,
            Source.CODE,
        )
        for code in shown
    ]
    rows += [
        Observation("answer.given", {"question": key, "answer": value}, Stage.HOST, Source.ANSWER)
        for key, value in answers(answered).items()
    ]
    return Given(rows, rest)


def address(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError:
        raise UsageError(
            f"`{text}` is no address", "--from takes an IP address, such as 203.0.113.7"
        ) from None


def port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise UsageError(f"`{text}` is no port", "--port takes a number from 1 to 65535")
    return int(text)
