"""`rdpdoctor lab SCENARIO`: an endpoint on this machine with a planted fault, until it is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import INTERRUPTED, Parser, UsageError, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdpdoctor.lab.scenario import Scenario

_DESCRIPTION = """\
Starts an RDP endpoint on loopback that fails in a known way, says how to check
it, and runs until it is interrupted. `rdpdoctor list scenarios` names them."""


def run(words: Sequence[str]) -> int:
    parser = Parser("rdpdoctor lab", "rdpdoctor lab SCENARIO [--port PORT]", _DESCRIPTION)
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?", help="which fault")
    parser.add_argument(
        "--port", metavar="PORT", default="0", help="where to listen (default: any free port)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say what happens, on stderr")
    given = parser.parse_intermixed_args(words)
    scenario = named(given.scenario)
    if not given.port.isascii() or not given.port.isdigit() or int(given.port[:9]) > 65535:
        raise UsageError(
            f"`{given.port}` is no port", "--port takes a number from 1 to 65535; 0 is any free one"
        )

    import asyncio

    asyncio.run(_serve(scenario, int(given.port), given.verbose))
    return INTERRUPTED


def named(name: str | None) -> Scenario:
    """Raise UsageError where there is no scenario of that name."""
    from rdpdoctor.lab.load import load, names

    if name is None:
        raise UsageError("no scenario was named", "rdpdoctor list scenarios names them")
    if name not in names():
        import difflib

        near = difflib.get_close_matches(name, names(), 1)
        raise UsageError(
            f"there is no scenario `{name}`",
            f"did you mean `{near[0]}`?" if near else "rdpdoctor list scenarios names them",
        )
    return load(name)


async def _serve(scenario: Scenario, port: int, verbose: bool) -> None:
    """Until it is cancelled. Raise UsageError where it cannot listen."""
    import asyncio

    from rdpdoctor.cli.output import write
    from rdpdoctor.lab.endpoint import Endpoint, EndpointError, Event
    from rdpdoctor.lab.teach import lesson

    def told(event: Event) -> None:
        warn(f"{event.at:8.3f} s  connection {event.connection}: {event.what}")

    try:
        async with Endpoint(scenario, port=port, on_event=told if verbose else None) as endpoint:
            write("".join(f"{line}\n" for line in lesson(endpoint)))
            warn("it runs until Ctrl-C")
            await asyncio.Event().wait()
    except EndpointError as error:
        raise UsageError(str(error), "give another --port, or none for any free one") from error
    except asyncio.CancelledError:  # Ctrl-C: its only end
        return
