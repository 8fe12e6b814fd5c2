"""Files made to harm whoever reads them, each by a few lines of code, and what is said of it."""

from __future__ import annotations

import gzip
import io
import os
import struct
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.fuzz.crafted import chunk, evtx
from tests.readers.capture import craft
from tests.readers.capture.test_containers import zstd
from tests.readers.eventlog import exports
from tests.readers.files.test_gather import RDP, REG
from tests.readers.host import craft as machines
from tests.readers.host import test_registry as registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 2**20
_OBJECTS = '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">'
_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 14))
DTD = f'<!DOCTYPE x [<!ENTITY e0 "x"><!ENTITY file SYSTEM "file:///etc/passwd">{_ENTITIES}]>'
_CONSOLE = b" SESSIONNAME  USERNAME  ID  STATE\n>services               0  Disc\n"


@dataclass(frozen=True, slots=True)
class Hostile:
    """make: writes it below a folder and returns what `rdpdoctor read` is given. says: words of its messages.
    code: the exit codes that fit.
    """

    name: str
    make: Callable[[Path], list[str]]
    says: str
    code: tuple[int, ...] = (2,)


def one(name: str, content: Callable[[], bytes], says: str, code: tuple[int, ...] = (2,)) -> Hostile:
    """A file of these bytes."""

    def make(folder: Path) -> list[str]:
        path = folder / "file"
        path.write_bytes(content())
        return [str(path)]

    return Hostile(name, make, says, code)


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def flat_bomb() -> bytes:
    """Gigabytes of a recording's zeros in each of four members."""
    head = craft.pcap([])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(4):
            with archive.open(f"{number}.pcap", "w", force_zip64=True) as member:
                member.write(head)
                for _ in range(900):
                    member.write(bytes(MB))
                member.write(bytes([number]))  # else it counts once
    return made.getvalue()


def nested_bomb() -> bytes:
    data = zipped({"zeros.pcap": craft.pcap([]) + bytes(64 * MB)})
    for _ in range(6):
        data = zipped({f"{number}.zip": data for number in range(8)})
    return data


def overlapping_bomb() -> bytes:
    """Many entries of the list lead to the same bytes (as Fifield's do, without its quoting)."""
    data = zipped({"a.rdp": RDP + b";" * 8 * MB})
    place = data.index(b"PK\1\2")
    entry, end = data[place : data.index(b"PK\5\6")], data[data.index(b"PK\5\6") :]
    count = 5000
    tail = end[:8] + struct.pack("<HHII", count, count, count * len(entry), place) + end[20:]
    return data[:place] + entry * count + tail


def gz_bomb() -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as file:
        file.write(REG)
        for _ in range(600):
            file.write(b";" * MB)
    return made.getvalue()


def zst_window() -> bytes:
    """A frame that asks for 2 GB of memory before its first byte (RFC 8878 3.1.1.1.2)."""
    return b"\x28\xb5\x2f\xfd\x00" + bytes(((31 - 10) << 3,)) + b"\x01\0\0" + bytes(40)


def flows(count: int) -> bytes:
    """Each packet opens a connection of its own; every tenth to a port of interest."""
    head = struct.Struct("<IIII")
    made = bytearray(craft.pcap([]))
    packet = bytearray(craft.ethernet(craft.ip("10.0.0.1", "192.168.0.1", craft.tcp((40000, 443), 1, 0, 2))))
    for number in range(count):
        struct.pack_into(">I", packet, 26, 0x0A000000 + number)
        struct.pack_into(">H", packet, 36, 3389 if number % 10 == 0 else 443)
        made += head.pack(1_700_000_000 + number // 1000, 0, len(packet), len(packet)) + packet
    return bytes(made)


def options(length: int) -> bytes:
    return craft.section() + craft.interface(options=struct.pack("<HH", 9, length)) + bytes(4000)


def forged_log() -> bytes:
    """Every size and count is as large as it can be."""
    data = bytearray(evtx(chunk([exports.refused(0, "10.0.0.9")])))
    data[4096 + 16 : 4096 + 40] = b"\xff" * 24
    data[4096 + 48 : 4096 + 52] = b"\xff" * 4
    data[4096 + 516 : 4096 + 520] = b"\xff\xff\xff\x7f"
    return bytes(data)


def policies() -> bytes:
    body = "[".encode("utf-16-le") + "a\0;b\0;".encode("utf-16-le")
    return registry.POL[:8] + body + struct.pack("<I2sI2s", 4, b";\0", 0xFFFFFFFF, b";\0") + bytes(MB)


def deep(count: int = 100_000) -> str:
    return "[" * count + "]" * count


def _sparse(folder: Path, begin: bytes = b"", size: int = 2 << 30) -> list[str]:
    path = folder / "zeros"
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(size)
    return [str(path)]


def _sparse_recording(folder: Path) -> list[str]:
    packets = craft.Conversation().open().close(1).packets
    return _sparse(folder, craft.pcap(craft.framed(packets)), 512 * MB)


def _many_files(folder: Path) -> list[str]:
    for number in range(20_000):
        (folder / f"{number}.rdp").write_bytes(RDP)
    return [str(folder)]


def _strange_names(folder: Path) -> list[str]:
    names = ["a\x1b]0;owned\x07.rdp", "new\nline.rdp", "\u202egpj.rdp", "-v"]
    if sys.platform == "linux":
        names.append(os.fsdecode(b"not\xffutf8.rdp"))
    for name in names:
        (folder / name).write_bytes(b"nothing that is known")
    return [str(folder / name) for name in names]


def _loop(folder: Path) -> list[str]:
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "below").symlink_to(folder, target_is_directory=True)
    return [str(folder / "loop"), str(folder)]


