"""Lab endpoints and checks for the tests of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.lab.endpoint import background
from rdpdoctor.lab.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def failing() -> Iterator[str]:
    """A target that closes after the ClientHello."""
    with background(load("closes-after-client-hello")) as endpoint:
        yield f"{endpoint.addresses[0]}:{endpoint.port}"


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with background(load("healthy-without-nla")) as endpoint:
        yield f"{endpoint.addresses[0]}:{endpoint.port}"


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """A target that accepts and says nothing."""
    with background(load("silent")) as endpoint:
        yield f"{endpoint.addresses[0]}:{endpoint.port}"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
