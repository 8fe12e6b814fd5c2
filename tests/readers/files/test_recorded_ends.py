"""What the packets of a connection come to, where its end alone would mislead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.knowledge import load
from rdpdoctor.readers.capture import Limits
from rdpdoctor.readers.joined import Reading, join
from rdpdoctor.wire import nego
from rdpdoctor.wire.tls_record import Alert, ContentType, Version
from tests.readers.capture import craft

if TYPE_CHECKING:
    from collections.abc import Callable

WORKS = ("healthy", "degraded")
#: Bytes of records of TLS 1.2 with AES-GCM, as a Windows server sends them until the font map.
FIRST = (150, 35, 39, 39, 39, 58, 496)
FINAL = (60, 64, 64, 64)
SETTINGS = b"\x03\x00\x00\x08\x02\xf0\x80\x7f"  # how the client's first message in standard security begins


def talk(at: float = 0.0) -> craft.Conversation:
    made = craft.Conversation(ports=(40000 + int(at), 3389))
    made.now = craft.START + at
    return made.open()


def found(*talks: craft.Conversation) -> Diagnosis:
    packets = sorted((packet for each in talks for packet in each.packets), key=lambda packet: packet[0])
    capture = craft.read(craft.pcap(craft.framed(packets)))
    (one,) = join([Reading("a.pcap", "recording of packets", capture=capture)])
    return diagnose(one.journal, load())


def surely(diagnosis: Diagnosis) -> list[str]:
    return [cause.id for cause in diagnosis.causes if cause.confidence in ("confirmed", "likely")]


def places(diagnosis: Diagnosis) -> tuple[str, str | None]:
    return diagnosis.verdict.status, diagnosis.verdict.stage


def in_tls(at: float = 0.0, selected: int = 1) -> craft.Conversation:
    return talk(at).ask().confirm(selected).hello().handshake()


def settled(made: craft.Conversation) -> craft.Conversation:
    """Up to the end of the connection sequence, without a picture."""
    for size in FIRST:
        made.data(0, 36).data(1, size)
    for size in FINAL:
        made.data(0, size).data(1, size)
    return made


def test_a_quiet_desktop_is_a_session() -> None:
    """An empty desktop is one picture: few records, and few bytes."""
    made = settled(in_tls()).data(1, 3000)
    made.now += 60
    assert found(made.close(0)).verdict.status in WORKS


def test_what_ends_before_the_first_picture_is_no_session() -> None:
    assert found(settled(in_tls()).close(1)).verdict.status == "failing"


@pytest.mark.parametrize("sizes", [(35, 39, 39, 39), (48, 48, 48, 48)])
def test_joining_channels_looks_much_like_the_end_of_the_sequence(sizes: tuple[int, ...]) -> None:
    """Confirms of attaching (shorter by a block where padded) and of joining, then a lot, then the end."""
    made = in_tls().data(0, 486).data(1, 150).data(1, 32)
    for size in sizes:
        made.data(0, 36).data(1, size)
    assert found(made.data(1, 3000).close(1)).verdict.status == "failing"


def test_what_a_server_says_when_the_client_has_left_is_not_why() -> None:
    alert = craft.record(ContentType.ALERT, Alert(2, 50).encode())
    left = talk().ask().confirm(1).hello().say(1, craft.server_flight((b"0",)))
    left.close(0, after=0.1).say(1, alert)
    diagnosis = found(left)
    assert places(diagnosis) == ("failing", "tls")
    assert "the client ended" in diagnosis.verdict.summary
    assert "tls.broken" not in [cause.id for cause in diagnosis.causes]


def test_who_leaves_before_the_handshake_may_have_changed_their_mind() -> None:
    assert found(talk().ask().confirm(1).reset(0)).verdict.status == "unknown"


def test_a_client_that_refuses_an_old_version() -> None:
    old = talk().ask().confirm(1).hello().say(1, craft.server_flight((b"0",), Version.TLS10))
    old.say(0, craft.record(ContentType.ALERT, Alert(2, 80).encode())).close(0)
    diagnosis = found(old)
    assert (places(diagnosis), diagnosis.causes[0].id) == (("failing", "tls"), "tls.version-mismatch")


def test_a_client_that_refuses_the_certificate_says_so() -> None:
    refused = talk().ask().confirm(1).hello().say(1, craft.server_flight((b"0",)))
    refused.say(0, craft.record(ContentType.ALERT, Alert(2, 48).encode())).close(0)
    diagnosis = found(refused)
    assert places(diagnosis) == ("failing", "tls")
    assert "the client sent alert unknown_ca" in diagnosis.verdict.summary


@pytest.mark.parametrize(
    ("begin", "stage"),
    [
        (lambda: talk().ask().reset(1, 57), "x224"),
        (lambda: talk().ask().confirm().hello().reset(1, 57), "tls"),
        (lambda: talk().ask().confirm().reset(1, 57), "mcs"),
    ],
)
def test_a_reset_that_the_server_did_not_send(begin: Callable[[], craft.Conversation], stage: str) -> None:
    diagnosis = found(begin())
    assert (*places(diagnosis), surely(diagnosis)) == ("failing", stage, ["path.tls-cut"])


def test_a_reset_of_the_servers_own_is_its_own() -> None:
    assert "path.tls-cut" not in surely(found(talk().ask().reset(1)))


def gone(made: craft.Conversation) -> craft.Conversation:
    made.now += 12
    return made.reset(0)


@pytest.mark.parametrize(
    ("begin", "stage"),
    [
        (lambda: in_tls().data(0, 400), "mcs"),
        (lambda: in_tls(selected=2).data(0, 100), "nla"),
        (lambda: talk().ask(0).say(1, nego.confirm_packet(None)).say(0, SETTINGS), "mcs"),
    ],
)
def test_silence_after_the_handshake(begin: Callable[[], craft.Conversation], stage: str) -> None:
    diagnosis = found(gone(begin()))
    assert places(diagnosis) == ("failing", stage)
    assert "no answer" in diagnosis.verdict.summary


def test_who_says_nothing_more_after_the_handshake_is_not_waiting() -> None:
    assert found(gone(in_tls())).verdict.status == "unknown"


def test_large_segments_that_never_arrive() -> None:
    """The server's bare acknowledgements are numbered past bytes that nobody has seen."""
    made = talk().ask().confirm(1).hello()
    for _ in range(4):
        made.send(1, craft.ACK, seq=made.numbers[1] + 2800, after=3)
    diagnosis = found(made.reset(0))
    assert (*places(diagnosis), surely(diagnosis)) == ("failing", "tls", ["path.mtu-black-hole"])


