"""FreeRDP's client, recorded while it gets in, or does not: what `read` says of the recording."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.readers.capture import read_capture
from tests.command import command

from .conftest import need
from .networks import PORT, Node, network
from .processes import group
from .servers import PASSWORD, USER, xrdp
from .test_recorded import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .networks import Network
    from .processes import Server
    from .servers import Workshop

PROGRAMS = {"xfreerdp": "freerdp2-x11", "Xvfb": "xvfb", "tcpdump": "tcpdump", "ethtool": "ethtool"}
#: Seconds a client is given; where it waits for an answer, longer than what counts as silence.
LONGEST, WAITING = 30.0, 5.0
#: Times that something is recorded anew where tcpdump lost packets.
AGAIN = 3


@pytest.fixture(autouse=True)
def _programs() -> None:
    need(PROGRAMS, root=True)


@contextmanager
def client(
    shop: Workshop, target: str, password: str = PASSWORD, prefix: Sequence[str] = ()
) -> Iterator[Callable[[], bool]]:
    """FreeRDP on its way in; gives whether it has ended. At the end it is told to."""
    room = shop.room("client")
    words = [f"/v:{target}", f"/u:{USER}", f"/p:{password}", "/cert:ignore", "/timeout:20000"]
    env = {"DISPLAY": shop.display(), "HOME": str(room)}
    with group([*prefix, "xfreerdp", *words], log=room / "log", env=env) as process:
        yield lambda: process.poll() is not None


def until(ready: Callable[[], bool], seconds: float = LONGEST) -> None:
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        time.sleep(0.2)


def rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    if not path.exists() or not path.stat().st_size:
        return []
    return [(row.tag, dict(row.args)) for each in read_capture(path).streams for row in each.observations]


def drawn(path: Path) -> bool:
    return any(tag == "flow.session" and args["established"] for tag, args in rows(path))


def whole(record: Callable[[], None], path: Path) -> None:
    """Record until nothing is missing: tcpdump may lose packets on a busy machine."""
    for _ in range(AGAIN):
        record()
        if not any(tag == "flow.incomplete" for tag, _ in rows(path)):
            return
    pytest.fail(f"tcpdump lost packets {AGAIN} times", pytrace=False)


def report(path: Path) -> dict[str, Any]:
    run = command("read", str(path), "--json")
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def surely(found: dict[str, Any]) -> list[str]:
    return [cause["id"] for cause in found["causes"] if cause["confidence"] in ("confirmed", "likely")]


def said(found: dict[str, Any]) -> tuple[str, str | None]:
    return found["verdict"]["status"], found["verdict"]["stage"]


@pytest.mark.parametrize("name", ["xrdp-tls", "shadow-nla", "shadow-tls"])
def test_a_session_is_healthy(
    serve: Callable[[str], Server], shop: Workshop, tmp_path: Path, name: str
) -> None:
    """Of a desktop on which nothing happens: some twenty records, and nine kilobytes."""
    server, path = serve(name), tmp_path / "it.pcap"

    def record() -> None:
        with recorded(server.port, path), client(shop, server.target) as ended:
            until(lambda: drawn(path) or ended())

    whole(record, path)
    found = report(path)
    assert (*said(found), surely(found)) == ("healthy", None, [])


def test_a_wrong_password_and_then_the_right_one(
    serve: Callable[[str], Server], shop: Workshop, tmp_path: Path
) -> None:
    server, path, both = serve("shadow-nla"), tmp_path / "wrong.pcap", tmp_path / "both.pcap"

    def wrong() -> None:
        with recorded(server.port, path), client(shop, server.target, "nonsense") as ended:
            until(ended)

    def then_right() -> None:
        with recorded(server.port, both):
            with client(shop, server.target, "nonsense") as ended:
                until(ended)
            with client(shop, server.target) as ended:
                until(lambda: drawn(both) or ended())

    whole(wrong, path)
    found = report(path)
    assert (*said(found), surely(found)) == ("failing", "nla", [])
    assert found["causes"][0]["id"] == "credentials.wrong"
    whole(then_right, both)
    found = report(both)
    assert (*said(found), surely(found)) == ("healthy", None, [])


def tried(
    net: Network, shop: Workshop, path: Path, at: Node, seconds: float = WAITING
) -> tuple[str, str | None, list[str]]:
    """What a client meets that is given so long, as the client or the server records it."""
    device = "right" if at == net.client else "left"
    with recorded(PORT, path, device, at.prefix):
        with client(shop, f"{net.server.address}:{PORT}", prefix=net.client.prefix) as ended:
            until(ended, seconds)
        time.sleep(0.5)  # what the kernel still has to say
    found = report(path)
    return (*said(found), [cause["id"] for cause in found["causes"] if cause["confidence"] != "ruled-out"])


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(("rule", "stage"), [("cut-rdp", "x224"), ("cut-tls", "tls")])
def test_a_reset_from_the_middle(shop: Workshop, tmp_path: Path, rule: str, stage: str) -> None:
    """Its TTL is not that of the server's own packets, which came over the router."""
    with network(routers=1) as net, xrdp(shop, "tls", node=net.server):
        net.everywhere(rule)
        status, at, causes = tried(net, shop, tmp_path / "it.pcap", net.client)
    assert (status, at, causes[0]) == ("failing", stage, "path.tls-cut")


@pytest.mark.namespace
@pytest.mark.usefixtures("namespaces")
def test_large_segments_vanish_on_both_ends_recordings(shop: Workshop, tmp_path: Path) -> None:
    with ExitStack() as stack:
        net = stack.enter_context(network(routers=2, middle_mtu=1200))
        net.lossy("no-frag-needed")
        stack.enter_context(xrdp(shop, "tls", pair=shop.certificates["chain"], node=net.server))
        for at in (net.client, net.server):
            status, stage, causes = tried(net, shop, tmp_path / f"{at.name}.pcap", at)
            assert (status, stage, causes[0]) == ("failing", "tls", "path.mtu-black-hole"), at.name
