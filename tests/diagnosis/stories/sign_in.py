"""CredSSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.diagnosis.stories.case import Case
from tests.diagnosis.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable


OF_AN_ACCOUNT = (
    "credentials.wrong",
    "credentials.expired",
    "account.locked",
    "account.disabled",
    "account.restricted",
    "authorization.denied",
)


def tell() -> dict[str, Case]:
    def error(code: int) -> Callable[[], Story]:
        return lambda: Story().walk(8, "TLS 1.3", code)

    statuses = {
        "credentials.wrong": 0xC000006D,
        "credentials.expired": 0xC0000224,
        "account.locked": 0xC0000234,
        "account.disabled": 0xC0000072,
        "account.restricted": 0xC000006F,
        "authorization.denied": 0xC000015B,
        "authority.unreachable": 0xC000005E,
        "trust.broken": 0xC000018D,
        "ntlm.blocked": 0xC0000418,
        "channel-binding.mismatch": 0xC000035B,
        "clock.skew": 0xC0000133,
    }
    cases = {
        f"status 0x{code:X}": Case(
            error(code),
            "failing",
            "nla",
            # A live check sends no account: what the server says of one is not proven for the user's.
            (cause, "likely" if cause in OF_AN_ACCOUNT else "confirmed"),
            tuple(other for other in statuses if other != cause),
        )
        for cause, code in statuses.items()
    }
    return cases | {
        "old CredSSP": Case(
            lambda: Story().walk(8, "TLS 1.2", {"version": 4}),
            "degraded",
            "nla",
            ("credssp.oracle", "confirmed"),
            ("clock.skew", "ntlm.blocked"),
        ),
        "clock ten minutes ahead": Case(
            lambda: Story().walk(8, "TLS 1.2", {"skew_ms": 600_000.0}),
            "degraded",
            "nla",
            ("clock.skew", "confirmed"),
            ("credssp.oracle",),
        ),
        "clock four minutes ahead": Case(
            lambda: Story().walk(8, "TLS 1.2", {"skew_ms": 240_000.0}),
            "healthy",
            None,
            None,
            ("clock.skew",),
        ),
        "clock beyond the limit, within the uncertainty": Case(
            lambda: Story().walk(8, "TLS 1.2", {"skew_ms": 301_000.0, "uncertainty_ms": 4000.0}),
            "healthy",
            None,
            None,
            ("clock.skew",),
        ),
        "NTLM unsupported": Case(
            error(0x80090302), "failing", "nla", ("ntlm.blocked", "likely"), ("credentials.wrong",)
        ),
        "closes in CredSSP": Case(
            lambda: Story().walk(8, "TLS 1.3", "closed"),
            "failing",
            "nla",
            ("ntlm.blocked", "possible"),
            ("certificate.key-unusable", "credentials.wrong", "path.mtu-black-hole"),
        ),
        "silent in CredSSP": Case(
            lambda: Story().walk(8, "TLS 1.3", "silent"),
            "failing",
            "nla",
            ("service.hung", "possible"),
            ("path.mtu-black-hole", "credentials.wrong"),
        ),
        "another mechanism": Case(
            lambda: Story().walk(8, "TLS 1.3", "answered", version=6),
            "healthy",
            None,
            None,
            ("ntlm.blocked",),
        ),
        "unknown status": Case(error(0xC0FFEE00), "failing", "nla", None),
        "a member fails in CredSSP": Case(
            lambda: (
                Story()
                .walk(8, "TLS 1.3", "closed", certificate={"sha256": "b1"})
                .attempt(8, "TLS 1.3", {"computer": "A"}, certificate={"sha256": "a1"})
                .attempt(8, "TLS 1.3", "closed", certificate={"sha256": "b1"})
                .attempt(8, "TLS 1.3", {"computer": "A"}, certificate={"sha256": "a1"})
            ),
            "failing",
            "nla",
            ("farm.bad-member", "confirmed"),
            ("ntlm.blocked", "path.intermittent"),
        ),
    }
