"""The path."""

from __future__ import annotations

from tests.diagnosis.stories.case import Case
from tests.diagnosis.story import Story


def tell() -> dict[str, Case]:
    def lossy(story: Story) -> Story:
        for attempt in range(4):
            story.see("tcp.measured", attempt=attempt, rtt_ms=20.0, retransmits=3)
        return story

    return {
        "slow": Case(
            lambda: Story().healthy().dialled(rtt_ms=900.0).dialled(rtt_ms=950.0),
            "degraded",
            "path",
            ("path.latency", "likely"),
            ("path.loss", "service.hung"),
        ),
        "a satellite": Case(
            lambda: Story().healthy().dialled(rtt_ms=620.0).dialled(rtt_ms=640.0),
            "healthy",
            None,
            None,
            ("path.latency",),
        ),
        "lossy": Case(
            lambda: lossy(Story().healthy()), "degraded", "path", ("path.loss", "likely"), ("path.latency",)
        ),
        "lossy, and silent now and then": Case(
            lambda: lossy(Story().healthy().attempt("silent").attempt(8).attempt(8)),
            "degraded",
            "x224",
            ("path.loss", "likely"),
            ("path.intermittent", "service.hung"),
        ),
        "one segment lost": Case(
            lambda: Story().healthy().see("tcp.measured", attempt=1, rtt_ms=9.0, retransmits=1),
            "healthy",
            None,
            None,
            ("path.loss",),
        ),
    }
