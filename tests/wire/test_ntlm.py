from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.wire import ntlm
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.ntlm import AvId, AvPair, Challenge, Negotiate, NtlmFlags
from tests.wire.recorded import SHADOW_CHALLENGE
from tests.wire.support import damaged, fuzz, only_malformed

FLAGS = NtlmFlags.UNICODE | NtlmFlags.TARGET_INFO | NtlmFlags.VERSION | NtlmFlags.NTLM
MOMENT = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def name(av_id: int, text: str) -> AvPair:
    return AvPair(av_id, text.encode("utf-16-le"))


PAIRS = (
    name(AvId.NB_DOMAIN_NAME, "CORP"),
    name(AvId.NB_COMPUTER_NAME, "SRV01"),
    name(AvId.DNS_DOMAIN_NAME, "corp.example"),
    name(AvId.DNS_COMPUTER_NAME, "srv01.corp.example"),
    name(AvId.DNS_TREE_NAME, "example"),
    AvPair(AvId.FLAGS, (2).to_bytes(4, "little")),
    AvPair(AvId.TIMESTAMP, ntlm.to_filetime(MOMENT).to_bytes(8, "little")),
    AvPair(AvId.SINGLE_HOST, bytes(48)),
    name(AvId.TARGET_NAME, "TERMSRV/srv01"),
    AvPair(AvId.CHANNEL_BINDINGS, bytes(range(16))),
    AvPair(0x1234, b"unknown"),
)
FULL = Challenge("CORP", int(FLAGS), b"\x01\x02\x03\x04\x05\x06\x07\x08", PAIRS, (10, 0, 20348, 15))


def test_a_real_challenge() -> None:
    challenge = Challenge.parse(SHADOW_CHALLENGE)
    assert challenge.target_name == "VM"
    assert challenge.version == (6, 1, 7601, 15)
    assert (challenge.computer_name, challenge.domain_name) == ("VM", "VM")
    assert (challenge.dns_computer, challenge.dns_domain, challenge.dns_tree) == ("vm", "vm", None)
    assert challenge.timestamp == datetime(2026, 11, 22, 16, 6, 17, tzinfo=UTC)
    assert [pair.name for pair in challenge.av_pairs] == [
        *("NB_DOMAIN_NAME", "NB_COMPUTER_NAME", "DNS_DOMAIN_NAME", "DNS_COMPUTER_NAME", "TIMESTAMP")
    ]
    assert challenge.encode() == SHADOW_CHALLENGE


def test_every_av_pair() -> None:
    challenge = Challenge.parse(FULL.encode())
    assert challenge == FULL
    assert challenge.computer_name == "SRV01"
    assert challenge.domain_name == "CORP"
    assert challenge.dns_computer == "srv01.corp.example"
    assert challenge.dns_domain == "corp.example"
    assert challenge.dns_tree == "example"
    assert challenge.av_flags == 2
    assert challenge.timestamp == MOMENT
    assert challenge.single_host == bytes(48)
    assert challenge.spn == "TERMSRV/srv01"
    assert challenge.channel_bindings == bytes(range(16))
    assert challenge.av_pairs[-1].name == "AV_4660"
    assert challenge.version == (10, 0, 20348, 15)


