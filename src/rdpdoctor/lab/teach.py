"""What `rdpdoctor lab NAME` tells a person: what the scenario shows, and how to check it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdpdoctor.lab.endpoint import Endpoint
    from rdpdoctor.lab.scenario import Check


def lesson(endpoint: Endpoint) -> Iterator[str]:
    """Lines, without their ends, for an endpoint that listens."""
    scenario = endpoint.scenario
    yield f"{scenario.name}: {scenario.title}"
    yield ""
    yield from scenario.teaches.splitlines()
    yield ""
    for address in endpoint.addresses:
        yield f"check it: {command(scenario.check, address, endpoint.port)}"
    if (host := scenario.check.host) is not None:
        yield f"or by its name, where the hosts file says {' and '.join(endpoint.addresses)} for it:"
        yield f"          {command(scenario.check, host, endpoint.port)}"


def command(check: Check, host: str, port: int) -> str:
    """The call that checks this host as the scenario means it."""
    words = ["rdpdoctor", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    words += ["--code", *check.code] if check.code else []
    words += ["--user", check.user] if check.user else []
    for question, answer in check.answers.items():
        words += ["--answer", f"{question}={answer}"]
    return shlex.join(words)
