"""From a journal and its diagnosis to the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdpdoctor.report.model import Report

if TYPE_CHECKING:
    from rdpdoctor.diagnosis.model import Diagnosis
    from rdpdoctor.facts import Journal


def report_of(journal: Journal, diagnosis: Diagnosis) -> Report:
    return Report(
        target=journal.target,
        address=_address(journal),
        started=journal.started,
        elapsed_ms=journal.elapsed_ms,
        verdict=diagnosis.verdict,
        stages=diagnosis.stages,
        observations=diagnosis.observations,
        causes=diagnosis.causes,
        next=diagnosis.next,
    )


def _address(journal: Journal) -> str | None:
    """Journals come from files too: an argument may be missing or of another type."""
    for row in journal.tagged("tcp.connected"):
        if isinstance(address := row.args.get("address"), str):
            return address
    for row in journal.tagged("dns.resolved"):
        addresses = row.args.get("addresses")
        if isinstance(addresses, Sequence) and not isinstance(addresses, str):
            for address in addresses:
                if isinstance(address, str):
                    return address
    return None