def _slip(folder: Path) -> list[str]:
    path = folder / "slip.zip"
    names = ["../../slip.rdp", "/tmp/slip.rdp", "C:\\slip.rdp"]
    path.write_bytes(zipped({name: RDP + b"\r\n" * place for place, name in enumerate(names)}))
    return [str(path)]


def _certificate() -> dict[str, object]:
    return machines.certificate(subject="A" * 10 * MB)


def _zst_bomb(pack: Callable[[bytes], bytes]) -> bytes:
    return pack(REG + b";" * 600 * MB)


def entities_in_policies() -> str:
    """The mark of a report stands where it is looked for, and the type before all of it."""
    text = registry.report("&e13;&file;").decode("utf-16")
    return f"<!-- {registry.SETTINGS} -->{DTD}{text.partition('?>')[2]}"


def _keys(folder: Path) -> list[str]:
    (folder / "keys").write_bytes(b"CLIENT_RANDOM " + b"0" * 100 * MB)
    (folder / "a.pcap").write_bytes(craft.pcap([]))
    return [str(folder / "a.pcap"), "--keylog", str(folder / "keys")]


def _pipe(folder: Path) -> list[str]:
    os.mkfifo(folder / "pipe")
    return ["/dev/zero", "/dev/tty", str(folder)]


READ = (0, 1, 3)
EVENT = "<Event><System><Provider Name='Schannel'/><EventID>36870</EventID></System>"
CSV = b"Level,Date and Time,Source,Event ID,Task Category\n"
SCHANNEL = b'[{"ProviderName": "Schannel", "Id": '
LONG = b"9" * 10**6
SURROGATES = b"\xff\xfe" + "full address:s:".encode("utf-16-le") + b"\0\xd8" * 3 + b"\r\0\n\0"

FILES: list[Hostile] = [
    Hostile("zip slip", _slip, "3 .rdp files", READ),
    one("flat zip bomb", flat_bomb, "unfolds to more than is read", READ),
    one("nested zip bomb", nested_bomb, "deep in archives"),
    one("overlapping zip bomb", overlapping_bomb, "counts once|no more is unfolded|Overlapped"),
    one("gz bomb", gz_bomb, "larger than"),
    one("zst window", zst_window, "no kind of file"),
    one("entities in events", lambda: f"{DTD}{EVENT}<a>&e13;&file;</a></Event>".encode(), "not foll", READ),
    one("entities in objects", lambda: f"{DTD}{_OBJECTS}<Obj>&e13;&file;</Obj>".encode(), "document", READ),
    one("entities in policies", lambda: entities_in_policies().encode(), "declares a document type"),
    one("deep events", lambda: SCHANNEL + deep().encode(), "damaged", READ),
    one("deep rules", lambda: f'{{"securityRules": {deep()}}}'.encode(), "nested"),
    one("deep bundle", lambda: machines.packed()[:-1] + f', "x": {deep()}}}'.encode(), "nested"),
    one("deep objects", lambda: (_OBJECTS + "<Obj>" * 100_000).encode(), "nested", READ),
    one("a long number in rules", lambda: b'{"securityRules": [' + LONG + b"]}", "rules", (2, *READ)),
    one("a long number in a bundle", lambda: machines.packed()[:-1] + b', "x": ' + LONG + b"}", "", READ),
    one("a long number in events", lambda: SCHANNEL + LONG + b"}", "damaged", READ),
    one("lines of one letter", lambda: _CONSOLE + b"a\n" * 4 * MB, "what follows the first", READ),
    one("lines of one property", lambda: _CONSOLE + b"a:\n" * 2 * MB, "facts of a machine", READ),
    one("lines of one blank", lambda: _CONSOLE + b" \n" * 4 * MB, "what follows the first", READ),
    Hostile("sparse zeros", _sparse, "no kind of file"),
    Hostile("a sparse recording", _sparse_recording, "zeros where packets should be", READ),
    Hostile("20,000 files", _many_files, "of more than 5000 files", READ),
    Hostile("strange names", _strange_names, "no kind of file"),
    one("lone surrogates", lambda: SURROGATES, "not text", READ),
    one("a mark alone", lambda: b"\xff\xfe", "no kind of file"),
    one("nothing", bytes, "it is empty"),
    one("200,000 flows", lambda: flows(200_000), "beyond the limit", READ),
    one("a huge block", lambda: craft.section() + struct.pack("<II", 6, 2**32 - 4) + bytes(4000), "bl", READ),
    one("huge options", lambda: options(0xFFFF), "damaged block", READ),
    one("forged log", forged_log, "damaged", READ),
    one("huge policy", policies, "what follows byte", READ),
    one("a million lines", lambda: b"a:s:b\n" * MB, "larger than any"),
    one("19,000 lines", lambda: RDP * 19_000, "all after the first 5000 lines", READ),
    one("an open quote", lambda: CSV + b'"' + b"x,\n" * 4 * MB, "damaged line", READ),
    one("a large certificate", lambda: machines.packed(certificates=_certificate()), "facts", READ),
    Hostile("a large key log", _keys, "larger than the 64 MiB"),
]
if sys.platform != "win32":
    FILES += [Hostile("pipes and devices", _pipe, "no ordinary file"), Hostile("loops", _loop, "be read")]
if (_pack := zstd()) is not None:
    FILES.append(one("zst bomb", partial(_zst_bomb, _pack), "larger than"))
