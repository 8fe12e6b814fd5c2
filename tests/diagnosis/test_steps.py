"""What to look at next: what separates the leading causes, with lines that can be pasted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rdpdoctor.diagnosis import Confidence, Diagnosis, diagnose
from rdpdoctor.facts import Journal, Source
from rdpdoctor.knowledge import Cause, Reach, load
from rdpdoctor.knowledge.commands import fault, pieces
from rdpdoctor.knowledge.templates import fill, holes
from tests.diagnosis.stories import CASES
from tests.diagnosis.story import Story

ARGS = {"host": "srv01.corp.example", "port": 3389, "address": "10.0.4.21"}


def standing(found: Diagnosis) -> list[str]:
    return [cause.id for cause in found.causes if cause.confidence is not Confidence.RULED_OUT]


@pytest.mark.parametrize("name", list(CASES))
def test_every_story_has_a_next_step_that_can_be_pasted(name: str) -> None:
    found = CASES[name].tell().diagnosis()
    if found.verdict.status != "healthy" or standing(found):
        assert found.next
    assert len({step.id for step in found.next}) == len(found.next) <= 3
    for step in found.next:
        for text in (step.text, step.reach):
            assert not holes(text), text
            assert fault(text) is None
            assert "{SCRIPTS}" not in text
            assert "{COMPUTER}" not in text
        assert set(step.separates) <= set(load().causes)
        if step.kind == "question":
            assert f"--answer {step.id}=VALUE" in [piece.text for piece in pieces(step.text)][-1]


@pytest.mark.parametrize(
    "name",
    ["silent", "closes after the ClientHello", "closes for a cookie, seen once", "dislikes one request",
     "no neighbour", "silent, and small is too", "healthy, and it drops after a while"],
)  # fmt: skip
def test_the_first_step_separates_the_leading_two(name: str) -> None:
    found = CASES[name].tell().diagnosis()
    leading = standing(found)[:2]
    assert set(leading) <= set(found.next[0].separates), (leading, found.next[0])


@pytest.mark.parametrize("cause", load().causes.values(), ids=lambda cause: cause.id)
def test_every_cause_has_a_step_of_its_own(cause: Cause) -> None:
    assert any(fill(tell.text, ARGS) for tell in cause.tell if tell.kind != "question")


def test_lines_for_the_server_hold_in_double_quotes() -> None:
    """Steps go to `az` as they are unless a shell would expand something in them."""
    lines = ["Get-Service TermService", "Get-ChildItem 'Cert:\\LocalMachine\\My'"]
    azure = load().reach["azure"]
    assert azure.told(lines, "SERVER").endswith(
        """--scripts "Get-Service TermService" "Get-ChildItem 'Cert:\\LocalMachine\\My'"`"""
    )
    for line in ('Get-Process -Name "a"', "Get-Item $env:TEMP", "echo %PATH%", "echo !"):
        told = azure.told([*lines, line], "SERVER")
        assert told.startswith("Save the lines as lines.ps1 first.")
        assert told.endswith('--scripts "@lines.ps1"`')


def test_only_what_is_marked_runs_on_the_server() -> None:
    for cause in load().causes.values():
        for tell in cause.tell:
            commands = [piece.text for piece in pieces(tell.text) if piece.command]
            if tell.on == "server":
                assert "n the server" in tell.text, cause.id
                assert commands
                assert not any(re.match(r"rdpdoctor|mstsc|\w+\.msc|az |aws ", one) for one in commands)


