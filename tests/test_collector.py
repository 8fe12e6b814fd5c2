"""The collector: it parses, it only reads, and it looks where the knowledge says that something is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tree_sitter
import tree_sitter_powershell

from rdpdoctor.cli.main import main
from rdpdoctor.collector import MODES, script
from rdpdoctor.knowledge.settings import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Commands that change nothing, whatever they are given. New-Object and Invoke-CimMethod are looked into.
READING = {
    *(
        "ConvertTo-Json",
        "ForEach-Object",
        "Get-Acl",
        "Get-ChildItem",
        "Get-CimInstance",
        "Get-Date",
        "Get-Item",
    ),
    *(
        "Get-ItemProperty",
        "Get-Process",
        "Get-WinEvent",
        "Join-Path",
        "Select-Object",
        "Split-Path",
        "Test-Path",
    ),
    *("Where-Object", "New-Object", "Invoke-CimMethod"),
}
OBJECTS = {
    *("System.Collections.ArrayList", "System.IO.MemoryStream", "System.IO.Compression.GZipStream"),
    *("System.Security.Cryptography.X509Certificates.X509Store", "System.Text.UTF8Encoding", "-ComObject"),
    "Security.Principal.WindowsPrincipal",
}
PROGRAMS = {"qwinsta.exe", "w32tm.exe"}
#: Methods. WriteAllText writes the file that was asked for; Add, Remove and Write fill what is in memory.
METHODS = {
    *("Add", "AddHours", "BlockAllInboundTraffic", "Clone", "Close", "ContainsKey", "DefaultInboundAction"),
    *(
        "Dispose",
        "EndsWith",
        "FirewallEnabled",
        "Format",
        "GetAccessRules",
        "GetAttribute",
        "GetBaseException",
    ),
    *("GetBytes", "GetCurrent", "GetRSAPrivateKey", "GetUnresolvedProviderPathFromPSPath", "GetUtcOffset"),
    *(
        "GetValue",
        "GetValueKind",
        "GetValueNames",
        "IsInRole",
        "IsNullOrEmpty",
        "Open",
        "Remove",
        "SelectNodes",
    ),
    *("SelectSingleNode", "Split", "Substring", "ToArray", "ToBase64String", "ToLowerInvariant", "ToString"),
    *("ToUniversalTime", "ToXml", "Trim", "Write", "WriteAllText"),
}


def nodes(node: tree_sitter.Node, kind: str) -> Iterator[tree_sitter.Node]:
    if node.type == kind:
        yield node
    for child in node.children:
        yield from nodes(child, kind)


def text(node: tree_sitter.Node | None) -> str:
    assert node is not None
    assert node.text is not None
    return node.text.decode()


@pytest.fixture(scope="module")
def tree() -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    return parser.parse(script().encode()).root_node


def test_it_parses(tree: tree_sitter.Node) -> None:
    assert not tree.has_error
    assert [text(node) for node in nodes(tree, "ERROR")] == []


def test_a_broken_script_would_not() -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    for whole, spoiled in (
        ("@(foreach ($path in", "@(foreach ($path"),
        ("$Value = ", "$Value = ("),
        ("}\n", "\n"),
    ):
        broken = f"$Value = 1\n{script()}".replace(whole, spoiled, 1)
        assert broken != script()
        assert parser.parse(broken.encode()).root_node.has_error


def test_it_runs_reading_commands_only(tree: tree_sitter.Node) -> None:
    own = {text(node) for node in nodes(tree, "function_name")}
    called = {text(node) for node in nodes(tree, "command_name")}
    assert called - own <= READING
    assert own <= called, "a function that nothing calls"


def test_it_makes_nothing_but_these_objects_and_starts_nothing_but_these_programs(
    tree: tree_sitter.Node,
) -> None:
    for command in nodes(tree, "command"):
        words = text(command).split()
        if words[0] == "New-Object":
            assert words[1] in OBJECTS
            assert words[1] != "-ComObject" or words[2] == "HNetCfg.FwPolicy2"
        elif words[0] == "Invoke-CimMethod":
            assert re.search(r"-MethodName Get\w+$", text(command)), text(command)
        elif words[0] == "&":
            program = re.match(r'& (?:\$Body$|"\$programs\\(\w+\.exe)")', text(command))
            assert program is not None, text(command)
            assert program[1] is None or program[1] in PROGRAMS
    folders = re.findall(r"\$programs = (.*)", script())
    assert folders == [r'"$env:SystemRoot\System32"', r'"$env:SystemRoot\Sysnative"']
    assert not re.search(r"[^2]>", re.sub(r"<#.*?#>", "", script(), flags=re.S).replace("=>", ""))


def test_it_calls_no_method_that_changes_anything(tree: tree_sitter.Node) -> None:
    called = {
        text(child)
        for kind in ("invokation_expression", "invokation_foreach_expression")
        for node in nodes(tree, kind)
        for child in node.children
        if child.type == "member_name"
    }
    assert called, "the grammar calls them otherwise"
    assert called <= METHODS
    assert "OpenExistingOnly" in script()


@pytest.mark.parametrize("side", registry.SIDES)
def test_it_covers_every_value_that_is_known(side: str) -> None:
    whole, roots = keys()
    places = [
        (key, row.name)
        for row in registry.settings()
        if row.side == side and row.key != registry.RIGHTS
        for key in (row.key, row.policy.key if row.policy else row.key)
    ]
    missing = [
        (key, name)
        for key, name in places
        if (at := registry.plain(key)) not in whole
        and not any(at == root or at.startswith(root + "\\") for root in roots)
    ]
    assert places
    assert missing == []


def keys() -> tuple[set[str], tuple[str, ...]]:
    """Keys that the script reads alone, and those that it reads with all below them."""
    found = re.findall(r"^    '(HK[^']+)'$", script(), re.MULTILINE)
    return (
        {registry.plain(key) for key in found if not key.endswith("*")},
        tuple(registry.plain(key.removesuffix("\\*")) for key in found if key.endswith("*")),
    )


def test_it_covers_every_value_of_the_facts_that_the_project_began_with() -> None:
    path = Path(__file__).parents[2] / "shared" / "facts" / "registry.json"
    if not path.exists():
        pytest.skip("the facts are not at hand")
    whole, roots = keys()
    rows = json.loads(path.read_text("utf-8"))
    assert len(rows) > 100
    for row in rows:
        for key in {row["path"], row.get("policy_path") or row["path"]}:
            at = registry.plain(key)
            assert at in whole or any(at == root or at.startswith(root + "\\") for root in roots), key
        assert registry.find(row["path"], row["name"]) is not None, row["name"]


#: What Windows PowerShell 5.1 does not know.
NEWER = {"??", "??=", "?.", "?[", "&&", "||", "?:"}


def test_windows_powershell_5_1_understands_it(tree: tree_sitter.Node) -> None:
    # Without a mark at its beginning, it takes anything else for its own code page.
    assert script().isascii()
    code = re.sub(r"<#.*?#>|#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"", "", script(), flags=re.S)
    assert [one for one in NEWER if one in code] == []
    assert not re.search(r"\s\?\s", code), "a choice by ?:"
    named = {text(node).lower() for node in nodes(tree, "command_parameter")}
    assert not named & {"-asarray", "-enumsasstrings", "-escapehandling", "-parallel", "-asutc", "-leafbase"}


def test_what_a_brief_bundle_keeps_is_known() -> None:
    block = script().split("$kept = ")[1].split("$script:bundle")[0]
    names = "".join(re.findall(r"'([^']+)'", block)).split("|")
    assert len(names) > 20
    assert [name for name in names if not registry.by_name(name)] == []


def test_modes_are_in_the_script_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for mode in MODES:
        assert main(["collect", f"--{mode}"]) == 0
        printed = capsys.readouterr().out
        assert f"[string] $Mode = '{mode}'" in printed
        assert f"$Mode -match '{mode}'" in printed


def test_the_script_goes_to_stdout_and_how_to_run_it_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect"]) == 0
    said = capsys.readouterr()
    assert said.out == script()
    assert "[string] $Mode = ''" in said.out
    for door in ("console", "WinRM", "Azure", "AWS", "4,096"):
        assert door in said.err
    assert main(["collect", "srv01"]) == 2
