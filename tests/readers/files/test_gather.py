"""Files, folders and archives, friendly and hostile, into readings."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zipfile
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdpdoctor.facts import Journal, Target
from rdpdoctor.readers import archive, pipes
from rdpdoctor.readers import gather as module
from rdpdoctor.readers.gather import Asked, Ear, gather
from rdpdoctor.readers.kinds import Kind, kind_of
from rdpdoctor.readers.pipes import Once
from tests.readers.capture import craft
from tests.readers.capture.test_containers import zstd
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = craft.pcap(craft.framed(craft.Conversation().open().ask().close(1).packets))
LOG = exports.saved_xml([exports.refused(0, "10.0.0.9")])
RDP = b"full address:s:srv01\r\nprompt for credentials:i:1\r\n"
REG = (
    b"Windows Registry Editor Version 5.00\r\n\r\n"
    b"[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server]\r\n"
    b'"fDenyTSConnections"=dword:00000001\r\n'
)
RULES = b'{"securityRules": [], "defaultSecurityRules": [], "name": "nsg1"}'
JOURNAL = "\n".join(Journal(Target("h", "h"), "2026-11-22T10:00:00.000Z").to_lines()).encode()
ALL = {
    "capture": (CAPTURE, Kind.CAPTURE),
    "log": (LOG, Kind.EVENTS),
    "rdp": (RDP, Kind.RDP),
    "reg": (REG, Kind.HOST),
    "rules": (RULES, Kind.RULES),
    "journal": (JOURNAL, Kind.JOURNAL),
}
STARTS = [b"", *(data[:200] for data, _ in ALL.values()), b"PK\x03\x04", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]


def zipped(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ALL)
def test_a_file_is_known_by_its_content(name: str, tmp_path: Path) -> None:
    data, kind = ALL[name]
    for ending in ("txt", "pcap", "rdp"):
        path = tmp_path / f"file.{ending}"
        path.write_bytes(data)
        found = gather([str(path)])
        assert [(one.kind, one.name) for one in found.readings] == [(kind.value, str(path))]
        assert not found.unread


def test_a_folder_and_an_archive_give_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder" / "deeper"
    folder.mkdir(parents=True)
    for name, (data, _) in ALL.items():
        (folder / name).write_bytes(data)
    packed = zipped({f"a/b/{name}": data for name, (data, _) in ALL.items()}, tmp_path / "all.zip")
    kinds = sorted(kind.value for _, kind in ALL.values())
    for path in (tmp_path / "folder", packed):
        found = gather([str(path)])
        assert sorted(one.kind for one in found.readings) == kinds
        assert found.log is not None
        assert len(found.log.events) == 1
        assert (found.unread, found.skipped) == ([], [])


def test_what_is_unknown_is_left_out_beside_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("call the help desk", "utf-8")
    (tmp_path / "a.rdp").write_bytes(RDP)
    found = gather([str(tmp_path)])
    assert len(found.readings) == 1
    assert "notes.txt` is left out" in found.skipped[0]
    named = gather([str(tmp_path / "notes.txt"), str(tmp_path / "a.rdp")])
    assert [why for _, why in named.unread] == ["it is no kind of file that is known here"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_in_a_folder_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.rdp").write_bytes(RDP)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.rdp").symlink_to(outside / "secret.rdp")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    found = gather([str(inside)])
    assert not found.readings
    assert len(found.skipped) == 3
    assert gather([str(inside / "link.rdp")]).readings, "a link that a person names is meant"


class Typed(io.BytesIO):
    """A terminal: each read ends with a line, and after Ctrl-D it would go on."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.ended = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.ended += not data
        assert self.ended < 2, "nobody types Ctrl-D twice"
        return data


@pytest.mark.parametrize("name", ["-", *ALL])
@pytest.mark.parametrize("by", ["-", "/dev/stdin"])
def test_stdin_is_read_as_a_file_is(name: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by != "-" and sys.platform == "win32":
        pytest.skip("there is no /dev here")
    data, kind = ALL.get(name, (b"", None))
    near, far = os.pipe()
    with open(near, "rb") as pipe, open(far, "wb") as writer:
        writer.write(data)
        writer.close()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(pipe))
        monkeypatch.setattr(module, "is_pipe", lambda name: True)  # of /dev/stdin: not that of the tests
        found = gather([by])
    assert [one.kind for one in found.readings] == ([kind] if kind else [])
    assert found.unread == ([] if kind else [("stdin", "it is empty")])


def test_one_end_is_the_end() -> None:
    once = Once(Typed(b"abc"))
    assert [once.read(10), once.read(10)] == [b"abc", b""]


