"""User rights and the members of Remote Desktop Users: what they speak for, and how loudly."""

from __future__ import annotations

import pytest

from rdpdoctor.readers.host import read_host
from tests.readers.host.craft import judged, standing

DENIED = "authorization.denied"
USUAL = "SeRemoteInteractiveLogonRight = *S-1-5-32-544,*S-1-5-32-555"
EXPORT = """\
[Unicode]
Unicode=yes
[Privilege Rights]
{lines}
[Version]
signature="$CHICAGO$"
Revision=1
"""
#: A whole export has some 35 lines.
MANY = "\n".join(f"SeMade{letter}Privilege = *S-1-5-32-544" for letter in "ABCDEFGHIJKLMNOPQRSTUVW")
RULER = "-" * 79
ALIAS = """\
{alias}
{comment}

{members}

{ruler}
{names}{done}
"""
TABLE = """\
PS C:\\> Get-LocalGroupMember -SID S-1-5-32-555

ObjectClass Name        PrincipalSource
----------- ----        ---------------
User        SRV01\\alice Local
Group       CORP\\rdp    ActiveDirectory
"""


def export(*lines: str) -> str:
    return EXPORT.format(lines="\n".join(lines))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    ("lines", "confidence", "status"),
    [
        ((USUAL,), None, "unknown"),
        ((USUAL, "SeDenyRemoteInteractiveLogonRight = *S-1-5-32-546,Guest"), None, "unknown"),
        ((USUAL, "SeDenyNetworkLogonRight = *S-1-5-21-1-2-3-501"), None, "unknown"),
        ((USUAL, "SeNetworkLogonRight = *S-1-5-11,*S-1-5-32-544"), None, "unknown"),
        ((USUAL, "SeDenyRemoteInteractiveLogonRight = *S-1-5-113,*S-1-5-32-546"), "possible", "unknown"),
        ((USUAL, "SeDenyNetworkLogonRight = *S-1-5-114"), "possible", "unknown"),
        ((USUAL, r"SeDenyRemoteInteractiveLogonRight = CORP\bob"), "possible", "unknown"),
        ((USUAL, "SeDenyRemoteInteractiveLogonRight = *S-1-5-32-545"), "possible", "unknown"),
        ((USUAL, "SeNetworkLogonRight = *S-1-5-32-544"), "possible", "unknown"),
        (("SeRemoteInteractiveLogonRight = *S-1-5-32-544",), "possible", "unknown"),
        (("SeRemoteInteractiveLogonRight = *S-1-5-32-544", "SeNetworkLogonRight = *S-1-5-9,*S-1-5-11"), None,
         "unknown"),
        ((USUAL, "SeDenyRemoteInteractiveLogonRight = *S-1-1-0"), "likely", "failing"),
        ((USUAL, "SeDenyNetworkLogonRight = *S-1-5-11"), "likely", "failing"),
        (("SeRemoteInteractiveLogonRight =",), "likely", "failing"),
        ((MANY,), "likely", "failing"),
        ((MANY, USUAL), None, "unknown"),
    ],
)  # fmt: skip
def test_rights(lines: tuple[str, ...], confidence: str | None, status: str, encoding: str) -> None:
    found = judged(export(*lines).replace("\n", "\r\n").encode(encoding))
    assert standing(found).get(DENIED) == confidence
    assert found.verdict.status == status


def test_a_machine_that_is_locked_down_on_purpose_is_no_likely_case() -> None:
    found = judged(
        export(
            "SeRemoteInteractiveLogonRight = *S-1-5-32-544",
            "SeNetworkLogonRight = *S-1-5-32-544",
            "SeDenyRemoteInteractiveLogonRight = *S-1-5-113,*S-1-5-114",
            "SeDenyNetworkLogonRight = *S-1-5-113,*S-1-5-114",
        ).encode()
    )
    assert standing(found) == {DENIED: "possible"}


@pytest.mark.parametrize(
    "line",
    [
        r"C:\Windows\Temp\rights.inf:21:SeDenyRemoteInteractiveLogonRight = *S-1-1-0",
        "Temp\\rights.inf:21:SeDenyRemoteInteractiveLogonRight = *S-1-5-113,*S-1-5-32-546,\n*S-1-1-0",
        "> SeDenyRemoteInteractiveLogonRight = *S-1-1-0",
    ],
)
def test_what_select_string_shows(line: str) -> None:
    assert standing(judged(f"\n{line}\n".encode())) == {DENIED: "likely"}


def test_a_long_list_that_is_cut_does_not_lack_anybody() -> None:
    many = ",".join(f"*S-1-5-21-1004336348-1177238915-682003330-{each}" for each in range(1100, 1120))
    found = judged(export(f"SeRemoteInteractiveLogonRight = {many},*S-1-5-32-555").encode())
    assert standing(found) == {}


@pytest.mark.parametrize(
    ("alias", "members", "done", "encoding"),
    [
        ("Alias name     Remote Desktop Users", "Members", "The command completed successfully.", "utf-8"),
        ("Aliasname        Remotedesktopbenutzer", "Mitglieder", "Der Befehl wurde erfolgreich ausgeführt.",
         "cp850"),
        ("Nom alias         Utilisateurs du Bureau à distance", "Membres",
         "La commande s'est terminée correctement.", "cp1252"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("names", [(), ("alice", "CORP\\Remote Staff")])
def test_members_by_net(alias: str, members: str, done: str, encoding: str, names: tuple[str, ...]) -> None:
    text = ALIAS.format(
        alias=alias, comment="Comment        x", members=members, ruler=RULER, done=done,
        names="".join(f"{name}\n" for name in names),
    )  # fmt: skip
    facts = read_host(text.encode(encoding))
    assert [row.args["members"] for row in facts.observations if row.tag == "host.members"] == [len(names)]
    assert standing(judged(text.encode(encoding))) == ({} if names else {DENIED: "possible"})


def test_members_by_powershell() -> None:
    (row,) = [row for row in read_host(TABLE.encode()).observations if row.tag == "host.members"]
    assert row.args["members"] == 2
    nobody = "PS C:\\> Get-LocalGroupMember -SID S-1-5-32-555\n\nPS C:\\> hostname\nSRV01\n"
    assert standing(judged(nobody.encode())) == {DENIED: "possible"}
    whose = TABLE.partition("\n")[2]
    assert any("of which group" in one for one in read_host(whose.encode()).lost)


@pytest.mark.parametrize(
    "text",
    [
        ALIAS.format(
            alias="Alias name     Administrators", comment="x", members="Members", ruler=RULER, names="",
            done="The command completed successfully.",
        ),
        "Please run this:\nPS C:\\> Get-LocalGroupMember -SID S-1-5-32-555\n",
    ],
)  # fmt: skip
def test_what_tells_nothing_of_the_group(text: str) -> None:
    joined = text + "\nSERVICE_NAME: TermService\n        STATE              : 4  RUNNING\n"
    assert "host.members" not in {row.tag for row in read_host(joined.encode()).observations}
