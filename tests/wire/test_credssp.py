from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import credssp, der
from rdpdoctor.wire.credssp import EarlyUserAuthorizationResult, TSRequest
from rdpdoctor.wire.errors import Malformed
from tests.wire.recorded import SHADOW_ANSWER, SHADOW_CHALLENGE
from tests.wire.support import arrives_in_any_split, damaged, fuzz, looks_at_little, only_malformed

NONCE = bytes(range(32))
REQUESTS = [
    TSRequest(2),
    TSRequest(6, (b"token",)),
    TSRequest(3, (b"one", b"", bytes(300))),
    TSRequest(6, error_code=0xC000006D),
    TSRequest(4, error_code=0),
    TSRequest(6, error_code=0x7FFFFFFF),
    TSRequest(6, (b"t",), b"auth", b"key", 5, NONCE),
    TSRequest(6, (), b"", b"", unknown=((0xA6, b"\x02\x01\x07"), (0x04, b"raw"))),
    TSRequest(300),
]


@pytest.mark.parametrize(
    ("request_", "wire"),
    [
        (TSRequest(6, error_code=0x80090302), "300da003020106a406020480090302"),
        (TSRequest(6, error_code=0xC000006D), "300da003020106a4060204c000006d"),
        (TSRequest(2), "3005a003020102"),
        (TSRequest(6, (b"ab",)), "3011a003020106a10a30083006a00404026162"),
    ],
)
def test_known_bytes(request_: TSRequest, wire: str) -> None:
    assert credssp.take(bytes.fromhex(wire)) == (request_, len(wire) // 2)
    assert request_.encode() == bytes.fromhex(wire)


def test_a_real_answer() -> None:
    taken = credssp.take(SHADOW_ANSWER)
    assert taken is not None
    request, used = taken
    assert used == len(SHADOW_ANSWER)
    assert (request.version, request.nego_tokens, request.error_code) == (6, (SHADOW_CHALLENGE,), None)
    assert request.client_nonce is not None
    assert len(request.client_nonce) == 32
    assert request.encode() == SHADOW_ANSWER
    arrives_in_any_split(credssp.take, SHADOW_ANSWER, request)


@pytest.mark.parametrize("request_", REQUESTS)
def test_any_split(request_: TSRequest) -> None:
    arrives_in_any_split(credssp.take, request_.encode(), request_)


@pytest.mark.parametrize("form", ["020500c000006d", "0204c000006d", "0208ffffffffc000006d"])
def test_an_error_code_is_unsigned_in_every_form(form: str) -> None:
    wire = der.tlv(der.SEQUENCE, der.context(0, der.integer(6)), der.context(4, bytes.fromhex(form)))
    taken = credssp.take(wire)
    assert taken is not None
    assert taken[0].error_code == 0xC000006D


@pytest.mark.parametrize("form", ["0205 01 c000006d", "0205 fe c000006d", "0200", "040400000005"])
def test_an_error_code_that_is_none(form: str) -> None:
    wire = der.tlv(der.SEQUENCE, der.context(0, der.integer(6)), der.context(4, bytes.fromhex(form)))
    with pytest.raises(Malformed):
        credssp.take(wire)


def test_the_largest_request() -> None:
    request = TSRequest(6, (bytes(credssp.MAX_LENGTH - 40),))
    wire = request.encode()
    assert len(wire) <= credssp.MAX_LENGTH
    assert credssp.take(wire) == (request, len(wire))
    looks_at_little(credssp.take, wire[:-1])


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"H", 0),
        (b"\x03\x00\x00", 0),
        (b"\x16\x03", 0),
        (b"\x31", 0),
        (b"\x30\x80", 1),
        (b"\x30\x85", 1),
        (b"\x30\x00", 2),
        (b"\x30\x83\x01\x00\x00", 1),
        (b"\x30\x84\xff\xff\xff\xff", 1),
        (b"\x30\x10\xa1", 2),
    ],
)
def test_malformed_as_early_as_it_can_be_known(data: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        credssp.take(data)
    assert (caught.value.layer, caught.value.offset) == ("credssp", offset)


@pytest.mark.parametrize(
    "fields",
    [
        der.context(0),
        der.context(0, der.tlv(der.OCTET_STRING, b"\x06")),
        der.context(0, der.integer(6)) * 2,
        der.context(0, der.integer(6)) + der.context(1, der.tlv(der.OCTET_STRING, b"")),
        der.context(0, der.integer(6))
        + der.context(1, der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, b""))),
        der.context(0, der.integer(6)) + der.context(2, der.integer(1)),
        der.context(0, der.integer(6)) + b"\xa5\x05",
    ],
)
def test_fields_that_are_wrong_inside(fields: bytes) -> None:
    with pytest.raises(Malformed):
        credssp.take(der.tlv(der.SEQUENCE, fields))


@fuzz
@given(damaged(SHADOW_ANSWER, *(request.encode() for request in REQUESTS)))
def test_nothing_but_malformed_escapes_and_what_is_read_comes_back(data: bytes) -> None:
    def read(raw: bytes) -> None:
        if (taken := credssp.take(raw)) is not None:
            wire = taken[0].encode()
            assert credssp.take(wire) == (taken[0], len(wire))

    only_malformed(read, data)


octets = st.none() | st.binary(max_size=40)


@fuzz
@given(
    st.integers(0, 1 << 31),
    st.lists(st.binary(max_size=200), max_size=3).map(tuple),
    octets,
    octets,
    st.none() | st.integers(0, 0xFFFFFFFF),
    octets,
)
def test_round_trip(
    version: int,
    tokens: tuple[bytes, ...],
    auth: bytes | None,
    key: bytes | None,
    code: int | None,
    nonce: bytes | None,
) -> None:
    request = TSRequest(version, tokens, auth, key, code, nonce)
    wire = request.encode()
    assert credssp.take(wire) == (request, len(wire))


@pytest.mark.parametrize("code", [credssp.AUTHZ_SUCCESS, credssp.AUTHZ_ACCESS_DENIED, 0xDEADBEEF])
def test_early_user_authorization_result(code: int) -> None:
    result = EarlyUserAuthorizationResult(code)
    assert result.encode() == code.to_bytes(4, "little")
    arrives_in_any_split(EarlyUserAuthorizationResult.take, result.encode(), result)