def test_stdin_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "UNFOLDED", 2**20)
    run, skipped = archive.Archive(), list[str]()
    member = run.kept(io.BytesIO(bytes(2**21)), skipped, "stdin", 0.0)
    assert member is not None
    assert member.size <= 2**20
    assert "cut off" in skipped[0]
    with member.open():
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_pipe_is_read_where_it_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no ordinary file" in gather([str(tmp_path)]).skipped[0]
    writer = Thread(target=lambda: pipe.write_bytes(RDP))
    writer.start()
    found = gather([str(pipe)])
    writer.join()
    assert [one.kind for one in found.readings] == [Kind.RDP]
    monkeypatch.setattr(pipes, "_PATIENCE", 0.01)
    assert "nobody writes into" in gather([str(pipe)]).unread[0][1]


@pytest.mark.parametrize("device", [os.devnull, "/dev/zero", "/dev/tty"])
def test_devices_are_not_opened(device: str) -> None:
    if not os.path.exists(device):
        pytest.skip(f"there is no {device} here")
    assert gather([device]).unread[0][1] == "it is no ordinary file"


def test_members_names_lead_nowhere(tmp_path: Path) -> None:
    names = ["../../slip.rdp", "/etc/slip.rdp", "C:\\slip.rdp", "a/../../slip.rdp"]
    before = sorted(path.name for path in tmp_path.parent.iterdir())
    files = {name: RDP + b"session bpp:i:%d\r\n" % place for place, name in enumerate(names)}
    found = gather([str(zipped(files, tmp_path / "slip.zip"))])
    assert len(found.readings) == len(names)
    assert sorted(path.name for path in tmp_path.parent.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slip.zip"]


def test_archives_in_archives_are_read_within_bounds(tmp_path: Path) -> None:
    data = RDP
    for level in range(1, 4):
        path = zipped({f"{level}.zip": data, f"{level}.rdp": RDP}, tmp_path / "a.zip")
        data = path.read_bytes()
    found = gather([str(path)])
    assert [one.name.rpartition(": ")[2] for one in found.readings] == ["2.rdp", "3.rdp"]
    assert found.skipped == [f"`{path}: 3.zip: 2.zip` is an archive deep in archives, and left out"]


@pytest.mark.parametrize("name", ALL)
def test_any_kind_of_file_may_be_packed(name: str, tmp_path: Path) -> None:
    data, kind = ALL[name]
    packed = [gzip.compress(data)]
    if (pack := zstd()) is not None:
        packed.append(pack(data))
    for number, content in enumerate((*packed, gzip.compress(data)[:-8])):
        path = tmp_path / str(number)
        path.write_bytes(content)
        whole = gather([str(path)])
        zipped({"a/b.gz": content}, tmp_path / "all.zip")
        inside = gather([str(tmp_path / "all.zip")])
        for found in (whole, inside):
            assert [one.kind for one in found.readings] == [kind.value]
            assert not found.unread
            told = [*found.skipped, *(what for one in found.readings for what in one.lost)]
            assert any("read" in what for what in told) == (number == len(packed))


def test_a_packed_file_in_a_packed_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(gzip.compress(REG)))
    assert gather([str(tmp_path / "a.gz")]).unread[0][1] == "it is no kind of file that is known here"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"MSCF\0\0\0\0" + bytes(90), "expand -F"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(90), "a 7z archive; unpack it first"),
        (bytes([0, 0, 1, 0]).ljust(72, b"\0") + b"\x02\x00\x02\xc0" + bytes(512), "`pktmon etl2pcap FILE`"),
        (b"a.rdp".ljust(257, b"\0") + b"ustar\x0000" + bytes(512), "a tar archive; unpack it first"),
        (b"\xff\xfe", "no kind of file"),
    ],
)
def test_what_else_people_send_is_refused_with_a_way_out(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert why in gather([str(tmp_path / "a")]).unread[0][1]


def test_a_link_in_an_archive_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as made:
        entry = zipfile.ZipInfo("link.rdp")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(entry, "/etc/passwd")
    assert "no ordinary file" in gather([str(path)]).skipped[0]


@pytest.mark.parametrize("depth", [1, 2, 40])
def test_a_loop_of_links_that_somebody_packed_counts_once(depth: int, tmp_path: Path) -> None:
    names = ["loop/" * level + name for level in range(depth + 1) for name in ALL]
    path = zipped({name: ALL[name.rpartition("/")[2]][0] for name in names}, tmp_path / "loop.zip")
    found = gather([str(path)])
    assert sorted(one.kind for one in found.readings) == sorted(kind for _, kind in ALL.values())
    assert found.skipped == [
        f"`{path}`: of {depth * len(ALL)} more files the content is the same as that of others in it, "
        "and counts once"
    ]


def test_a_sum_that_lies_hides_nothing_in_silence(tmp_path: Path) -> None:
    path = zipped({"first.rdp": b"x" * len(RDP), "second.rdp": RDP}, tmp_path / "lies.zip")
    data = bytearray(path.read_bytes())
    first, second = (data.index(b"PK\x01\x02", start) for start in (0, data.index(b"PK\x01\x02") + 4))
    data[first + 16 : first + 20] = data[second + 16 : second + 20]
    path.write_bytes(data)
    found = gather([str(path)])
    assert any("first.rdp` is damaged" in line for line in found.skipped)


def test_a_bomb_is_left_out_by_what_it_says_and_by_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped({"zeros.pcap": CAPTURE[:24] + bytes(4 * 2**20), "a.rdp": RDP}, tmp_path / "bomb.zip")
    monkeypatch.setattr(archive, "UNFOLDED", 2**20)
    assert path.stat().st_size < 10_000
    found = gather([str(path)])
    assert "unfolds to more than is read, and is cut off" in found.skipped[0]
    assert found.skipped[1:] == [f"`{path}: a.rdp` and what follows is left out: no more is unfolded"]
    data = bytearray(path.read_bytes())
    for place, offset in ((data.index(b"PK\x03\x04"), 22), (data.index(b"PK\x01\x02"), 24)):
        data[place + offset : place + offset + 4] = (1000).to_bytes(4, "little")  # it lies
    path.write_bytes(data)
    lying = gather([str(path)])
    assert [one.kind for one in lying.readings] == [Kind.RDP.value]
    assert "damaged" in lying.skipped[0]


def test_of_what_nobody_reads_little_is_unfolded(tmp_path: Path) -> None:
    skipped: list[str] = []
    zeros = zipped({"zeros": bytes(4 * 2**20), "a.rdp": RDP}, tmp_path / "zeros.zip")
    run = archive.Archive(2**20)
    with zeros.open("rb") as file:
        sizes = []
        for member in run.members(file, skipped, "a", lambda head: 0 if not head.strip(b"\0") else 100):
            sizes.append(member.size)
            with member.open():
                pass
    assert sizes == [2**16, len(RDP)]
    assert not skipped


def test_a_list_of_files_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_LONGEST_LIST", 4000)
    path = zipped({f"{number}.rdp": b"" for number in range(100)}, tmp_path / "a.zip")
    assert "its list of files is too long" in gather([str(path)]).unread[0][1]


def test_of_very_many_files_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 3)
    for number in range(6):
        (tmp_path / f"{number}.rdp").write_bytes(RDP)
    found = gather([str(tmp_path)])
    assert len(found.readings) == 3
    assert any("of more than 3 files" in what for what in found.skipped)


