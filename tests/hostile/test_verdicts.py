"""Whole verdicts of the command on peers that mean harm: in time, in memory, true, and quiet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.command import GRACE, check, command, control_bytes, environment, judge, opened

from .cases import CASES
from .fault import NETWORK
from .in_tls import instead_of_hello
from .kit import alert
from .peers import Peer, healthy, proxied

if TYPE_CHECKING:
    from pathlib import Path

    from .kit import Kit

#: The most connections to one host: where it is healthy, and where it is not; and how many at a time.
HEALTHY, UNHEALTHY, AT_ONCE = 12, 25, 8


@pytest.mark.parametrize("name", CASES)
def test_verdict(kit: Kit, name: str) -> None:
    fault = CASES[name]
    with Peer(fault.make(kit)) as peer:
        run = check(peer.target, timeout=fault.timeout)
        accepted, at_once = peer.accepted, peer.most_at_once
    judge(run, fault.expect)
    assert accepted <= (HEALTHY if run.report["verdict"]["status"] == "healthy" else UNHEALTHY), run.say()
    # A connection that the client has ended may still be open here for a moment.
    assert at_once <= AT_ONCE + 2, run.say()
    assert opened(run) == accepted, f"{accepted} came\n{run.say()}"


@pytest.mark.parametrize(
    "name", ["nasty-certificate", "ntlm-nasty-names", "banner-nasty", "huge-subject", "ntlm-huge-names"]
)
@pytest.mark.parametrize("verbose", [False, True])
def test_nothing_reaches_the_terminal(kit: Kit, name: str, verbose: bool) -> None:
    """`check` itself looks for control bytes, in both outputs; here the text one, and that nothing floods."""
    with Peer(CASES[name].make(kit)) as peer:
        run = check(peer.target, *(["-v"] if verbose else []), json_=False)
    assert len(run.stdout) < (60_000 if verbose else 6_000), run.stdout[:3000]
    assert max(len(line) for line in run.stdout.splitlines()) <= 400, run.stdout[:3000]


def test_a_target_out_of_a_saved_journal_is_no_better(kit: Kit, tmp_path: Path) -> None:
    """What a peer said comes back from the file: it must be as harmless as it was live."""
    saved = tmp_path / "journal.jsonl"
    with Peer(CASES["nasty-certificate"].make(kit)) as peer:
        check(peer.target, "--save", str(saved))
    run = command("read", str(saved), "-v")
    assert run.code == 0, run.say()
    assert control_bytes(run.stdout) == []
    assert control_bytes(saved.read_text(encoding="utf-8")) == []


#: Where to cut a healthy conversation: each byte of the confirm, then every so often through TLS and CredSSP.
CONFIRM = 19
CUTS = (*range(CONFIRM + 1), *range(CONFIRM + 2, 2400, 83))


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_cut_anywhere(kit: Kit, how: str, part: int) -> None:
    """All in one call: the stage must be where the bytes ended, and no cut may look healthy."""
    cuts = CUTS[part::4]
    with ExitStack() as stack:
        peers = [stack.enter_context(proxied(healthy(kit.good), cut, how)) for cut in cuts]
        by_target = {peer.target: cut for peer, cut in zip(peers, cuts, strict=True)}
        run = command("check", *by_target, "--jsonl", "--timeout", "12")
    assert run.seconds < 12 + GRACE, run.say()
    assert "Traceback" not in run.stderr, run.say()
    reports = {
        by_target[report["target"]["input"]]: report for report in map(json.loads, run.stdout.splitlines())
    }
    assert sorted(reports) == sorted(cuts)
    wrong = []
    for cut, report in reports.items():
        verdict = report["verdict"]
        crashes = [row["args"] for row in report["observations"] if row["tag"] == "probe.crashed"]
        if crashes:
            wrong.append((cut, crashes))
        # A TLS 1.3 server ends its part with tickets, which nobody needs: their bytes are between the stages.
        stages = ("x224",) if cut < CONFIRM else ("tls",) if cut < 1200 else ("tls", "nla", None)
        if verdict["stage"] not in stages or (verdict["status"] == "healthy" and cut < 1800):
            wrong.append((cut, verdict))
    assert not wrong, "\n".join(map(str, wrong))


def test_stalls_anywhere(kit: Kit) -> None:
    """Silence in the middle of anything: each check ends in its time and names the stage."""
    cuts = (0, 1, 4, 11, 18, 19, 20, 60, 400, 1000)
    with ExitStack() as stack:
        peers = [stack.enter_context(proxied(healthy(kit.good), cut, "stall")) for cut in cuts]
        by_target = {peer.target: cut for peer, cut in zip(peers, cuts, strict=True)}
        run = command("check", *by_target, "--jsonl", "--timeout", "5")
    assert run.seconds < 5 + GRACE, run.say()
    for report in map(json.loads, run.stdout.splitlines()):
        cut = by_target.pop(report["target"]["input"])
        assert report["verdict"]["status"] == "failing", (cut, report["verdict"])
        assert report["verdict"]["stage"] == ("x224" if cut < CONFIRM else "tls"), (cut, report["verdict"])
        open_causes = [cause["id"] for cause in report["causes"] if cause["confidence"] != "ruled-out"]
        assert not {"port.not-rdp", "certificate.key-unusable", *NETWORK} & set(open_causes), (
            cut,
            open_causes,
        )
    assert not by_target, "one report for each"


@pytest.mark.parametrize("level", [1, 2])
def test_every_alert(kit: Kit, level: int) -> None:
    """RFC 8446 section 6 knows 27; a peer may send any of 256, as a warning too."""
    codes = (*range(0, 123, 3), 20, 40, 42, 46, 70, 71, 80, 86, 90, 109, 112, 115, 116, 120, 255)
    with ExitStack() as stack:
        peers = [stack.enter_context(Peer(instead_of_hello(alert(code, level))(kit))) for code in codes]
        by_target = {peer.target: code for peer, code in zip(peers, codes, strict=True)}
        run = command("check", *by_target, "--jsonl", "--timeout", "20")
    assert run.seconds < 20 + GRACE, run.say()
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(reports) == len(codes)
    for report in reports:
        code = by_target[report["target"]["input"]]
        assert (report["verdict"]["status"], report["verdict"]["stage"]) == ("failing", "tls"), (code, report)
        assert not [row for row in report["observations"] if row["tag"] == "probe.crashed"], (code, report)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("output", ["--json", None])
@pytest.mark.parametrize("name", ["silent", "tls-silent", "nla-silent"])
def test_interrupted(kit: Kit, name: str, output: str | None) -> None:
    """Ctrl-C ends at once with what is known, and 130."""
    with Peer(CASES[name].make(kit)) as peer:
        words = ["check", peer.target, "--timeout", "30", *([output] if output else [])]
        process = subprocess.Popen(
            [sys.executable, "-m", "rdpdoctor", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        try:
            while not peer.accepted and process.poll() is None:
                time.sleep(0.02)
            time.sleep(0.7)
            began = time.monotonic()
            os.kill(process.pid, signal.SIGINT)
            stdout, stderr = process.communicate(timeout=10)
            took = time.monotonic() - began
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 130, stderr
    assert took < 1.0
    assert b"Traceback" not in stderr
    if output:
        report = json.loads(stdout)
        assert report["verdict"]["status"] in ("unknown", "failing")
        assert any(row["tag"] == "check.interrupted" for row in report["observations"])
    else:
        assert peer.target.encode() in stdout
