from __future__ import annotations

import copy
import pickle

from rdpdoctor.wire.cursor import Cursor
from rdpdoctor.wire.errors import Malformed


def test_the_sample_is_at_most_32_bytes_around_the_offence() -> None:
    data = bytes(range(100))
    error = Malformed.at("layer", data, 50, "wrong")
    assert len(error.sample) == 32
    assert 50 in error.sample
    assert error.sample[0] < 50
    assert len(Malformed("layer", 0, "wrong", data).sample) == 32


def test_an_offence_at_or_past_the_end_still_shows_the_end() -> None:
    assert Malformed.at("layer", b"abc", 3, "cut").sample == b"abc"
    assert Malformed.at("layer", b"", 0, "empty").sample == b""


def test_it_says_where_and_what() -> None:
    assert str(Malformed("tpkt", 2, "length 3", b"\x03\x00")) == "tpkt: length 3 at byte 2 (03 00)"


def test_it_survives_pickle_and_copy() -> None:
    error = Malformed("tpkt", 2, "length 3", b"\x03\x00")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (twin.layer, twin.offset, twin.detail, twin.sample) == ("tpkt", 2, "length 3", b"\x03\x00")


def test_offsets_of_a_nested_part_count_from_the_whole() -> None:
    whole = Cursor("layer", b"\xaa\x03\x01\x02\x03\xbb", base=10)
    whole.take(1, "head")
    part = whole.part(1, "part")
    part.take(2, "two")
    error = part.error("here")
    assert error.offset == 14
    assert whole.peek() == 0xBB