def test_large_segments_that_the_server_sends_again_and_again() -> None:
    made = talk().ask().confirm(1).hello()
    flight = craft.server_flight((bytes(2500),))
    for _ in range(5):
        for at in range(0, len(flight), 1400):
            made.add(made.raw(1, craft.ACK, flight[at : at + 1400], seq=made.numbers[1] + at), 1)
    diagnosis = found(made.reset(0))
    assert places(diagnosis) == ("failing", "tls")
    assert diagnosis.causes[0].id == "path.mtu-black-hole"


def test_a_few_segments_sent_again_are_no_bad_line() -> None:
    made = in_tls()
    for turn in range(40):
        made.data(0, 50).data(1, 900)
        if turn < 3:
            made.add(made.raw(1, craft.ACK, bytes(905), seq=made.numbers[1] - 905))
    diagnosis = found(made.reset(0))
    assert diagnosis.verdict.status in WORKS
    assert "path.loss" not in surely(diagnosis)


def test_the_last_segment_sent_again_at_once_is_a_question() -> None:
    """A probe for a lost tail (RFC 8985 7.2) is no loss; the same after the time that loss takes is."""
    for pause, lossy in ((0.012, False), (0.3, True)):
        made = in_tls()
        for _ in range(30):
            made.data(0, 50).data(1, 900)
            made.add(made.raw(1, craft.ACK, bytes(905), seq=made.numbers[1] - 905), pause)
        assert ("path.loss" in surely(found(made.reset(0)))) is lossy


