"""One check in a process of its own, in a network namespace: asked on stdin, answered on stdout, in JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from rdpdoctor.lab.scenario import Check

from .labs import checked


async def main() -> None:
    asked = json.load(sys.stdin)
    how = Check(None, tuple(asked["code"]), asked["answers"], asked["user"], asked["timeout"])
    addresses = tuple(asked["addresses"]) or None
    report, took, timeout = await checked(asked["host"], asked["port"], addresses, how, asked["everything"])
    json.dump({"report": report, "took": took, "timeout": timeout}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
