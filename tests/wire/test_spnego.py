from __future__ import annotations

import pytest
from hypothesis import given

from rdpdoctor.wire import der, ntlm, spnego
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.spnego import OID_KERBEROS, OID_KERBEROS_MS, OID_NTLM, Token
from tests.wire.recorded import SHADOW_CHALLENGE
from tests.wire.support import damaged, fuzz, malformed_at_every_cut, only_malformed

NEGOTIATE = ntlm.Negotiate().encode()


def initial(*mechanisms: str, token: bytes | None = None) -> bytes:
    parts = [der.context(0, der.tlv(der.SEQUENCE, *(der.oid(each) for each in mechanisms)))]
    if token is not None:
        parts.append(der.context(2, der.tlv(der.OCTET_STRING, token)))
    return der.tlv(0x60, der.oid(spnego.OID_SPNEGO), der.context(0, der.tlv(der.SEQUENCE, *parts)))


def test_known_bytes() -> None:
    assert spnego.wrap(b"NTLMSSP\x00").hex() == (
        "602806062b0601050502a01e301ca00e300c060a2b06010401823702020aa20a04084e544c4d53535000"
    )


def test_wrapped_and_raw() -> None:
    for token in (NEGOTIATE, spnego.wrap(NEGOTIATE), bytearray(spnego.wrap(NEGOTIATE))):
        assert spnego.unwrap(token) == NEGOTIATE
        assert spnego.mechanisms(token) == (OID_NTLM,)


def test_an_answer() -> None:
    token = spnego.wrap_response(SHADOW_CHALLENGE)
    assert spnego.parse(token) == Token((OID_NTLM,), spnego.ACCEPT_INCOMPLETE, SHADOW_CHALLENGE)
    assert spnego.unwrap(token) == SHADOW_CHALLENGE


def test_the_known_bytes_of_an_answer() -> None:
    assert spnego.wrap_response(b"NTLMSSP\x00").hex() == (
        "a121301fa0030a0101a10c060a2b06010401823702020aa20a04084e544c4d53535000"
    )


def test_a_refusal_without_a_message() -> None:
    token = spnego.wrap_response(None, spnego.REJECT)
    assert spnego.parse(token) == Token((OID_NTLM,), spnego.REJECT, None)
    with pytest.raises(Malformed, match="no NTLM message"):
        spnego.unwrap(token)


def test_the_offer_of_windows() -> None:
    offer = initial(OID_KERBEROS_MS, OID_KERBEROS, OID_NTLM, token=b"\x60\x03kerberos")
    assert spnego.mechanisms(offer) == (OID_KERBEROS_MS, OID_KERBEROS, OID_NTLM)
    assert [spnego.mechanism_name(each) for each in spnego.mechanisms(offer)] == [
        "Kerberos",
        "Kerberos",
        "NTLM",
    ]
    with pytest.raises(Malformed, match="no NTLM message"):
        spnego.unwrap(offer)


def test_an_initial_token_without_its_frame() -> None:
    framed = spnego.wrap(NEGOTIATE)
    assert spnego.unwrap(framed[framed.index(b"\xa0", 8) :]) == NEGOTIATE


def test_a_mechanism_without_a_name_is_its_number() -> None:
    assert spnego.mechanism_name("1.2.3") == "1.2.3"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"HTTP/1.1",
        der.tlv(0x60, der.oid(OID_KERBEROS), der.context(0, der.tlv(der.SEQUENCE))),
        der.tlv(0x60, der.oid(spnego.OID_SPNEGO)),
        der.tlv(der.SEQUENCE, b""),
        der.context(1),
        spnego.wrap(NEGOTIATE) + b"\x00",
    ],
)
def test_what_is_no_token(token: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        spnego.parse(token)
    assert caught.value.layer == "spnego"


def test_cut_at_every_index() -> None:
    malformed_at_every_cut(spnego.unwrap, spnego.wrap(NEGOTIATE))
    malformed_at_every_cut(spnego.unwrap, spnego.wrap_response(SHADOW_CHALLENGE))


@fuzz
@given(
    damaged(spnego.wrap(NEGOTIATE), spnego.wrap_response(SHADOW_CHALLENGE), initial(OID_KERBEROS, OID_NTLM))
)
def test_nothing_but_malformed_escapes(data: bytes) -> None:
    only_malformed(spnego.parse, data)
    only_malformed(spnego.unwrap, data)
