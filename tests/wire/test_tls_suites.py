from __future__ import annotations

import ssl

import pytest

from rdpdoctor.wire import tls_suites
from rdpdoctor.wire.tls_suites import ALL, LEGACY, MODERN, SUITES, SuiteClass, suite_class, suite_name


@pytest.mark.parametrize(
    ("number", "name", "kind"),
    [
        (0x1301, "TLS_AES_128_GCM_SHA256", SuiteClass.TLS13),
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", SuiteClass.AEAD_ECDHE),
        (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", SuiteClass.AEAD_ECDHE),
        (0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", SuiteClass.AEAD_DHE),
        (0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", SuiteClass.CBC_ECDHE),
        (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", SuiteClass.CBC_DHE),
        (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", SuiteClass.RSA_KEX),
        (0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384", SuiteClass.RSA_KEX),
        (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", SuiteClass.TRIPLE_DES),
        (0xC012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", SuiteClass.TRIPLE_DES),
        (0x0005, "TLS_RSA_WITH_RC4_128_SHA", SuiteClass.RC4),
        (0x0009, "TLS_RSA_WITH_DES_CBC_SHA", SuiteClass.DES),
        (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", SuiteClass.NULL_OR_EXPORT),
        (0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", SuiteClass.NULL_OR_EXPORT),
        (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5", SuiteClass.NULL_OR_EXPORT),
        (0x003B, "TLS_RSA_WITH_NULL_SHA256", SuiteClass.NULL_OR_EXPORT),
        (0xC0B4, "TLS_SHA256_SHA256", SuiteClass.NULL_OR_EXPORT),
        (0x008C, "TLS_PSK_WITH_AES_128_CBC_SHA", SuiteClass.OTHER),
        (0xC004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", SuiteClass.OTHER),
    ],
)
def test_names_and_classes(number: int, name: str, kind: SuiteClass) -> None:
    assert (suite_name(number), suite_class(number)) == (name, kind)


def test_a_number_that_is_not_registered() -> None:
    assert (suite_name(0x0A0A), suite_class(0x0A0A)) == ("0x0a0a", SuiteClass.OTHER)


def test_openssl_agrees_on_every_number_it_knows() -> None:
    """OpenSSL writes names its own way, but what a number stands for must be the same."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    compared = 0
    for row in context.get_ciphers():
        number = row["id"] & 0xFFFF
        assert number in SUITES, row["name"]
        suite, theirs = SUITES[number], str(row["name"])
        if theirs.startswith("TLS_"):
            assert suite.name == theirs
        for mark in ("GCM", "CCM", "CHACHA20", "CAMELLIA", "ARIA", "SEED", "PSK", "NULL", "ECDHE", "SHA384"):
            assert (mark in suite.name) == (mark in theirs), (suite.name, theirs)
        compared += 1
    assert compared > 50


def test_the_lists() -> None:
    assert len(ALL) == len(set(ALL)) == len(SUITES) - 1
    assert set(MODERN).isdisjoint(LEGACY)
    assert ALL[: len(MODERN) + len(LEGACY)] == MODERN + LEGACY
    assert set(MODERN) <= set(SUITES)
    assert 0x0000 not in ALL
    worst = [suite_class(number) for number in LEGACY]
    assert worst == sorted(worst, key=list(SuiteClass).index)
    assert {SuiteClass.TRIPLE_DES, SuiteClass.RC4, SuiteClass.CBC_DHE} <= set(worst)
    assert {SuiteClass.NULL_OR_EXPORT, SuiteClass.OTHER, SuiteClass.TLS13}.isdisjoint(worst)


def test_tls13_has_its_own_suites() -> None:
    assert tls_suites.for_version(MODERN, 0x0304) == (0x1302, 0x1301)
    assert tls_suites.for_version(MODERN, 0x0303) == MODERN[2:]
    assert set(tls_suites.for_version(ALL, 0x0304)) >= {0x1301, 0x1302, 0x1303, 0x1304, 0x1305}
    assert tls_suites.for_version((0x0A0A,), 0x0303) == (0x0A0A,)
