"""The `real` marker, what a machine must have for it, and the servers that the tests share.

Where a program or root is missing, the test skips and says which. With `CI=true` that skip is a failure:
a run that proves nothing must not be green.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from .networks import network, sweep
from .processes import lacking
from .servers import NEEDS, Servers, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .processes import Server


HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real: starts real servers or network namespaces (Linux)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


def missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run this test: {reason}", pytrace=False)
    pytest.skip(reason)


def need(programs: dict[str, str], *, root: bool = False) -> None:
    if reason := lacking(programs, root=root):
        missing(reason)


NETWORK_NEEDS = {"ip": "iproute2", "nft": "nftables", "setpriv": "util-linux"}


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Ask for this where a test makes a network."""
    need(NETWORK_NEEDS, root=True)
    sweep()
    try:
        with network():
            pass
    except RuntimeError as error:
        missing(f"needs network namespaces, which this container does not allow: {error}")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path_factory.mktemp("real"))
    yield workshop
    workshop.close()


@pytest.fixture(scope="session")
def _servers(shop: Workshop) -> Iterator[Servers]:
    servers = Servers(shop)
    yield servers
    servers.close()


@pytest.fixture
def serve(_servers: Servers) -> Callable[[str], Server]:
    """`serve("xrdp-tls")`: the named server of `servers.SERVERS`, started when first asked for."""

    def start(name: str) -> Server:
        need(NEEDS[name.partition("-")[0]])
        return _servers[name]

    return start
