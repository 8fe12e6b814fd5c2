"""`read` as a call: what is said beside the report, options, Ctrl-C, and the bar."""

from __future__ import annotations

import io
import json
import signal
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli import reading
from rdpdoctor.cli.main import main
from rdpdoctor.readers.gather import Ear, Heard, gather
from tests.readers.capture import craft
from tests.readers.eventlog import exports

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = craft.pcap(craft.framed(craft.Conversation().open().ask().close(1).packets))


@pytest.fixture
def capture(tmp_path: Path) -> str:
    path = tmp_path / "dies.pcap"
    path.write_bytes(CAPTURE)
    return str(path)


def test_what_was_read_stands_on_stderr(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", capture]) == 1
    out, err = capsys.readouterr()
    assert "FAILS at x224" in out.splitlines()[0]
    assert err == "read: 1 recording of packets (7 packets, 1 connection of interest)\n"


def test_one_pair_is_an_object_and_two_are_an_array(
    capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(craft.pcap(craft.framed(craft.Conversation(client="10.0.0.3").open().ask().packets)))
    main(["read", capture, "--json"])
    assert isinstance(json.loads(capsys.readouterr().out), dict)
    assert main(["read", capture, str(other), "--json"]) == 3
    statuses = [report["verdict"]["status"] for report in json.loads(capsys.readouterr().out)]
    assert statuses == ["failing", "unknown"]


def test_several_reports_end_in_totals_and_what_was_left_out_is_counted(
    capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(craft.pcap(craft.framed(craft.Conversation(client="10.0.0.3").open().ask().packets)))
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert main(["read", str(empty), capture, str(other)]) == 3
    out, err = capsys.readouterr()
    assert "FAILS at x224" in out.splitlines()[0], "worst first"
    assert "2 reports: 1 failing, 1 unknown\n" in err
    assert "read: 2 recordings of packets; 1 left out, see above\n" in err


def test_codes_and_answers_are_evidence_here_too(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", capture, "--json", "--answer", "via=vpn", "--code", "0x904", "0x7"])
    rows = json.loads(capsys.readouterr().out)["observations"]
    assert {"code.shown", "answer.given"} <= {row["tag"] for row in rows}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no file was given"),
        (["x", "--from", "srv01"], "`srv01` is no address"),
        (["x", "--port", "0"], "`0` is no port"),
        (["x", "--keylog", "nowhere"], "cannot read `nowhere`"),
        (["x", "--answer", "via=moon"], "`moon` is no answer"),
        (["nowhere.pcap"], "`nowhere.pcap` cannot be used"),
    ],
)
def test_wrong_calls(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error, hint, _ = err.split("\n")
    assert said in error
    assert hint.startswith("hint: ")


def test_the_first_interrupt_stops_the_reading_and_the_second_everything() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), reading.reading() as ear:  # noqa: PT012 - the first must not raise
        heard = Heard(io.BytesIO(CAPTURE), ear)
        assert heard.read(4) == CAPTURE[:4]
        signal.raise_signal(signal.SIGINT)
        assert ear.stop
        assert heard.read(4) == b""
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupted_reading_gives_what_is_known(
    capture: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdpdoctor.readers import gather as module

    whole = module.gather

    def stopped(paths: list[str], asked: module.Asked, ear: Ear) -> module.Gathered:
        found = whole(paths, asked, ear)
        ear.stop = True
        return found

    monkeypatch.setattr(module, "gather", stopped)
    assert main(["read", capture]) == 130
    out, err = capsys.readouterr()
    assert "FAILS at x224" in out
    assert "the reading was stopped; the report rests on what was read by then" in err


def test_a_file_that_the_interrupt_came_in_is_not_called_a_bad_one(tmp_path: Path) -> None:
    class Stopped(Ear):
        def file(self, name: str, size: int) -> None:
            self.stop = True

    path = tmp_path / "log.xml"
    path.write_bytes(exports.saved_xml([exports.not_renewed(0)]))
    found = gather([str(path)], ear=Stopped())
    assert (found.unread, len(found.skipped)) == ([], 1)
    assert "since the reading was stopped in it" in found.skipped[0]


def test_of_many_small_files_the_number_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("rdpdoctor.cli.reading.time.monotonic", lambda: now)
    bar = reading.Bar()
    for number in range(300):
        bar.file(f"{number}.xml", 1000)
    now = 2.5
    bar.read(1000)
    assert "300 files     2 s  299.xml" in capsys.readouterr().err


def test_the_bar_waits_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("rdpdoctor.cli.reading.time.monotonic", lambda: now)
    bar = reading.Bar()
    bar.file("big\x1b.pcap", 1000)
    bar.found("10.0.0.2:3389 from 10.0.0.1 fails at tls")
    bar.read(100)
    assert capsys.readouterr().err == ""
    now = 0.6
    bar.read(100)
    assert capsys.readouterr().err == "so far: 10.0.0.2:3389 from 10.0.0.1 fails at tls\n"
    now = 2.5
    bar.read(300)
    shown = capsys.readouterr().err
    assert " 50%" in shown
    assert shown.count("\x1b") == 1, "only our own"
    bar.clear()
    assert capsys.readouterr().err == "\r\x1b[K"