def test_what_two_places_recorded_is_no_loss() -> None:
    """On two interfaces, or at both ends: each packet twice, and not one right after the other."""
    for apart, step in ((0.00002, 0.000_005), (0.03, 0.003)):
        made = in_tls()
        made.step = step
        for _ in range(40):
            made.data(0, 50).data(1, 2900)
        made.reset(0)
        again = craft.Conversation(packets=[(when + apart, packet) for when, packet in made.packets])
        diagnosis = found(made, again)
        assert diagnosis.verdict.status in WORKS
        assert "path.loss" not in surely(diagnosis)


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda packets: packets[8:], "begins in the middle"),
        (lambda packets: [one for one in packets if one[1][12:16] == packets[0][1][12:16]], "one side only"),
        (lambda packets: [*packets[:9], *packets[11:]], "missing"),
    ],
)
def test_why_a_recording_cannot_tell(keep: Callable[[craft.Packets], craft.Packets], words: str) -> None:
    made = in_tls(selected=2).data(0, 300).data(1, 2000).data(0, 300).close(0)
    made.packets = keep(made.packets)
    diagnosis = found(made)
    assert diagnosis.verdict.status == "unknown"
    assert words in diagnosis.verdict.summary


def test_who_only_asks_for_a_challenge_has_not_failed_to_sign_in() -> None:
    """As scanners do, and checks of this kind."""
    assert found(in_tls(selected=2).data(0, 80).data(1, 250).close(0)).verdict.status == "unknown"


@pytest.mark.parametrize(("asked", "answered"), [(80, 60), (1900, 250)])
def test_who_leaves_because_of_the_answer_has_failed(asked: int, answered: int) -> None:
    """An error instead of a challenge; an answer to Kerberos."""
    diagnosis = found(in_tls(selected=2).data(0, asked).data(1, answered).reset(0))
    assert places(diagnosis) == ("failing", "nla")


def test_a_server_that_takes_no_more() -> None:
    made = talk().ask().confirm().hello()
    for _ in range(3):
        made.send(1, craft.ACK, after=2, window=0)
    diagnosis = found(made.reset(0))
    assert (*places(diagnosis), diagnosis.causes[0].id) == ("failing", "tls", "service.hung")


def test_half_a_connection_says_nothing_about_a_port_that_is_shut() -> None:
    """The tail of an older session, which the recording begins in, is no way past the port."""
    made = craft.Conversation(ports=(41000, 3389))
    for _ in range(5):
        made.send(0, craft.SYN, after=2)
        made.numbers[0] -= 1
    rest = craft.Conversation(ports=(40999, 3389))
    rest.say(1, bytes(900)).reset(0)
    assert places(found(made, rest))[0] == "unreachable"


def test_a_refusal_that_another_connection_got_past_did_not_end_it() -> None:
    refused = talk().ask().say(1, nego.confirm_packet(nego.NegotiationFailure(2))).reset(0)
    assert found(refused, in_tls(3).reset(0)).verdict.status == "unknown"


def signing_in(*sizes: int) -> craft.Conversation:
    """Records of client and server in turn, from the client's first message of CredSSP on."""
    made = talk().ask().confirm().hello().handshake()
    for place, size in enumerate(sizes):
        made.data(place % 2, size)
    return made


SEALED_ALERT = craft.record(ContentType.ALERT, bytes(26))


def test_an_alert_after_the_sign_in_is_the_servers_refusal() -> None:
    """Windows lets a wrong password wait for a second, sends an alert, and the client leaves."""
    refused = signing_in(81, 215, 633).say(1, SEALED_ALERT, after=1.0).close(0)
    diagnosis = found(refused)
    assert places(diagnosis) == ("failing", "nla")
    assert "the server sent a TLS alert 1.0 s after the sign-in" in diagnosis.verdict.summary
    assert surely(diagnosis) == ["credentials.wrong"]
    at_once = found(signing_in(81, 215, 633).say(1, SEALED_ALERT).close(0))
    assert (surely(at_once), at_once.causes[0].id) == ([], "credentials.wrong")


@pytest.mark.parametrize(
    ("sizes", "at_most"),
    [((1200, 215, 130), "possible"), ((81, 215, 633, 105, 300), "possible"), ((81,), "possible")],
)
def test_an_alert_elsewhere_in_the_sign_in_tells_of_no_password(sizes: tuple[int, ...], at_most: str) -> None:
    """With Kerberos, after the server has proven itself, and before it has challenged."""
    diagnosis = found(signing_in(*sizes).say(1, SEALED_ALERT).close(0))
    assert places(diagnosis) == ("failing", "nla")
    assert {cause.confidence for cause in diagnosis.causes if cause.id == "credentials.wrong"} <= {at_most}


