"""Our parsers on recordings of real clients and servers; skipped where they are absent.

tshark puts the streams together and, for CredSSP, decrypts with the secrets inside the recording.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rdpdoctor.wire import credssp, nego, ntlm, spnego, tls_record, tls_suites, tpkt, x224
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.tls_hello import Certificate, ClientHello, ServerHello
from rdpdoctor.wire.tls_record import ContentType, HandshakeReader, HandshakeType

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "pcap"
NTLM_REFUSED = "credssp-ntlm-refused-then-nla-required.pcapng"

pytestmark = [
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recordings of ../shared/captures are not here"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]


def tshark(name: str, *options: str) -> str:
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    command = ["tshark", "-r", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def stream(name: str, number: int) -> tuple[bytes, bytes]:
    """What client and server sent in one TCP stream."""
    sides = (bytearray(), bytearray())
    for line in tshark(name, "-q", "-z", f"follow,tcp,raw,{number}").splitlines():
        if re.fullmatch(r"\t?[0-9a-f]+", line):
            sides[line.startswith("\t")].extend(bytes.fromhex(line.strip()))
    return bytes(sides[0]), bytes(sides[1])


def decrypted(name: str) -> list[bytes]:
    """The CredSSP messages in the order they were sent."""
    dump = tshark(name, "-d", "tcp.port==3389,tls", "-Y", "credssp", "-x")
    found: list[bytearray] = []
    inside = False
    for line in dump.splitlines():
        if line.startswith("Decrypted TLS"):
            found.append(bytearray())
        if line and not re.match(r"[0-9a-f]{4}  ", line):
            inside = line.startswith("Decrypted TLS")
        elif inside and line:
            found[-1] += bytes.fromhex(line[6:53])
    return [bytes(message) for message in found]


def opening(name: str, number: int) -> tuple[nego.ConnectionRequestData, nego.Confirm | None, bytes, bytes]:
    """The negotiation of a stream, then what either side sent after it. Both packets come back the same."""
    client, server = stream(name, number)
    asked, answered = tpkt.take(client), tpkt.take(server)
    assert asked is not None
    assert answered is not None
    request, confirm = x224.parse(asked[0].payload), x224.parse(answered[0].payload)
    assert isinstance(request, x224.ConnectionRequest)
    assert isinstance(confirm, x224.ConnectionConfirm)
    data, answer = nego.parse_request(request.variable), nego.parse_confirm(confirm.variable)
    assert nego.request_packet(data) == client[: asked[1]]
    assert nego.confirm_packet(answer) == server[: answered[1]]
    return data, answer, client[asked[1] :], server[answered[1] :]


def clear_messages(data: bytes) -> dict[int, bytes]:
    """The handshake messages before encryption begins."""
    reader = HandshakeReader()
    messages: dict[int, bytes] = {}
    while data and (taken := tls_record.take(data)) is not None:
        record, used = taken
        assert record.encode() == data[:used]
        data = data[used:]
        if record.content_type != ContentType.HANDSHAKE:
            break
        messages.update(reader.feed(record.fragment))
    return messages


@pytest.mark.parametrize(
    ("name", "number", "cookie", "asked", "answer"),
    [
        (NTLM_REFUSED, 0, "IT-HELP\\A", 0x0B, nego.NegotiationResponse(8, 0x1F)),
        (NTLM_REFUSED, 1, "IT-HELP\\A", 0x01, nego.NegotiationFailure(5)),
        ("ok-nla-client-fin.pcap", 0, None, 0x0B, nego.NegotiationResponse(8, 0x1F)),
        ("ok-nla-kerberos.pcapng", 0, "Administr", 0x0B, nego.NegotiationResponse(8, 0x1F)),
        ("ok-tls-without-nla.pcapng", 0, "Administr", 0x01, nego.NegotiationResponse(1, 0x1F)),
        ("ok-fallback-to-standard-rdp.pcap", 0, None, 0x01, nego.NegotiationFailure(2)),
    ],
)
def test_negotiations(name: str, number: int, cookie: str | None, asked: int, answer: nego.Confirm) -> None:
    data, got, *_ = opening(name, number)
    assert data.negotiation is not None
    assert data.negotiation.protocols == asked
    assert got == answer
    if cookie is not None:
        assert data.token == nego.Cookie(cookie)


def test_restricted_admin_is_a_flag() -> None:
    data, answer, *_ = opening("ok-restricted-admin.pcapng", 0)
    assert data.negotiation is not None
    assert data.negotiation.flags & nego.RequestFlags.RESTRICTED_ADMIN_MODE_REQUIRED
    assert isinstance(answer, nego.NegotiationResponse)
    assert answer.flags & nego.ResponseFlags.RESTRICTED_ADMIN_MODE_SUPPORTED


@pytest.mark.parametrize(
    ("name", "version", "suite"),
    [
        ("ok-tls-without-nla.pcapng", 0x0303, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ok-nla-kerberos.pcapng", 0x0303, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ok-nla-client-fin.pcap", 0x0303, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ok-second-stream-tls10.pcap", 0x0301, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    ],
)
def test_tls_of_real_clients_and_servers(name: str, version: int, suite: str) -> None:
    *_, client, server = opening(name, 0)
    body = clear_messages(client)[HandshakeType.CLIENT_HELLO]
    assert ClientHello.parse(body).encode() == body
    messages = clear_messages(server)
    hello = ServerHello.parse(messages[HandshakeType.SERVER_HELLO])
    assert hello.encode() == messages[HandshakeType.SERVER_HELLO]
    assert (hello.selected_version, tls_suites.suite_name(hello.cipher_suite)) == (version, suite)
    chain = Certificate.parse(messages[HandshakeType.CERTIFICATE])
    assert chain.count == 1
    assert chain.encode() == messages[HandshakeType.CERTIFICATE]


def test_our_list_is_what_the_client_of_windows_offers() -> None:
    *_, client, _ = opening("ok-tls-without-nla.pcapng", 0)
    hello = ClientHello.parse(clear_messages(client)[HandshakeType.CLIENT_HELLO])
    assert hello.cipher_suites == tls_suites.MODERN


def test_credssp_of_windows() -> None:
    messages = decrypted(NTLM_REFUSED)
    requests = []
    for message in messages:
        taken = credssp.take(message)
        assert taken is not None
        assert taken[1] == len(message)
        assert taken[0].encode() == message
        requests.append(taken[0])
    first, second, third, last = requests
    assert [request.version for request in requests] == [6, 6, 6, 6]

    negotiate = ntlm.Negotiate.parse(spnego.unwrap(first.nego_tokens[0]))
    assert negotiate == ntlm.Negotiate(version=(10, 0, 22621, 15))
    assert negotiate.encode() == first.nego_tokens[0]

    challenge = ntlm.Challenge.parse(spnego.unwrap(second.nego_tokens[0]))
    assert challenge.encode() == second.nego_tokens[0]
    assert challenge.version == (10, 0, 20348, 15)
    assert (challenge.domain_name, challenge.computer_name) == ("IT-HELP", "IT-HELP-TEST")
    assert challenge.dns_computer == "IT-HELP-TEST.ad.it-help.ninja"
    assert (challenge.dns_domain, challenge.dns_tree) == ("ad.it-help.ninja", "ad.it-help.ninja")
    assert challenge.timestamp is not None
    filters = ("-d", "tcp.port==3389,tls", "-Y", "ntlmssp.messagetype==2")
    sent = float(tshark(NTLM_REFUSED, *filters, "-T", "fields", "-e", "frame.time_epoch"))
    assert abs(challenge.timestamp.timestamp() - sent) < 60, "the server's clock against the recorder's"

    assert ntlm.message_type(third.nego_tokens[0]) == 3
    assert (last.nego_tokens, last.error_code) == ((), 0x80090302)


def test_lengths_that_lie_end_as_malformed_or_as_a_value() -> None:
    client, server = stream("malformed-x224-lengths.pcap", 0)
    with pytest.raises(Malformed):
        tpkt.take(client)
    taken = tpkt.take(server)
    assert taken is not None
    confirm = x224.parse(taken[0].payload)
    assert isinstance(confirm, x224.ConnectionConfirm)
    with pytest.raises(Malformed, match="has length"):
        nego.parse_confirm(confirm.variable)
