"""Which TLS versions the server speaks, and with which suites, by our own ClientHello: SSL 3.0 to TLS 1.3.

The stdlib cannot speak what old servers speak, so each hello is built here and only its answer is read;
nothing is
encrypted. The matrix has taken some of them along on its connections; this asks the rest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.hello import HelloAnswered
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.probes.attempt import Attempt
from rdpdoctor.probes.base import CERTIFICATE_TAGS, TCP_TAGS, TLS_ENDINGS, X224_TAGS, Phase, Probe
from rdpdoctor.probes.hellos import ASKED, VERSIONS, Hellos
from rdpdoctor.wire.tls_record import Version, alert_name, version_name
from rdpdoctor.wire.tls_suites import for_version, suite_name

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_ENUMERATE_AT_MOST = 60  # suites a version, with --suites

# Alerts with which servers turn a version down (RFC 8446 6.2; older stacks use the others for the same).
_VERSION_ALERTS = (10, 40, 47, 50, 70, 71, 80, 86)


@dataclass(slots=True)
class _Seen:
    """What is known of one version. offered None: could not tell."""

    offered: bool | None
    how: str
    suites: list[int]


async def run(context: Context) -> None:
    hellos = context.hellos

    async def one() -> None:
        async with Attempt(context, "versions", cookie=context.cookie) as attempt:
            if not (attempt.connected and await attempt.initiate() and attempt.over_tls):
                hellos.skip_next()
            else:
                await hellos.ask_next(attempt)

    while hellos.left:
        async with asyncio.TaskGroup() as group:
            for _ in range(hellos.left):
                group.create_task(one())
    seen = _conclude(hellos)
    if context.settings.all_suites:
        await _enumerate(context, seen)
    _tell(context, hellos, seen)


def _conclude(hellos: Hellos) -> dict[Version, _Seen]:
    questions = hellos.questions
    works = hellos.completed is not None or any(isinstance(q.answer, HelloAnswered) for q in questions)
    seen = {question.version: _judge(question.version, question.answer, works) for question in questions}
    for version in VERSIONS:
        if version_name(version) == hellos.completed:
            seen[version] = _Seen(True, "the handshake chose it", [])
        elif version not in seen:
            seen[version] = _not_asked(version, hellos, seen)
    for question in questions:
        if isinstance(question.answer, HelloAnswered) and question.answer.version in seen:
            entry = seen[Version(question.answer.version)]
            entry.offered = True
            if question.answer.suite not in entry.suites:
                entry.suites.append(question.answer.suite)
    return {version: seen[version] for version in VERSIONS}


def _not_asked(version: Version, hellos: Hellos, seen: dict[Version, _Seen]) -> _Seen:
    """A version is not asked where the walk's handshake, or the refusal of a newer one, has told about it."""
    if hellos.completed is not None and version_name(version) > hellos.completed:
        return _Seen(False, f"the handshake chose {hellos.completed}", [])
    newer = [entry for other, entry in seen.items() if other > version and other < Version.TLS12]
    if newer and newer[-1].offered is False:
        return _Seen(False, newer[-1].how, [])
    return _Seen(None, "no connection to ask on", [])


def _judge(version: Version, answer: HelloAnswered | Ended | None, works: bool) -> _Seen:
    """`works`: the server answers some hello, so that a refusal of this one is about its version."""
    if answer is None:
        return _Seen(None, "no connection to ask on", [])
    if isinstance(answer, HelloAnswered):
        if answer.version == version:
            return _Seen(True, "answered", [answer.suite])
        return _Seen(False, f"answered with {version_name(answer.version)}", [])
    if answer.how is How.ALERTED:
        refused = answer.code == 70 or (works and answer.code in _VERSION_ALERTS)
        return _Seen(False if refused else None, f"alert {alert_name(answer.code or 0)}", [])
    refused = works and answer.how in (How.CLOSED, How.RESET)
    return _Seen(False if refused else None, answer.how.value, [])


async def _enumerate(context: Context, seen: dict[Version, _Seen]) -> None:
    """Take away the suite that was chosen and ask again, until the server refuses. One connection a suite."""

    async def one(version: Version, entry: _Seen) -> None:
        for _ in range(_ENUMERATE_AT_MOST):
            left = tuple(suite for suite in for_version(ASKED, version) if suite not in entry.suites)
            async with Attempt(context, "versions", cookie=context.cookie) as attempt:
                if not (attempt.connected and await attempt.initiate() and attempt.over_tls):
                    return
                answer = await attempt.hello(version, left)
            if (
                not isinstance(answer, HelloAnswered)
                or answer.version != version
                or answer.suite in entry.suites
            ):
                return
            entry.suites.append(answer.suite)

    async with asyncio.TaskGroup() as group:
        for version, entry in seen.items():
            if entry.offered:
                group.create_task(one(version, entry))


def _tell(context: Context, hellos: Hellos, seen: dict[Version, _Seen]) -> None:
    for version, entry in seen.items():
        suites = [suite_name(suite) for suite in entry.suites]
        if version_name(version) == hellos.completed and (row := context.journal.first("tls.completed")):
            chosen = str(row.args["suite"])
            suites = [chosen, *(suite for suite in suites if suite != chosen)]
        context.emit(
            "tls.version", version=version_name(version), offered=entry.offered, suites=suites, how=entry.how
        )


def due(context: Context) -> str | None:
    if context.walk is None or not context.walk.over_tls:
        return "the server did not select TLS"
    return None


PROBE = Probe(
    id="tls-versions",
    title="Ask for each TLS version",
    phase=Phase.COMPARE,
    emits=(
        *TCP_TAGS,
        *X224_TAGS,
        *TLS_ENDINGS,
        *CERTIFICATE_TAGS,
        "tls.answered",
        "tls.version",
    ),
    connections=4,
    due=due,
    run=run,
)
