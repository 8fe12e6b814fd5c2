from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import tls_record
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_record import (
    Alert,
    ContentType,
    HandshakeReader,
    HandshakeType,
    Record,
    Version,
    handshake_message,
)
from tests.wire.support import arrives_in_any_split, damaged, fuzz, looks_at_little, offence, only_malformed

ALERT = Record(ContentType.ALERT, Version.TLS12, b"\x02\x28")


def test_known_bytes() -> None:
    assert ALERT.encode() == bytes.fromhex("15 0303 0002 02 28")
    assert tls_record.take(ALERT.encode()) == (ALERT, 7)


@pytest.mark.parametrize(
    "record",
    [
        ALERT,
        Record(ContentType.HANDSHAKE, Version.SSL30, bytes(70)),
        Record(ContentType.APPLICATION_DATA, 0x03FF, b""),
        Record(ContentType.CHANGE_CIPHER_SPEC, Version.TLS10, b"\x01"),
    ],
)
def test_any_split(record: Record) -> None:
    arrives_in_any_split(tls_record.take, record.encode(), record)


def test_the_largest_record() -> None:
    record = Record(ContentType.APPLICATION_DATA, Version.TLS12, bytes(tls_record.MAX_FRAGMENT))
    assert tls_record.take(record.encode()) == (record, 5 + tls_record.MAX_FRAGMENT)
    looks_at_little(tls_record.take, record.encode()[:-1])
    with pytest.raises(ValueError, match="at most"):
        Record(23, Version.TLS12, bytes(tls_record.MAX_FRAGMENT + 1)).encode()


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"H", 0),
        (b"SSH", 0),
        (b"\x03\x00\x00\x13", 0),
        (b"\x13", 0),
        (b"\x19", 0),
        (b"\x16\x02", 1),
        (b"\x16\x03\x01\x48\x01", 3),
        (b"\x16\x03\x01\x00\x00", 3),
        (b"\x15\x03\x01\x00\x00", 3),
    ],
)
def test_malformed_as_early_as_it_can_be_known(data: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as caught:
        tls_record.take(data)
    assert caught.value.offset == offset


@fuzz
@given(damaged(ALERT.encode(), Record(22, 0x0301, bytes(30)).encode()))
def test_nothing_but_malformed_escapes(data: bytes) -> None:
    only_malformed(tls_record.take, data)


def test_alerts() -> None:
    assert Alert.parse(b"\x02\x46") == Alert(2, 70)
    assert (Alert(2, 70).fatal, Alert(2, 70).name) == (True, "protocol_version")
    assert (Alert(1, 0).fatal, Alert(1, 0).name) == (False, "close_notify")
    assert tls_record.alert_name(250) == "alert 250"
    assert Alert.parse(Alert(7, 250).encode()) == Alert(7, 250)


def test_the_standard_library_agrees_on_every_alert_it_knows() -> None:
    for known in ssl.AlertDescription:
        theirs = known.name.removeprefix("ALERT_DESCRIPTION_").lower().replace("cancelled", "canceled")
        assert tls_record.alert_name(known) == theirs


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (21, "decryption_failed"),
        (41, "no_certificate"),
        (60, "export_restriction"),
        (86, "inappropriate_fallback"),
        (109, "missing_extension"),
        (116, "certificate_required"),
        (120, "no_application_protocol"),
        (121, "ech_required"),
    ],
)
def test_alerts_that_the_standard_library_does_not_name(number: int, name: str) -> None:
    assert tls_record.alert_name(number) == name


@pytest.mark.parametrize("fragment", [b"", b"\x02", b"\x02\x28\x00", bytes(26)])
def test_an_alert_of_another_length_is_not_in_the_clear(fragment: bytes) -> None:
    with pytest.raises(Malformed):
        Alert.parse(fragment)


def test_version_names() -> None:
    names = [tls_record.version_name(version) for version in Version]
    assert names == ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    assert tls_record.version_name(0x7F1C) == "0x7f1c"


def test_handshake_types_by_value() -> None:
    """RFC 8446 B.3 and RFC 5246 7.4; two of the same value would be one member."""
    assert sorted(HandshakeType) == [0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 22]
    assert tls_record.MAX_HANDSHAKE == 262_144


MESSAGES = [(2, b"hello"), (0, b""), (11, bytes(300)), (14, b"")]
STREAM = b"".join(handshake_message(kind, body) for kind, body in MESSAGES)


def test_messages_in_one_fragment() -> None:
    reader = HandshakeReader()
    assert list(reader.feed(STREAM)) == MESSAGES
    assert (reader.pending, reader.total) == (0, len(STREAM))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_messages_in_pieces(size: int) -> None:
    reader = HandshakeReader()
    got = [m for at in range(0, len(STREAM), size) for m in reader.feed(STREAM[at : at + size])]
    assert got == MESSAGES


def test_messages_cut_at_every_index() -> None:
    for cut in range(len(STREAM)):
        reader = HandshakeReader()
        before = list(reader.feed(memoryview(STREAM)[:cut]))
        assert before == MESSAGES[: len(before)]
        assert reader.pending == cut - sum(4 + len(body) for _, body in before)
        assert before + list(reader.feed(STREAM[cut:])) == MESSAGES


def test_what_is_not_iterated_comes_later() -> None:
    reader = HandshakeReader()
    reader.feed(STREAM[:20])
    assert list(reader.feed(STREAM[20:])) == MESSAGES


def test_the_messages_before_an_offence_come_first() -> None:
    messages = HandshakeReader().feed(handshake_message(2, b"hello") + b"\x0b\xff\xff\xff")
    assert next(messages) == (2, b"hello")
    with pytest.raises(Malformed) as caught:
        next(messages)
    assert caught.value.offset == 9


def test_a_long_message_is_refused_by_its_header() -> None:
    limit = tls_record.MAX_HANDSHAKE
    fits = handshake_message(11, bytes(limit - 4))
    assert [len(body) for _, body in HandshakeReader().feed(fits)] == [limit - 4]
    with pytest.raises(Malformed):
        list(HandshakeReader().feed(b"\x0b" + (limit - 3).to_bytes(3, "big")))


def test_many_small_messages_are_bounded_in_total() -> None:
    reader = HandshakeReader()
    got: list[tuple[int, bytes]] = []
    chunk = handshake_message(0, bytes(12)) * 512
    while (error := offence(lambda data: got.extend(reader.feed(data)), chunk)) is None:
        assert reader.total < tls_record.MAX_HANDSHAKE + len(chunk)
    assert error.detail.startswith("more than")
    assert len(got) == tls_record.MAX_HANDSHAKE // 16
    assert reader.total == tls_record.MAX_HANDSHAKE
    with pytest.raises(Malformed):
        list(reader.feed(b"more"))


def test_a_message_larger_than_a_record_goes_into_several() -> None:
    wire = tls_record.handshake_records(11, bytes(40_000), Version.TLS10)
    reader = HandshakeReader()
    got: list[tuple[int, bytes]] = []
    while wire:
        result = tls_record.take(wire)
        assert result is not None
        assert len(result[0].fragment) <= tls_record.MAX_PLAINTEXT
        got += reader.feed(result[0].fragment)
        wire = wire[result[1] :]
    assert got == [(11, bytes(40_000))]


@fuzz
@given(st.lists(damaged(STREAM), max_size=4))
def test_nothing_but_malformed_escapes_the_reader(fragments: list[bytes]) -> None:
    reader = HandshakeReader()
    for fragment in fragments:
        error = offence(lambda data: list(reader.feed(data)), fragment)
        assert error is None or 0 <= error.offset <= reader.total