def test_absent_pairs_are_none() -> None:
    bare = Challenge.parse(Challenge("", int(NtlmFlags.UNICODE), bytes(8)).encode())
    found = (bare.computer_name, bare.domain_name, bare.dns_computer, bare.dns_domain, bare.dns_tree)
    assert found == (None,) * 5
    assert (bare.av_flags, bare.timestamp, bare.single_host, bare.spn) == (None,) * 4
    assert (bare.channel_bindings, bare.version, bare.av_pairs) == (None, None, ())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(kind: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    assert Challenge.parse(kind(FULL.encode())) == FULL
    assert Negotiate.parse(kind(Negotiate().encode())) == Negotiate()


def test_pairs_are_written_even_where_the_flag_is_forgotten() -> None:
    challenge = Challenge("", int(NtlmFlags.UNICODE), bytes(8), PAIRS)
    assert Challenge.parse(challenge.encode()) == challenge


def test_oem_target_name() -> None:
    challenge = Challenge("SRV", int(NtlmFlags.OEM), bytes(8))
    assert b"SRV" in challenge.encode()
    assert Challenge.parse(challenge.encode()) == challenge


def test_the_short_challenge_of_old_servers() -> None:
    """No reserved, target info or version: the payload begins where they would be (MS-NLMP before NTLMv2)."""
    head = b"NTLMSSP\x00\x02\x00\x00\x00\x03\x00\x03\x00\x20\x00\x00\x00\x02\x02\x00\x02"
    old = Challenge.parse(head + b"12345678" + b"SRV")
    assert (old.target_name, old.server_challenge, old.av_pairs, old.version) == (
        "SRV",
        b"12345678",
        (),
        None,
    )


def test_a_challenge_without_room_for_a_version_has_none() -> None:
    head = b"NTLMSSP\x00\x02\x00\x00\x00\x03\x00\x03\x00\x30\x00\x00\x00\x02\x02\x00\x02"
    challenge = Challenge.parse(head + b"12345678" + bytes(16) + b"SRV-and-more")
    assert (challenge.target_name, challenge.version) == ("SRV", None)


def test_a_list_without_its_end_is_read() -> None:
    pair = name(AvId.NB_COMPUTER_NAME, "S").encode()
    wire = bytearray(Challenge("", int(FLAGS), bytes(8)).encode())
    wire[40:44] = len(pair).to_bytes(2, "little") * 2
    assert Challenge.parse(bytes(wire[:56]) + pair).computer_name == "S"


def test_nothing_after_the_end_of_the_list_is_a_pair() -> None:
    challenge = Challenge("", int(FLAGS), bytes(8), (AvPair(0, b""), name(1, "HIDDEN")))
    assert Challenge.parse(challenge.encode()).av_pairs == ()


def test_ill_formed_text_is_replaced() -> None:
    pair = AvPair(AvId.NB_COMPUTER_NAME, b"A\x00\x00\xd8B")
    assert Challenge("", int(FLAGS), bytes(8), (pair,)).computer_name == pair.text
    assert pair.text.startswith("A\ufffd")


@pytest.mark.parametrize("ticks", [0, (1 << 64) - 1, 1 << 63])
def test_times_that_are_none(ticks: int) -> None:
    assert ntlm.filetime(ticks) is None
    pair = AvPair(AvId.TIMESTAMP, ticks.to_bytes(8, "little"))
    assert Challenge("", int(FLAGS), bytes(8), (pair,)).timestamp is None


def test_values_of_a_wrong_length_are_none() -> None:
    pairs = (AvPair(AvId.TIMESTAMP, bytes(7)), AvPair(AvId.FLAGS, bytes(3)))
    challenge = Challenge("", int(FLAGS), bytes(8), pairs)
    assert (challenge.timestamp, challenge.av_flags) == (None, None)


def test_filetime() -> None:
    assert ntlm.filetime(116444736000000000) == datetime(1970, 1, 1, tzinfo=UTC)
    assert ntlm.filetime(10) == datetime(1601, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    east = timezone(timedelta(hours=5, minutes=30))
    assert ntlm.filetime(ntlm.to_filetime(MOMENT.astimezone(east))) == MOMENT


@pytest.mark.parametrize(
    "negotiate",
    [
        Negotiate(),
        Negotiate(version=(10, 0, 22621, 15)),
        Negotiate(int(ntlm.CLIENT_FLAGS | 0x3000), "CORP", "CLIENT", (6, 1, 7601, 15)),
    ],
)
def test_negotiate_round_trips(negotiate: Negotiate) -> None:
    assert Negotiate.parse(negotiate.encode()) == negotiate


def test_what_the_client_of_windows_11_sends() -> None:
    wire = Negotiate(version=(10, 0, 22621, 15)).encode()
    assert wire.hex() == "4e544c4d5353500001000000b78208e2" + "00" * 16 + "0a005d580000000f"


def test_flags_by_name() -> None:
    """As another decoder names the bits that Windows set; the bits it did not set, by number."""
    assert set(ntlm.CLIENT_FLAGS) == {
        *(NtlmFlags.UNICODE, NtlmFlags.OEM, NtlmFlags.REQUEST_TARGET, NtlmFlags.SIGN, NtlmFlags.SEAL),
        *(NtlmFlags.LM_KEY, NtlmFlags.NTLM, NtlmFlags.ALWAYS_SIGN, NtlmFlags.EXTENDED_SESSION_SECURITY),
        *(NtlmFlags.VERSION, NtlmFlags.KEY_128, NtlmFlags.KEY_EXCHANGE, NtlmFlags.KEY_56),
    }
    others = {flag.name: flag.bit_length() - 1 for flag in NtlmFlags if flag not in ntlm.CLIENT_FLAGS}
    assert others == {
        "DATAGRAM": 6,
        "ANONYMOUS": 11,
        "OEM_DOMAIN_SUPPLIED": 12,
        "OEM_WORKSTATION_SUPPLIED": 13,
        "TARGET_TYPE_DOMAIN": 16,
        "TARGET_TYPE_SERVER": 17,
        "IDENTIFY": 20,
        "NON_NT_SESSION_KEY": 22,
        "TARGET_INFO": 23,
    }


@pytest.mark.parametrize("size", [16, 24, 32, 39])
def test_the_short_negotiate_of_old_clients(size: int) -> None:
    assert Negotiate.parse(Negotiate().encode()[:size]) == Negotiate()


def test_the_header_cut_at_every_index() -> None:
    for parse, wire, least in (
        (Challenge.parse, FULL.encode(), 0),
        (Negotiate.parse, Negotiate().encode(), 16),
    ):
        for cut in range(least or len(wire)):
            with pytest.raises(Malformed):
                parse(wire[:cut])


@pytest.mark.parametrize(
    ("at", "value", "offset"),
    [
        (0, b"X", 0),
        (8, b"\x03", 8),
        (12, b"\xff\xff", 12),
        (16, b"\xff\xff\xff\xff", 12),
        (40, b"\xff\xff", 40),
        (44, b"\xff\xff\xff\x7f", 40),
    ],
)
def test_fields_that_reach_outside(at: int, value: bytes, offset: int) -> None:
    wire = bytearray(FULL.encode())
    wire[at : at + len(value)] = value
    with pytest.raises(Malformed) as caught:
        Challenge.parse(wire)
    assert (caught.value.layer, caught.value.offset) == ("ntlm", offset)


def test_an_av_pair_that_is_cut_off() -> None:
    wire = bytearray(FULL.encode())
    start = int.from_bytes(wire[44:48], "little")
    wire[start + 2 : start + 4] = b"\xff\xff"
    with pytest.raises(Malformed) as caught:
        Challenge.parse(wire)
    assert caught.value.offset == start + 4


def test_our_own_mistakes_are_value_errors() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        Challenge("", 0, b"short").encode()


def test_message_type() -> None:
    assert ntlm.message_type(Negotiate().encode()) == 1
    assert ntlm.message_type(FULL.encode()) == 2
    assert ntlm.message_type(b"NTLMSSP\x00\x01") is None
    assert ntlm.message_type(b"HTTP/1.1 200 OK") is None


@fuzz
@given(damaged(FULL.encode(), SHADOW_CHALLENGE))
def test_nothing_but_malformed_escapes_a_challenge(data: bytes) -> None:
    def read(raw: bytes) -> None:
        challenge = Challenge.parse(raw)
        assert challenge.timestamp is None or challenge.timestamp.tzinfo is UTC
        for text in (challenge.computer_name, challenge.dns_computer, challenge.spn):
            assert text is None or text.encode("utf-8", "strict") is not None
        assert Challenge.parse(challenge.encode()).av_pairs == challenge.av_pairs

    only_malformed(read, data)


@fuzz
@given(damaged(Negotiate(int(ntlm.CLIENT_FLAGS | 0x3000), "D", "W", (10, 0, 1, 15)).encode()))
def test_nothing_but_malformed_escapes_a_negotiate(data: bytes) -> None:
    only_malformed(Negotiate.parse, data)


pairs = st.lists(
    st.tuples(st.integers(1, 65535), st.binary(max_size=20)).map(lambda row: AvPair(*row)), max_size=8
)


@fuzz
@given(st.text(st.characters(codec="utf-16-le"), max_size=20), st.binary(min_size=8, max_size=8), pairs)
def test_round_trip(target: str, nonce: bytes, av_pairs: list[AvPair]) -> None:
    challenge = Challenge(target, int(FLAGS), nonce, tuple(av_pairs), (10, 0, 65535, 15), nonce)
    assert Challenge.parse(challenge.encode()) == challenge
