"""From a journal and its diagnosis to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis.model import Diagnosis
from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.report.build import report_of
from tests.report import samples

if TYPE_CHECKING:
    from rdpdoctor.facts import Value


def resolved(addresses: Value) -> Observation:
    return Observation("dns.resolved", {"addresses": addresses}, Stage.DNS)


def connected(address: Value) -> Observation:
    return Observation("tcp.connected", {"address": address}, Stage.TCP)


@pytest.mark.parametrize(
    ("rows", "address"),
    [
        ([], None),
        ([resolved(["192.0.2.1", "192.0.2.2"])], "192.0.2.1"),
        ([resolved(["192.0.2.1", "192.0.2.2"]), connected("192.0.2.2")], "192.0.2.2"),
        ([connected("192.0.2.2"), connected("192.0.2.1")], "192.0.2.2"),
        ([resolved([])], None),
        # From a file that someone else wrote:
        ([resolved("192.0.2.1")], None),
        ([resolved([7, None, "192.0.2.9"])], "192.0.2.9"),
        ([connected(7), connected(None), connected("192.0.2.3")], "192.0.2.3"),
        ([Observation("tcp.connected", {}, Stage.TCP)], None),
    ],
)
def test_the_address_is_where_it_connected_else_the_first_of_the_name(
    rows: list[Observation], address: str | None
) -> None:
    journal = Journal(Target("srv01", "srv01"), samples.STARTED, 12.5)
    journal.extend(rows)
    sample = samples.key_unusable()
    diagnosis = Diagnosis(sample.verdict, sample.stages, tuple(rows), sample.causes, sample.next)
    report = report_of(journal, diagnosis)
    assert report.address == address
    assert (report.target, report.started, report.elapsed_ms) == (journal.target, samples.STARTED, 12.5)
    assert (report.verdict, report.stages, report.causes, report.next) == (
        sample.verdict, sample.stages, sample.causes, sample.next,
    )  # fmt: skip
    assert report.observations == tuple(rows)