def test_an_alert_that_ends_a_session_is_no_refusal() -> None:
    made = settled(in_tls(selected=2)).data(1, 3000)
    assert found(made.say(1, SEALED_ALERT).close(1)).verdict.status in WORKS


def test_an_alert_in_answer_to_the_clients_is_no_refusal() -> None:
    left = signing_in(81, 215).say(0, SEALED_ALERT).say(1, SEALED_ALERT).close(0)
    assert "alert" not in found(left).verdict.summary


def dialled(at: float, port: int, times: int = 4, client: int = 40000) -> craft.Conversation:
    """Requests to connect that nobody answers."""
    made = craft.Conversation(ports=(client + int(at), port))
    made.now = craft.START + at
    for count in range(times):
        made.add(made.raw(0, craft.SYN), after=float(count))
    return made


def told(port: int, *talks: craft.Conversation) -> Diagnosis:
    packets = sorted((packet for each in talks for packet in each.packets), key=lambda packet: packet[0])
    data = craft.pcap(craft.framed(packets))
    capture = craft.read(data, Limits(ports=frozenset({port})))
    (one,) = join([Reading("a.pcap", "recording of packets", capture=capture)])
    return diagnose(one.journal, load())


def test_a_port_that_nobody_answers_on_and_nobody_asked_about() -> None:
    diagnosis = told(3389, dialled(0, 3390))
    assert diagnosis.verdict.status == "unknown"
    assert "--port 3390" in diagnosis.verdict.summary
    assert not diagnosis.causes


@pytest.mark.parametrize(
    "talks",
    [
        [dialled(0, 3390, times=1)],
        [dialled(at, 3390 + at) for at in range(5)],
        [craft.Conversation(ports=(40000, 3390)).open()],
        [dialled(0, 445)],
        [dialled(0, 3390), *(craft.Conversation(ports=(41000 + n, 8000)).open() for n in range(9))],
    ],
)
def test_a_lone_syn_a_scan_and_what_was_answered_are_not_told(talks: list[craft.Conversation]) -> None:
    assert "--port" not in told(3389, *talks).verdict.summary


@pytest.mark.parametrize("port", [3389, 3390])
def test_a_connection_that_nobody_used_is_not_held_against_those_without_an_answer(port: int) -> None:
    unused = craft.Conversation(ports=(40000, port)).open()
    diagnosis = told(port, unused, dialled(1, port), dialled(2, port))
    assert places(diagnosis) == ("unreachable", "tcp")
    assert "no answer" in diagnosis.verdict.summary
    assert surely(diagnosis) == ["path.filtered"]


def test_who_closes_without_a_word_may_be_another_program() -> None:
    diagnosis = found(talk().ask().close(1))
    confidence = {cause.id: cause.confidence for cause in diagnosis.causes}
    assert confidence["port.not-rdp"] == "possible"
    assert diagnosis.causes[0].id == "server.closes-early"


@pytest.mark.parametrize(
    ("quiet", "ttl", "told_of"), [(600, 57, "possible"), (600, 128, None), (5, 57, None)]
)
def test_a_quiet_session_that_something_on_the_way_ends(quiet: int, ttl: int, told_of: str | None) -> None:
    made = settled(in_tls()).data(1, 3000)
    made.now += quiet
    diagnosis = found(made.reset(1, ttl))
    assert diagnosis.verdict.status in WORKS
    assert {one.id: one.confidence for one in diagnosis.causes}.get("path.idle-timeout") == told_of


@pytest.mark.parametrize(("number", "certificates"), [(42, True), (46, True), (48, True), (80, False)])
def test_which_alerts_of_a_client_are_about_the_certificate(number: int, certificates: bool) -> None:
    refused = talk().ask().confirm(1).hello().say(1, craft.server_flight((b"0",)))
    refused.say(0, craft.record(ContentType.ALERT, Alert(2, number).encode())).close(0)
    diagnosis = found(refused)
    assert ("refuses the server's certificate" in diagnosis.verdict.summary) is certificates
    (why,) = [one.why for one in diagnosis.causes if one.id == "tls.broken"]
    assert why.startswith("The client refuses the server's certificate") is certificates
    assert "We " not in why
