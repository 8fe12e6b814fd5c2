"""What is fuzzed: each reader with files that are right, and one piece that the wrong ones are given to.

A reader may give a result or say that it cannot: anything else that it raises is a finding.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults
from rdpdoctor.readers import archive, kinds
from rdpdoctor.readers.capture import CaptureError, Limits, hpack, read_capture
from rdpdoctor.readers.cloud.model import RulesError
from rdpdoctor.readers.cloud.rules import read_rules
from rdpdoctor.readers.eventlog import EventLogError, formats
from rdpdoctor.readers.eventlog.attempts import attempts
from rdpdoctor.readers.eventlog.tally import Tally
from rdpdoctor.readers.host import HostError, pol, read_host
from rdpdoctor.readers.journal import read_journal
from rdpdoctor.readers.rdpfile import RdpFileError, read_rdp
from rdpdoctor.wire import certificate, credssp, nego, ntlm, spnego, tls_hello, tls_record, tpkt, x224
from rdpdoctor.wire.errors import Malformed
from tests.command import control_bytes
from tests.fuzz import crafted
from tests.readers.capture import craft
from tests.readers.capture.sealed import Sealed
from tests.readers.cloud import test_bad_files as cloud
from tests.readers.eventlog import exports
from tests.readers.eventlog.test_formats import STORY
from tests.readers.files.test_gather import ALL
from tests.readers.host import craft as machines
from tests.readers.host import test_console as console
from tests.readers.host import test_registry as registry
from tests.readers.rdpfile.test_parse import SECRETS, TEXT
from tests.wire import recorded
from tests.wire.test_certificate import DER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rdpdoctor.facts import Observation


@dataclass(frozen=True, slots=True)
class Target:
    """file: makes of a seed, or of what became of it, a file for `rdpdoctor read`; None: there is none."""

    seeds: tuple[bytes, ...]
    run: Callable[[bytes], object]
    file: Callable[[bytes], bytes] | None = bytes


def declared(rows: Iterable[Observation]) -> None:
    tags = load().tags
    wrong = [fault for row in rows for fault in faults(row, tags)]
    assert not wrong, wrong


def capture(data: bytes) -> None:
    try:
        found = read_capture(io.BytesIO(data), Limits(unpacked=1 << 22))
    except CaptureError:
        return
    for stream in found.streams:
        declared(stream.observations)


def events(data: bytes) -> None:
    with contextlib.suppress(EventLogError):
        attempts(list(formats.read(io.BytesIO(data), Tally())))


def chunked(data: bytes) -> bytes:
    return crafted.evtx(data[: crafted.CHUNK], data[crafted.CHUNK :])


def host(data: bytes) -> None:
    with contextlib.suppress(HostError):
        declared(read_host(data).observations)


def rdp(data: bytes) -> None:
    with contextlib.suppress(RdpFileError):
        declared(read_rdp(data).observations)


def rules(data: bytes) -> None:
    with contextlib.suppress(RulesError):
        declared(read_rules(data, "198.51.100.7").observations)


def journal(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_journal(data, 1 << 20)


def members(data: bytes) -> None:
    with contextlib.suppress(archive.ArchiveError):
        for member in archive.Archive(1 << 22).members(io.BytesIO(data), [], "a.zip"):
            with member.open() as file:
                assert len(file.read()) == member.size


def opened(data: bytes) -> None:
    """What a connection holds whose secrets are at hand: a key log, a zero, and the recording."""
    keys, _, recording = data.partition(b"\0")
    with contextlib.suppress(CaptureError):
        for stream in read_capture(io.BytesIO(recording), keylog=keys).streams:
            declared(stream.observations)


def wire(data: bytes) -> None:
    """The first byte says which parser."""
    if data:
        parser = list(_PARSERS)[data[0] % len(_PARSERS)]
        with contextlib.suppress(Malformed):
            parser(data[1:])


def _reassembled(data: bytes) -> None:
    list(tls_record.HandshakeReader().feed(data))


def _fields(data: bytes) -> None:
    hpack.Fields().read(data)


_REQUEST = credssp.TSRequest(6, (b"t",), b"auth", b"key", 5, bytes(32)).encode()
_TOKEN = spnego.wrap(ntlm.Negotiate().encode())
#: What they read.
_PARSERS: dict[Callable[[bytes], object], bytes] = {
    tpkt.take: bytes.fromhex("0300000b06d00000123400"),
    x224.parse: bytes.fromhex("0ed000001234000200080002000000"),
    nego.parse_request: b"Cookie: mstshash=alice\r\n" + bytes.fromhex("010008000b000000"),
    nego.parse_confirm: bytes.fromhex("0200080002000000"),
    tls_record.take: craft.server_flight((b"first", b"second")),
    tls_record.Alert.parse: b"\x02\x28",
    _reassembled: tls_record.handshake_message(11, bytes(300)),
    tls_hello.ClientHello.parse: tls_hello.client_hello(
        0x0303, (0xC02F,), "srv01.example", bytes(32)
    ).encode(),
    tls_hello.ServerHello.parse: tls_hello.ServerHello(0x0303, bytes(32), b"id", 0x1302, 0, ()).encode(),
    tls_hello.Certificate.parse: tls_hello.Certificate((b"first", b"second"), 2).encode(),
    certificate.parse: DER,
    credssp.take: _REQUEST,
    credssp.EarlyUserAuthorizationResult.take: bytes(4),
    spnego.parse: _TOKEN,
    spnego.unwrap: spnego.wrap_response(recorded.SHADOW_CHALLENGE),
    ntlm.Negotiate.parse: ntlm.Negotiate().encode(),
    ntlm.Challenge.parse: recorded.SHADOW_CHALLENGE,
    _fields: bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"),  # RFC 7541 C.4.1
}


def whole(data: bytes, *options: str) -> int:
    """`rdpdoctor read` of these bytes: a report or a refusal, and nothing that a terminal acts on."""
    from rdpdoctor.cli.main import main

    os.environ["RDPDOCTOR_DEBUG"] = "1"  # a fault of ours is raised
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(data)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["read", str(path), *options])
    assert code in (0, 1, 2, 3), code
    assert out.getvalue() or code == 2, err.getvalue()
    for text in (out.getvalue(), err.getvalue()):
        assert control_bytes(text) == [], control_bytes(text)
        text.encode()
    return code


def _zip(files: dict[str, bytes], way: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", way) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return made.getvalue()


def _json(*documents: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(one).encode() for one in documents)


_PACKETS = craft.framed(
    craft.Conversation().open().ask().confirm().hello().handshake().data(0, 90).data(1, 300).close(1).packets
)
_TEXTS = (
    *(console.QWINSTA, console.NETSTAT, console.SC, console.QC, console.LIST, console.TABLE, console.TESTED),
    *(console.OBJECT, console.CERTUTIL, console.W32TM, console.IPCONFIG, console.PROFILE.format("Public")),
    console.RULE.format(enabled="Yes", action="Allow", remote="Any"),
)
_SMALL = {name: data for name, (data, _) in ALL.items()}


def _opened() -> tuple[bytes, ...]:
    talk = craft.Conversation().open().ask().confirm(8)
    sealed = Sealed(talk)
    sealed.say(0, credssp.TSRequest(6, (_TOKEN,)).encode()).say(1, recorded.SHADOW_ANSWER)
    sealed.say(0, _REQUEST).say(1, bytes(4)).say(0, bytes.fromhex("0300000c02f0806400000000"))
    return (sealed.keylog + b"\0" + craft.pcap(craft.framed(talk.close(1).packets)),)


def _exported(*ways: Callable[..., bytes]) -> Target:
    return Target(tuple(way(STORY) for way in ways), events)


TARGETS: dict[str, Target] = {
    "pcap": Target((craft.pcap(_PACKETS), craft.pcap(_PACKETS, order=">", nano=True)), capture),
    "pcapng": Target((craft.pcapng(_PACKETS), craft.pcapng(_PACKETS, ">")), capture),
    "opened": Target(_opened(), opened, lambda data: data.partition(b"\0")[2]),
    "evtx": Target((crafted.chunk(STORY),), lambda data: events(chunked(data)), chunked),
    "xml": _exported(exports.saved_xml, exports.rootless_xml, exports.rendered_xml),
    "clixml": _exported(exports.clixml),
    "json": _exported(exports.json_5, exports.json_7),
    "csv": _exported(exports.viewer_csv, exports.german_csv),
    "text": _exported(exports.format_list, exports.wevtutil_text),
    "rdp": Target(((TEXT + SECRETS).encode(), TEXT.encode("utf-16")), rdp),
    "reg": Target((registry.WHOLE.encode(), registry.WHOLE.encode("utf-16")), host),
    "pol": Target((registry.POL,), lambda data: host(pol.MAGIC + data[4:])),
    "gpresult": Target((registry.report(registry.policy(registry.ALLOW, "Disabled")),), host),
    "bundle": Target((machines.packed(),), host),
    "console": Target(tuple(text.encode() for text in _TEXTS), host),
    "cloud": Target(_json(*(one for one in cloud.GOOD if "requests" not in one)), rules),
    "journal": Target((_SMALL["journal"],), journal),
    "zip": Target((_zip(_SMALL), _zip({"a": _SMALL["rdp"]}, zipfile.ZIP_STORED)), members),
    "kinds": Target((*_SMALL.values(), gzip.compress(_SMALL["reg"])), kinds.kind_of),
    "wire": Target(
        tuple(bytes((number,)) + data for number, data in enumerate(_PARSERS.values())),
        wire,
        None,
    ),
}
