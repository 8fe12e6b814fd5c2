"""Which TLS versions the server speaks, and with which suites, by our own ClientHello: SSL 3.0 to TLS 1.3.

The stdlib cannot speak what old servers speak, so each hello is built here and only its answer is read;
nothing is
encrypted. Connections that the matrix left over are used first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.connection.hello import HelloAnswered
from rdpdoctor.connection.machine import Ended, How
from rdpdoctor.probes.attempt import COMPARE_WAIT, Attempt
from rdpdoctor.probes.base import CERTIFICATE_TAGS, TLS_ENDINGS, X224_TAGS, Phase, Probe
from rdpdoctor.wire.tls_record import Version, alert_name, version_name
from rdpdoctor.wire.tls_suites import LEGACY, MODERN, SuiteClass, for_version, suite_class, suite_name

if TYPE_CHECKING:
    from rdpdoctor.probes.context import Context

_VERSIONS = (Version.TLS13, Version.TLS12, Version.TLS11, Version.TLS10, Version.SSL30)
_ASKED = MODERN + LEGACY
_WEAK_CLASSES = (SuiteClass.TRIPLE_DES, SuiteClass.RC4, SuiteClass.DES)
_WEAK = tuple(number for number in LEGACY if suite_class(number) in _WEAK_CLASSES)
_ENUMERATE_AT_MOST = 60  # suites a version, with --suites

# Alerts with which servers turn a version down (RFC 8446 6.2; older stacks use the others for the same).
_VERSION_ALERTS = {10, 40, 47, 50, 70, 71, 80, 86}


@dataclass(slots=True)
class _Seen:
    """What is known of one version. offered None: could not tell."""

    offered: bool | None
    how: str
    suites: list[int]


def _walk_version(context: Context) -> str | None:
    row = context.journal.first("tls.completed")
    return str(row.args["version"]) if row is not None else None


def _to_ask(context: Context) -> list[Version]:
    """The walk's own handshake has already told about its version, and about any newer one."""
    done = _walk_version(context)
    if done is None:
        return list(_VERSIONS)
    newest = next((v for v in _VERSIONS if version_name(v) == done), Version.TLS13)
    return [version for version in _VERSIONS if version < newest]


async def run(context: Context) -> None:
    asked = _to_ask(context)
    jobs: list[tuple[Version, tuple[int, ...]]] = [
        (version, for_version(_ASKED, version)) for version in asked
    ]
    if _walk_version(context) is not None:
        jobs.append((Version.TLS12, _WEAK))
    results: dict[int, HelloAnswered | Ended | None] = {}

    async def one(index: int, version: Version, suites: tuple[int, ...]) -> None:
        results[index] = await _hello(context, version, suites)

    async with asyncio.TaskGroup() as group:
        for index, (version, suites) in enumerate(jobs):
            group.create_task(one(index, version, suites))
    answers = {version: results.get(index) for index, (version, _) in enumerate(jobs[: len(asked)])}
    seen = _conclude(answers, _walk_version(context), context)
    if context.settings.all_suites:
        await _enumerate(context, seen)
    _tell(context, seen)
    if len(jobs) > len(asked):
        _tell_weak(context, results.get(len(asked)))


async def _hello(context: Context, version: Version, suites: tuple[int, ...]) -> HelloAnswered | Ended | None:
    """One hello on a spare connection, or on a new one. None where it did not come to that."""
    attempt = context.spares.pop() if context.spares else None
    if attempt is None:
        attempt = Attempt(context, "versions", cookie=context.cookie)
        if not await attempt.open():
            return None
    attempt.role = "versions"
    try:
        if attempt.selected is None and not (await attempt.initiate(COMPARE_WAIT)):
            return None
        return await attempt.hello(version, suites) if attempt.over_tls else None
    finally:
        await attempt.close()


def _conclude(
    answers: dict[Version, HelloAnswered | Ended | None], walked: str | None, context: Context
) -> dict[Version, _Seen]:
    seen: dict[Version, _Seen] = {}
    if walked is not None:
        row = context.journal.first("tls.completed")
        suite = str(row.args["suite"]) if row is not None else ""
        for version in _VERSIONS:
            if version_name(version) == walked:
                seen[version] = _Seen(True, f"handshake with {suite}", [])
            elif version not in answers:
                seen[version] = _Seen(False, f"the handshake chose {walked}", [])
    works = walked is not None or any(isinstance(answer, HelloAnswered) for answer in answers.values())
    for version, answer in answers.items():
        seen[version] = _judge(version, answer, works)
    for answer in answers.values():
        if isinstance(answer, HelloAnswered) and answer.version in seen:
            entry = seen[Version(answer.version)]
            entry.offered = True
            if answer.suite not in entry.suites:
                entry.suites.append(answer.suite)
    return seen


def _judge(version: Version, answer: HelloAnswered | Ended | None, works: bool) -> _Seen:
    """`works`: the server answers some hello, so that a refusal of this one is about its version."""
    if answer is None:
        return _Seen(None, "no connection to ask on", [])
    if isinstance(answer, HelloAnswered):
        if answer.version == version:
            return _Seen(True, "answered", [answer.suite])
        return _Seen(False, f"answered with {version_name(answer.version)}", [])
    if answer.how is How.ALERTED:
        name = alert_name(answer.code or 0)
        return _Seen(
            False if (works and answer.code in _VERSION_ALERTS) or answer.code == 70 else None,
            f"alert {name}",
            [],
        )
    refused = works and answer.how in (How.CLOSED, How.RESET)
    return _Seen(False if refused else None, answer.how.value, [])


async def _enumerate(context: Context, seen: dict[Version, _Seen]) -> None:
    """Take away the suite that was chosen and ask again, until the server refuses. One connection a suite."""

    async def one(version: Version, entry: _Seen) -> None:
        for _ in range(_ENUMERATE_AT_MOST):
            left = tuple(s for s in for_version(_ASKED, version) if s not in entry.suites)
            answer = await _hello(context, version, left) if left else None
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


def _tell(context: Context, seen: dict[Version, _Seen]) -> None:
    for version in _VERSIONS:
        if (entry := seen.get(version)) is not None:
            suites = [suite_name(suite) for suite in entry.suites]
            context.emit(
                "tls.version",
                version=version_name(version),
                offered=entry.offered,
                suites=suites,
                how=entry.how,
            )


def _tell_weak(context: Context, answer: HelloAnswered | Ended | None) -> None:
    accepted = isinstance(answer, HelloAnswered)
    refused = isinstance(answer, Ended) and answer.how in (How.ALERTED, How.CLOSED, How.RESET)
    suite = suite_name(answer.suite) if isinstance(answer, HelloAnswered) else None
    context.emit(
        "tls.suites",
        version="TLS 1.2",
        group="weak",
        offered=True if accepted else False if refused else None,
        suite=suite,
    )


def due(context: Context) -> str | None:
    if context.walk is None or not (context.walk.over_tls or context.spares):
        return "the server did not select TLS"
    return None


PROBE = Probe(
    id="tls-versions",
    title="Ask for each TLS version",
    phase=Phase.COMPARE,
    emits=(*X224_TAGS, *TLS_ENDINGS, *CERTIFICATE_TAGS, "tls.answered", "tls.version", "tls.suites"),
    connections=4,
    due=due,
    run=run,
)
