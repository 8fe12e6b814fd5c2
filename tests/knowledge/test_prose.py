"""What is told of causes, remedies and advice: whole, honest about how sure it is, and fit to be followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.cli.commands import COMMANDS
from rdpdoctor.knowledge import load, store
from rdpdoctor.knowledge.advice import advice, for_cause
from rdpdoctor.knowledge.check_prose import SIDES
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.prose import prose
from rdpdoctor.knowledge.remedies import diagnostics_for, remedies
from rdpdoctor.lab.load import names

if TYPE_CHECKING:
    from rdpdoctor.knowledge.remedies import Remedy

CAUSES = load().causes
SHARED = Path(__file__).parents[3] / "shared"
#: What may stand behind "measured".
_MEASURED = re.compile(r"this project's tests|an? (capture|event log) of ")
#: What starts a command, or joins two.
_COMMAND = re.compile(
    r"\b[A-Z][a-z]+-[A-Z][A-Za-z]+\b| \| |\b(?:rdpdoctor|qwinsta|w32tm|ipconfig|ping|tracert|reg|net|az|aws|"
    r"netsh|nltest|secedit|icacls|takeown|sc\.exe|findstr|cmdkey|klist|gpupdate)(?= [-/a-z{]|$)"
)


def texts() -> list[tuple[str, str]]:
    found = [(name, step) for name in CAUSES for step in prose(name).check]
    for remedy in remedies().values():
        found += [(remedy.id, step) for step in (*remedy.steps, *remedy.verify, *remedy.undo)]
    return found


def commands() -> list[tuple[str, str]]:
    return [(name, piece.text) for name, text in texts() for piece in pieces(text) if piece.command]


def test_every_cause_of_the_contract_is_here() -> None:
    contract = SHARED / "contract.md"
    if not contract.exists():
        pytest.skip("the contract is not at hand")
    listed = contract.read_text("utf-8").partition("## Causes")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z0-9.-]+)` \|", listed, re.MULTILINE)) == set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_cause_is_told_whole(name: str) -> None:
    told = prose(name)
    assert tuple(told.shows) == SIDES
    assert told.check
    assert CAUSES[name].remedies
    assert for_cause(name), "something is always advised"
    for side in told.shows.values():
        assert side.says.endswith((".", ".”"))
        if side.sure == "measured":
            assert any(_MEASURED.match(source) for source in side.sources), "by which test or capture?"


def test_scenarios_named_as_proof_exist() -> None:
    sources = [source for name in CAUSES for side in prose(name).shows.values() for source in side.sources]
    named = [
        one
        for source in sources
        if source.startswith("this project's tests: lab ")
        for one in source.removeprefix("this project's tests: lab ").split(", ")
    ]
    assert len(named) > 50
    assert set(named) <= set(names())


def test_prose_stays_out_of_what_a_check_loads() -> None:
    rows = store.rows()["causes"]
    assert all(not {"shows", "check"} & set(row) for row in rows.values())


def test_a_cause_that_is_not_there() -> None:
    for name in ("tls.brocken", "", "../tags", "tls.broken.toml"):
        with pytest.raises(KeyError):
            prose(name)


@pytest.mark.parametrize("name", remedies())
def test_remedy(name: str) -> None:
    remedy = remedies()[name]
    assert not remedy.title.endswith(".")
    assert len(remedy.title) <= 48, "a line of a report holds it with its risk"
    assert remedy.breaks.endswith(".")
    if remedy.diagnostic is None:
        assert not remedy.lowers_security
        assert any(name in cause.remedies for cause in CAUSES.values())
    else:
        assert not any(name in cause.remedies for cause in CAUSES.values()), "it mends nothing"
        assert all(remedy in diagnostics_for(cause) for cause in remedy.diagnostic.causes)
        assert remedy.diagnostic.warning.startswith("This lowers security")


#: Settings that lower security, in the value that does.
_LOWERS = (
    r"SecurityLayer (/t REG_DWORD /d )?[01]\b",
    r"UserAuthentication (/t REG_DWORD /d )?0\b",
    r"AllowEncryptionOracle (/t REG_DWORD /d )?[12]\b",
    r"MinEncryptionLevel (/t REG_DWORD /d )?[12]\b",
    r"EnforceChannelBinding|FIPSAlgorithmPolicy /v|DisableRestrictedAdmin /t|GracePeriod",
    r"Set-NetFirewallProfile|advfirewall set|0\.0\.0\.0/0|TLS 1\.[01]\\|SSL 3\.0\\",
    r"Remove-Item .*MachineKeys|Rename-Item .*MachineKeys",
    r"Set-MpPreference|Stop-Service (gpsvc|MpsSvc|WinDefend)",
)


def lowered(remedy: Remedy) -> list[str]:
    done = [piece.text for step in remedy.steps for piece in pieces(step) if piece.command]
    return [command for command in done for pattern in _LOWERS if re.search(pattern, command)]


def test_nothing_that_lowers_security_is_a_remedy() -> None:
    for remedy in remedies().values():
        if remedy.diagnostic is None:
            assert lowered(remedy) == [], remedy.id
        else:
            assert lowered(remedy), "so the patterns do find it"


def test_a_way_back_is_made_before_security_is_lowered() -> None:
    """The scheduled task that restores it comes first, and is gone at the end."""
    for remedy in remedies().values():
        if remedy.diagnostic is None:
            continue
        steps = " ".join(remedy.steps)
        assert f"AddMinutes({remedy.diagnostic.minutes})" in steps
        assert steps.index("Register-ScheduledTask") < steps.index(lowered(remedy)[0])
        assert "AtStartup" in steps
        assert any("Unregister-ScheduledTask" in step for step in remedy.undo)


@pytest.mark.parametrize("piece", advice().values(), ids=lambda piece: piece.id)
def test_advice(piece: object) -> None:
    from rdpdoctor.knowledge.advice import Advice

    assert isinstance(piece, Advice)
    assert not piece.advice.endswith(".")
    for text in (piece.right_when, piece.breaks, piece.instead):
        assert text.endswith(".")
    if piece.right_when == "Never.":
        assert not piece.right_for
    if piece.lowers_security:
        assert not piece.breaks.startswith("Nothing.")


def test_the_five_classics_are_judged() -> None:
    for name in ("security-layer-0", "nla-off", "allow-encryption-oracle-2", "firewall-off", "tls-1-0-on"):
        assert advice()[name].lowers_security
    for name in ("security-layer-0", "firewall-off", "delete-graceperiod", "rename-machinekeys"):
        assert advice()[name].right_for == ()


@pytest.mark.parametrize(("name", "text"), texts())
def test_commands_stand_in_backticks(name: str, text: str) -> None:
    for piece in pieces(text):
        if not piece.command:
            assert not _COMMAND.search(piece.text), piece.text
            assert piece.text[0] not in ".,;:)", "prose between commands begins a sentence of its own"


@pytest.mark.parametrize(("name", "command"), commands())
def test_command_is_whole(name: str, command: str) -> None:
    """Quotes and brackets close, as PowerShell reads them; and 5.1 knows the operators."""
    if command.startswith(("tail ", "cp ", "systemctl ")):
        return
    outside = re.sub(r"'(?:[^']|'')*'", "''", command)
    outside = re.sub(r'"(?:[^"]|"")*"', '""', outside)
    assert outside.count("'") % 2 == 0
    assert outside.count('"') % 2 == 0
    for opening, closing in ("()", "{}", "[]"):
        assert outside.count(opening) == outside.count(closing)
    assert not re.search(r"&&|\|\||\?\?|-Parallel\b| \? .* : ", outside), "Windows PowerShell 5.1 lacks it"


def test_no_command_wipes_a_registry_key_or_asks_for_what_is_not_there() -> None:
    for name, command in commands():
        assert not re.search(r"New-Item\b.*-Force", command), f"{name}: it empties a key that exists"
        if command.startswith("rdpdoctor "):
            assert command.split()[1] in COMMANDS
