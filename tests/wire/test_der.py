from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import der
from rdpdoctor.wire.errors import Malformed
from tests.wire.support import damaged, fuzz, malformed_at_every_cut, only_malformed


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (0, "020100"),
        (6, "020106"),
        (127, "02017f"),
        (128, "02020080"),
        (256, "02020100"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (0xC000006D, "020500c000006d"),
        (0xC000006D - (1 << 32), "0204c000006d"),
    ],
)
def test_integers(value: int, wire: str) -> None:
    assert der.integer(value) == bytes.fromhex(wire)
    assert der.parse(bytes.fromhex(wire), "t").expect(der.INTEGER).integer() == value


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths(length: int) -> None:
    wire = der.tlv(der.OCTET_STRING, bytes(length))
    element = der.parse(wire, "t")
    assert (element.tag, len(element.content)) == (der.OCTET_STRING, length)
    assert der.header(wire, "t") == (der.OCTET_STRING, length, len(wire) - length)


def test_a_length_longer_than_it_need_be_is_read() -> None:
    assert der.parse(b"\x04\x84\x00\x00\x00\x01a", "t").content == b"a"


def test_a_header_is_read_in_any_split() -> None:
    wire = b"\x30\x82\x01\x00"
    assert [der.header(wire[:cut], "t") for cut in range(4)] == [None] * 4
    assert der.header(wire, "t") == (0x30, 256, 4)


@pytest.mark.parametrize(
    ("wire", "offset"), [("3080", 1), ("30ff", 1), ("3085", 1), ("1f", 0), ("bf1f00", 0)]
)
def test_malformed_as_early_as_it_can_be_known(wire: str, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        der.header(bytes.fromhex(wire), "t")
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("dotted", "wire"),
    [
        ("1.3.6.1.5.5.2", "06062b0601050502"),
        ("1.3.6.1.4.1.311.2.2.10", "060a2b06010401823702020a"),
        ("1.2.840.113554.1.2.2", "06092a864886f712010202"),
        ("2.999.3", "0603883703"),
        ("0.0", "060100"),
    ],
)
def test_object_identifiers(dotted: str, wire: str) -> None:
    assert der.oid(dotted) == bytes.fromhex(wire)
    assert der.parse(bytes.fromhex(wire), "t").oid() == dotted


@pytest.mark.parametrize("content", [b"", b"\x2b\x86", b"\x2b" + b"\xff" * 20 + b"\x01"])
def test_object_identifiers_that_end_nowhere(content: bytes) -> None:
    with pytest.raises(Malformed):
        der.parse(der.tlv(der.OID, content), "t").oid()


NESTED = der.tlv(
    der.SEQUENCE, der.context(0, der.integer(6)), der.context(1, der.tlv(der.OCTET_STRING, b"ab"))
)


def test_children_fields_and_offsets() -> None:
    outer = der.parse(NESTED, "t").expect(der.SEQUENCE)
    fields = outer.fields()
    assert list(fields) == [0xA0, 0xA1]
    inner = fields[0xA1].only(der.OCTET_STRING)
    assert inner.content == b"ab"
    assert NESTED[inner.offset : inner.offset + 2] == b"ab"
    with pytest.raises(Malformed) as caught:
        fields[0xA1].only(der.INTEGER)
    assert caught.value.offset == inner.offset


def test_cut_at_every_index() -> None:
    malformed_at_every_cut(lambda data: der.parse(data, "t"), NESTED)


@pytest.mark.parametrize(
    "wire",
    [
        der.tlv(der.SEQUENCE, b"\x04\x05a"),
        der.tlv(der.SEQUENCE, b"\x04"),
        der.tlv(der.SEQUENCE, der.context(0), der.context(0)),
    ],
)
def test_contents_that_do_not_fit(wire: bytes) -> None:
    with pytest.raises(Malformed):
        der.parse(wire, "t").fields()


def test_exactly_one_value_where_one_is_wanted() -> None:
    for inside in (b"", der.integer(1) * 2):
        with pytest.raises(Malformed, match="there is to be one"):
            der.parse(der.context(0, inside), "t").only(der.INTEGER)


def test_an_integer_has_1_to_8_bytes() -> None:
    for size in (0, 9):
        with pytest.raises(Malformed):
            der.parse(der.tlv(der.INTEGER, bytes(size)), "t").integer()


def test_depth_is_bounded() -> None:
    wire = b""
    for _ in range(der.MAX_DEPTH + 2):
        wire = der.tlv(der.SEQUENCE, wire)
    element = der.parse(wire, "t")
    for _ in range(der.MAX_DEPTH):
        element = next(element.children())
    with pytest.raises(Malformed, match="nested deeper"):
        next(element.children())


def _read_all(data: bytes) -> None:
    stack = [der.parse(data, "t")]
    while stack:
        element = stack.pop()
        if element.tag & 0x20:
            stack += element.children()
        elif element.tag == der.OID:
            element.oid()
        elif element.tag == der.INTEGER:
            element.integer()


@fuzz
@given(damaged(NESTED, der.tlv(der.SEQUENCE, der.oid("1.3.6.1.5.5.2"), NESTED)))
def test_nothing_but_malformed_escapes(data: bytes) -> None:
    only_malformed(_read_all, data)


@fuzz
@given(st.integers(-(1 << 63), (1 << 63) - 1), st.lists(st.integers(0, 1 << 60), max_size=6))
def test_round_trip(number: int, arcs: list[int]) -> None:
    assert der.parse(der.integer(number), "t").integer() == number
    dotted = ".".join(str(arc) for arc in (1, 3, *arcs))
    assert der.parse(der.oid(dotted), "t").oid() == dotted