def test_a_deep_folder_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEEPEST", 2)
    deep = tmp_path / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "a.rdp").write_bytes(RDP)
    found = gather([str(tmp_path)])
    assert not found.readings
    assert "folders deep" in found.skipped[0]


@pytest.mark.parametrize("cut", [1, 30, 100, -1, -30])
def test_a_broken_archive_says_so(cut: int, tmp_path: Path) -> None:
    path = zipped({"a.rdp": RDP, "b.xml": LOG}, tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:cut])
    found = gather([str(path)])
    assert not found.readings
    assert len(found.unread) + len(found.skipped) == 1


def test_an_archive_with_one_damaged_member_gives_the_others(tmp_path: Path) -> None:
    path = zipped({"a.xml": LOG, "b.rdp": RDP}, tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(data)
    found = gather([str(path)])
    assert Kind.RDP.value in [one.kind for one in found.readings]
    assert any("damaged" in what for what in found.skipped)


def test_the_reading_can_be_stopped(tmp_path: Path) -> None:
    """What is read by then counts, and no more is opened."""

    class Impatient(Ear):
        def read(self, count: int) -> None:
            self.stop = True

    for number in range(3):
        (tmp_path / f"{number}.pcap").write_bytes(CAPTURE)
    found = gather([str(tmp_path)], ear=Impatient())
    assert len(found.readings) + len(found.skipped) == 1


def test_rules_are_asked_for_the_client_and_the_port(tmp_path: Path) -> None:
    (tmp_path / "nsg.json").write_bytes(RULES)
    found = gather([str(tmp_path / "nsg.json")], Asked("192.0.2.7", 3390))
    args = [row.args for row in found.readings[0].rows if row.tag == "cloud.rule-decides"]
    assert [(one["source"], one["port"]) for one in args] == [("192.0.2.7", 3390)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.binary(max_size=300), start=st.sampled_from(STARTS))
def test_no_bytes_break_it(data: bytes, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(start + data)
    found = gather([str(path)])
    assert len(found.readings) + len(found.unread) + len(found.skipped) >= 1


def test_what_is_packed_is_known_by_what_it_holds() -> None:
    assert kind_of(gzip.compress(CAPTURE)) is Kind.CAPTURE
    assert kind_of(gzip.compress(REG)) is Kind.PACKED
    assert kind_of(gzip.compress(b"nothing that is known")) is None
    assert kind_of(b"\x1f\x8b" + bytes(50)) is None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a", b"b")
    assert kind_of(buffer.getvalue()) is Kind.ZIP


@pytest.mark.parametrize(
    "unit", [b"\n", b" \n", b"\t\n", b"a\n\n\n", b" .", b"::", b'","', b"<Event", b"Subject: \n"]
)
def test_no_head_takes_long(unit: bytes) -> None:
    """Patterns whose time grows with the square took a minute for 64 KiB of line breaks."""
    kind_of((unit * 65_536)[:65_535] + b"x")
