"""Certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.diagnosis.stories.case import Case
from tests.diagnosis.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable


def tell() -> dict[str, Case]:
    authority: dict[str, Any] = {"issuer": "CN=Corp Issuing CA", "self_signed": False}

    def with_certificate(host: str = "srv01.corp.example", **odd: Any) -> Callable[[], Story]:
        return lambda: Story(host).healthy(certificate=odd)

    def degraded(name: str, tell: Callable[[], Story], *never: str, confidence: str = "confirmed") -> Case:
        return Case(tell, "degraded", "tls", (name, confidence), never)

    return {
        "expired": degraded(
            "certificate.expired",
            with_certificate(not_after="2026-11-21T00:00:00Z"),
            "certificate.not-yet-valid",
            "certificate.expiring",
            "certificate.key-unusable",
        ),
        "not yet valid": degraded(
            "certificate.not-yet-valid",
            with_certificate(not_before="2026-11-23T00:00:00Z"),
            "certificate.expired",
            "certificate.expiring",
        ),
        "expiring": degraded(
            "certificate.expiring",
            with_certificate(not_after="2026-12-20T00:00:00Z"),
            "certificate.expired",
        ),
        "31 days left": Case(
            with_certificate(not_after="2026-12-24T00:00:00Z"),
            "healthy",
            None,
            None,
            ("certificate.expiring",),
        ),
        "other name": degraded(
            "certificate.name-mismatch",
            with_certificate(common_name="www.example.net", names=["www.example.net"], **authority),
            "name.wrong-host",
            "tls.inspected",
        ),
        "other computer": degraded(
            "name.wrong-host",
            lambda: Story().walk(
                8,
                "TLS 1.3",
                {"computer": "SRV09", "dns_computer": "srv09.corp.example"},
                certificate={"common_name": "srv09.corp.example"},
            ),
            "certificate.name-mismatch",
            confidence="likely",
        ),
        "for clients only": degraded(
            "certificate.wrong-usage", with_certificate(usages=["1.3.6.1.5.5.7.3.2"]), "certificate.weak"
        ),
        "for Remote Desktop only": Case(
            with_certificate(usages=["1.3.6.1.4.1.311.54.1.2"]),
            "healthy",
            None,
            None,
            ("certificate.wrong-usage",),
        ),
        "RSA-1024": degraded("certificate.weak", with_certificate(key_bits=1024), "certificate.wrong-usage"),
        "SHA-1": degraded("certificate.weak", with_certificate(signature="sha1WithRSAEncryption")),
        "ECDSA of 256 bits": Case(
            with_certificate(key="EC secp256r1", key_bits=256, signature="ecdsa-with-SHA256"),
            "healthy",
            None,
            None,
            ("certificate.weak",),
        ),
        "two issuers by turns": degraded(
            "tls.inspected",
            lambda: (
                Story()
                .walk(8, "TLS 1.3", {}, certificate={"names": ["srv01.corp.example"], **authority})
                .attempt(
                    8,
                    "TLS 1.2",
                    role="versions",
                    hello="TLS 1.2",
                    certificate={"issuer": "CN=Gateway CA", "self_signed": False, "sha256": "ccdd"},
                )
            ),
            "certificate.name-mismatch",
            confidence="likely",
        ),
        "farm members with certificates of their own": Case(
            lambda: (
                Story("rds.corp.example")
                .walk(8, "TLS 1.3", {}, certificate={"names": ["rds.corp.example"], **authority})
                .attempt(
                    8,
                    "TLS 1.3",
                    {},
                    certificate={"names": ["rds.corp.example"], "sha256": "ccdd", **authority},
                )
            ),
            "healthy",
            None,
            None,
            ("tls.inspected", "name.wrong-host"),
        ),
        "asked by its short name": Case(
            lambda: Story("SRV01").healthy(), "healthy", None, None, ("certificate.name-mismatch",)
        ),
        "asked by its address": Case(
            lambda: Story("10.0.4.21").healthy(), "healthy", None, None, ("certificate.name-mismatch",)
        ),
        "asked by an address that an authority did not certify": degraded(
            "certificate.name-mismatch",
            with_certificate("10.0.4.21", names=["srv01.corp.example"], **authority),
            "name.wrong-host",
        ),
        "asked as localhost": Case(
            with_certificate("localhost", common_name="x", names=["y"]), "healthy", None, None
        ),
    }
