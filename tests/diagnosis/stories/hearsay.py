"""What the client showed and what people say."""

from __future__ import annotations

from tests.diagnosis.stories.case import HEALTHY_MATRIX, Case
from tests.diagnosis.story import Story


def tell() -> dict[str, Case]:
    """A server that is well, and a code or an answer beside it: possible at most."""
    reasons = {
        "credentials.wrong": (2055, None),
        "credentials.expired": (3847, None),
        "account.locked": (3335, None),
        "account.disabled": (3591, None),
        "account.restricted": (3079, None),
        "authorization.denied": (4871, None),
        "authority.unreachable": (6151, None),
        "trust.broken": (0xC000018D, None),
        "nla.required": (2825, None),
        "fips.mismatch": (3590, 8),
        "encryption-level.mismatch": (1286, None),
        "licensing.none": (2056, 257),
        "session.limit": (3, 3),
        "graphics.driver": (3, 0x112F),
        "restricted-admin.refused": (3593, None),
        "gateway.unreachable": (0x300000C, None),
        "gateway.refused": (0x300001C, None),
        "gateway.target-unreachable": (0x3000008, None),
    }
    cases = {
        f"healthy, and code {reason}/{extended}": Case(
            lambda reason=reason, extended=extended: (
                Story()  # type: ignore[misc]
                .healthy()
                .matrix(HEALTHY_MATRIX)
                .code(reason, extended)
            ),
            "healthy",
            None,
            (cause, "possible"),
            tuple(other for other in reasons if other != cause),
        )
        for cause, (reason, extended) in reasons.items()
    }
    return cases | {
        "healthy, and it drops after a while": Case(
            lambda: Story().healthy().answer("moment", "after-a-while"),
            "healthy",
            None,
            ("path.idle-timeout", "possible"),
            ("graphics.driver", "session.limit", "udp.blocked"),
        ),
        "healthy, and it fails after the desktop": Case(
            lambda: Story().healthy().answer("moment", "after-desktop"),
            "healthy",
            None,
            ("graphics.driver", "possible"),
            ("path.idle-timeout", "udp.idle-drop"),
        ),
        "healthy, and 0x904/0x7": Case(
            lambda: Story().healthy().matrix(HEALTHY_MATRIX).code(2308, 7),
            "healthy",
            None,
            None,
            ("server.closes-early", "certificate.key-unusable", "limits.connections"),
        ),
        "time difference, and the clock agrees": Case(
            lambda: Story().healthy().code(7431), "healthy", None, None, ("clock.skew",)
        ),
        "NLA wanted, and not required": Case(
            lambda: Story().healthy().matrix({1: 1, 0: 0}).code(2825),
            "healthy",
            None,
            None,
            ("nla.required",),
        ),
        "code alone": Case(
            lambda: Story().code(2308, 7), "unknown", None, None, ("server.closes-early", "path.tls-cut")
        ),
        "nothing at all": Case(Story, "unknown", None, None),
    }
