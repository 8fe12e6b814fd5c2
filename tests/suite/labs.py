"""The scenarios of the lab as cases: played and checked in this process, on loopback."""

from __future__ import annotations

import asyncio
import socket
import sys
from functools import cache, partial
from typing import TYPE_CHECKING

from rdpdoctor.check import Settings, check
from rdpdoctor.cli.codes import shown_codes
from rdpdoctor.diagnosis import diagnose
from rdpdoctor.knowledge import load as load_knowledge
from rdpdoctor.lab.endpoint import Endpoint
from rdpdoctor.lab.load import load, names
from rdpdoctor.report.build import report_of
from rdpdoctor.report.json import to_json
from rdpdoctor.target import parse_target

from .case import Case, Played

if TYPE_CHECKING:
    from rdpdoctor.lab.scenario import Check, Scenario

TIMEOUT = 10.0  # seconds for a check, where the case says nothing else


def cases() -> list[Case]:
    return [_case(load(name)) for name in names()]


def _case(scenario: Scenario) -> Case:
    return Case(
        scenario.name,
        "lab",
        scenario.title,
        scenario.check,
        scenario.expect,
        lambda _: partial(_play, scenario),
        scenario.combines,
        lacks=_lacks(scenario),
    )


def _lacks(scenario: Scenario) -> str:
    known = {
        "linux": sys.platform == "linux",
        "many-addresses": sys.platform != "darwin",
        "ipv6": _has_ipv6(),
    }
    missing = [need for need in scenario.needs if not known[need]]
    return f"this system cannot play it: needs {' and '.join(missing)}" if missing else ""


@cache
def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def _play(scenario: Scenario, everything: bool) -> Played:
    async with Endpoint(scenario) as endpoint:
        host = scenario.check.host or endpoint.addresses[0]
        where = (host, endpoint.port, tuple(endpoint.addresses))
        report, took, timeout = await checked(*where, scenario.check, everything)
        return Played(report, took, timeout, tuple(endpoint.faults))


async def checked(
    host: str, port: int, addresses: tuple[str, ...] | None, how: Check, everything: bool
) -> tuple[dict[str, object], float, float]:
    """One check in this process: its report, the seconds it took and those it had.

    addresses: those of the host; None to look them up.
    """
    loop = asyncio.get_running_loop()
    timeout = how.timeout or TIMEOUT
    target = parse_target(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    codes = tuple(shown_codes([how.code], may_end_in_targets=False)[0]) if how.code else ()
    settings = Settings(
        timeout=timeout,
        codes=codes,
        answers=how.answers,
        user=how.user,
        hosts={target.host: addresses} if addresses else {},
        everything=everything,
    )
    began = loop.time()
    journal = await check(target, settings)
    took = loop.time() - began
    return to_json(report_of(journal, diagnose(journal, load_knowledge()))), took, timeout