@pytest.mark.parametrize(
    ("machine", "wanted"),
    [
        (None, "Enter-PSSession -ComputerName srv01.corp.example"),
        ("unknown", "Enter-PSSession -ComputerName srv01.corp.example"),
        ("pc", "Enter-PSSession -ComputerName srv01.corp.example"),
        ("server", "Enter-PSSession -ComputerName srv01.corp.example"),
        ("vm", "Enter-PSSession -VMName VM"),
        ("azure", "az vm run-command invoke "),
        ("aws", "aws ssm start-session "),
    ],
)
def test_how_to_come_to_the_server(machine: str | None, wanted: str) -> None:
    story = CASES["closes after the ClientHello"].tell()
    found = (story if machine is None else story.answer("machine", machine)).diagnosis()
    [step] = [step for step in found.next if step.id == "system-log-certificate"]
    [command] = [piece.text for piece in pieces(step.reach) if piece.command]
    assert command.startswith(wanted)


def test_a_machine_nobody_knows_changes_nothing() -> None:
    """A journal may hold any answer."""
    story = CASES["closes after the ClientHello"].tell()
    plain = story.diagnosis().next[0].reach
    assert (
        story.see("answer.given", Source.ANSWER, question="machine", answer="`rm`").diagnosis().next[0].reach
        == plain
    )


def test_winrm_wants_a_name() -> None:
    for host in ("10.0.4.21", "2001:db8::1", "$(reboot)", "a b"):
        story = Story(host).walk(8, "closed").versions("closed")
        reach = next(step.reach for step in story.diagnosis().next if step.reach)
        assert "-ComputerName SERVER`" in reach or "-ComputerName HOST`" in reach
        assert "reboot" not in reach


def test_a_server_that_works_needs_no_other_way_in() -> None:
    found = CASES["expired"].tell().diagnosis()
    assert found.verdict.status == "degraded"
    assert all(step.reach == "" for step in found.next)


@pytest.mark.parametrize(
    "story",
    [
        Story().walk(1, ("malformed", "0300000b")).attempt(1, ("malformed", "0300000b")),
        Story().walk(8, "TLS 1.3", 0xC000018D).attempt(8, "TLS 1.3", {"os_version": "6.1.7601"}),
    ],
)
def test_no_powershell_for_servers_that_are_not_windows(story: Story) -> None:
    found = story.diagnosis()
    assert found.verdict.status == "failing"
    texts = [step.text for step in found.next if step.id != "from-inside"]
    assert any("journalctl" in text or "/var/log/xrdp.log" in text for text in texts)
    assert not any(re.search(r"Get-(WinEvent|ChildItem|Service)", text) for text in texts)


def test_a_check_that_ran_out_of_time_asks_for_more() -> None:
    story = CASES["silent"].tell().see("check.out-of-time", left=["crowd"])
    assert "--timeout 120" in story.diagnosis().next[0].text


def test_every_answer_to_machine_has_a_way() -> None:
    assert set(load().reach) == set(load().questions["machine"].values)
    assert all(isinstance(way, Reach) for way in load().reach.values())


def checks(found: Diagnosis) -> list[str]:
    """The commands of the next steps that check again."""
    commands = [piece.text for step in found.next for piece in pieces(step.text) if piece.command]
    return [command for command in commands if command.startswith("rdpdoctor check ")]


def test_a_check_is_repeated_with_what_was_given() -> None:
    story = Story().walk(8, "reset", cookie="alice").see("check.out-of-time", left=["crowd"])
    story.see("code.shown", Source.CODE, reason=2308, extended=7, text="0x904/0x7").answer("others", "yes")
    story.see("answer.given", Source.PROBE, question="via", answer="vpn")
    more, *others = checks(story.diagnosis())
    given = "srv01.corp.example:3389 --user alice --code 0x904 0x7 --answer others=yes"
    assert more == f"rdpdoctor check --timeout 120 {given}"
    assert others
    for command in others:
        assert command.startswith(f"rdpdoctor check {given}"), command


@pytest.mark.parametrize(
    ("source", "again"),
    [
        (
            Source.PROBE,
            "Check again with one of yes, no as the VALUE: `rdpdoctor check srv01.corp.example:3389",
        ),
        (Source.EVENTLOG, "Read the files again with one of yes, no as the VALUE: `rdpdoctor read FILE..."),
    ],
)
def test_an_answer_goes_to_what_gave_the_report(source: Source, again: str) -> None:
    told = CASES["refused since an update"].tell().journal
    journal = Journal(told.target, told.started)
    journal.extend(replace(row, source=source) if row.source is Source.PROBE else row for row in told)
    question = next(step for step in diagnose(journal, load()).next if step.kind == "question")
    assert question.text.endswith(f"{again} --answer since=after-update --answer others=VALUE`")


@pytest.mark.parametrize(
    ("cookie", "wanted"),
    [
        ("rdpdoctor", ""),
        (None, ""),
        ("bob@corp.example", " --user bob@corp.example"),
        ("CORP\\bob", ' --user "CORP\\bob"'),
        ("$(reboot)", " --user USER"),
        ("a b", " --user USER"),
        ("-x", " --user USER"),
        ("bob\n", " --user USER"),
    ],
)
def test_only_a_harmless_name_is_pasted(cookie: str | None, wanted: str) -> None:
    story = Story().walk("silent", cookie=cookie).see("check.out-of-time", left=["crowd"])
    assert checks(story.diagnosis())[0] == f"rdpdoctor check --timeout 120 srv01.corp.example:3389{wanted}"


def test_no_journal_writes_options() -> None:
    story = Story().walk("silent").see("check.out-of-time", left=["crowd"])
    story.see("code.shown", Source.CODE, reason=2308, extended=None, text="2308 `rm`")
    story.see("code.shown", Source.CODE, reason=2308, extended=None, text="--json")
    story.see("answer.given", Source.ANSWER, question="via", answer="vpn; rm")
    assert checks(story.diagnosis())[0] == "rdpdoctor check --timeout 120 srv01.corp.example:3389"


@pytest.mark.parametrize(
    ("host", "cookie", "wanted"),
    [
        ("srv01.corp.example", "rdpdoctor", "--user USER srv01.corp.example:3389"),
        ("10.0.4.21", "rdpdoctor", "--user USER NAME:3389"),
        ("10.0.4.21", "alice", "--user alice NAME:3389"),
        ("srv01.corp.example", "alice", None),
    ],
)
def test_filters_look_at_names(host: str, cookie: str, wanted: str | None) -> None:
    story = Story(host).walk("reset", cookie=cookie).attempt("reset", cookie=cookie)
    found = [step.text for step in story.diagnosis().next if step.id == "by-name"]
    assert [text.partition("`")[2] for text in found] == ([f"rdpdoctor check {wanted}`"] if wanted else [])


@pytest.mark.parametrize(
    ("reason", "extended", "beyond"),
    [
        (0x1807, None, True),
        (0xC000006D, None, True),
        (0x0, 0x101, True),
        (0x904, 0x101, True),
        (0x904, 7, False),
        (0xB09, None, False),
        (0x5555, None, False),
    ],
)
def test_a_code_from_beyond_the_check_did_not_fail_to_recur(
    reason: int, extended: int | None, beyond: bool
) -> None:
    found = Story().healthy().code(reason, extended).diagnosis()
    assert found.verdict.status == "healthy"
    assert found.next[0].id == ("beyond-the-check" if beyond else "when-it-happens")


def test_the_servers_log_is_asked_for_where_it_would_settle_what_is_likely() -> None:
    found = Story().walk(8, "closed").versions("closed").diagnosis()
    assert (found.causes[0].id, found.causes[0].confidence) == ("certificate.key-unusable", "likely")
    step = next(one for one in found.next if one.id == "servers-log")
    assert [piece.text for piece in pieces(step.text) if piece.command] == [
        "wevtutil epl System System.evtx",
        "rdpdoctor check srv01.corp.example:3389 --with System.evtx",
    ]
    story = Story().walk(8, "closed").versions("closed")
    story.see("event.log", Source.EVENTLOG)
    assert "servers-log" not in [one.id for one in story.diagnosis().next], "it was given"
    assert "servers-log" not in [one.id for one in Story().healthy().diagnosis().next]
